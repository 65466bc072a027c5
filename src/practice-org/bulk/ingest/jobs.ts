import { notFound } from '../../refusal.ts';
import type { SObject } from '../../schema.ts';
import type { Outcomes } from './outcomes.ts';
import type { Upload } from './upload.ts';

export const operations = ['insert', 'update', 'upsert', 'delete', 'hardDelete'] as const;
export type Operation = (typeof operations)[number];

export type IngestState = 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';

/** How a job's CSV is written, its results too. */
export interface Dialect {
  /** `COMMA` */
  readonly columnDelimiter: string;
  readonly delimiter: string;
  readonly lineEnding: 'LF' | 'CRLF';
}

/** What the client asked for. */
export interface IngestRequest {
  readonly operation: Operation;
  readonly object: SObject;
  readonly externalIdFieldName: string | undefined;
  readonly assignmentRuleId: string | undefined;
  readonly dialect: Dialect;
  /** `67.0` */
  readonly version: string;
}

/** A Bulk API 2.0 ingest job (restore 1.1, 1.2). */
export interface IngestJob extends IngestRequest {
  readonly id: string;
  readonly createdById: string;
  /** Milliseconds since 1970, the org's clock, here and below. */
  readonly createdAt: number;
  closedAt: number | undefined;
  endedAt: number | undefined;
  state: IngestState;
  polls: number;
  /** What was put to it, one after the other; only the first may count. */
  readonly contents: Buffer[];
  /** The first content, once it was read and found good. */
  upload: Upload | undefined;
  /** What became of its rows; undefined as long as none was looked at. */
  outcomes: Outcomes | undefined;
  work: Work;
  workEndedAt: number | undefined;
  retries: number;
  errorMessage: string | undefined;
  /** Simulated and real milliseconds of work. */
  processingTime: number;
  /** Set by faults: the work ends after so many rows, and the job is Failed or stays InProgress for ever. */
  halt: Halt | undefined;
}

/** Where the work on a job's rows stands, which polls may not show yet. */
export type Work = 'none' | 'running' | 'done' | 'failed' | 'stuck';

export interface Halt {
  readonly work: 'failed' | 'stuck';
  readonly afterRows: number;
  readonly errorMessage: string | undefined;
}

/** Jobs and their results stay so long after their end (restore 1.2). */
const keptFor = 7 * 86_400_000;

/** Ingest jobs by Id, and what they have used of the day's allocations. */
export class IngestJobs {
  readonly #jobs = new Map<string, IngestJob>();
  readonly #nextId: () => string;
  readonly #now: () => number;
  /** Internal batches and rows of the org's last 24 hours, by when they were used. */
  readonly #used: { at: number; batches: number; rows: number }[] = [];

  constructor(nextId: () => string, now: () => number) {
    this.#nextId = nextId;
    this.#now = now;
  }

  add(request: IngestRequest, createdById: string): IngestJob {
    const job: IngestJob = {
      ...request,
      id: this.#nextId(),
      createdById,
      createdAt: this.#now(),
      closedAt: undefined,
      endedAt: undefined,
      state: 'Open',
      polls: 0,
      contents: [],
      upload: undefined,
      outcomes: undefined,
      work: 'none',
      workEndedAt: undefined,
      retries: 0,
      errorMessage: undefined,
      processingTime: 0,
      halt: undefined,
    };
    this.#jobs.set(job.id, job);
    return job;
  }

  /** Throws NOT_FOUND, also for a job that was deleted or ended 7 days ago. */
  get(id: string): IngestJob {
    const job = this.find(id);
    if (!job) throw notFound();
    return job;
  }

  find(id: string): IngestJob | undefined {
    const job = this.#jobs.get(id) ?? [...this.#jobs.values()].find((one) => one.id.slice(0, 15) === id);
    if (!job || !this.#isExpired(job)) return job;
    this.delete(job);
    return undefined;
  }

  delete(job: IngestJob): void {
    this.#jobs.delete(job.id);
  }

  /** In the order of their creation. */
  all(): IngestJob[] {
    for (const job of [...this.#jobs.values()]) if (this.#isExpired(job)) this.delete(job);
    return [...this.#jobs.values()];
  }

  #isExpired({ endedAt }: IngestJob): boolean {
    return endedAt !== undefined && this.#now() - endedAt >= keptFor;
  }

  use(batches: number, rows: number): void {
    this.#used.push({ at: this.#now(), batches, rows });
  }

  get used(): { batches: number; rows: number } {
    const since = this.#now() - 86_400_000;
    while (this.#used[0] && this.#used[0].at < since) this.#used.shift();
    return this.#used.reduce((sum, { batches, rows }) => ({ batches: sum.batches + batches, rows: sum.rows + rows }), {
      batches: 0,
      rows: 0,
    });
  }
}

export function isTerminal({ state }: IngestJob): boolean {
  return state === 'JobComplete' || state === 'Failed' || state === 'Aborted';
}
