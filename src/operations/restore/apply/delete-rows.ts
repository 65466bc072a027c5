import { encodeRows } from '../../../rows/csv.ts';
import { canaryRows } from './canary.ts';
import { mostRecords, sendGroup } from './collections.ts';
import { ingestSlice } from './ingest.ts';
import { retryRows } from './retries.ts';
import type { ObjectWork, Work } from './work.ts';

const manyRows = 2000;
const rowsOfSlice = 100_000;

/** Puts rows into the recycle bin, children first. */
export async function deleteRows(work: Work): Promise<void> {
  const objects = work.ordered.toReversed();
  for (const o of objects) {
    const ids: string[] = [];
    for (const row of work.state.pendingRows(o.object, 'delete')) {
      if (!work.state.retry(row.id, 'delete')) ids.push(row.id);
    }
    await deleteAll(work, o, ids.reverse());
    await retryRows(work, o, 'delete', false);
  }
  // What was associated with them is gone by now.
  for (const o of objects) {
    await retryRows(work, o, 'delete', true);
    work.checkErrors(o, 'delete');
  }
}

async function deleteAll(work: Work, o: ObjectWork, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; ) {
    work.ctx.signal.throwIfAborted();
    const bulk = o.bulk && ids.length >= manyRows;
    const most = Math.min(
      canaryRows(work, o, 'delete'),
      bulk ? (work.options.slices?.rows ?? rowsOfSlice) : mostRecords,
    );
    const group = ids.slice(at, at + most);
    if (!bulk)
      await sendGroup(
        work,
        o,
        'delete',
        group.map((id) => ({ id, record: {} })),
      );
    else {
      const batches = [encodeRows(group.map((id) => [work.state.target(id)]))];
      const slice = { columns: ['Id'], batches, ids: group, rest: new Set<number>(), left: new Map<string, number>() };
      if (!(await ingestSlice(work, o, 'delete', slice))) {
        o.bulk = false;
        continue;
      }
    }
    at += group.length;
    work.checkErrors(o, 'delete');
  }
}
