import type { FaultName } from './errors.ts';

/** How an object is read from the org. */
export type Way = 'bulk' | 'rest' | 'sliced' | 'index-walk';

/** Everything that work reports while it goes on. `org`: of which org, when a command works on several. */
export type Event = OneEvent & { org?: string };

/** A closed union: the renderers in `cli/` switch over all of it. */
type OneEvent =
  /** A stage of a command begins. `total`: how many things it will do, when known. */
  | { type: 'stage'; stage: string; total?: number }
  | { type: 'object-started'; object: string; way: Way; rowsExpected?: number }
  /** Cumulative; sent about once a second per object. */
  | { type: 'object-progress'; object: string; rows: number; bytes: number }
  | {
      type: 'object-finished';
      object: string;
      rows: number;
      bytes: number;
      segments: number;
      complete: boolean;
      reason?: string;
    }
  /** Files and attachments; cumulative. */
  | { type: 'files-progress'; count: number; bytes: number; total?: number }
  /** An ingest job of the org has moved. */
  | {
      type: 'job-progress';
      object: string;
      operation: string;
      job: string;
      state: string;
      processed: number;
      failed: number;
    }
  /** Rows of an object went through a step of a restore. `rows`: sent so far in this step; `failed`: in all steps of the object. */
  | { type: 'restore-step'; object: string; step: string; rows: number; failed: number }
  /** A request or a page is tried again. `what` names it without secrets. */
  | { type: 'retry'; what: string; attempt: number; waitMs: number; reason: string }
  | { type: 'api-usage'; used: number; max: number; own: number }
  /** No room in the requests that the org allows in a day: it is asked again after `waitMs`. */
  | { type: 'quota-wait'; used?: number; max?: number; own: number; waitMs: number }
  | { type: 'resumed'; point: string; objects: number }
  | { type: 'object-resumed'; object: string; rows: number }
  | { type: 'point-sealed'; point: string; seq: number; digest: string }
  /** `watch` has taken a point. `rpoSeconds`: from the beginning of its point before to the end of this one; null for its first. */
  | {
      type: 'point-taken';
      point: string;
      kind: 'full' | 'incremental';
      status: 'complete' | 'partial';
      suspect: boolean;
      rows: number;
      changed: number;
      deleted: number;
      apiCalls: number;
      seconds: number;
      rpoSeconds: number | null;
      intervalSeconds: number;
    }
  /** `watch` could not take a point now, and will try again. */
  | { type: 'point-missed'; name: FaultName; message: string; againInSeconds: number }
  | { type: 'rung'; point: string; rung: string; ok: boolean; figure: string; problems: number }
  /** Something a person should read; the work goes on. */
  | { type: 'warning'; name: FaultName | string; message: string }
  /** A line of the story that a person follows; `demo` and `practice-org` speak with it. */
  | { type: 'note'; message: string };
