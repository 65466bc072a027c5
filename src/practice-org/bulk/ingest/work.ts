import { setImmediate } from 'node:timers/promises';
import type { RecordInput, SaveError } from '../../dml/save.ts';
import type { OrgState } from '../../state.ts';
import { Batches, batchRows, type Chunk } from './batches.ts';
import { type IngestColumn, ingestColumns } from './columns.ts';
import type { IngestJob, Work } from './jobs.ts';
import { Locks } from './locks.ts';
import { errorCell, Outcomes } from './outcomes.ts';
import { type IngestRow, recordReader } from './rows.ts';
import { save } from './save.ts';
import { BadCsv } from './scan.ts';
import { Upload } from './upload.ts';

/** Works on a closed job's rows from here on, aside: other requests are answered meanwhile (restore 1.3). */
export function beginWork(state: OrgState, job: IngestJob): void {
  if (job.work !== 'none') return;
  job.work = 'running';
  const began = performance.now();
  void work(state, job)
    .catch((error: unknown): Work => {
      if (error instanceof BadCsv) job.errorMessage = error.message;
      else job.errorMessage = `InternalServerError : ${error instanceof Error ? error.stack : String(error)}`;
      return 'failed';
    })
    .then((ended) => {
      job.work = ended;
      job.workEndedAt = state.now();
      job.processingTime += Math.ceil(performance.now() - began);
    });
}

async function work(state: OrgState, job: IngestJob): Promise<Work> {
  await setImmediate();
  const [content, second] = job.contents;
  if (second)
    throw new BadCsv(
      `InvalidBatch : Found multiple contents for job: <${job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job.`,
    );
  if (!content) return 'done';
  const { ingestMixedNewlines, ingestCellCharacters } = state.settings;
  const limits = { mixedNewlines: ingestMixedNewlines, cellCharacters: ingestCellCharacters };
  job.upload = await Upload.read(content, job.dialect, limits);
  const columns = ingestColumns(state.schema, job.object, job.upload.header);
  checkColumns(job, columns);
  return new JobWork(state, job, job.upload, columns).run();
}

/** What an operation wants of the header. Throws BadCsv. */
function checkColumns({ operation, externalIdFieldName }: IngestJob, columns: readonly IngestColumn[]): void {
  const names = columns.map((column) => (column.kind === 'field' ? column.field.name : column.relationship));
  const isDelete = operation === 'delete' || operation === 'hardDelete';
  if (isDelete && (names.length !== 1 || names[0] !== 'Id'))
    throw new BadCsv(`InvalidBatch : The ${operation} operation takes the column Id and no other`);
  if (operation === 'upsert' && !names.includes(externalIdFieldName!))
    throw new BadCsv(`InvalidBatch : Field name not found : ${externalIdFieldName}`);
}

const lockFailure: SaveError = {
  code: 'UNABLE_TO_LOCK_ROW',
  message: 'unable to obtain exclusive access to this record',
  fields: [],
};

/** The rows of one job on their way into the org. */
class JobWork {
  readonly #state: OrgState;
  readonly #job: IngestJob;
  readonly #upload: Upload;
  readonly #outcomes: Outcomes;
  readonly #read: (cells: readonly string[]) => IngestRow;
  readonly #locks: Locks;

  constructor(state: OrgState, job: IngestJob, upload: Upload, columns: readonly IngestColumn[]) {
    this.#state = state;
    this.#job = job;
    this.#upload = upload;
    this.#outcomes = new Outcomes(upload.size);
    this.#read = recordReader(job, columns, state.settings);
    this.#locks = new Locks(state.schema, job.object);
    job.outcomes = this.#outcomes;
  }

