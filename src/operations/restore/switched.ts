import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { Org } from '../../salesforce/org.ts';
import { Restore } from '../../vault/restore.ts';
import { findRestores, type JournalEntry, type RestorePlace, readRestore } from '../../vault/restores.ts';
import type { ApplyRequest } from './apply/apply.ts';
import { type Bypass, type BypassBefore, parseBypass, readBypass, switchBack, switchOn } from './bypass.ts';

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
 * can be healed. `lasting`: a connection that still works when the run is stopped. `leftOn`: how it stood before the run that died. Undefined: none was named. Throws `usage` when the org has no such switch.
 */
export async function automationOf(
  ctx: Context,
  org: Org,
  { bypass, lasting = org }: { readonly bypass?: string; readonly lasting?: Org },
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
      try {
        await switchBack(lasting, before);
        await journal.append({ type: 'bypass-off' });
      } catch (error) {
        const message = `${nameOf(before)} could not be switched back (${(error as Error).message}): run salvor restore --heal-automation`;
        ctx.report({ type: 'warning', name: 'bypass-left-on', message });
      }
    },
  };
}

/** Throws `usage` when `--bypass` names nothing that this user may switch in the org: before a plan is made, and when nothing is written at all. */
export async function assertBypass(org: Org, bypass: string | undefined): Promise<void> {
  if (bypass !== undefined) await readBypass(org, parseBypass(bypass));
}

/** Switches back every bypass that a restore into this org left switched on when it died. Throws `lease-held` while another is at work. */
export async function healAutomation(
  ctx: Context,
  place: RestorePlace,
  org: Org,
): Promise<{ restore: string; bypass: string }[]> {
  const healed: { restore: string; bypass: string }[] = [];
  for (const { restore, beginning, state } of await findRestores(place, ctx.now())) {
    if (state === 'running' || beginning.org.slice(0, 15) !== org.identity.orgId.slice(0, 15)) continue;
    const bypass = await healRestore(ctx, place, org, restore);
    if (bypass !== undefined) healed.push({ restore, bypass });
  }
  return healed;
}

/** The same for one restore into this org, unless it is at work. The journal notes it: what somebody switches from then on is theirs. */
export async function healRestore(
  ctx: Context,
  place: RestorePlace,
  org: Org,
  restore: string,
): Promise<string | undefined> {
  const read = await readRestore(place, restore, ctx.now());
  const before = leftSwitchedOn(read.entries);
  if (!before || read.heldBy) return undefined;
  const journal = await Restore.goOn(place, read, ctx.now);
  try {
    await switchBack(org, before);
    await journal.append({ type: 'bypass-off' });
  } finally {
    await journal.release(ctx.now);
  }
  return nameOf(before);
}

/** How the switch stood before a restore that died switched it; undefined when it was switched back, or never touched. */
export function leftSwitchedOn(entries: readonly JournalEntry[]): BypassBefore | undefined {
  return switchedIn(entries.findLast(({ entry }) => entry.type.startsWith('bypass-')));
}

/** The switch that a restore was begun with, as --bypass names it. */
export function bypassIn(entries: readonly JournalEntry[]): string | undefined {
  const before = switchedIn(entries.find(({ entry }) => entry.type === 'bypass-on'));
  return before && nameOf(before);
}

function switchedIn(found: JournalEntry | undefined): BypassBefore | undefined {
  return onSchema.safeParse(found?.entry).data?.before as BypassBefore | undefined;
}

function nameOf(bypass: Bypass): string {
  return bypass.kind === 'setting' ? `${bypass.object}.${bypass.field}` : bypass.name;
}
