import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { javaDouble } from '../../src/practice-org/bulk/csv.ts';
import type { Database, RowSource } from '../../src/practice-org/database.ts';
import { startPracticeOrg } from '../../src/practice-org/server.ts';
import { api, type TestOrg, testOrg } from './client.ts';
import { ids, nasty, smallDatabase } from './small-database.ts';

const jobs = `${api}/jobs/query`;

function create(t: TestOrg, query: string, more: Record<string, unknown> = {}) {
  return t.call(jobs, { body: { operation: 'query', query, ...more } });
}

test('a job is born UploadComplete, ends JobComplete, and is 404 once deleted', async () => {
  await using t = await testOrg({ bulkPollsQueued: 1, bulkPollsInProgress: 2 });
  const { status, json } = await create(t, 'SELECT Id, Name FROM account');
  assert.equal(status, 200);
  assert.match(json.id, /^750[A-Za-z0-9]{15}$/);
  assert.deepEqual(
    { ...json, id: '', createdDate: '', systemModstamp: '' },
    {
      id: '',
      operation: 'query',
      object: 'Account',
      createdById: ids.backupUser,
      createdDate: '',
      systemModstamp: '',
      state: 'UploadComplete',
      concurrencyMode: 'Parallel',
      contentType: 'CSV',
      apiVersion: 67,
      lineEnding: 'LF',
      columnDelimiter: 'COMMA',
    },
  );
  const early = await t.call(`${jobs}/${json.id}/results`);
  assert.deepEqual([early.status, early.json[0].errorCode], [400, 'INVALIDJOBSTATE']);
  const states = [];
  for (let poll = 0; poll < 4; poll += 1) states.push((await t.call(`${jobs}/${json.id}`)).json.state);
  assert.deepEqual(states, ['UploadComplete', 'InProgress', 'InProgress', 'JobComplete']);
  const done = (await t.call(`${jobs}/${json.id}`)).json;
  assert.equal(done.numberRecordsProcessed, 3);
  assert.equal(done.jobType, 'V2Query');
  assert.equal(done.isPkChunkingSupported, true);
  assert.equal((await t.call(`/services/data/v66.0/jobs/query/${json.id}/results`)).status, 409);
  assert.deepEqual(
    (await t.call(jobs)).json.records.map((one: { id: string }) => one.id),
    [json.id],
  );
  assert.equal((await t.call(`${jobs}/${json.id}`, { method: 'DELETE' })).status, 204);
  const gone = await t.call(`${jobs}/${json.id}/results`);
  assert.deepEqual([gone.status, gone.json[0].errorCode], [404, 'NOT_FOUND']);
});

test('a job can be aborted while it runs, not deleted', async () => {
  await using t = await testOrg({ bulkDelay: 3_600_000 });
  const { json } = await create(t, 'SELECT Id FROM Account');
  assert.equal((await t.call(`${jobs}/${json.id}`, { method: 'DELETE' })).status, 400);
  const aborted = await t.call(`${jobs}/${json.id}`, { method: 'PATCH', body: { state: 'Aborted' } });
  assert.deepEqual([aborted.status, aborted.json.state], [200, 'Aborted']);
  assert.equal((await t.call(`${jobs}/${json.id}`, { method: 'PATCH', body: { state: 'Aborted' } })).status, 400);
});

test('CSV quotes every cell, doubles keep .0, null is empty, newlines stay', async () => {
  await using t = await testOrg();
  const job = await t.job(
    'SELECT Id, Name, AnnualRevenue, NumberOfEmployees, Notes__c, IsDeleted, CreatedDate, Founded__c, Opens__c, Parent.Name, Tags__c FROM Account',
    { operation: 'queryAll' },
  );
  const { text, headers } = await t.call(`${jobs}/${job.id}/results`);
  assert.equal(headers.get('content-type'), 'text/csv; charset=UTF-8');
  assert.equal(headers.get('sforce-locator'), 'null');
  assert.equal(headers.get('sforce-numberofrecords'), '4');
  const [header, acme] = text.split(/(?<=")\n(?=")/);
  assert.equal(
    header,
    '"Id","Name","AnnualRevenue","NumberOfEmployees","Notes__c","IsDeleted","CreatedDate","Founded__c","Opens__c","Parent.Name","Tags__c"',
  );
  assert.equal(
    acme,
    `"${ids.acme}","Acme","1.0E7","12","${nasty.replaceAll('"', '""')}","false","2026-03-01T10:00:00.000Z","2001-02-03","08:30:00.000Z","","red;green"`,
  );
  const rows = parse(text, { columns: true }) as Record<string, string>[];
  assert.deepEqual(rows[1]?.['Parent.Name'], 'Acme');
  assert.deepEqual(rows[1]?.AnnualRevenue, '100.0');
  assert.deepEqual(
    rows.map((row) => row.IsDeleted),
    ['false', 'false', 'false', 'true'],
  );
});

