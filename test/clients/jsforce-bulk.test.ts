import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Connection, type Record as JsforceRecord } from 'jsforce';
import { rowsOf, startPractice } from './practice.ts';

const practice = await startPractice();
const { org } = practice;
after(() => org.close());

const conn = new Connection({ instanceUrl: org.url, accessToken: org.accessToken, version: '67.0' });
const options = { pollInterval: 50, pollTimeout: 60_000 };

/** Rows of a result as they are: the types of jsforce know only the columns of the org. */
type Rows = readonly Record<string, string>[];

function rowsIn(result: object): Rows {
  return result as Rows;
}

/** Live records by Name. */
async function accounts(like: string): Promise<JsforceRecord[]> {
  const soql = `SELECT Id, Name, Description, NumberOfEmployees FROM Account WHERE Name LIKE '${like}' ORDER BY Name`;
  return (await conn.query(soql, { autoFetch: true, maxFetch: 100_000 })).records;
}

test('jsforce bulk2.loadAndWaitForResults, insert', async () => {
  const input = Array.from({ length: 450 }, (_, n) => ({
    Name: `Inserted ${String(n).padStart(3, '0')}`,
    Description: `line ${n}\nand "quotes", commas`,
    NumberOfEmployees: n,
  }));
  const results = await conn.bulk2.loadAndWaitForResults({ object: 'Account', operation: 'insert', input, ...options });
  assert.deepEqual([results.failedResults, results.unprocessedRecords], [[], []]);
  assert.equal(results.successfulResults.length, 450);
  const byName = new Map(rowsIn(results.successfulResults).map((row) => [row.Name, row]));
  const saved = await accounts('Inserted %');
  assert.deepEqual(
    saved.map(({ Id, Name, Description, NumberOfEmployees }) => ({ Id, Name, Description, NumberOfEmployees })),
    input.map((row) => ({ Id: byName.get(row.Name)?.sf__Id, ...row })),
  );
  assert.deepEqual(new Set(results.successfulResults.map((row) => row.sf__Created)), new Set(['true']));
});

test('jsforce bulk2.loadAndWaitForResults, update with rows that fail', async () => {
  const [first, second] = await accounts('Inserted 00%');
  const input = [
    { Id: String(first!.Id), Description: '#N/A', NumberOfEmployees: '' },
    { Id: String(second!.Id), Description: 'changed', NumberOfEmployees: 'many' },
  ];
  const results = await conn.bulk2.loadAndWaitForResults({ object: 'Account', operation: 'update', input, ...options });
  assert.deepEqual(
    results.successfulResults.map(({ sf__Id, sf__Created }) => [sf__Id, sf__Created]),
    [[first!.Id, 'false']],
  );
  assert.deepEqual(
    rowsIn(results.failedResults).map(({ Id, sf__Id, sf__Error }) => [Id, sf__Id, sf__Error!.split(':')[0]]),
    [[second!.Id, '', 'INVALID_FIELD']],
  );
  const [after] = await accounts('Inserted 000');
  assert.deepEqual([after!.Description, after!.NumberOfEmployees], [null, 0]);
});

test('jsforce bulk2.loadAndWaitForResults, upsert', async () => {
  const [known] = await accounts('Inserted 010');
  const results = await conn.bulk2.loadAndWaitForResults({
    object: 'Account',
    operation: 'upsert',
    externalIdFieldName: 'Id',
    input: [
      { Id: String(known!.Id), Name: 'Upserted 0' },
      { Id: '', Name: 'Upserted 1' },
    ],
    ...options,
  });
  assert.deepEqual(
    new Map(rowsIn(results.successfulResults).map(({ Name, sf__Created }) => [Name, sf__Created])),
    new Map([
      ['Upserted 0', 'false'],
      ['Upserted 1', 'true'],
    ]),
  );
  assert.deepEqual(
    (await accounts('Upserted %')).map(({ Name }) => Name),
    ['Upserted 0', 'Upserted 1'],
  );
});

test('jsforce bulk2.loadAndWaitForResults, delete', async () => {
  const input = (await accounts('Inserted 1%')).map(({ Id }) => ({ Id: String(Id) }));
  const results = await conn.bulk2.loadAndWaitForResults({ object: 'Account', operation: 'delete', input, ...options });
  assert.equal(input.length, 100);
  assert.deepEqual(
    results.successfulResults.map(({ sf__Id }) => sf__Id).toSorted(),
    input.map(({ Id }) => Id).toSorted(),
  );
  assert.deepEqual(await accounts('Inserted 1%'), []);
});

test('jsforce bulk2.loadAndWaitForResults, a job that fails', async () => {
  const input = [{ Nome: 'x' }];
  await assert.rejects(
    conn.bulk2.loadAndWaitForResults({ object: 'Account', operation: 'insert', input, ...options }),
    /InvalidBatch : Field name not found : Nome/,
  );
});

test('jsforce bulk2.loadAndWaitForResults, hardDelete without the permission', async () => {
  const input = [{ Id: String(rowsOf(practice, 'Account')[0]!.Id) }];
  await assert.rejects(
    conn.bulk2.loadAndWaitForResults({ object: 'Account', operation: 'hardDelete', input, ...options }),
    { errorCode: 'FEATURENOTENABLED' },
  );
});

test('jsforce bulk2.createJob, step by step', async () => {
  const job = conn.bulk2.createJob({
    object: 'Account',
    operation: 'insert',
    lineEnding: 'CRLF',
    columnDelimiter: 'PIPE',
  });
  await job.open();
  await job.uploadData('Name|Description\r\nSteps|"a|b"\r\n');
  await job.close();
  await job.poll(50, 60_000);
  const { state, numberRecordsProcessed } = await job.check();
  assert.deepEqual([state, numberRecordsProcessed], ['JobComplete', 1]);
  assert.equal((await accounts('Steps'))[0]!.Description, 'a|b');
  await job.delete();
  await assert.rejects(job.check(), { errorCode: 'NOT_FOUND' });
});

test('jsforce bulk2 abort', async () => {
  const job = conn.bulk2.createJob({ object: 'Account', operation: 'insert' });
  await job.open();
  await job.uploadData('Name\nAborted\n');
  await job.abort();
  assert.equal((await job.check()).state, 'Aborted');
  assert.deepEqual(await job.getUnprocessedRecords(), [{ Name: 'Aborted' }]);
  assert.deepEqual(await accounts('Aborted'), []);
});
