import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { faultNames, type OrgFault } from '../../src/practice-org/faults.ts';
import { api, type TestOrg, testOrg } from './client.ts';
import { ids } from './small-database.ts';

const jobs = `${api}/jobs/query`;

/** Body bytes as they came over the wire, not decoded, and whether the message ended well. */
function raw(
  t: TestOrg,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ bytes: Buffer; complete: boolean; encoding: string | undefined }> {
  return new Promise((resolve) => {
    const request = get(
      t.org.url + path,
      { headers: { authorization: `Bearer ${t.org.accessToken}`, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        const end = () =>
          resolve({
            bytes: Buffer.concat(chunks),
            complete: response.complete,
            encoding: response.headers['content-encoding'],
          });
        response
          .on('data', (chunk: Buffer) => chunks.push(chunk))
          .on('end', end)
          .on('error', end);
      },
    );
    request.on('error', () => resolve({ bytes: Buffer.alloc(0), complete: false, encoding: undefined }));
  });
}

const results = async (t: TestOrg): Promise<string> =>
  `${jobs}/${(await t.job('SELECT N__c FROM Number__c')).id}/results`;

test('faults that answer instead of the endpoint', async () => {
  await using t = await testOrg();
  const cases: [OrgFault, number, string | undefined, string][] = [
    [{ name: '406-empty' }, 406, undefined, ''],
    [{ name: '420-empty' }, 420, undefined, ''],
    [{ name: '420-html' }, 420, undefined, '<html>'],
    [{ name: '429' }, 429, undefined, '<html>'],
    [{ name: '502' }, 502, undefined, '<html>'],
    [{ name: '503-html' }, 503, undefined, '<html>'],
    [{ name: '503-json' }, 503, 'SERVER_UNAVAILABLE', ''],
    [{ name: '500-unknown-exception' }, 500, 'UNKNOWN_EXCEPTION', ''],
    [{ name: '403-daily-limit' }, 403, 'REQUEST_LIMIT_EXCEEDED', ''],
    [{ name: '403-concurrent-limit' }, 403, 'REQUEST_LIMIT_EXCEEDED', ''],
    [{ name: '403', errorCode: 'API_DISABLED_FOR_ORG' }, 403, 'API_DISABLED_FOR_ORG', ''],
    [{ name: 'query-timeout' }, 400, 'QUERY_TIMEOUT', ''],
    [{ name: 'field-gone', field: 'Name' }, 400, 'INVALID_FIELD', ''],
    [{ name: 'session-expired' }, 401, 'INVALID_SESSION_ID', ''],
  ];
  for (const [fault, status, code, start] of cases) {
    t.org.failNext('query', fault);
    const reply = await t.query('SELECT Id FROM Account');
    assert.equal(reply.status, status, fault.name);
    assert.equal(reply.json?.[0].errorCode, code, fault.name);
    assert.equal(
      reply.text.startsWith(start) && (code !== undefined || start !== '' || reply.text === ''),
      true,
      fault.name,
    );
  }
  assert.equal((await t.query('SELECT Id FROM Account')).status, 401, 'the session stays dead');
  assert.equal(t.org.requests.entries.at(-2)?.fault, 'session-expired');
});

test('a rule may wait, repeat, and mean one object only', async () => {
  await using t = await testOrg();
  t.org.failNext('*', { name: '502' }, { object: 'Contact', skip: 1, times: 2 });
  const statuses = async (object: string) => [
    (await t.query(`SELECT Id FROM ${object} WHERE Id NOT IN (SELECT Id FROM Contact)`)).status,
    (await t.call(`${api}/sobjects/${object}/describe`)).status,
    (await t.call(jobs, { body: { operation: 'query', query: `SELECT Id FROM ${object}` } })).status,
    (await t.query(`SELECT Id FROM ${object}`)).status,
  ];
  assert.deepEqual(await statuses('Account'), [200, 200, 200, 200]);
  assert.deepEqual(await statuses('Contact'), [200, 502, 502, 200]);
});

test('reset, truncate and hang cut the body after so many bytes', async () => {
  await using t = await testOrg();
  const path = await results(t);
  t.org.failNext('bulk.results', { name: 'reset', afterBytes: 5000 });
  const reset = await raw(t, path);
  assert.deepEqual([reset.complete, reset.bytes.length <= 5000], [false, true]);
  t.org.failNext('bulk.results', { name: 'truncate', afterBytes: 5000 });
  const truncated = await raw(t, path);
  assert.deepEqual([truncated.complete, truncated.bytes.length], [true, 5000]);
  t.org.failNext('bulk.results', { name: 'truncate-gzip', afterBytes: 700 });
  const gzip = await raw(t, path, { 'accept-encoding': 'gzip' });
  assert.deepEqual([gzip.complete, gzip.bytes.length, gzip.encoding], [true, 700, 'gzip']);
  assert.throws(() => gunzipSync(gzip.bytes), /unexpected end of file/);
  t.org.failNext('bulk.results', { name: 'hang', afterBytes: 100 });
  const response = await fetch(t.org.url + path, {
    headers: { authorization: `Bearer ${t.org.accessToken}`, 'accept-encoding': 'identity' },
  });
  const reader = response.body!.getReader();
  let seen = 0;
  while (seen < 100) seen += (await reader.read()).value!.length;
  const more = await Promise.race([
    reader.read().then(() => 'more'),
    new Promise((done) => setTimeout(done, 50, 'nothing')),
  ]);
  assert.deepEqual([seen, more], [100, 'nothing']);
  await reader.cancel();
  t.org.failNext('bulk.results', { name: 'hang', afterBytes: 0 });
  await assert.rejects(
    fetch(t.org.url + path, {
      signal: AbortSignal.timeout(50),
      headers: { authorization: `Bearer ${t.org.accessToken}` },
    }),
  );
  const whole = await raw(t, path);
  assert.equal(whole.complete, true);
  t.org.failNext('bulk.results', { name: 'drip', bytesPerSecond: 400_000 });
  assert.deepEqual((await raw(t, path)).bytes, whole.bytes);
});

test('result pages that lie: counts, locators, repeats and losses', async () => {
  await using t = await testOrg();
  const path = await results(t);
  const page = async (locator: string) => {
    const { text, headers } = await t.call(`${path}?maxRecords=1000${locator && `&locator=${locator}`}`);
    const rows = text.trimEnd().split('\n').slice(1);
    return [
      rows.length,
      Number(rows[0]?.slice(1, -1)),
      headers.get('sforce-numberofrecords'),
      headers.get('sforce-locator'),
    ];
  };
  assert.deepEqual(await page(''), [1000, 0, '1000', 'MTAwMA']);
  assert.deepEqual(await page('MTAwMA'), [1000, 1000, '1000', 'MjAwMA']);
  t.org.failNext('bulk.results', { name: 'wrong-locator' });
  assert.deepEqual(await page(''), [1000, 0, '1000', 'MTAwMQ']);
  t.org.failNext('bulk.results', { name: 'repeated-page' });
  assert.deepEqual(await page('MTAwMA'), [1000, 0, '1000', 'MjAwMA']);
  t.org.failNext('bulk.results', { name: 'dropped-page' });
  assert.deepEqual(await page(''), [1000, 0, '1000', 'MjAwMA']);
  t.org.failNext('bulk.results', { name: 'wrong-record-count', by: -1 });
  assert.deepEqual(await page(''), [1000, 0, '999', 'MTAwMA']);
  t.org.failNext('bulk.results', { name: 'lost-rows', rows: 3 });
  assert.deepEqual(await page(''), [997, 0, '1000', 'MTAwMA']);
  t.org.failNext('bulk.results', { name: 'no-locator' });
  assert.deepEqual(await page(''), [1000, 0, '1000', null]);
});

test('jobs that fail with and without a reason, stick, or miscount', async () => {
  await using t = await testOrg();
  const poll = async () => {
    const { json } = await t.call(jobs, { body: { operation: 'query', query: 'SELECT Id FROM Account' } });
    return (await t.call(`${jobs}/${json.id}`)).json;
  };
  t.org.failNext('bulk.job', { name: 'job-failed', errorMessage: 'InternalServerError : Retried more than 15 times' });
  const failed = await poll();
  assert.deepEqual(
    [failed.state, failed.errorMessage, failed.numberRecordsProcessed],
    ['Failed', 'InternalServerError : Retried more than 15 times', 0],
  );
  t.org.failNext('bulk.job', { name: 'job-failed' });
  const silent = await poll();
  assert.deepEqual([silent.state, 'errorMessage' in silent], ['Failed', false]);
  t.org.failNext('bulk.job', { name: 'wrong-processed-count', by: 1 });
  assert.equal((await poll()).numberRecordsProcessed, 4);
  t.org.failNext('bulk.job', { name: 'job-stuck' });
  const stuck = await poll();
  assert.equal((await t.call(`${jobs}/${stuck.id}`)).json.state, 'InProgress');
});

test('queries that end early, lose their locator, or miscount', async () => {
  await using t = await testOrg();
  t.org.failNext('query', { name: 'early-done' });
  const early = (await t.query('SELECT Id FROM Number__c')).json;
  assert.deepEqual([early.done, early.totalSize, early.records.length], [true, 4500, 2000]);
  const { json } = await t.query('SELECT Id FROM Number__c');
  t.org.failNext('queryMore', { name: 'locator-expired' });
  assert.equal((await t.call(json.nextRecordsUrl)).json[0].errorCode, 'INVALID_QUERY_LOCATOR');
  t.org.failNext('query', { name: 'count-off', by: 2 });
  assert.equal((await t.query('SELECT Id FROM Account')).json.totalSize, 3, 'waits for a count');
  assert.equal((await t.query('SELECT COUNT() FROM Account')).json.totalSize, 5);
});

test('sessions and refresh tokens die on demand', async () => {
  await using t = await testOrg();
  t.org.failNext('limits', { name: 'session-dies-after', requests: 1 });
  const statuses = [];
  for (let i = 0; i < 3; i += 1) statuses.push((await t.call(`${api}/limits`)).status);
  assert.deepEqual(statuses, [200, 200, 401]);
  t.org.failNext('oauth.token', { name: 'refresh-dead' });
  const form = { grant_type: 'refresh_token', refresh_token: t.org.refreshToken, client_id: t.org.clientId };
  const dead = await t.call('/services/oauth2/token', { body: new URLSearchParams(form) });
  assert.deepEqual([dead.status, dead.json.error], [400, 'invalid_grant']);
});

const accounts = `${api}/sobjects/Account`;

/** Status and first error code of a refused write. */
async function refusal(t: TestOrg, path: string, body: unknown, method = 'POST'): Promise<[number, string]> {
  const { status, json } = await t.call(path, { method, body });
  return [status, json[0].errorCode];
}

test('a write may be carried out and its answer lost, or be lost before it is carried out', async () => {
  await using t = await testOrg();
  const names = async () =>
    (await t.query("SELECT Name FROM Account WHERE Name LIKE 'Lost%'")).json.records.map(
      ({ Name }: { Name: string }) => Name,
    );
  t.org.failNext('record.create', { name: 'commit-then-drop' });
  await assert.rejects(t.call(accounts, { body: { Name: 'Lost answer' } }));
  assert.deepEqual(await names(), ['Lost answer']);
  t.org.failNext('record.create', { name: 'drop-before-commit' });
  await assert.rejects(t.call(accounts, { body: { Name: 'Lost request' } }));
  assert.deepEqual(await names(), ['Lost answer']);
});

test('faults of writes mean one object only when told so', async () => {
  await using t = await testOrg();
  t.org.failNext('record.create', { name: 'row-lock', rows: 1 }, { object: 'Contact' });
  assert.equal((await t.call(accounts, { body: { Name: 'x' } })).status, 201);
  assert.deepEqual(await refusal(t, `${api}/sobjects/Contact`, { LastName: 'x' }), [400, 'UNABLE_TO_LOCK_ROW']);
  assert.equal((await t.call(`${api}/sobjects/Contact`, { body: { LastName: 'x' } })).status, 201);
  t.org.failNext('record.update', { name: '503-json' }, { object: 'Account' });
  assert.deepEqual(await refusal(t, `${accounts}/${ids.acme}`, { Name: 'y' }, 'PATCH'), [503, 'SERVER_UNAVAILABLE']);
  assert.equal((await t.call(`${accounts}/${ids.acme}`)).json.Name, 'Acme');
});

test('another process steers faults and settings, and reads the log', async () => {
  await using t = await testOrg();
  const { json } = await t.call('/practice-org/faults', {
    body: [{ endpoint: 'limits', fault: { name: '502' }, times: 2 }],
  });
  assert.equal(json.pending, 2);
  assert.equal((await t.call(`${api}/limits`)).status, 502);
  for (const wrong of [
    { endpoint: 'nowhere', fault: { name: '502' } },
    { endpoint: '*', fault: { name: 'flood' } },
    { endpoint: '*', fault: { name: 'reset' } },
  ])
    assert.equal((await t.call('/practice-org/faults', { body: wrong })).status, 400);
  await t.call('/practice-org/faults', { method: 'DELETE' });
  assert.equal((await t.call(`${api}/limits`)).status, 200);
  const changed = await t.call('/practice-org/settings', {
    body: { rowOrder: 'shuffled', permissions: { viewSetup: false } },
  });
  assert.deepEqual(
    [changed.json.rowOrder, changed.json.permissions.viewSetup, changed.json.permissions.viewAllData],
    ['shuffled', false, true],
  );
  assert.equal((await t.call('/practice-org/settings', { body: { nonsense: 1 } })).status, 400);
  const log = (await t.call('/practice-org/requests')).json;
  assert.deepEqual(
    [log.calls, log.counts, log.requests.map((one: { status: number }) => one.status)],
    [2, { limits: 2 }, [502, 200]],
  );
  const login = (await t.call('/practice-org/login', { token: 'none' })).json;
  assert.equal((await t.call(`${api}/limits`, { token: login.accessToken })).status, 200);
  assert.match(login.jwtPrivateKeyPem, /^-----BEGIN PRIVATE KEY-----/);
});

test('an upload of an ingest job can be lost', async () => {
  await using t = await testOrg();
  const ingest = `${api}/jobs/ingest`;
  const { json } = await t.call(ingest, { body: { object: 'Account', operation: 'insert' } });
  t.org.failNext('ingest.upload', { name: 'lost-upload' });
  const csv = { method: 'PUT', body: 'Name\nLost\n', headers: { 'content-type': 'text/csv' } };
  assert.equal((await t.call(`${ingest}/${json.id}/batches`, csv)).status, 201);
  await t.call(`${ingest}/${json.id}`, { method: 'PATCH', body: { state: 'UploadComplete' } });
  await t.call(`${ingest}/${json.id}`);
  assert.equal((await t.query("SELECT Id FROM Account WHERE Name = 'Lost'")).json.totalSize, 0);
});

test('every fault of the menu is tested here', () => {
  const text = readFileSync(import.meta.filename, 'utf8');
  assert.deepEqual(
    faultNames.filter((name) => !text.includes(`name: '${name}'`)),
    [],
  );
});