test('doubles print as Java prints them', () => {
  const cases: [number, string, string][] = [
    [0, '0.0', '0.0'],
    [100, '100.0', '100.0'],
    [-2.5, '-2.5', '-2.5'],
    [9_999_999, '9999999.0', '9999999.0'],
    [10_000_000, '1.0E7', '10000000.0'],
    [123_456_789.25, '1.2345678925E8', '123456789.25'],
    [0.0005, '5.0E-4', '0.0005'],
    [-1.5e21, '-1.5E21', '-1500000000000000000000.0'],
  ];
  for (const [value, scientific, plain] of cases) {
    assert.equal(javaDouble(value, true), scientific);
    assert.equal(javaDouble(value, false), plain);
  }
});

test('delimiter and line ending are the client’s choice; columns were sorted before version 50', async () => {
  await using t = await testOrg();
  const job = await t.job('SELECT Name, Id FROM Group', { columnDelimiter: 'PIPE', lineEnding: 'CRLF' });
  assert.equal((await t.call(`${jobs}/${job.id}/results`)).text, `"Name"|"Id"\r\n"The Queue"|"${ids.queue}"\r\n`);
  const old = (
    await t.call('/services/data/v49.0/jobs/query', {
      body: { operation: 'query', query: 'SELECT Name, Id FROM Group' },
    })
  ).json;
  assert.equal(
    (await t.call(`/services/data/v49.0/jobs/query/${old.id}/results`)).text,
    `"Id","Name"\n"${ids.queue}","The Queue"\n`,
  );
});

test('pages repeat the header, carry their count, and end with the text null', async () => {
  await using t = await testOrg({ bulkPageRows: 2000 });
  const job = await t.job('SELECT N__c FROM Number__c');
  const seen: number[] = [];
  const counts: string[] = [];
  let locator: string | null = '';
  while (locator !== 'null') {
    const query: string = locator === '' ? 'maxRecords=1999' : `locator=${locator}&maxRecords=1999`;
    const { text, headers } = await t.call(`${jobs}/${job.id}/results?${query}`);
    const lines = text.trimEnd().split('\n');
    assert.equal(lines[0], '"N__c"');
    seen.push(...lines.slice(1).map((line) => Number(line.slice(1, -1))));
    counts.push(headers.get('sforce-numberofrecords')!);
    locator = headers.get('sforce-locator');
  }
  assert.deepEqual(counts, ['1999', '1999', '502']);
  assert.deepEqual(
    seen,
    Array.from({ length: 4500 }, (_, n) => n),
  );
  const second = await t.call(`${jobs}/${job.id}/results?locator=MTk5OQ&maxRecords=10`);
  assert.equal(second.text, (await t.call(`${jobs}/${job.id}/results?locator=MTk5OQ&maxRecords=10`)).text);
  assert.equal((await t.call(`${jobs}/${job.id}/results?locator=xyz`)).status, 400);
  const pages = (await t.call(`${jobs}/${job.id}/resultPages`)).json;
  assert.equal(pages.done, true);
  assert.deepEqual(pages.resultPages.length, 3);
  assert.match((await t.call(pages.resultPages[2].resultUrl)).text, /^"N__c"\n"4000\.0"\n/);
});

test('a result of no rows is the header alone, or nothing at all', async () => {
  await using t = await testOrg();
  const job = await t.job("SELECT Id FROM Account WHERE Name = 'nobody'");
  const { text, headers } = await t.call(`${jobs}/${job.id}/results`);
  assert.deepEqual(
    [text, headers.get('sforce-numberofrecords'), headers.get('sforce-locator')],
    ['"Id"\n', '0', 'null'],
  );
  t.org.settings.bulkEmptyResult = 'nothing';
  assert.equal((await t.call(`${jobs}/${job.id}/results`)).text, '');
});

