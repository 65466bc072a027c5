import { Fault, isFault } from '../../../errors.ts';
import type { JournalEntry, RestoreRead, StoredTable } from '../../../vault/restores.ts';
import { type Entry, entrySchema, outcomeColumns, outcomeFrom, type PlannedSlice } from './entries.ts';
import { documentsOf } from './files.ts';
import { finishSlice, rowColumns } from './ingest.ts';
import { reconcile, sentRows } from './reconcile.ts';
import { ResultMatcher } from './slice.ts';
import { tableRows } from './tables.ts';
import type { ObjectWork, Work } from './work.ts';

/** A slice that the journal announces and whose results it does not have. */
interface Unfinished {
  readonly planned: PlannedSlice;
  readonly ids: readonly string[];
  readonly digests: readonly string[];
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
  return { planned, ids, digests };
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
  const { planned } = one;
  const { slice, step, way } = planned;
  if (way === 'bulk') {
    if (one.closing && one.job !== undefined) await takeUp(work, o, one, one.job);
    else await giveUp(work, one);
  } else if (step === 'insert') await lookUp(work, o, one);
  // It has the same effect twice: the rows are sent again.
  else await work.append({ type: 'abandoned', slice, why: 'the restore was interrupted' });
}

/** A job that nobody closed has no effect and never will. */
async function giveUp(work: Work, { planned, job }: Unfinished): Promise<void> {
  const { ingest } = work.org.writer;
  if (job !== undefined) await ingest.abort(job);
  else await abortStrays(work, planned);
  await work.append({ type: 'abandoned', slice: planned.slice, why: 'the restore was interrupted' });
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
    await finishSlice(work, o, { planned, job, matcher: new ResultMatcher(ids, digests) });
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
