import { encodeRows } from '../../../rows/csv.ts';
import { IdTable } from '../../../rows/id-table.ts';
import { type Child, type Fate, takingAlong } from '../taken-along.ts';
import { canaryRows } from './canary.ts';
import { mostRecords, sendGroup } from './collections.ts';
import { ingestSlice } from './ingest.ts';
import { retryRows } from './retries.ts';
import type { ObjectWork, Work } from './work.ts';

const manyRows = 2000;
const rowsOfSlice = 100_000;

/** Puts rows into the recycle bin, children first. A row that would take along one that is not to be deleted is kept. */
export async function deleteRows(work: Work): Promise<void> {
  const objects = work.ordered.toReversed();
  for (const o of objects) {
    await keepTaking(work, o);
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

/** Keeps rows of an object that would take along others by now. */
async function keepTaking(work: Work, o: ObjectWork): Promise<void> {
  const ids = new IdTable();
  for (const { id } of work.state.pendingRows(o.object, 'delete')) ids.add(id);
  if (ids.size === 0) return;
  const undoes = work.plan.header.request.undo !== undefined;
  const fate = fateBy(work, undoes ? await plannedAt(work) : undefined);
  const taking = await takingAlong(work.ctx, work.org, [{ target: o.target, ids }], undoes ? 'every' : 'made', fate);
  const message = 'records that are not to be deleted would be deleted with it';
  const outcomes = [...taking].filter((id) => ids.has(id)).map((id) => ({ id, kind: 'kept', code, message }) as const);
  await work.settle(o, 'delete', outcomes);
}

const code = 'CHANGED_SINCE';

/**
 * Which children of rows that are to be deleted stay: those that the plan does not delete, and those that were kept. `planned`: of an undo, which
 * was planned with a look at all of them, only what was made, changed or moved after that: what came back along with a row goes with it again.
 */
function fateBy({ state }: Work, planned: Date | undefined): (child: Child) => Fate {
  const kept = IdTable.of(state.kept.map(({ id }) => id));
  return ({ id, stamped }) => {
    if (kept.has(id)) return 'stays';
    if (state.row(id)?.action === 'delete') return 'goes';
    if (planned === undefined) return 'stays';
    return stamped !== undefined && stamped > planned ? 'stays' : 'along';
  };
}

/** When an undo was planned, by the org's clock, which is known to a second. */
async function plannedAt({ ctx, org, plan }: Work): Promise<Date> {
  const skew = (await org.serverTime()).getTime() - ctx.now().getTime();
  return new Date(Date.parse(plan.header.made) + skew + 1000);
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
