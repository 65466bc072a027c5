import type { RowFlow } from '../rows/batch.ts';

/**
 * One record to be written: API name of a field -> its value as it stands in the vault's CSV. null and '' clear the field; a field that is
 * not named is not touched (insert: the org sets its default). Names are those of the describe, case included.
 */
export type WriteRecord = Readonly<Record<string, string | null>>;

/** Why the org did not do one row. */
export interface WriteError {
  /** Salesforce's status code (field guide, restore 7); '' when the org named none. Decide by the code: texts are translated and change. */
  readonly code: string;
  readonly message: string;
  /** The fields that the org blames; it may call them by their labels. */
  readonly fields: readonly string[];
}

/** What became of one row. It was done when `errors` is empty, and not at all otherwise. */
export interface Written {
  /** 18 characters; absent where nothing was done and the org named none. */
  readonly id?: string;
  /** Upsert only: true for a new row. Absent when an answer was lost on the way, so that nobody knows. */
  readonly created?: boolean;
  readonly errors: readonly WriteError[];
}

export interface WriteOptions {
  /** Saves also what a duplicate rule would only warn of; a rule that blocks still blocks (restore 6.2). */
  readonly allowDuplicates?: boolean;
}

/** The bytes of a file, as they can be had more than once. */
export interface FileContent {
  readonly name: string;
  /** Bytes that `open` gives; anything else throws `size-mismatch` before the org has the whole. */
  readonly size: number;
  /** Called once, and again when the first try was certainly in vain (an expired session). */
  open(): AsyncIterable<Buffer>;
}

/**
 * The org as it is written to. All calls keep the budget, the retry table, the time limits, the renewal of tokens and the run's signal.
 * Assignment rules are always kept off (Sforce-Auto-Assign: FALSE, restore 6.2).
 *
 * A request that is refused as a whole throws `object-refused` with `data.errorCode` (a field that the org does not know …): nothing was
 * done. Rows that are refused are no throw: `errors` says why. Results stand in the order of what was given.
 *
 * *Sent once* means: when it is not certain that the org did nothing, `answer-lost` is thrown instead of trying again, and the caller looks
 * up what was done. What certainly was not done is tried again by the table: no connection, 503, a lock of the whole request, an expired
 * session, too many requests at a time. A run that is aborted in such a call does not know either.
 */
export interface OrgWriter {
  /** At most 200 records of one object, without Ids; less than 50 MB as JSON (restore 9). Sent once. */
  insert(object: string, records: readonly WriteRecord[], options?: WriteOptions): Promise<Written[]>;
  /** At most 200 records of one object, each with its `Id`. Tried again, also after a lost answer: it has the same effect twice. */
  update(object: string, records: readonly WriteRecord[], options?: WriteOptions): Promise<Written[]>;
  /**
   * At most 200 records of one object, each with a value in `keyField`, an external id, and no two with the same. Tried again, also after a
   * lost answer.
   */
  upsert(object: string, keyField: string, records: readonly WriteRecord[], options?: WriteOptions): Promise<Written[]>;
  /**
   * At most 200 Ids, into the recycle bin. Tried again, also after a lost answer: then what the first try deleted is told as a row with
   * ENTITY_IS_DELETED.
   */
  delete(ids: readonly string[]): Promise<Written[]>;
  /**
   * At most 200 Ids, out of the recycle bin, by SOAP (restore 3). Rows that were deleted with a parent come back with the parent only. Tried
   * again, also after a lost answer: then what the first try brought back is told as UNDELETE_FAILED, which the org says of live rows
   * too; look before you take that for gone. Throws `permission-missing` when the access token is in JWT format, which SOAP does not take.
   */
  undelete(ids: readonly string[]): Promise<Written[]>;
  /**
   * One record of ContentVersion, Attachment or Document with the bytes of its `blobField`, in one multipart request that is streamed
   * (restore 9). At most 2 GB for ContentVersion, 500 MB for others. Sent once.
   */
  insertFile(
    object: string,
    record: WriteRecord,
    blobField: string,
    content: FileContent,
    options?: WriteOptions,
  ): Promise<Written>;
  readonly ingest: Ingest;
  /** What the org still has room for. A figure that it does not tell is absent. */
  limits(): Promise<OrgLimits>;
}

