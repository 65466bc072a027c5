import { type Endpoint, endpoints } from './endpoints.ts';

/**
 * What may go wrong, once asked for (field guide, extract 9). Every fault hits whole requests of one endpoint.
 * On the wire: reset, truncate, truncate-gzip, hang, commit-then-drop, drop-before-commit, drip. Instead of the answer: those with a
 * status in their name and the rest up to `query-timeout`. In the answer of one endpoint: the rest.
 */
export type OrgFault =
  /** The connection is reset after so many bytes of the body, as sent. */
  | { readonly name: 'reset'; readonly afterBytes: number }
  /** The body ends early and the HTTP message ends as if nothing was wrong. Cuts before compression. */
  | { readonly name: 'truncate'; readonly afterBytes: number }
  /** The gzip body ends after so many compressed bytes, and the HTTP message ends well. Compresses when the client accepts it. */
  | { readonly name: 'truncate-gzip'; readonly afterBytes: number }
  /** No more bytes after so many of the body; 0: not even headers. The connection stays open. */
  | { readonly name: 'hang'; readonly afterBytes: number }
  /** The request is carried out, and the connection is cut before the first byte of the answer. */
  | { readonly name: 'commit-then-drop' }
  /** The connection is cut before anything is done. */
  | { readonly name: 'drop-before-commit' }
  /** The body comes at this speed. */
  | { readonly name: 'drip'; readonly bytesPerSecond: number }
  /** 401 INVALID_SESSION_ID, and the session is dead from here on. */
  | { readonly name: 'session-expired' }
  /** The session's requests so far do not count; after so many more it dies. The request itself is answered. */
  | { readonly name: 'session-dies-after'; readonly requests: number }
  /** oauth.token: `invalid_grant`, `expired access/refresh token`. */
  | { readonly name: 'refresh-dead' }
  | { readonly name: '406-empty' }
  | { readonly name: '420-empty' }
  | { readonly name: '420-html' }
  | { readonly name: '429' }
  | { readonly name: '502' }
  | { readonly name: '503-html' }
  /** 503 SERVER_UNAVAILABLE as JSON. */
  | { readonly name: '503-json' }
  /** 500 UNKNOWN_EXCEPTION with an ErrorId ("gack"); with `object` and many times: deterministic for that object. */
  | { readonly name: '500-unknown-exception' }
  /** 403 REQUEST_LIMIT_EXCEEDED, `TotalRequests Limit exceeded.`: stop for today. */
  | { readonly name: '403-daily-limit' }
  /** 403 REQUEST_LIMIT_EXCEEDED, concurrent requests: try again soon. */
  | { readonly name: '403-concurrent-limit' }
  /** 403 with another error code, such as API_DISABLED_FOR_ORG. */
  | { readonly name: '403'; readonly errorCode: string; readonly message?: string }
  /** Saves of records: the first `rows` records of the request answer UNABLE_TO_LOCK_ROW; those of an all-or-none save all fail. */
  | { readonly name: 'row-lock'; readonly rows: number }
  /** 400 QUERY_TIMEOUT. */
  | { readonly name: 'query-timeout' }
  /** bulk.results: `Sforce-Locator` names a place one row too far, so a row is lost. */
  | { readonly name: 'wrong-locator' }
  /** bulk.results: the rows of the page before, with this page's headers. */
  | { readonly name: 'repeated-page' }
  /** bulk.results: `Sforce-Locator` skips the next page. */
  | { readonly name: 'dropped-page' }
  /** bulk.results: `Sforce-NumberOfRecords` is off by this much. */
  | { readonly name: 'wrong-record-count'; readonly by: number }
  /** bulk.results, and results of ingest jobs: so many rows at the end are missing; the headers do not know. */
  | { readonly name: 'lost-rows'; readonly rows: number }
  /** bulk.results: no `Sforce-Locator` header. */
  | { readonly name: 'no-locator' }
  /** bulk.job, ingest.job: `numberRecordsProcessed` is off by this much. */
  | { readonly name: 'wrong-processed-count'; readonly by: number }
  /**
   * bulk.job, ingest.job: the job is Failed from here on; real ones come with and without a message. ingest.close: after so many
   * rows, default 0; the others stay unprocessed.
   */
  | { readonly name: 'job-failed'; readonly errorMessage?: string; readonly afterRows?: number }
  /** bulk.job, ingest.job: the job stays InProgress for ever. ingest.close: after so many rows, default 0. */
  | { readonly name: 'job-stuck'; readonly afterRows?: number }
  /** ingest.upload: the answer is 201, and the data is lost. */
  | { readonly name: 'lost-upload' }
  /** query, queryMore: `done: true` although rows are left. */
  | { readonly name: 'early-done' }
  /** queryMore: INVALID_QUERY_LOCATOR, and the locator is gone. */
  | { readonly name: 'locator-expired' }
  /** query, bulk.create: INVALID_FIELD for this field, though the describe shows it (schema drift). */
  | { readonly name: 'field-gone'; readonly field: string }
  /** query with COUNT(), recordCount: rows came or went between count and read; the count is off by this much. */
  | { readonly name: 'count-off'; readonly by: number };

