import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import type { Signer } from '../../vault/keyring.ts';
import type { LogProblem } from '../../vault/log.ts';
import { dueOf, isHeld, revivable, standing, unreadRecords } from '../../vault/retention.ts';
import type { LogState, Vault } from '../../vault/vault.ts';
import { assertClock } from './clock.ts';
import { type Decision, decide, type PointFacts } from './decide.ts';
import { pointFacts } from './facts.ts';
import { assertLocks, extendLocks } from './locks.ts';
import { Protected, protectWhole } from './protect.ts';
import type { PruneRequest, PruneResult } from './request.ts';
import { appendSweep, held, letGo, onlyOf } from './sweep.ts';

/** More of the points than this share in one run has to be asked for. */
const largeShare = 0.25;

const nothing = { objects: 0, bytes: 0 };

/**
 * Applies a retention policy: retires what no rule keeps, and lets go what only points reach whose grace is over. Confirmed, it throws the
 * first obstacle before anything is written; a dry run lists them. A run that ends early leaves nothing in between: the next one goes on.
 */
export async function prune(ctx: Context, vault: Vault, request: PruneRequest): Promise<PruneResult> {
  if (request.extendLocks) assertLocks(vault);
  const signer = request.confirmed ? await vault.keyring.adminSigner((await vault.state()).epochs) : undefined;
  ctx.report({ type: 'stage', stage: 'reading points' });
  const state = await vault.state(true, ctx.signal);
  const facts = await pointFacts(vault, ctx.now());
  const decisions = decide(facts, request.policy, request.minPoints, ctx.now());
  const retire = new Set(decisions.filter(({ keep }) => keep.length === 0).map(({ id }) => id));
  const obstacles = obstaclesOf(state, facts, retire.size, request, ctx.now());
  const stop = (fault: Fault) => {
    if (signer) throw fault;
    obstacles.push(fault);
  };
  if (signer) for (const fault of obstacles) stop(fault);
  if (signer) await assertClock(vault.store, ctx.now, ctx.signal);

  ctx.report({ type: 'stage', stage: 'checking that what stays is whole' });
  const kept = new Protected(vault, ctx.signal);
  let frees = nothing;
  try {
    const stays = state.points.filter(({ record }) => !retire.has(record.point!));
    await protectWhole(vault, stays, kept, ctx.signal);
    frees = await freed(ctx, vault, state, retire, kept);
  } catch (error) {
    if (!isFault(error) || error.exit !== 4) throw error;
    stop(error);
  }
  const due = dueOf(state, ctx.now());
  const planned = {
    dryRun: !signer,
    points: decisions.map((one) => ({ ...one, retire: retire.has(one.id) })),
    inGrace: revivable(state)
      .filter((one) => !due.includes(one))
      .map(({ entry, until }) => ({ id: entry.record.point!, until })),
    due: due.map(({ entry }) => entry.record.point!),
    frees,
    deleted: nothing,
    refused: nothing,
    spared: nothing,
    obstacles: obstacles.map(({ name, message }) => ({ name, message })),
  };
  if (!signer) return { ...planned, head: headOf(state) };
  await appendRetire(ctx, vault, signer, state, decisions, request);
  const done = await sweepAll(ctx, vault, signer, request.tool);
  const locks = request.extendLocks ? { locks: await extendLocks(ctx, vault) } : {};
  return { ...planned, ...done, ...locks, head: headOf(await vault.state(true, ctx.signal)) };
}

function headOf({ head }: LogState): PruneResult['head'] {
  return { seq: head.seq, digest: head.digest };
}

