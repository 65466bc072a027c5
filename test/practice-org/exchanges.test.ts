import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import {
  data,
  type Exchange,
  missing,
  orgOfRecording,
  recordedDatabase,
  recordedExchanges,
} from './recorded-database.ts';
import { id, ids, smallDatabase } from './small-database.ts';

/** Exchanges of endpoints that the practice org does not have, and why. */
const elsewhere: [reason: string, test: (exchange: Exchange) => boolean][] = [
  ['another host than Salesforce', ({ url }) => !/salesforce\.com\//.test(url)],
  ['Bulk API 1.0', ({ url }) => url.includes('/services/async/')],
  ['Tooling API', ({ url }) => url.includes('/tooling/')],
  ['Experience Cloud', ({ url }) => url.includes('/connect/')],
];

/** Exchanges whose endpoint is there and whose answer is not comparable, and why. */
const incomparable: [reason: string, test: (exchange: Exchange) => boolean][] = [
  ['a network error that the recording made up', ({ status, response }) => status === 500 && response === ''],
  ['edited by hand: describes with a few keys', ({ source }) => /ManualEdit/.test(source)],
  [
    'a describe of Account from before API 59; the org serves the newer one',
    ({ url, response }) => url.endsWith('/Account/describe') && !('sobjectDescribeOption' in response),
  ],
];

/** Where two answers differ in keys or JSON types; null goes with everything, a missing array element too. Elements with a name are paired by it. */
function difference(expected: unknown, actual: unknown, at = ''): string | undefined {
  if (expected === null || actual === null) return undefined;
  if (Array.isArray(expected) !== Array.isArray(actual) || typeof expected !== typeof actual)
    return `${at}: ${typeof expected} became ${typeof actual}`;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    for (const [index, element] of expected.entries()) {
      const name = element?.name;
      const other = typeof name === 'string' ? actual.find((one) => one?.name === name) : actual[index];
      const found = other === undefined ? undefined : difference(element, other, `${at}[${name ?? index}]`);
      if (found) return found;
    }
    return undefined;
  }
  if (typeof expected !== 'object') return undefined;
  const [wanted, got] = [Object.keys(expected).sort(), Object.keys(actual as object).sort()];
  const keys = wanted.filter((key) => !got.includes(key)).map((key) => `-${key}`);
  keys.push(...got.filter((key) => !wanted.includes(key)).map((key) => `+${key}`));
  // Which links an object has differs from version to version.
  if (keys.length > 0 && !at.endsWith('.urls')) return `${at}: ${keys.join(' ')}`;
  for (const key of wanted.filter((one) => got.includes(one))) {
    const found = difference(
      (expected as Record<string, unknown>)[key],
      (actual as Record<string, unknown>)[key],
      `${at}.${key}`,
    );
    if (found) return found;
  }
  return undefined;
}

/** Asks the org what was asked then. Undefined when the answer has the same status, keys and JSON types. */
async function disagreement(org: PracticeOrg, exchange: Exchange): Promise<string | undefined> {
  const version = (text: string) => text.replaceAll('/vxx.0/', '/v62.0/');
  const reply = await fetch(org.url + version(exchange.url.replace(/^https?:\/\/[^/]+/, '')), {
    method: exchange.method,
    headers: { authorization: `Bearer ${org.accessToken}` },
    ...(exchange.request !== null && { body: version(exchange.request) }),
  });
  const answer: unknown = await reply.json();
  return reply.status === exchange.status
    ? difference(exchange.response, answer)
    : `status ${reply.status}: ${JSON.stringify(answer).slice(0, 200)}`;
}

test('recorded exchanges are answered with the same status, keys and JSON types', {
  skip: missing,
  timeout: 60_000,
}, async (t) => {
  const exchanges = recordedExchanges();
  const database = recordedDatabase(exchanges);
  const left = new Map<string, number>();
  const wrong: string[] = [];
  let same = 0;
  // What one recording writes, another has not seen.
  for (const recording of Map.groupBy(exchanges, ({ source }) => source).values()) {
    await using org = await startPracticeOrg(orgOfRecording(database, recording));
    for (const exchange of recording) {
      const reason = [...elsewhere, ...incomparable].find(([, is]) => is(exchange))?.[0];
      if (reason) {
        left.set(reason, (left.get(reason) ?? 0) + 1);
        continue;
      }
      const found = await disagreement(org, exchange);
      if (found)
        wrong.push(`${exchange.method} ${exchange.status} ${decodeURIComponent(exchange.url).slice(0, 140)}: ${found}`);
      else same += 1;
    }
  }
  t.diagnostic(`${same} of ${exchanges.length}`);
  for (const [reason, count] of left) t.diagnostic(`not compared: ${count}: ${reason}`);
  assert.deepEqual(wrong, []);
  const compared = exchanges.length - [...left.values()].reduce((sum, count) => sum + count, 0);
  assert.equal(same, compared);
});

