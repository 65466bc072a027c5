import { Ahead } from '../../../rows/ahead.ts';
import { type Ids, IdTable } from '../../../rows/id-table.ts';
import { platformRules } from '../platform.ts';
import { canaryRows, sentSoFar } from './canary.ts';
import { groups, mostRecords, type Sent, sendGroup } from './collections.ts';
import type { Outcome } from './entries.ts';
import { insertFiles } from './files.ts';
import { ingestSlice } from './ingest.ts';
import { lostReference } from './judge-row.ts';
import { findMadeRows } from './made-rows.ts';
import { retryRows } from './retries.ts';
import { type Slice, SliceBuilder } from './slice.ts';
import { updateRows } from './update-rows.ts';
import { insertColumns, recordOf, renderInsert } from './values.ts';
import type { ObjectWork, Work } from './work.ts';

/**
 * Makes every row that is to be made, object by object in the order of the plan; objects that refer to each other level by level. `final`: also rows
 * that failed a rule of the org which may have been satisfied since, and without lookups to rows that never came.
 */
export async function insertRows(work: Work, final: boolean): Promise<void> {
  const done = new Set<string>();
  for (const { object, plan } of work.ordered) {
    if (done.has(object)) continue;
    const group = plan.together.flatMap((name) => work.objects.get(name) ?? []);
    for (const one of group) done.add(one.object);
    await insertGroup(work, group, final);
  }
}

async function insertGroup(work: Work, group: readonly ObjectWork[], final: boolean): Promise<void> {
  if (final) for (const o of group) await retryRows(work, o, 'insert', true);
  const deepest = Math.max(...group.map(({ plan }) => plan.rows.deepest));
  for (let level = 0; level <= deepest; level++) {
    for (const o of group) await insertLevel(work, o, false, level);
  }
  // What rows could not carry is sent when all levels stand: for each level it would mean to read the object once more.
  for (const o of group) await updateRows(work, o, 'rest', false);
  // Rows that waited for one that was made later than planned: an undelete that failed, a rule that passed late.
  for (let before = -1, left = pending(work, group); left > 0 && left !== before; ) {
    for (const o of group) await insertLevel(work, o, false);
    for (const o of group) await updateRows(work, o, 'rest', false);
    before = left;
    left = pending(work, group);
  }
  if (!final) return;
  for (const o of group) await insertLevel(work, o, true);
  for (const o of group) await updateRows(work, o, 'rest', true);
}

function pending(work: Work, group: readonly ObjectWork[]): number {
  return group.reduce((sum, { object }) => sum + work.state.pendingCount(object, 'insert'), 0);
}

/** Rows of one level, or of all without; rows that stood in the org already take the fields of the point right afterwards. */
async function insertLevel(work: Work, o: ObjectWork, final: boolean, level?: number): Promise<void> {
  work.ctx.signal.throwIfAborted();
  await findMadeRows(work, o, final, level);
  const ids = work.state.unsent(o.object, level);
  if (ids.size > 0)
    await (o.blob === undefined ? sendAll(work, o, ids, final, level) : insertFiles(work, o, ids, final));
  await retryRows(work, o, 'insert', final);
  work.checkErrors(o, 'insert');
  if (hasMatched(work, o)) await updateRows(work, o, 'rest', final);
}

function hasMatched(work: Work, { object }: ObjectWork): boolean {
  for (const { id } of work.state.pendingRows(object, 'rest')) if (work.state.isMatched(id)) return true;
  return false;
}

/** Rows that are sent at once. */
interface Turn {
  readonly slice: Slice | undefined;
  /** Rows that Bulk does not carry. */
  readonly small: readonly Sent[];
  readonly lost: readonly Outcome[];
}

/** `level`: what these rows refer to stands by now, so that those of the next turn are made ready while the org is at work. */
async function sendAll(work: Work, o: ObjectWork, ids: Ids, final: boolean, level?: number): Promise<void> {
  const turns = new Ahead(turnsOf(work, o, ids, final));
  const meanwhile = level === undefined || final ? () => {} : () => turns.prepare();
  for await (const { slice, small, lost } of turns) {
    await work.settle(o, 'insert', lost);
    if (slice && !(o.bulk && (await ingestSlice(work, o, 'insert', slice, meanwhile)))) {
      o.bulk = false;
      await sendAll(work, o, IdTable.of(slice.ids), final);
    }
    for (const group of groups(small, mostRecords)) await sendGroup(work, o, 'insert', group);
    work.checkErrors(o, 'insert');
  }
}

async function* turnsOf(work: Work, o: ObjectWork, ids: Ids, final: boolean): AsyncGenerator<Turn> {
  const columns = insertColumns(o);
  const builder = new SliceBuilder(columns, work.options.slices?.rows);
  let sent = sentSoFar(work, o, 'insert');
  let small: Sent[] = [];
  let lost: Outcome[] = [];
  const take = (): Turn => {
    sent += builder.rows + small.length;
    const turn = { slice: builder.rows > 0 ? builder.take() : undefined, small, lost };
    small = [];
    lost = [];
    return turn;
  };
  for await (const rows of work.rowsAtOnce(o, ids, columns)) {
    for (const { id, cell } of rows) {
      const row = work.state.row(id)!;
      const rendered = renderInsert(work, o, row, cell, { bulk: o.bulk, final });
      if (rendered.lost !== undefined) lost.push(lostReference(id, rendered.lost));
      if (rendered.lost !== undefined || rendered.awaited) continue;
      const { left } = rendered;
      // What nobody can change afterwards cannot be completed afterwards either.
      if (o.bulk && rendered.rest.length > 0 && platformRules(o.object).frozen?.(cell)) {
        small.push({ id, record: recordOf(columns, renderInsert(work, o, row, cell, { bulk: false, final })), left });
      } else if (o.bulk) builder.add(id, rendered.values, rendered.rest.length > 0, left);
      else small.push({ id, record: recordOf(columns, rendered), left });
      const most = canaryRows(work, o, 'insert', sent);
      if (builder.full || builder.rows >= most || small.length >= Math.min(most, mostRecords)) yield take();
    }
  }
  yield take();
}