export type IngestOperation = 'insert' | 'update' | 'upsert' | 'delete' | 'hardDelete';

export interface IngestJob {
  readonly object: string;
  readonly operation: IngestOperation;
  /** Upsert only: the external id; its column must be in the CSV. */
  readonly externalIdField?: string;
}

export type IngestPhase = 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';

/** A job as the org tells it. JobComplete does not mean that any row was done (restore 1.2). */
export interface IngestState {
  readonly id: string;
  readonly object: string;
  readonly operation: IngestOperation;
  readonly state: IngestPhase;
  /** Rows that were looked at, failed ones included. */
  readonly processed: number;
  readonly failed: number;
  /** Why the job as a whole failed, in the org's words. */
  readonly errorMessage?: string;
  /** Times that the org tried a batch again by itself, for locks and for time. */
  readonly retries: number;
  /** Milliseconds; 0 while unknown. */
  readonly totalProcessingTime: number;
  readonly apiActiveProcessingTime: number;
  readonly apexProcessingTime: number;
  readonly createdById: string;
  readonly createdDate: Date;
}

/**
 * `successful`: sf__Id, sf__Created and the columns that were uploaded. `failed`: sf__Id, sf__Error (`parseErrorCell`) and the columns that
 * were uploaded; sf__Id is empty for inserts and not to be relied on for others. `unprocessed`: only the columns that were uploaded.
 */
export type IngestResultKind = 'successful' | 'failed' | 'unprocessed';

/**
 * Jobs of Bulk API 2.0 (restore 1): create, upload once, close, wait, read the results. Nothing happens to any record before `close`. Results
 * can be read for seven days.
 */
export interface Ingest {
  /**
   * Resolves with the job's Id. Tried again, also after a lost answer, which leaves an Open job without effect. Throws `bulk-refused` when
   * the org has no such job for this object.
   */
  create(job: IngestJob): Promise<string>;
  /**
   * The whole CSV in one request: a header line and rows as `bulk-csv.ts` writes them, at most 100 MB. Columns are not looked at yet. Sent
   * once: after `answer-lost` abort the job and begin another, a second upload would ruin it.
   */
  upload(job: string, csv: readonly Buffer[]): Promise<void>;
  /** Lets the org begin. Resolves when the job is no longer Open, whoever closed it; throws when it was aborted. */
  close(job: string): Promise<void>;
  /** Resolves when the job will do nothing more: it is aborted, has ended by itself (`state` tells), or is gone. What was done stays done. */
  abort(job: string): Promise<void>;
  /** Throws `object-refused` with `data.status` 404 when there is no such job, or no more. */
  state(job: string): Promise<IngestState>;
  /**
   * The job when it has ended, well or not. Asks at once, then after 100 ms, then ever more rarely, up to every 10 s; reports `job-progress`
   * when the figures have moved. Throws `job-running` after `atMostMs` of waiting (default: a day); an aborted run leaves the job running.
   */
  wait(job: string, options?: { readonly atMostMs?: number }): Promise<IngestState>;
  /**
   * Rows of an ended job, in no order; `columns` as the header line says, `[]` when the body was entirely empty. `rows`: how many there must
   * be by the job's own figures; a body with fewer is fetched again, and `count-mismatch` thrown when it stays. So is a body that ends
   * inside a row.
   */
  results(job: string, kind: IngestResultKind, rows?: number): Promise<RowFlow>;
  /** Jobs that have not ended, of this object and operation, made at or after `since` by the org's clock; by whom ever, in no order. */
  openJobs(filter: {
    readonly object: string;
    readonly operation: IngestOperation;
    readonly since: Date;
  }): Promise<OpenJob[]>;
  /** Removes an ended job with its results. One that is gone already is no error. */
  delete(job: string): Promise<void>;
}

export interface OpenJob {
  readonly id: string;
  readonly state: IngestPhase;
  readonly createdById: string;
  readonly createdDate: Date;
}

export interface Limit {
  readonly max: number;
  readonly remaining: number;
}

export interface OrgLimits {
  readonly dataStorageMB?: Limit;
  readonly fileStorageMB?: Limit;
  readonly dailyApiRequests?: Limit;
  /** Batches of 10,000 rows of ingest jobs, of both Bulk APIs. */
  readonly dailyBulkBatches?: Limit;
  readonly dailyBulkQueryJobs?: Limit;
}