interface Fixture {
  readonly file: string;
  readonly status: number;
  readonly path: string;
  /** Default: GET, or POST with a body. */
  readonly method?: string;
  readonly body?: unknown;
}

const api = '/services/data/v60.0';
const ampersand = 'amp-labs-connectors/providers/salesforce/test';

/** Answers recorded without their requests, with the request that asks for the same. */
const fixtures: readonly Fixture[] = [
  { file: 'restforce/spec/fixtures/expired_session_response.json', status: 401, path: `${api}/limits?expired` },
  {
    file: 'restforce/spec/fixtures/refresh_error_response.json',
    status: 400,
    path: '/services/oauth2/token',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'dead', client_id: 'PlatformCLI' }),
  },
  {
    file: 'restforce/spec/fixtures/sobject/get_deleted_success_response.json',
    status: 200,
    path: `${api}/sobjects/Account/deleted/?start=2026-03-02T00:00:00Z&end=2026-03-05T00:00:00Z`,
  },
  {
    file: 'restforce/spec/fixtures/sobject/get_updated_success_response.json',
    status: 200,
    path: `${api}/sobjects/Account/updated/?start=2026-03-02T00:00:00Z&end=2026-03-05T00:00:00Z`,
  },
  {
    file: 'restforce/spec/fixtures/sobject/query_empty_response.json',
    status: 200,
    path: query("SELECT Id FROM Account WHERE Name = 'x'"),
  },
  {
    file: 'restforce/spec/fixtures/sobject/org_query_response.json',
    status: 200,
    path: query('SELECT Id FROM Organization'),
  },
  {
    file: 'restforce/spec/fixtures/sobject/query_aggregate_success_response.json',
    status: 200,
    path: query('SELECT AccountId CampaignId, COUNT(Id) FROM Contact GROUP BY AccountId'),
  },
  {
    file: 'restforce/spec/fixtures/sobject/query_error_response.json',
    status: 400,
    path: query('SELECT Nope FROM Account'),
  },
  {
    file: 'restforce/spec/fixtures/sobject/sobject_find_error_response.json',
    status: 404,
    path: `${api}/sobjects/Account/Nope/23foo`,
  },
  {
    file: 'restforce/spec/fixtures/sobject/sobject_describe_error_response.json',
    status: 404,
    path: `${api}/sobjects/Nope/describe`,
  },
  {
    file: 'restforce/spec/fixtures/sobject/upsert_multiple_error_response.json',
    status: 300,
    path: `${api}/sobjects/Account/Code__c/twice`,
  },
  { file: 'restforce/spec/fixtures/services_data_success_response.json', status: 200, path: '/services/data' },
  {
    file: 'amp-labs-connectors/providers/salesforce/test/unknown-object.json',
    status: 400,
    path: query('SELECT Name FROM Accout'),
  },
  {
    file: 'amp-labs-connectors/providers/salesforce/test/unknown-field.json',
    status: 400,
    path: query('SELECT AccountNumer FROM Account'),
  },
  {
    file: 'amp-labs-connectors/providers/salesforce/test/bulk/read-launch-job-account.json',
    status: 200,
    path: `${api}/jobs/query`,
    body: JSON.stringify({ operation: 'query', query: 'SELECT Id FROM Account' }),
  },
  {
    file: 'restforce/spec/fixtures/sobject/create_success_response.json',
    status: 201,
    path: `${api}/sobjects/Account`,
    body: JSON.stringify({ Name: 'x' }),
  },
  {
    file: 'restforce/spec/fixtures/sobject/write_error_response.json',
    status: 400,
    path: `${api}/sobjects/Account`,
    body: JSON.stringify({ foo: 'x' }),
  },
  {
    file: 'restforce/spec/fixtures/sobject/upsert_created_success_response.json',
    status: 201,
    method: 'PATCH',
    path: '/services/data/v45.0/sobjects/Account/Code__c/fresh',
    body: JSON.stringify({ Name: 'x' }),
  },
  {
    file: 'restforce/spec/fixtures/sobject/upsert_error_response.json',
    status: 404,
    method: 'PATCH',
    path: `${api}/sobjects/Account/Namez/foo`,
    body: JSON.stringify({ Name: 'x' }),
  },
  {
    file: 'restforce/spec/fixtures/sobject/delete_error_response.json',
    status: 404,
    method: 'DELETE',
    path: `${api}/sobjects/Account/rid`,
  },
  {
    file: `${ampersand}/crm/delete/not-found.json`,
    status: 404,
    method: 'DELETE',
    path: `${api}/sobjects/Account/${ids.binned}`,
  },
  {
    file: `${ampersand}/invalid-field-upsert.json`,
    status: 400,
    method: 'PATCH',
    path: `${api}/sobjects/Account/Code__c/A-1`,
    body: JSON.stringify({ SystemModstamp: '2026-03-01T10:00:00Z' }),
  },
  {
    file: `${ampersand}/batch/create/contacts/success.json`,
    status: 200,
    path: `${api}/composite/sobjects`,
    body: contacts({ LastName: 'Dyer' }, { LastName: 'Blevins' }),
  },
  {
    file: `${ampersand}/batch/create/contacts/err-bad-request.json`,
    status: 400,
    path: `${api}/composite/sobjects`,
    body: contacts(),
  },
  {
    file: `${ampersand}/batch/create/contacts/partial-but-allOrNone.json`,
    status: 200,
    path: `${api}/composite/sobjects`,
    body: contacts({ Email: 'siena@example.org' }, { LastName: 'Blevins' }),
  },
  {
    file: `${ampersand}/batch/update/contacts/success.json`,
    status: 200,
    method: 'PATCH',
    path: `${api}/composite/sobjects`,
    body: contacts({ id: id('003', 1), LastName: 'Dyer' }, { id: id('003', 2), LastName: 'Blevins' }),
  },
  {
    file: `${ampersand}/batch/update/contacts/err-each-no-ids.json`,
    status: 200,
    method: 'PATCH',
    path: `${api}/composite/sobjects`,
    body: contacts({ LastName: 'Dyer' }, { LastName: 'Blevins' }),
  },
  {
    file: `${ampersand}/batch/update/contacts/partial-but-allOrNone.json`,
    status: 200,
    method: 'PATCH',
    path: `${api}/composite/sobjects`,
    body: contacts({ id: id('003', 1), LastName: 'Dyer' }, { id: id('003', 2), unknownField_LastName: 'x' }),
  },
];

