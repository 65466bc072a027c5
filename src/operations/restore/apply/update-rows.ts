import { IdTable } from '../../../rows/id-table.ts';
import { imageRows } from './before-images.ts';
import { canaryRows } from './canary.ts';
import { groups, mostRecords, type Sent, sendGroup } from './collections.ts';
import type { Outcome, Step } from './entries.ts';
import { ingestSlice } from './ingest.ts';
import { lostReference } from './judge-row.ts';
import { retryRows } from './retries.ts';
import { SliceBuilder } from './slice.ts';
import { recordOf, renderUpdate, updatedFields } from './values.ts';
import type { ObjectWork, Work } from './work.ts';

/** From so many rows on, Bulk takes fewer calls than Collections (field guide, restore 1.4). */
const manyRows = 2000;

/** Writes fields of rows that stand: by Collections when they are few, else by Bulk. */
export async function updateRows(work: Work, o: ObjectWork, step: Step, final: boolean): Promise<void> {
  work.ctx.signal.throwIfAborted();
  const ids = new IdTable();
  const unseen = new IdTable();
  for (const row of work.state.pendingRows(o.object, step)) {
    if (work.state.retry(row.id, step)) continue;
    ids.add(row.id);
    // Rows out of the recycle bin, and those that were found standing, could not be looked at before.
    const isUnseen =
      step === 'update' ? !work.state.isAnnounced(row.id) : step === 'rest' && work.state.isUntouched(row.id);
    if (isUnseen && !work.imaged.has(row.id)) unseen.add(row.id);
  }
  if (unseen.size > 0) await imageRows(work, o, step, unseen);
  if (ids.size > 0) await sendAll(work, o, step, ids, final);
  await retryRows(work, o, step, final);
  work.checkErrors(o, step);
}

async function sendAll(work: Work, o: ObjectWork, step: Step, ids: IdTable, final: boolean): Promise<void> {
  const columns = ['Id', ...(await columnsOf(work, o, step, ids))];
  const builder = new SliceBuilder(columns, work.options.slices?.rows);
  const bulk = ids.size >= manyRows && o.bulk && step !== 'rest';
  let small: Sent[] = [];
  let lost: Outcome[] = [];
  const flush = async (all: boolean) => {
    if (lost.length > 0) await work.settle(o, step, lost);
    lost = [];
    if (builder.rows > 0) {
      const slice = builder.take();
      if (!(await ingestSlice(work, o, step, slice))) {
        o.bulk = false;
        await sendAll(work, o, step, IdTable.of(slice.ids), final);
      }
    }
    if (all || small.length >= mostRecords) {
      for (const group of groups(small, mostRecords)) await sendGroup(work, o, step, group);
      small = [];
    }
    work.checkErrors(o, step);
  };
  for await (const { id, cells } of work.rows(o, ids, columns)) {
    const row = work.state.row(id)!;
    if (!work.state.pending(row, step)) continue;
    const rendered = renderUpdate(work, o, row, cells, columns, step, { bulk, final });
    if (rendered.awaited) continue;
    if (rendered.lost === '') lost.push({ id, kind: 'done' });
    else if (rendered.lost !== undefined) lost.push(lostReference(id, rendered.lost));
    else if (bulk && o.bulk && rendered.rest.length === 0) builder.add(id, rendered.values, false, rendered.left);
    else small.push({ id, record: recordOf(columns, rendered), left: rendered.left });
    const most = step === 'rest' ? mostRecords : canaryRows(work, o, step);
    if (builder.full || builder.rows >= most || small.length >= Math.min(most, mostRecords))
      await flush(!bulk || !o.bulk);
  }
  await flush(true);
}

/** The columns of any of these rows, in the order of the source. */
async function columnsOf(work: Work, o: ObjectWork, step: Step, ids: IdTable): Promise<string[]> {
  if (step === 'rest') return o.writable.filter(({ describe }) => describe.updateable).map(({ name }) => name);
  const names = new Set<string>();
  const cells = () => '';
  for (const id of ids) for (const name of updatedFields(work, o, work.state.row(id)!, cells, step)) names.add(name);
  return o.columns.filter((name) => names.has(name));
}