  async run(): Promise<Work> {
    const rows = this.#withinQuota();
    const batches = new Batches(rows);
    for (;;) {
      const chunks = batches.round(this.#state.settings.ingestParallelBatches);
      if (chunks.length === 0) break;
      this.#locks.beginRound();
      const contended = chunks.length > 1 && this.#state.settings.ingestLocks;
      for (const chunk of chunks) {
        const halted = this.#halted();
        if (halted) return halted;
        const stopped = this.#chunk(batches, chunk, contended);
        if (stopped) return stopped;
      }
      await setImmediate();
    }
    return (
      this.#halted() ??
      (rows < this.#upload.size ? this.#fail('ExceededQuota : ApiBatchItems Limit exceeded.') : 'done')
    );
  }

  /** Rows of the batches for which the day's allocation is enough. No result tells of the others (restore 1.4). */
  #withinQuota(): number {
    const { size } = this.#upload;
    const { dailyBulkRows } = this.#state.settings;
    const left = Math.max(0, dailyBulkRows - this.#state.ingestJobs.used.rows);
    const rows = size <= left ? size : Math.floor(left / batchRows) * batchRows;
    this.#outcomes.leaveUnrecorded(rows, size);
    this.#state.ingestJobs.use(Math.ceil(size / batchRows), rows);
    return rows;
  }

  #fail(errorMessage: string): Work {
    this.#job.errorMessage = errorMessage;
    return 'failed';
  }

  #halted(): Work | undefined {
    const { halt, state } = this.#job;
    if (state === 'Aborted') return 'failed';
    if (!halt || this.#outcomes.processed < halt.afterRows) return undefined;
    this.#job.errorMessage = halt.errorMessage;
    return halt.work;
  }

  /** Does a chunk; how the work ends when it cannot go on. */
  #chunk(batches: Batches, chunk: Chunk, contended: boolean): Work | undefined {
    const { halt } = this.#job;
    const { ingestRowMilliseconds } = this.#state.settings;
    const most = halt ? halt.afterRows - this.#outcomes.processed : Number.POSITIVE_INFINITY;
    const to = Math.min(chunk.to, chunk.from + most);
    this.#job.retries += chunk.batch.spend(to - chunk.from, ingestRowMilliseconds);
    if (chunk.batch.isGivenUp) return this.#fail('Timeout : A batch did not end in time, and was tried too often');
    this.#job.processingTime += (to - chunk.from) * ingestRowMilliseconds;
    const lockFailures = this.#transaction(chunk, to, contended);
    if (batches.done(chunk, to, lockFailures)) return undefined;
    return this.#fail('TooManyLockFailure : Too many lock failures. The batch was put off too often');
  }

  /** Saves rows as one transaction; returns how many of them found a lock. */
  #transaction({ batch, from }: Chunk, to: number, contended: boolean): number {
    const numbers: number[] = [];
    const inputs: RecordInput[] = [];
    let lockFailures = 0;
    for (let number = from; number < to; number += 1) {
      const row = this.#read(this.#upload.row(number));
      if ('error' in row) this.#outcomes.fail(number, row.error, '');
      else if (contended && !this.#locks.take(batch, row.input)) {
        this.#failRow(number, row.input, [lockFailure]);
        lockFailures += 1;
      } else {
        numbers.push(number);
        inputs.push(row.input);
      }
    }
    if (inputs.length === 0) return lockFailures;
    const results = save(this.#state, this.#job, inputs);
    for (const [at, { id, created, errors }] of results.entries()) {
      if (errors.length > 0) this.#failRow(numbers[at]!, inputs[at]!, errors);
      else this.#outcomes.save(numbers[at]!, id!, created);
    }
    return lockFailures;
  }

  #failRow(number: number, { fields }: RecordInput, errors: readonly SaveError[]): void {
    const { ingestFailedIds, ingestErrorSeparator } = this.#state.settings;
    const error = errors.map(errorCell).join(ingestErrorSeparator);
    this.#outcomes.fail(number, error, ingestFailedIds === 'given' && typeof fields.Id === 'string' ? fields.Id : '');
  }
}
