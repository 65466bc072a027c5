import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import type { NewRecord } from '../../vault/record.ts';
import { isPinned, unreadRecords } from '../../vault/retention.ts';
import type { Vault } from '../../vault/vault.ts';
import { pointFacts } from './facts.ts';

export interface Kept {
  readonly point: string;
  readonly pinned: boolean;
  /** A pin was taken away: false where there was none. */
  readonly released: boolean;
  /** null: for ever. */
  readonly until: string | null;
  /** It was retired and came back. */
  readonly revived: boolean;
}

/**
 * Pins a point, `until` a time or for ever, or releases it. A retired point comes back while nothing of it is let go. Throws `no-admin-key`,
 * `no-such-point` when it was let go, also meanwhile.
 */
export async function keepPoint(
  ctx: Context,
  vault: Vault,
  point: string,
  { until, release, tool }: { until?: Date | undefined; release: boolean; tool: string },
): Promise<Kept> {
  const append = await appender(ctx, vault, tool);
  if (release) {
    const { retention } = await vault.state(true, ctx.signal);
    if (!isPinned(retention, point, ctx.now()))
      return { point, pinned: false, released: false, until: null, revived: false };
    await append({ kind: 'keep', points: [point], until: ctx.now().toISOString() });
    return { point, pinned: false, released: true, until: null, revived: false };
  }
  const assertThere = async () => {
    if ((await vault.state(true, ctx.signal)).retention.retired.get(point)?.swept)
      throw new Fault('no-such-point', `point ${point} was let go and cannot come back`, { data: { point } });
  };
  await assertThere();
  const revived = (await vault.state()).retention.retired.has(point);
  if (revived) await append({ kind: 'unretire', points: [point] }, assertThere);
  const time = until?.toISOString();
  await append({ kind: 'keep', points: [point], ...(time === undefined ? {} : { until: time }) }, assertThere);
  return { point, pinned: true, released: false, until: time ?? null, revived };
}

export interface Held {
  readonly held: boolean;
  readonly until: string | null;
  /** Suspect points that this release acknowledges. */
  readonly acknowledged: readonly string[];
  /** Records of the log that do not read, or follow none that does: what only their points reach may go from now on. */
  readonly unread: readonly string[];
}

/** Stops all pruning, `until` a time or for ever; or lets it go on and acknowledges the suspect points that are there, and records that do not read. */
export async function holdPruning(
  ctx: Context,
  vault: Vault,
  { until, release, tool }: { until?: Date | undefined; release: boolean; tool: string },
): Promise<Held> {
  const append = await appender(ctx, vault, tool);
  if (!release) {
    const time = until?.toISOString();
    await append({ kind: 'hold', ...(time === undefined ? {} : { until: time }) });
    return { held: true, until: time ?? null, acknowledged: [], unread: [] };
  }
  const facts = await pointFacts(vault, ctx.now());
  const acknowledged = facts.filter(({ suspect }) => suspect).map(({ id }) => id);
  const unread = unreadRecords(await vault.state()).map(({ key }) => key);
  await append({ kind: 'hold', points: [...acknowledged, ...unread], until: ctx.now().toISOString() });
  return { held: false, until: null, acknowledged, unread };
}

type Given = Pick<NewRecord, 'kind' | 'points' | 'until'>;

async function appender(ctx: Context, vault: Vault, tool: string) {
  const signer = await vault.keyring.adminSigner((await vault.state()).epochs);
  const { epoch } = await vault.epoch();
  return async (given: Given, check?: () => Promise<void>) => {
    const at = ctx.now().toISOString();
    await vault.log.append(signer, { ...given, epoch, started: at, ended: at, tool }, check);
  };
}