/** What stands against pruning, whatever is to be retired; what of the vault is damaged comes out later. */
function obstaclesOf(
  state: LogState,
  facts: readonly PointFacts[],
  retiring: number,
  { expectHead, allowLarge }: PruneRequest,
  now: Date,
): Fault[] {
  const found: Fault[] = [];
  const { head, entries, retention } = state;
  if (expectHead && !entries.some(({ seq, digest }) => seq === expectHead.seq && digest === expectHead.digest)) {
    found.push(
      new Fault(
        'head-mismatch',
        `the log ends at ${head.seq} and does not hold the record ${expectHead.seq} that was noted`,
      ),
    );
  }
  const [unread] = unreadRecords(state);
  if (unread) found.push(mayBePoint(unread, entries));
  if (isHeld(retention, now)) found.push(held(state));
  const suspects = facts.filter(({ suspect }) => suspect).map(({ id }) => id);
  if (suspects.length > 0) {
    const named = `${suspects.slice(0, 3).join(', ')}${suspects.length > 3 ? ' …' : ''}`;
    found.push(
      new Fault('prune-held', `suspect points hold pruning until somebody has looked at them: ${named}`, {
        actions: [
          'see what changed with `salvor diff <the point before>..<point>`',
          '`salvor hold --release` acknowledges them',
        ],
        data: { points: suspects },
      }),
    );
  }
  if (retiring > facts.length * largeShare && !allowLarge) {
    found.push(
      new Fault('prune-too-large', `${retiring} of ${facts.length} points would be retired, more than a quarter`),
    );
  }
  return found;
}

/** What only the point of a record reaches that does not read would be let go with the others, and could not be healed any more. */
function mayBePoint({ seq, fault: { name, message, data } }: LogProblem, entries: LogState['entries']): Fault {
  const what = entries.some((entry) => entry.seq === seq) ? 'what it followed' : 'it';
  return new Fault(name, `${message}; ${what} may be that of a point that can be healed`, {
    actions: [
      '`salvor repair --from` brings the record back from a second copy',
      'when it is of no point, or of one that is given up: `salvor hold --release` lets pruning go on',
    ],
    data,
  });
}

/** What nobody needs any more once the points of `retire` and those in grace are gone. */
async function freed(
  ctx: Context,
  vault: Vault,
  state: LogState,
  retire: ReadonlySet<string>,
  kept: Protected,
): Promise<PruneResult['frees']> {
  const going = standing(state).filter(
    ({ record }) => retire.has(record.point!) || state.retention.retired.has(record.point!),
  );
  let [objects, bytes] = [0, 0];
  for await (const { size } of onlyOf(ctx, vault, going, kept)) {
    objects += 1;
    bytes += size;
  }
  return { objects, bytes };
}

/** Appended only to a log that gives the same decision: a pin, a hold or a verification that came in between begins it anew; a new point does not. */
async function appendRetire(
  ctx: Context,
  vault: Vault,
  signer: Signer,
  state: LogState,
  decisions: readonly Decision[],
  { grace, tool }: PruneRequest,
): Promise<void> {
  const points = decisions.filter(({ keep }) => keep.length === 0).map(({ id }) => id);
  if (points.length === 0) return;
  const now = ctx.now();
  const at = now.toISOString();
  const until = new Date(now.getTime() + grace).toISOString();
  const { epoch } = await vault.epoch();
  const record = { kind: 'retire', points, epoch, until, started: at, ended: at, tool } as const;
  await vault.log.append(signer, record, async () => {
    const { entries } = await vault.state(true, ctx.signal);
    if (entries.some(({ seq, record: { kind } }) => seq > state.head.seq && !withoutEffect.has(kind)))
      throw new Fault('lease-held', 'the log has grown by what may change which points go');
  });
}

/** Records that take no point out of what is kept. */
const withoutEffect: ReadonlySet<string> = new Set(['point', 'restore', 'access', 'epoch']);

async function sweepAll(
  ctx: Context,
  vault: Vault,
  signer: Signer,
  tool: string,
): Promise<Pick<PruneResult, 'deleted' | 'refused' | 'spared'>> {
  await appendSweep(ctx, vault, signer, tool);
  const state = await vault.state(true, ctx.signal);
  const total = { deleted: { ...nothing }, refused: { ...nothing }, spared: { ...nothing } };
  const { unfinished } = state.retention;
  if (unfinished.length === 0) return total;
  ctx.report({ type: 'stage', stage: 'letting go', total: unfinished.length });
  const kept = new Protected(vault, ctx.signal);
  await kept.add(standing(state));
  for (const sweep of unfinished) {
    const counted = await letGo(ctx, vault, signer, sweep, kept, tool);
    for (const name of ['deleted', 'refused', 'spared'] as const) {
      total[name].objects += counted[name].objects;
      total[name].bytes += counted[name].bytes;
    }
  }
  return total;
}
