import { Fault, isFault } from '../../../errors.ts';
import type { JournalEntry, RestoreRead, StoredTable } from '../../../vault/restores.ts';
import { type Entry, entrySchema, type Outcome, outcomeColumns, outcomeFrom, type PlannedSlice } from './entries.ts';
import { documentsOf } from './files.ts';
import { finishSlice, rowColumns } from './ingest.ts';
import { isSame, reconcile, sentRows } from './reconcile.ts';
import { DigestMatcher } from './results.ts';
import { tableRows } from './tables.ts';
import { updatedFields } from './values.ts';
import { type ObjectWork, rowsOf, type Work } from './work.ts';

/** A slice that the journal announces and whose results it does not have. */
interface Unfinished {
  readonly planned: PlannedSlice;
  readonly ids: readonly string[];
  readonly digests: readonly string[];
  /** What an update was to write: Id in the org and fields. */
  readonly after: StoredTable | undefined;
  job?: string;
  /** The org was told to begin, or may have been. */
  closing?: true;
}

/** Entries that tell nothing about rows. */
const others: ReadonlySet<string> = new Set(['begin', 'end', 'bypass-on', 'bypass-off']);

/**
 * Brings the state to what the journal says, and finds out what the org has made of slices that it was busy with when the restore ended: their
 * rows are done, or nobody has done them and they are still to be done (field guide, restore 8.2).
 */
export async function replay(work: Work, read: RestoreRead): Promise<void> {
  const unfinished = new Map<number, Unfinished>();
  for (const { entry, tables } of read.entries) {
    if (others.has(entry.type)) continue;
    const parsed = entrySchema.safeParse(entry);
    if (!parsed.success) {
      throw new Fault('newer-format', `the journal of ${read.restore} was written by a newer salvor: ${entry.type}`);
    }
    await fold(work, unfinished, parsed.data, tables);
  }
  for (const one of unfinished.values()) await recover(work, work.objects.get(one.planned.object)!, one);
}

async function fold(
  work: Work,
  unfinished: Map<number, Unfinished>,
  entry: Entry,
  tables: JournalEntry['tables'],
): Promise<void> {
  work.recall(entry);
  switch (entry.type) {
    case 'before':
      return;
    case 'planned':
      work.state.slices = Math.max(work.state.slices, entry.slice);
      unfinished.set(entry.slice, await announced(work, entry, tables));
      return;
    case 'results':
      if (entry.slice !== undefined) unfinished.delete(entry.slice);
      await settled(work, entry, tables);
      return;
    case 'abandoned':
      work.state.takeBack(unfinished.get(entry.slice)?.ids ?? []);
      unfinished.delete(entry.slice);
      return;
    case 'job':
      unfinished.get(entry.slice)!.job = entry.job;
      return;
    case 'closing':
      unfinished.get(entry.slice)!.closing = true;
      return;
    case 'uploaded':
    case 'closed':
    case 'done':
      return;
    default:
      entry satisfies never;
  }
}

async function announced(work: Work, planned: PlannedSlice, tables: readonly StoredTable[]): Promise<Unfinished> {
  const ids: string[] = [];
  const digests: string[] = [];
  const rows: { id: string; rest: boolean }[] = [];
  for await (const [id, digest, rest] of tableRows(work.place, named(tables, 'rows'), rowColumns)) {
    ids.push(id!);
    digests.push(digest!);
    rows.push({ id: id!, rest: rest === '1' });
  }
  work.state.announce(planned, rows);
  return { planned, ids, digests, after: tables.find(({ name }) => name === 'after') };
}

async function settled(
  work: Work,
  { object, step }: Extract<Entry, { type: 'results' }>,
  tables: readonly StoredTable[],
): Promise<void> {
  for await (const cells of tableRows(work.place, named(tables, 'outcomes'), outcomeColumns)) {
    work.note(object, step, outcomeFrom(cells));
  }
  const ids = tables.find(({ name }) => name === 'ids');
  if (!ids) return;
  work.idTables.push(ids);
  for await (const [id, target] of tableRows(work.place, ids, ['Id', 'Target'])) work.state.ids.set(id!, target!);
}

function named(tables: readonly StoredTable[], name: string): StoredTable {
  const found = tables.find((one) => one.name === name);
  if (found) return found;
  throw new Fault('journal-damaged', `an entry of the journal lacks its table "${name}"`);
}

