import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { Org } from '../../salesforce/org.ts';
import { findRestores, type JournalEntry, type RestorePlace, readRestore } from '../../vault/restores.ts';
import type { ApplyRequest } from './apply/apply.ts';
import { type BypassBefore, parseBypass, readBypass, switchBack, switchOn } from './bypass.ts';

const beforeSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('setting'),
    object: z.string(),
    field: z.string(),
    user: z.string(),
    value: z.string().optional(),
  }),
  z.object({ kind: z.literal('permission-set'), name: z.string(), user: z.string(), assigned: z.boolean().optional() }),
]);

const onSchema = z.object({ type: z.literal('bypass-on'), before: beforeSchema });

/**
 * The org's bypass, to be switched on for the user who restores. The journal says so before it happens, so that what a run that died left behind
 * can be healed. `leftOn`: how it stood before the run that died. Undefined: none was named. Throws `usage` when the org has no such switch.
 */
export async function automationOf(
  org: Org,
  bypass: string | undefined,
  leftOn?: BypassBefore,
): Promise<ApplyRequest['automation']> {
  if (bypass === undefined && !leftOn) return undefined;
  const before = leftOn ?? (await readBypass(org, parseBypass(bypass!)));
  return {
    async off(journal) {
      await journal.append({ type: 'bypass-on', before });
      await switchOn(org, before);
    },
    async back(journal) {
      await switchBack(org, before);
      await journal.append({ type: 'bypass-off' });
    },
  };
}

/** Switches back every bypass that a restore into this org left switched on when it died. */
export async function healAutomation(
  ctx: Context,
  place: RestorePlace,
  org: Org,
): Promise<{ restore: string; bypass: string }[]> {
  const healed: { restore: string; bypass: string }[] = [];
  for (const { restore, beginning, state } of await findRestores(place, ctx.now())) {
    if (state === 'running' || beginning.org.slice(0, 15) !== org.identity.orgId.slice(0, 15)) continue;
    const { entries } = await readRestore(place, restore, ctx.now());
    const before = leftSwitchedOn(entries);
    if (!before) continue;
    await switchBack(org, before);
    healed.push({ restore, bypass: before.kind === 'setting' ? `${before.object}.${before.field}` : before.name });
  }
  return healed;
}

/** How the switch stood before a restore that died switched it; undefined when it was switched back, or never touched. */
export function leftSwitchedOn(entries: readonly JournalEntry[]): BypassBefore | undefined {
  const last = entries.findLast(({ entry }) => entry.type.startsWith('bypass-'))?.entry;
  return onSchema.safeParse(last).data?.before as BypassBefore | undefined;
}