for (const rowOrder of ['chunked', 'shuffled'] as const) {
  test(`rows of a ${rowOrder} job are all there, in the same order on every page`, async () => {
    await using t = await testOrg({ rowOrder, seed: 7 });
    const job = await t.job('SELECT N__c FROM Number__c');
    const whole = (await t.call(`${jobs}/${job.id}/results`)).text.trimEnd().split('\n').slice(1);
    const paged: string[] = [];
    for (let locator = 'MA'; locator !== 'null'; ) {
      const page = await t.call(`${jobs}/${job.id}/results?maxRecords=700&locator=${locator}`);
      paged.push(...page.text.trimEnd().split('\n').slice(1));
      locator = page.headers.get('sforce-locator')!;
    }
    assert.deepEqual(paged, whole);
    const numbers = whole.map((line) => Number(line.slice(1, -1)));
    const sorted = numbers.toSorted((a, b) => a - b);
    assert.deepEqual(
      sorted,
      Array.from({ length: 4500 }, (_, n) => n),
    );
    assert.equal(
      numbers.every((n, at) => n === at),
      rowOrder === 'chunked',
      'one chunk of fewer than 100,000 rows stays ascending',
    );
  });
}

/** Three chunks of numbers, with a fast path that writes the lines itself. */
function countingDatabase(size: number): { database: Database; calls: [number, number][] } {
  const calls: [number, number][] = [];
  const source: RowSource = {
    size,
    row: (number) => ({ Id: String(number) }),
    find: Number,
    csv: (fields, from, to) => {
      assert.deepEqual(fields, ['Id']);
      calls.push([from, to]);
      return Buffer.from(Array.from({ length: to - from }, (_, n) => `"${from + n}"\n`).join(''));
    },
  };
  const small = smallDatabase();
  const describe = { ...small.tables.get('Group')!.describe, fields: [{ name: 'Id', type: 'id' }] };
  return { database: { ...small, tables: new Map([['Group', { describe, treatment: {}, source }]]) }, calls };
}

for (const rowOrder of ['ascending', 'chunked', 'shuffled'] as const) {
  test(`a source with a fast path writes its own lines: ${rowOrder}`, async () => {
    const { database, calls } = countingDatabase(250_001);
    await using org = await startPracticeOrg(database, { rowOrder, bulkPageRows: 300_000, seed: 3 });
    const headers = { authorization: `Bearer ${org.accessToken}` };
    const body = JSON.stringify({ operation: 'query', query: 'SELECT Id FROM Group' });
    const job = (await (await fetch(org.url + jobs, { method: 'POST', body, headers })).json()) as { id: string };
    const text = await (await fetch(`${org.url}${jobs}/${job.id}/results`, { headers })).text();
    const lines = text.trimEnd().split('\n').slice(1);
    const numbers = lines.map((line) => Number(line.slice(1, -1)));
    assert.equal(new Set(numbers).size, 250_001);
    assert.equal(
      calls.reduce((sum, [from, to]) => sum + to - from, 0),
      250_001,
    );
    const jumps = numbers.filter((n, at) => at > 0 && n !== numbers[at - 1]! + 1).length;
    if (rowOrder === 'ascending') assert.equal(jumps, 0);
    if (rowOrder === 'chunked') assert.equal(jumps > 0 && jumps <= 2, true);
    if (rowOrder === 'shuffled') assert.equal(jumps > 200_000, true);
  });
}

