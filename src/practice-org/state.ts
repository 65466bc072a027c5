import type { IngestJobs } from './bulk/ingest/jobs.ts';
import type { BulkJobs } from './bulk/jobs.ts';
import type { Database } from './database.ts';
import type { Dml } from './dml/dml.ts';
import type { FaultMenu } from './faults.ts';
import type { RequestLog } from './request-log.ts';
import type { Cursors } from './rest/cursors.ts';
import type { Schema } from './schema.ts';
import type { Sessions } from './sessions.ts';
import type { Settings } from './settings.ts';

/** A running practice org, as its endpoints see it. */
export interface OrgState {
  readonly database: Database;
  readonly settings: Settings;
  readonly schema: Schema;
  readonly sessions: Sessions;
  readonly faults: FaultMenu;
  readonly log: RequestLog;
  readonly jobs: BulkJobs;
  readonly ingestJobs: IngestJobs;
  readonly cursors: Cursors;
  /** Changes rows. */
  readonly dml: Dml;
  /** `http://127.0.0.1:port`, no trailing slash. */
  url: string;
  /** The org's clock: milliseconds since 1970, skew included. */
  now(): number;
}
