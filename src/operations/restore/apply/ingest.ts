import { createHash } from 'node:crypto';
import { Fault, isFault } from '../../../errors.ts';
import { encodeHeader } from '../../../rows/csv.ts';
import { parseErrorCell } from '../../../salesforce/bulk-csv.ts';
import type { IngestResultKind, IngestState, WriteError } from '../../../salesforce/writing.ts';
import { longId } from '../../../schema/ids.ts';
import type { StoredTable } from '../../../vault/restores.ts';
import { leftOf, type Outcome, type PlannedSlice, type Step } from './entries.ts';
import { ownCodes } from './errors.ts';
import { failure, stopIfNeeded } from './judge-row.ts';
import { reconcile, sentRows } from './reconcile.ts';
import { type ResultMatcher, RowMatcher, resultReader } from './results.ts';
import { digestsOf, type Slice } from './slice.ts';
import { storeTable } from './tables.ts';
import type { ObjectWork, Work } from './work.ts';

/** A slice whose job the org has been told to do, or may have been. */
export interface OpenSlice {
  readonly planned: PlannedSlice;
  readonly matcher: ResultMatcher;
  readonly job: string;
}

export const rowColumns = ['Id', 'Digest', 'Rest'] as const;
/** Columns that the org adds in front of results: `sf__Id` and `sf__Created`, or `sf__Id` and `sf__Error`. */
const idColumn = 0;
const errorColumn = 1;
/** An upload whose answer was lost had no effect: another job takes the rows. */
const mostUploads = 3;

/**
 * Writes a slice by one ingest job and notes what became of every row. Every entry of the journal is durable before the org goes on, so that
 * a restore that is killed anywhere goes on without doing any row twice (field guide, restore 8.2). One slice is under way at a time: what an
 * answer that was lost did can only be told while nothing else makes rows. False: the org takes no ingest jobs of the object, and nothing was done.
 * `meanwhile`: called when the org is at work.
 */
export async function ingestSlice(
  work: Work,
  o: ObjectWork,
  step: Step,
  slice: Slice,
  meanwhile?: () => void,
): Promise<boolean> {
  const tables = [await rowsTable(work, o, slice), ...(await writtenTable(work, o, step, slice))];
  for (let attempt = 1; ; attempt++) {
    const planned = await plan(work, o, step, slice, tables);
    const job = await begin(work, planned, slice);
    if (job === 'refused') return false;
    if (job === 'lost') {
      if (attempt === mostUploads) throw new Fault('answer-lost', `the upload of rows of ${o.object} does not succeed`);
      continue;
    }
    await work.org.writer.ingest.close(job);
    await finishSlice(work, o, { planned, job, matcher: new RowMatcher(slice.ids, slice.batches) }, meanwhile);
    for (const { release } of slice.batches) release?.();
    return true;
  }
}

/** From a job that was announced as closing, whatever the org has made of it since, to the results. Throws `object-refused` when it is gone. */
export async function finishSlice(
  work: Work,
  o: ObjectWork,
  open: OpenSlice,
  meanwhile: () => void = () => {},
): Promise<void> {
  const { job } = open;
  const { slice } = open.planned;
  const { ingest } = work.org.writer;
  const now = await ingest.state(job);
  if (now.state === 'Open') await ingest.close(job);
  await work.append({ type: 'closed', slice });
  meanwhile();
  const ended = await ingest.wait(job);
  const { state, processed, failed } = ended;
  await work.append({ type: 'done', slice, state, processed, failed });
  await takeResults(work, o, open, ended);
}

async function plan(work: Work, o: ObjectWork, step: Step, slice: Slice, tables: StoredTable[]): Promise<PlannedSlice> {
  const since = (await work.org.serverTime()).toISOString();
  const number = ++work.state.slices;
  const { columns } = slice;
  const planned: PlannedSlice = {
    type: 'planned',
    slice: number,
    object: o.object,
    step,
    way: 'bulk',
    columns: [...columns],
    since,
    ...leftOf(o.object, slice.left),
  };
  await work.append(planned, tables);
  work.state.announce(
    planned,
    slice.ids.map((id, n) => ({ id, rest: slice.rest.has(n) })),
  );
  return planned;
}

