import { notFound } from '../refusal.ts';
import type { Plan } from '../soql/query.ts';
import type { RowNumbers } from '../soql/rows.ts';
import type { CsvDialect } from './csv.ts';
import type { JobOrder } from './order.ts';

export type JobState = 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';

/** Rows of a job that has them all. */
export interface JobRows {
  readonly found: RowNumbers;
  readonly order: JobOrder;
  /** Bytes of a line, estimated. */
  readonly lineBytes: number;
}

/** A Bulk API 2.0 query job. */
export interface BulkJob {
  readonly id: string;
  readonly operation: 'query' | 'queryAll';
  readonly plan: Plan;
  /** `67.0` */
  readonly version: string;
  readonly dialect: CsvDialect;
  readonly lineEnding: string;
  readonly columnDelimiter: string;
  readonly createdById: string;
  /** Milliseconds since 1970, the org's clock. */
  readonly createdAt: number;
  endedAt: number | undefined;
  state: JobState;
  polls: number;
  errorMessage: string | undefined;
  /** Undefined until the query has run. */
  rows: JobRows | undefined;
  stuck: boolean;
}

/** Query jobs by Id. */
export class BulkJobs {
  readonly #jobs = new Map<string, BulkJob>();
  readonly #nextId: () => string;

  constructor(nextId: () => string) {
    this.#nextId = nextId;
  }

  add(job: Omit<BulkJob, 'id'>): BulkJob {
    const added: BulkJob = Object.assign(job, { id: this.#nextId() });
    this.#jobs.set(added.id, added);
    return added;
  }

  /** Throws NOT_FOUND, also for a deleted job. */
  get(id: string): BulkJob {
    const job = this.find(id);
    if (!job) throw notFound();
    return job;
  }

  find(id: string): BulkJob | undefined {
    return this.#jobs.get(id) ?? [...this.#jobs.values()].find((job) => job.id.slice(0, 15) === id);
  }

  delete(id: string): void {
    this.#jobs.delete(this.get(id).id);
  }

  all(): BulkJob[] {
    return [...this.#jobs.values()];
  }
}