/** What became of a slice that was being written when the restore ended. */
async function recover(work: Work, o: ObjectWork, one: Unfinished): Promise<void> {
  const { step, way } = one.planned;
  if (way === 'bulk') {
    if (one.closing && one.job !== undefined) await takeUp(work, o, one, one.job);
    else await giveUp(work, one);
  } else if (step === 'insert') await lookUp(work, o, one);
  else {
    // It has the same effect twice: what does not show in the org is sent again.
    const isMoved = step === 'undelete' || step === 'delete';
    const done = await (isMoved ? movedAmong(work, o, one) : writtenAmong(work, o, one));
    await work.settle(o, step, done.map(doneRow));
    await abandon(work, one);
  }
}

/** Rows that stand in the org although they were in the recycle bin, or the other way round. */
async function movedAmong(work: Work, o: ObjectWork, { planned, ids }: Unfinished): Promise<string[]> {
  const live = new Set<string>();
  const targets = ids.map((id) => work.state.target(id)).sort();
  for await (const { id } of rowsOf(work.org.records(o.target, targets, ['Id']), work.ctx.signal)) live.add(id);
  return ids.filter((id) => live.has(work.state.target(id)) === (planned.step === 'undelete'));
}

function doneRow(id: string): Outcome {
  return { id, kind: 'done' };
}

async function abandon(work: Work, { planned, ids }: Unfinished): Promise<void> {
  await work.append({ type: 'abandoned', slice: planned.slice, why: 'the restore was interrupted' });
  work.state.takeBack(ids);
}

/** Rows of an update that stand in the org as they were to be written. */
async function writtenAmong(work: Work, o: ObjectWork, { planned, ids, after }: Unfinished): Promise<string[]> {
  if (!after) return [];
  const byTarget = new Map(ids.map((id) => [work.state.target(id), id]));
  const wrote = new Map<string, ReadonlyMap<string, string>>();
  for await (const cells of tableRows(work.place, after, planned.columns)) {
    const row = new Map(planned.columns.map((name, at) => [name, cells[at]!]));
    wrote.set(row.get('Id') ?? '', row);
  }
  const columns = ['Id', ...planned.columns.filter((name) => name !== 'Id')];
  const flow = work.org.records(o.target, [...wrote.keys()].sort(), columns);
  const written: string[] = [];
  for await (const { id, cells } of rowsOf(flow, work.ctx.signal)) {
    const row = byTarget.has(id) ? work.state.row(byTarget.get(id)!) : undefined;
    if (!row) continue;
    const fields = updatedFields(work, o, row, cells, planned.step).filter((name) => planned.columns.includes(name));
    if (fields.length > 0 && fields.every((name) => isSame(o, name, wrote.get(id)!.get(name), cells(name)))) {
      written.push(row.id);
    }
  }
  return written;
}

/** A job that nobody closed has no effect and never will. */
async function giveUp(work: Work, one: Unfinished): Promise<void> {
  const { ingest } = work.org.writer;
  if (one.job !== undefined) await ingest.abort(one.job);
  else await abortStrays(work, one.planned);
  await abandon(work, one);
}

/** A job may have been made whose Id never arrived: it is open, and of this user. */
async function abortStrays(work: Work, { object, step, since }: PlannedSlice): Promise<void> {
  const { ingest } = work.org.writer;
  const operation = step === 'insert' || step === 'delete' ? step : 'update';
  for (const { id, state, createdById } of await ingest.openJobs({ object, operation, since: new Date(since) })) {
    if (state === 'Open' && createdById.slice(0, 15) === work.org.identity.userId.slice(0, 15)) await ingest.abort(id);
  }
}

async function takeUp(work: Work, o: ObjectWork, one: Unfinished, job: string): Promise<void> {
  const { planned, ids, digests } = one;
  try {
    await finishSlice(work, o, { planned, job, matcher: new DigestMatcher(ids, digests) });
  } catch (error) {
    // Jobs are gone seven days after their end, and their results with them.
    if (!isFault(error, 'object-refused') || error.data.status !== 404) throw error;
    await lookUp(work, o, one);
  }
}

async function lookUp(work: Work, o: ObjectWork, { planned, ids }: Unfinished): Promise<void> {
  const sent = await sentRows(work, o, planned, ids);
  const outcomes = await reconcile(work, o, planned, sent);
  await work.settle(o, planned.step, outcomes, planned.slice, await documentsOf(work, o, sent, outcomes));
}
