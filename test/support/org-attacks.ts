import type { Endpoint } from '../../src/practice-org/endpoints.ts';
import type { FaultName, OrgFault } from '../../src/practice-org/faults.ts';
import type { PracticeOrg } from '../../src/practice-org/server.ts';

/** Enough to hit every try. */
export const always = 100_000;

export interface Attack {
  readonly fault: OrgFault;
  readonly at: readonly (Endpoint | '*')[];
  /** Only requests for this object. */
  readonly object?: string;
  /** Requests that pass before the first is hit. Default 0. */
  readonly skip?: number;
  /** Default: once, and always. */
  readonly times?: readonly number[];
}

const rows: readonly Endpoint[] = ['queryAll', 'queryMore', 'bulk.results', 'blob'];
const asked: readonly Endpoint[] = ['query', 'describeGlobal', 'recordCount', 'composite', 'bulk.create', 'bulk.job'];
const wire = [...rows, ...asked];

/** Where each fault of the practice org's menu strikes. The type and the first test keep it whole. */
export const attacks: Readonly<Record<FaultName, readonly Attack[]>> = {
  reset: [
    { fault: { name: 'reset', afterBytes: 700 }, at: rows },
    { fault: { name: 'reset', afterBytes: 300 }, at: asked, times: [1] },
    { fault: { name: 'reset', afterBytes: 100_000 }, at: ['bulk.results'], skip: 2 },
  ],
  truncate: [
    { fault: { name: 'truncate', afterBytes: 700 }, at: wire },
    { fault: { name: 'truncate', afterBytes: 0 }, at: rows, times: [1] },
    { fault: { name: 'truncate', afterBytes: 100_000 }, at: ['bulk.results'], skip: 1 },
  ],
  'truncate-gzip': [
    { fault: { name: 'truncate-gzip', afterBytes: 90 }, at: rows },
    { fault: { name: 'truncate-gzip', afterBytes: 90 }, at: asked, times: [1] },
    { fault: { name: 'truncate-gzip', afterBytes: 9_000 }, at: ['bulk.results'], skip: 1 },
  ],
  hang: [
    { fault: { name: 'hang', afterBytes: 0 }, at: ['describeGlobal', 'composite', 'bulk.job', 'blob'], times: [1] },
    { fault: { name: 'hang', afterBytes: 500 }, at: rows, times: [1] },
    { fault: { name: 'hang', afterBytes: 500 }, at: ['bulk.results'], times: [always] },
  ],
  'commit-then-drop': [{ fault: { name: 'commit-then-drop' }, at: ['bulk.create', 'queryMore', 'blob'] }],
  'drop-before-commit': [{ fault: { name: 'drop-before-commit' }, at: ['composite', 'bulk.results'] }],
  // A backup saves no records.
  'row-lock': [],
  'lost-upload': [],
  drip: [{ fault: { name: 'drip', bytesPerSecond: 2_000_000 }, at: ['bulk.results', 'queryAll'], times: [1] }],
  'session-expired': [{ fault: { name: 'session-expired' }, at: [...rows, 'composite', 'bulk.job'] }],
  'session-dies-after': [{ fault: { name: 'session-dies-after', requests: 3 }, at: ['query', 'bulk.create', 'blob'] }],
  'refresh-dead': [{ fault: { name: 'refresh-dead' }, at: ['oauth.token'], skip: 1 }],
  '406-empty': [{ fault: { name: '406-empty' }, at: ['composite', 'bulk.results', 'blob'] }],
  '420-empty': [{ fault: { name: '420-empty' }, at: ['queryAll', 'bulk.job'] }],
  '420-html': [{ fault: { name: '420-html' }, at: ['describeGlobal', 'bulk.results'] }],
  '429': [{ fault: { name: '429' }, at: ['queryMore', 'bulk.create'] }],
  '502': [{ fault: { name: '502' }, at: ['queryAll', 'bulk.results', 'blob'] }],
  '503-html': [{ fault: { name: '503-html' }, at: ['query', 'bulk.results', 'recordCount'] }],
  '503-json': [{ fault: { name: '503-json' }, at: [...rows, 'composite'] }],
  '500-unknown-exception': [
    { fault: { name: '500-unknown-exception' }, at: wire },
    { fault: { name: '500-unknown-exception' }, at: ['describe'], object: 'Milestone__c' },
    { fault: { name: '500-unknown-exception' }, at: ['*'], object: 'Milestone__c' },
  ],
  '403-daily-limit': [{ fault: { name: '403-daily-limit' }, at: wire, times: [1] }],
  '403-concurrent-limit': [{ fault: { name: '403-concurrent-limit' }, at: ['queryAll', 'bulk.create', 'composite'] }],
  '403': [
    { fault: { name: '403', errorCode: 'INSUFFICIENT_ACCESS' }, at: wire, times: [always] },
    {
      fault: { name: '403', errorCode: 'INSUFFICIENT_ACCESS' },
      at: ['describe'],
      object: 'Milestone__c',
      times: [always],
    },
    { fault: { name: '403', errorCode: 'API_DISABLED_FOR_ORG' }, at: ['queryAll', 'bulk.job'], times: [1] },
  ],
  'query-timeout': [{ fault: { name: 'query-timeout' }, at: ['query', 'queryAll', 'queryMore', 'bulk.create'] }],
  'wrong-locator': [{ fault: { name: 'wrong-locator' }, at: ['bulk.results'], skip: 1 }],
  'repeated-page': [{ fault: { name: 'repeated-page' }, at: ['bulk.results'], skip: 1 }],
  'dropped-page': [{ fault: { name: 'dropped-page' }, at: ['bulk.results'] }],
  'wrong-record-count': [
    { fault: { name: 'wrong-record-count', by: 1 }, at: ['bulk.results'] },
    { fault: { name: 'wrong-record-count', by: -1 }, at: ['bulk.results'], skip: 1 },
  ],
  'lost-rows': [{ fault: { name: 'lost-rows', rows: 1 }, at: ['bulk.results'], skip: 1 }],
  'no-locator': [{ fault: { name: 'no-locator' }, at: ['bulk.results'] }],
  'wrong-processed-count': [
    { fault: { name: 'wrong-processed-count', by: 1 }, at: ['bulk.job'] },
    { fault: { name: 'wrong-processed-count', by: -1 }, at: ['bulk.job'] },
  ],
  'job-failed': [
    { fault: { name: 'job-failed' }, at: ['bulk.job'] },
    {
      fault: { name: 'job-failed', errorMessage: 'InternalServerError : Retried more than 30 times' },
      at: ['bulk.job'],
    },
  ],
  'job-stuck': [{ fault: { name: 'job-stuck' }, at: ['bulk.job'], times: [1] }],
  'early-done': [{ fault: { name: 'early-done' }, at: ['query', 'queryAll', 'queryMore'] }],
  'locator-expired': [{ fault: { name: 'locator-expired' }, at: ['queryMore'] }],
  'field-gone': [
    { fault: { name: 'field-gone', field: 'Name' }, at: ['queryAll'], object: 'Milestone__c' },
    { fault: { name: 'field-gone', field: 'CommentBody' }, at: ['bulk.create'] },
  ],
  'count-off': [
    { fault: { name: 'count-off', by: 1 }, at: ['queryAll'] },
    { fault: { name: 'count-off', by: -7 }, at: ['queryAll'] },
    { fault: { name: 'count-off', by: 5_000 }, at: ['recordCount'] },
    { fault: { name: 'count-off', by: -2_000 }, at: ['recordCount'] },
  ],
};

