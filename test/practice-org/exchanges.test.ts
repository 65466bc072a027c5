import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { startPracticeOrg } from '../../src/practice-org/server.ts';
import { data, type Exchange, missing, recordedDatabase, recordedExchanges } from './recorded-database.ts';
import { smallDatabase } from './small-database.ts';

/** Exchanges of endpoints that the practice org does not have, and why. */
const elsewhere: [reason: string, test: (exchange: Exchange) => boolean][] = [
  ['another host than Salesforce', ({ url }) => !/salesforce\.com\//.test(url)],
  ['Bulk API 1.0', ({ url }) => url.includes('/services/async/')],
  ['Tooling API', ({ url }) => url.includes('/tooling/')],
  ['Experience Cloud', ({ url }) => url.includes('/connect/')],
  ['writing: composite/sobjects', ({ url }) => url.includes('/composite/sobjects')],
  ['writing: a record', ({ method, url }) => method === 'POST' && url.includes('/sobjects/')],
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

test('recorded exchanges are answered with the same status, keys and JSON types', {
  skip: missing,
  timeout: 60_000,
}, async (t) => {
  const exchanges = recordedExchanges();
  await using org = await startPracticeOrg(recordedDatabase(exchanges));
  const left = new Map<string, number>();
  const wrong: string[] = [];
  let same = 0;
  for (const exchange of exchanges) {
    const reason = [...elsewhere, ...incomparable].find(([, is]) => is(exchange))?.[0];
    if (reason) {
      left.set(reason, (left.get(reason) ?? 0) + 1);
      continue;
    }
    const version = (text: string) => text.replaceAll('/vxx.0/', '/v62.0/');
    const reply = await fetch(org.url + version(exchange.url.replace(/^https?:\/\/[^/]+/, '')), {
      method: exchange.method,
      headers: { authorization: `Bearer ${org.accessToken}` },
      ...(exchange.request !== null && { body: version(exchange.request) }),
    });
    const answer: unknown = await reply.json();
    const found =
      reply.status === exchange.status
        ? difference(exchange.response, answer)
        : `status ${reply.status}: ${JSON.stringify(answer).slice(0, 200)}`;
    if (found)
      wrong.push(`${exchange.method} ${exchange.status} ${decodeURIComponent(exchange.url).slice(0, 140)}: ${found}`);
    else same += 1;
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
  readonly body?: unknown;
}

const api = '/services/data/v60.0';

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
];

function query(soql: string): string {
  return `${api}/query?q=${encodeURIComponent(soql)}`;
}

test('answers recorded without requests have the same status, keys and JSON types', { skip: missing }, async (t) => {
  await using org = await startPracticeOrg(smallDatabase(), {
    clockSkew: Date.parse('2026-03-10T00:00:00Z') - Date.now(),
  });
  const wrong: string[] = [];
  for (const { file, status, path: asked, body } of fixtures) {
    const expected: unknown = JSON.parse(readFileSync(path.join(data, 'exchanges', file), 'utf8'));
    const token = asked.endsWith('?expired') ? 'dead' : org.accessToken;
    const headers = { authorization: `Bearer ${token}` };
    const reply = await fetch(
      org.url + asked,
      body === undefined ? { headers } : { method: 'POST', headers, body: body as string },
    );
    const answer: unknown = await reply.json();
    const found = reply.status === status ? difference(expected, answer) : `status ${reply.status}`;
    if (found) wrong.push(`${file}: ${found}: ${JSON.stringify(answer).slice(0, 200)}`);
  }
  t.diagnostic(`${fixtures.length - wrong.length} of ${fixtures.length}`);
  assert.deepEqual(wrong, []);
});