export type FaultName = OrgFault['name'];

/** What each fault needs to know besides its name. */
const parameters: Readonly<Record<FaultName, readonly string[]>> = {
  reset: ['afterBytes'],
  truncate: ['afterBytes'],
  'truncate-gzip': ['afterBytes'],
  hang: ['afterBytes'],
  'commit-then-drop': [],
  'drop-before-commit': [],
  drip: ['bytesPerSecond'],
  'row-lock': ['rows'],
  'session-expired': [],
  'session-dies-after': ['requests'],
  'refresh-dead': [],
  '406-empty': [],
  '420-empty': [],
  '420-html': [],
  '429': [],
  '502': [],
  '503-html': [],
  '503-json': [],
  '500-unknown-exception': [],
  '403-daily-limit': [],
  '403-concurrent-limit': [],
  '403': ['errorCode'],
  'query-timeout': [],
  'wrong-locator': [],
  'repeated-page': [],
  'dropped-page': [],
  'wrong-record-count': ['by'],
  'lost-rows': ['rows'],
  'no-locator': [],
  'wrong-processed-count': ['by'],
  'job-failed': [],
  'job-stuck': [],
  'lost-upload': [],
  'early-done': [],
  'locator-expired': [],
  'field-gone': ['field'],
  'count-off': ['by'],
};
export const faultNames = Object.keys(parameters) as readonly FaultName[];

/** Faults that work on the bytes of an answer; they do not hit subrequests of a composite. */
const onTheWire: readonly FaultName[] = [
  'reset',
  'truncate',
  'truncate-gzip',
  'hang',
  'commit-then-drop',
  'drop-before-commit',
  'drip',
];

export interface FaultRule {
  readonly endpoint: Endpoint | '*';
  readonly fault: OrgFault;
  /** Only requests for this object, by API name. */
  readonly object?: string;
  /** So many matching requests pass first. Default 0. */
  readonly skip?: number;
  /** So many matching requests are hit. Default 1. */
  readonly times?: number;
}

interface ArmedRule {
  rule: FaultRule;
  skip: number;
  times: number;
}

/** What is known of a request before it is answered. */
export interface FaultTarget {
  readonly endpoint: Endpoint;
  readonly object: string | undefined;
  readonly isCount: boolean;
  readonly isSubrequest: boolean;
}

/** The faults that wait for their request. Older rules come first; one request is hit by one fault at most. */
export class FaultMenu {
  #rules: ArmedRule[] = [];

  /** Throws a TypeError on a rule that could never hit as meant: an unknown name, a missing parameter. */
  add(rule: FaultRule): void {
    const { endpoint, fault } = rule;
    if (endpoint !== '*' && !endpoints.includes(endpoint)) throw new TypeError(`there is no endpoint ${endpoint}`);
    const needed = parameters[fault?.name];
    if (!needed) throw new TypeError(`there is no fault ${fault?.name}`);
    const missing = needed.filter((name) => !(name in fault));
    if (missing.length > 0) throw new TypeError(`the fault ${fault.name} needs ${missing.join(', ')}`);
    this.#rules.push({ rule, skip: rule.skip ?? 0, times: rule.times ?? 1 });
  }

  clear(): void {
    this.#rules = [];
  }

  /** How many hits are still to come. */
  get pending(): number {
    return this.#rules.reduce((sum, armed) => sum + armed.times, 0);
  }

  take(target: FaultTarget): OrgFault | undefined {
    for (const armed of this.#rules) {
      if (!matches(armed.rule, target)) continue;
      if (armed.skip > 0) {
        armed.skip -= 1;
        continue;
      }
      armed.times -= 1;
      if (armed.times <= 0) this.#rules = this.#rules.filter((other) => other !== armed);
      return armed.rule.fault;
    }
    return undefined;
  }
}

function matches({ endpoint, fault, object }: FaultRule, target: FaultTarget): boolean {
  if (target.endpoint === 'control' || (endpoint !== '*' && endpoint !== target.endpoint)) return false;
  if (object !== undefined && object.toLowerCase() !== target.object?.toLowerCase()) return false;
  if (fault.name === 'count-off' && !target.isCount && target.endpoint !== 'recordCount') return false;
  return !(target.isSubrequest && onTheWire.includes(fault.name));
}
