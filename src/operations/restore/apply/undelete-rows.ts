import { IdTable } from '../../../rows/id-table.ts';
import type { WriteError } from '../../../salesforce/writing.ts';
import { announce, mostRecords } from './collections.ts';
import type { Outcome } from './entries.ts';
import { mostTries, remedyOf } from './errors.ts';
import { stopIfNeeded } from './judge-row.ts';
import { type ObjectWork, rowsOf, type Work } from './work.ts';

const waitMs = 2000;

/**
 * Takes rows out of the recycle bin, parents' objects first: what a deletion took along comes back with its root, and cannot come back by itself
 * (field guide, restore 3). A row that is not in the bin after all is made anew, in its place among the inserts.
 */
export async function undeleteRows(work: Work): Promise<void> {
  const pending = ({ object }: ObjectWork) => [...work.state.pendingRows(object, 'undelete')].map(({ id }) => id);
  const isFirst = work.ordered.every(({ object }) => !work.state.sent.has(`${object} undelete`));
  if (isFirst) for (const o of work.ordered) await passOver(work, o, pending(o));
  for (const o of work.ordered) {
    const ids = pending(o);
    for (let at = 0; at < ids.length; at += mostRecords) {
      work.ctx.signal.throwIfAborted();
      await undeleteGroup(work, o, ids.slice(at, at + mostRecords));
      work.checkErrors(o, 'undelete');
    }
  }
}

async function undeleteGroup(work: Work, o: ObjectWork, ids: readonly string[]): Promise<void> {
  const live = await liveAmong(work, o, ids);
  const back = ids.filter((id) => live.has(id));
  await work.settle(
    o,
    'undelete',
    back.map((id) => ({ id, kind: 'done' })),
  );
  let left = ids.filter((id) => !live.has(id));
  for (let attempt = 1; left.length > 0; attempt++) left = await undeleteOnce(work, o, left, attempt);
}

/** Before anything comes out of the recycle bin: rows that somebody else has taken out since the plan was made. They are none of ours. */
async function passOver(work: Work, o: ObjectWork, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const live = await liveAmong(work, o, ids);
  const there = ids.filter((id) => live.has(id));
  await work.settle(
    o,
    'undelete',
    there.map((id) => ({ id, kind: 'matched' })),
  );
}

/** One call; returns the rows that are worth another. */
async function undeleteOnce(work: Work, o: ObjectWork, ids: readonly string[], attempt: number): Promise<string[]> {
  const planned = await announce(
    work,
    o,
    'undelete',
    'collections',
    ids.map((id) => ({ id, record: {} })),
  );
  const written = await work.org.writer.undelete(ids.map((id) => work.state.target(id)));
  const errors = new Map<string, readonly WriteError[]>();
  for (const [n, id] of ids.entries()) if (written[n]!.errors.length > 0) errors.set(id, written[n]!.errors);
  const live = errors.size > 0 ? await liveAmong(work, o, [...errors.keys()]) : new IdTable();
  const again: string[] = [];
  const outcomes = ids.flatMap((id): Outcome[] => {
    const failed = errors.get(id);
    if (!failed || live.has(id)) return [{ id, kind: 'done' }];
    const { kind } = remedyOf('undelete', failed);
    if (kind === 'stop') return [];
    if (kind === 'wait' && attempt < mostTries.wait) {
      again.push(id);
      return [];
    }
    const { code, message } = failed[0]!;
    const gone = /^(UNDELETE_FAILED|ENTITY_IS_DELETED|INVALID_CROSS_REFERENCE_KEY)$/.test(code);
    const canBeMade = gone && o.target.createable && o.blob === undefined;
    return [{ id, kind: canBeMade ? 'anew' : 'failed', code, message }];
  });
  await work.settle(o, 'undelete', outcomes, planned.slice);
  stopIfNeeded('undelete', errors.values());
  if (again.length > 0) await work.wait(waitMs * attempt);
  return again;
}

/** Those of these rows of the plan that stand in the org. */
async function liveAmong(work: Work, o: ObjectWork, ids: readonly string[]): Promise<IdTable> {
  const live = new IdTable();
  const byTarget = new Map(ids.map((id) => [work.state.target(id), id]));
  const flow = work.org.records(o.target, [...byTarget.keys()].sort(), ['Id']);
  for await (const { id } of rowsOf(flow, work.ctx.signal)) live.add(byTarget.get(id) ?? id);
  return live;
}