/** A Collections request that is all or none. */
function contacts(...records: object[]): string {
  const attributes = { type: 'Contact' };
  return JSON.stringify({ allOrNone: true, records: records.map((record) => ({ attributes, ...record })) });
}

function query(soql: string): string {
  return `${api}/query?q=${encodeURIComponent(soql)}`;
}

test('answers recorded without requests have the same status, keys and JSON types', { skip: missing }, async (t) => {
  await using org = await startPracticeOrg(smallDatabase(), {
    clockSkew: Date.parse('2026-03-10T00:00:00Z') - Date.now(),
    collectionsUnknownField: 'record',
  });
  const wrong: string[] = [];
  for (const { file, status, path: asked, body, method = body === undefined ? 'GET' : 'POST' } of fixtures) {
    const expected: unknown = JSON.parse(readFileSync(path.join(data, 'exchanges', file), 'utf8'));
    const token = asked.endsWith('?expired') ? 'dead' : org.accessToken;
    const headers = { authorization: `Bearer ${token}` };
    const reply = await fetch(org.url + asked, {
      method,
      headers,
      ...(body !== undefined && { body: body as string }),
    });
    const answer: unknown = await reply.json();
    const found = reply.status === status ? difference(expected, answer) : `status ${reply.status}`;
    if (found) wrong.push(`${file}: ${found}: ${JSON.stringify(answer).slice(0, 200)}`);
  }
  t.diagnostic(`${fixtures.length - wrong.length} of ${fixtures.length}`);
  assert.deepEqual(wrong, []);
});