/** The job, uploaded and announced as closing. */
async function begin(work: Work, planned: PlannedSlice, slice: Slice): Promise<string | 'refused' | 'lost'> {
  const { slice: number, object, step } = planned;
  const { ingest } = work.org.writer;
  const operation = step === 'insert' || step === 'delete' ? step : 'update';
  let job: string;
  try {
    job = await ingest.create({ object, operation });
  } catch (error) {
    if (!isFault(error, 'object-refused', 'bulk-refused')) throw error;
    await work.append({ type: 'abandoned', slice: number, why: error.message });
    return 'refused';
  }
  await work.append({ type: 'job', slice: number, job });
  const csv = [encodeHeader(slice.columns), ...slice.batches.map(({ bytes }) => bytes)];
  try {
    await ingest.upload(job, csv);
  } catch (error) {
    if (!isFault(error, 'answer-lost', 'object-refused')) throw error;
    await ingest.abort(job);
    await work.append({ type: 'abandoned', slice: number, why: error.message });
    return error.name === 'answer-lost' ? 'lost' : 'refused';
  }
  const hash = createHash('sha256');
  for (const part of csv) hash.update(part);
  await work.append({ type: 'uploaded', slice: number, sha256: hash.digest('hex') });
  await work.append({ type: 'closing', slice: number });
  return job;
}

function rowsTable(work: Work, { object }: ObjectWork, slice: Slice): Promise<StoredTable> {
  return storeTable(work.journal, { name: 'rows', object, columns: rowColumns }, rowCells(slice));
}

function* rowCells({ ids, rest, batches }: Slice) {
  let n = 0;
  for (const digest of digestsOf(batches)) yield [ids[n], digest, rest.has(n++) ? '1' : ''];
}

/** What an update writes, so that an undo can tell its values from those that somebody wrote later. */
async function writtenTable(work: Work, o: ObjectWork, step: Step, slice: Slice): Promise<StoredTable[]> {
  if (step === 'insert' || step === 'delete') return [];
  const parts = [];
  for (const { bytes } of slice.batches) {
    parts.push(await work.journal.putPart(Buffer.concat([encodeHeader(slice.columns), bytes])));
  }
  return [{ name: 'after', object: o.object, rows: slice.ids.length, parts }];
}

/** Notes the outcome of every row of an ended job. */
async function takeResults(work: Work, o: ObjectWork, open: OpenSlice, ended: IngestState): Promise<void> {
  const { planned, matcher } = open;
  const { step } = planned;
  const outcomes: Outcome[] = [];
  const errors: WriteError[][] = [];
  const { processed, failed } = ended;
  await eachResult(work, open, 'successful', processed - failed, idColumn, (id, made) => {
    outcomes.push(step === 'insert' ? { id, kind: 'done', target: longId(made) } : { id, kind: 'done' });
  });
  await eachResult(work, open, 'failed', failed, errorColumn, (id, text) => {
    const parsed = parseErrorCell(text);
    const found = parsed.length > 0 ? parsed : [{ code: '', message: 'the org gave no reason', fields: [] }];
    errors.push(found);
    outcomes.push(failure(work, o, step, id, found));
  });
  if (ended.state === 'JobComplete' && matcher.left > 0) {
    // The upload was lost, or its end: the org is asked whether it has the rows all the same.
    const left = await sentRows(work, o, planned, [...matcher.rest()]);
    outcomes.push(...(await reconcile(work, o, planned, left)));
    await work.settle(o, step, outcomes, planned.slice);
    return;
  }
  const unprocessed = unprocessedError(ended);
  if (matcher.left > 0) errors.push([unprocessed]);
  for (const id of matcher.rest()) outcomes.push(failure(work, o, step, id, [unprocessed]));
  await work.settle(o, step, outcomes, planned.slice);
  stopIfNeeded(step, errors);
}

/** Rows of a job that failed as a whole: looked at one by one they may pass, unless the org has had enough. */
function unprocessedError({ state, errorMessage }: IngestState): WriteError {
  const message = errorMessage ?? `the job ended as ${state}`;
  const quota = /exceeded ?quota/i.test(message);
  return { code: quota ? 'EXCEEDEDQUOTA' : ownCodes.unprocessed, message, fields: [] };
}

/** Tells the Id in the plan of each row of one kind of results, and one of the cells that the org added: there may be as many as the slice has. */
async function eachResult(
  work: Work,
  open: OpenSlice,
  kind: IngestResultKind,
  rows: number,
  added: number,
  tell: (id: string, cell: string) => void,
): Promise<void> {
  if (rows === 0) return;
  const flow = await work.org.writer.ingest.results(open.job, kind, rows);
  const read = resultReader(flow.columns, open.planned.columns, added);
  for await (const batch of flow.batches) {
    work.ctx.signal.throwIfAborted();
    for (let row = 0; row < batch.ends.length; row++) {
      const { added: cell, bytes, start, end } = read(batch, row);
      const id = open.matcher.take(bytes, start, end);
      if (id === undefined) throw unmatched(open);
      tell(id, cell);
    }
    batch.release?.();
  }
}

function unmatched({ planned, job }: OpenSlice): Fault {
  return new Fault(
    'count-mismatch',
    `the results of job ${job} are not those of the rows of ${planned.object} that were uploaded`,
    {
      data: { job },
    },
  );
}
