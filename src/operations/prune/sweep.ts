import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import { KeySet } from '../../vault/key-set.ts';
import type { Signer } from '../../vault/keyring.ts';
import { compactTime, sweepList } from '../../vault/layout.ts';
import type { LogEntry } from '../../vault/log.ts';
import { reachedBy } from '../../vault/reached.ts';
import type { Ref } from '../../vault/record.ts';
import { readRefs, writeRefs } from '../../vault/refs.ts';
import { dueOf, isHeld, isPrunable, standing } from '../../vault/retention.ts';
import { sha256 } from '../../vault/signed.ts';
import type { LogState, Vault } from '../../vault/vault.ts';
import { Protected } from './protect.ts';
import type { Amount, PruneResult } from './request.ts';

/** Keys in one list object, and those that are deleted under one look at the log. */
const listLength = 20_000;
const batchLength = 500;
const parallelDeletes = 8;

/** What only `points` reach; `seen` gets the keys. A list of theirs that is damaged is passed over: what it alone names is never deleted. */
export async function* onlyOf(
  ctx: Context,
  vault: Vault,
  points: readonly LogEntry[],
  kept: Protected,
  seen = new KeySet(),
): AsyncGenerator<Ref> {
  const lists = new KeySet();
  for (const entry of points) {
    try {
      for await (const ref of reachedBy(vault, entry, lists, ctx.signal))
        if (isPrunable(ref.key) && !kept.has(ref.key) && seen.add(ref.key)) yield ref;
    } catch (error) {
      if (!(error instanceof Fault) || error.exit !== 4) throw error;
      ctx.report({ type: 'warning', name: error.name, message: `${error.message}: what it names is left where it is` });
    }
  }
}

/**
 * Appends the `sweep` record of the points whose grace is over. What it names holds under the very log that it is appended to: a point that was
 * sealed since it was computed, and reaches any of it, makes it be computed anew; so does one of the points that came back. Undefined: there are none
 * any more.
 */
export async function appendSweep(
  ctx: Context,
  vault: Vault,
  signer: Signer,
  tool: string,
): Promise<LogEntry | undefined> {
  const { epoch } = await vault.epoch();
  for (;;) {
    const due = dueOf(await unheld(ctx, vault), ctx.now());
    if (due.length === 0) return undefined;
    const kept = new Protected(vault, ctx.signal);
    await kept.add(standing(await vault.state(), due));
    const going = new KeySet();
    const entries = due.map(({ entry }) => entry);
    const keys = await putLists(ctx, vault, onlyOf(ctx, vault, entries, kept, going));
    const points = entries.map(({ record }) => record.point!);
    const outdated = new Error('the log has grown');
    const check = async () => {
      const state = await unheld(ctx, vault);
      const still = new Set(dueOf(state, ctx.now()).map(({ entry }) => entry.seq));
      if (entries.some(({ seq }) => !still.has(seq))) throw outdated;
      let needed = false;
      await kept.add(standing(state, due), ({ key }) => {
        needed ||= going.has(key);
      });
      if (needed) throw outdated;
    };
    const at = ctx.now().toISOString();
    try {
      const record = { kind: 'sweep', points, keys, epoch, started: at, ended: at, tool } as const;
      const { seq } = await vault.log.append(signer, record, check);
      return (await vault.state(true, ctx.signal)).entries.find((entry) => entry.seq === seq);
    } catch (error) {
      if (error !== outdated) throw error;
    }
  }
}

/** The log, read anew. Throws `prune-held`. */
async function unheld(ctx: Context, vault: Vault): Promise<LogState> {
  const state = await vault.state(true, ctx.signal);
  if (isHeld(state.retention, ctx.now())) throw held(state);
  return state;
}

async function putLists(ctx: Context, vault: Vault, refs: AsyncIterable<Ref>): Promise<Ref[]> {
  const lists: Ref[] = [];
  const put = async (part: readonly Ref[]) => {
    const body = await writeRefs(part);
    const digest = sha256(body);
    const key = sweepList(compactTime(ctx.now()), digest);
    await vault.store.putIfAbsent(key, body, ctx.signal);
    lists.push({ key, size: body.length, sha256: digest });
  };
  let part: Ref[] = [];
  for await (const ref of refs) {
    if (part.push(ref) < listLength) continue;
    await put(part);
    part = [];
  }
  if (part.length > 0) await put(part);
  return lists;
}

type Counted = { -readonly [K in 'deleted' | 'refused' | 'spared']: { -readonly [A in keyof Amount]: number } };

/**
 * Deletes what a sweep names, and appends `swept` when the store refused none of it. Before each batch the log is looked at again: what a point
 * reaches that was sealed meanwhile is spared, and a hold stops it. May be done again after a crash.
 */
export async function letGo(
  ctx: Context,
  vault: Vault,
  signer: Signer,
  sweep: LogEntry,
  kept: Protected,
  tool: string,
): Promise<Pick<PruneResult, 'deleted' | 'refused' | 'spared'>> {
  const counted: Counted = {
    deleted: { objects: 0, bytes: 0 },
    refused: { objects: 0, bytes: 0 },
    spared: { objects: 0, bytes: 0 },
  };
  const remove = async (ref: Ref): Promise<[keyof Counted, Ref]> => {
    if (!isPrunable(ref.key) || kept.has(ref.key)) return ['spared', ref];
    return [(await vault.store.delete(ref.key, ctx.signal)) ? 'deleted' : 'refused', ref];
  };
  for (const list of sweep.record.keys ?? []) {
    const refs = await readRefs(list.key, await vault.read(list, ctx.signal));
    for (let from = 0; from < refs.length; from += batchLength) {
      await lookAgain(ctx, vault, kept);
      const batch = refs.slice(from, from + batchLength);
      for await (const [outcome, { size }] of inOrder(batch, parallelDeletes, remove)) {
        counted[outcome].objects += 1;
        counted[outcome].bytes += size;
      }
    }
  }
  if (counted.refused.objects === 0) {
    const at = ctx.now().toISOString();
    const { points = [], keys = [] } = sweep.record;
    const { epoch } = await vault.epoch();
    await vault.log.append(signer, { kind: 'swept', points, keys, epoch, started: at, ended: at, tool });
  }
  return counted;
}

async function lookAgain(ctx: Context, vault: Vault, kept: Protected): Promise<void> {
  const before = await vault.state();
  const { taken } = await vault.log.head({ seq: before.head.taken }, ctx.signal);
  const state = taken === before.head.taken ? before : await vault.state(true, ctx.signal);
  if (isHeld(state.retention, ctx.now())) throw held(state);
  await kept.add(standing(state));
}

export function held({ retention }: LogState): Fault {
  const { since, until } = retention.hold!;
  return new Fault('prune-held', `pruning is held since ${since}${until === undefined ? '' : ` until ${until}`}`);
}