test('what Bulk refuses, it refuses at once', async () => {
  await using t = await testOrg();
  const refusal = async (query: string, more: Record<string, unknown> = {}) => {
    const { status, json } = await create(t, query, more);
    return [status, json[0].errorCode, json[0].message];
  };
  assert.deepEqual(await refusal('SELECT Id FROM Routing__mdt'), [
    400,
    'INVALIDENTITY',
    "Entity 'Routing__mdt' is not supported by the Bulk API.",
  ]);
  assert.deepEqual(await refusal('SELECT BillingAddress FROM Account'), [
    400,
    'FUNCTIONALITY_NOT_ENABLED',
    'Selecting compound data not supported in Bulk Query',
  ]);
  assert.deepEqual(await refusal('SELECT Body FROM Attachment'), [
    400,
    'FEATURENOTENABLED',
    'FeatureNotEnabled : Binary field not supported',
  ]);
  assert.equal((await refusal('SELECT COUNT() FROM Account'))[1], 'FUNCTIONALITY_NOT_ENABLED');
  assert.equal((await refusal('SELECT Name FROM Account GROUP BY Name'))[1], 'FUNCTIONALITY_NOT_ENABLED');
  assert.equal((await refusal('SELECT Id, (SELECT Id FROM Contacts) FROM Account'))[1], 'FUNCTIONALITY_NOT_ENABLED');
  assert.equal((await refusal('SELECT Id FROM Account OFFSET 1'))[1], 'FUNCTIONALITY_NOT_ENABLED');
  assert.equal((await refusal('SELECT Nope FROM Account'))[1], 'INVALID_FIELD');
  assert.equal((await refusal('SELECT Id FROM Account', { operation: 'insert' }))[1], 'INVALIDJOB');
  assert.equal((await refusal('SELECT Id FROM Account', { columnDelimiter: 'DOT' }))[1], 'INVALIDJOB');
  assert.deepEqual((await create(t, 'SELECT Id FROM RecordActionHistory')).status, 500);
});

test('ORDER BY or LIMIT above the unchunked limit times out', async () => {
  await using t = await testOrg();
  const job = await t.job('SELECT Id FROM Account ORDER BY Name');
  assert.equal(job.state, 'Failed');
  assert.equal(job.errorMessage, 'QUERY_TIMEOUT: Your query request was running for too long.');
});

test('a page of many bytes is cut by their estimate', async () => {
  await using t = await testOrg({ bulkPageBytes: 1000 });
  const job = await t.job('SELECT Id FROM Number__c');
  const { text, headers } = await t.call(`${jobs}/${job.id}/results`);
  assert.equal(headers.get('sforce-numberofrecords'), String(Math.floor(1000 / 21)));
  assert.equal(Buffer.byteLength(text), 5 + 21 * Math.floor(1000 / 21));
});

test('a source that computes its cells may hold deleted rows: query leaves them out, by the fast path too', async () => {
  const size = 1000;
  const isDeleted = (number: number) => number % 10 === 3;
  const read = new Set<string>();
  const source: RowSource = {
    size,
    row: () => assert.fail('no whole row is needed'),
    find: Number,
    cell: (number, field) => {
      read.add(field);
      return field === 'IsDeleted' ? isDeleted(number) : String(number);
    },
    csv: (_, from, to) => Buffer.from(Array.from({ length: to - from }, (_, n) => `"${from + n}"\n`).join('')),
  };
  const small = smallDatabase();
  const fields = [
    { name: 'Id', type: 'id' },
    { name: 'IsDeleted', type: 'boolean' },
  ];
  const describe = { ...small.tables.get('Group')!.describe, fields };
  await using org = await startPracticeOrg({
    ...small,
    tables: new Map([['Group', { describe, treatment: {}, source }]]),
  });
  const headers = { authorization: `Bearer ${org.accessToken}` };
  const get = async (path: string) =>
    (await fetch(org.url + api + path, { headers })).json() as Promise<Record<string, unknown>>;
  assert.equal((await get('/query?q=SELECT+COUNT()+FROM+Group')).totalSize, 900);
  assert.equal((await get('/queryAll?q=SELECT+COUNT()+FROM+Group+WHERE+IsDeleted=true')).totalSize, 100);
  assert.deepEqual(await get('/limits/recordCount?sObjects=Group'), { sObjects: [{ count: 900, name: 'Group' }] });
  assert.deepEqual([...read], ['IsDeleted']);
  for (const [operation, rows] of [
    ['query', 900],
    ['queryAll', 1000],
  ] as const) {
    const body = JSON.stringify({ operation, query: 'SELECT Id FROM Group' });
    const job = (await (await fetch(org.url + jobs, { method: 'POST', body, headers })).json()) as { id: string };
    await get(`/jobs/query/${job.id}`);
    const text = await (await fetch(`${org.url}${jobs}/${job.id}/results`, { headers })).text();
    const numbers = text
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => Number(line.slice(1, -1)));
    const expected = Array.from({ length: size }, (_, n) => n).filter((n) => operation === 'queryAll' || !isDeleted(n));
    assert.equal(numbers.length, rows);
    assert.deepEqual(numbers, expected);
  }
});