/** Faults of the wire hit whole requests; the others hit the parts of a composite too, by which rows are counted first. */
const onTheWire: readonly FaultName[] = [
  'reset',
  'truncate',
  'truncate-gzip',
  'hang',
  'commit-then-drop',
  'drop-before-commit',
  'drip',
];

/** What a run may end with when it cannot go on: each says what to do, and none says that anything was done. */
export const cleanEnds = [4, 68, 69, 74, 75];

/** One attack on one endpoint. */
export interface Strike {
  readonly endpoint: Endpoint | '*';
  readonly fault: OrgFault;
  readonly times: number;
  readonly skip?: number;
  readonly object?: string;
}

/** The attack on each of its endpoints, so many times. `onlySliced`: on links between files, which a user reads who does not see them all. */
export function strikesOf({ fault, at, object, skip, times = [1, always] }: Attack, onlySliced: boolean): Strike[] {
  const endpoints = onlySliced ? at.filter((endpoint) => endpoint === 'queryAll' && object === undefined) : at;
  return endpoints.flatMap((endpoint) =>
    times.flatMap((count) => {
      const strike = { endpoint, fault, times: count, skip, object };
      const counted = endpoint === 'queryAll' && object === undefined && !onTheWire.includes(fault.name);
      // The rows themselves too, behind the count of their object.
      const rowsOf = onlySliced ? 'ContentDocumentLink' : 'Milestone__c';
      return counted && fault.name !== 'count-off' ? [strike, { ...strike, object: rowsOf, skip: 1 }] : [strike];
    }),
  );
}

/** How many hits of its faults the org still waits for. */
export async function pendingFaults(org: PracticeOrg): Promise<number> {
  const answer = await fetch(`${org.url}/practice-org/faults`, { method: 'POST', body: '[]' });
  return ((await answer.json()) as { pending: number }).pending;
}
