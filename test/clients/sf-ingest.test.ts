import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { startPractice } from './practice.ts';
import { Sf } from './sf.ts';

const practice = await startPractice();
const { org } = practice;
const sf = await Sf.loggedIn(org);
after(async () => {
  await sf[Symbol.asyncDispose]();
  await org.close();
});

async function csvFile(name: string, text: string): Promise<string> {
  await writeFile(sf.path(name), text);
  return sf.path(name);
}

async function rows(file: string): Promise<Record<string, string>[]> {
  return parse(await readFile(sf.path(file), 'utf8'), { columns: true });
}

function bulk(command: string, file: string, ...more: string[]) {
  return sf.practice('data', command, 'bulk', '--sobject', 'Account', '--file', file, ...more);
}

async function accounts(like: string): Promise<Record<string, unknown>[]> {
  const soql = `SELECT Id, Name, Description FROM Account WHERE Name LIKE '${like}' ORDER BY Name`;
  const { result } = await sf.practice('data', 'query', '--query', soql);
  return result.records.map(({ attributes: _, ...fields }: Record<string, unknown>) => fields);
}

const people = Array.from({ length: 300 }, (_, n) => `Imported ${String(n).padStart(3, '0')}`);

test('sf data import bulk', async () => {
  const rows = people.map((name) => `${name},"text of ${name}, with a comma"\n`);
  const file = await csvFile('import.csv', `Name,Description\n${rows.join('')}`);
  const { status, result } = await bulk('import', file, '--wait', '5');
  assert.equal(status, 0);
  assert.deepEqual(
    [result.processedRecords, result.successfulRecords, result.failedRecords],
    [people.length, people.length, 0],
  );
  const saved = await accounts('Imported %');
  assert.deepEqual(
    saved.map(({ Name, Description }) => [Name, Description]),
    people.map((name) => [name, `text of ${name}, with a comma`]),
  );
});

test('sf data import bulk --column-delimiter --line-ending', async () => {
  const file = await csvFile('pipe.csv', 'Name|Description\r\nPiped|"a|b"\r\n');
  await bulk('import', file, '--wait', '5', '--column-delimiter', 'PIPE', '--line-ending', 'CRLF');
  assert.deepEqual(
    (await accounts('Piped')).map(({ Description }) => Description),
    ['a|b'],
  );
});

test('sf data import bulk, rows that fail, and sf data bulk results', async () => {
  const file = await csvFile('some.csv', 'Name,NumberOfEmployees\nSome 1,1\nSome 2,many\n');
  const { status, failure, stdout } = await bulk('import', file, '--wait', '5');
  assert.deepEqual([status, failure], [1, 'FailedRecordDetailsError']);
  const { jobId } = JSON.parse(stdout).data;
  const { result } = await sf.practice('data', 'bulk', 'results', '--job-id', jobId);
  assert.deepEqual(
    [result.processedRecords, result.successfulRecords, result.failedRecords, result.status],
    [2, 1, 1, 'JobComplete'],
  );
  const [failed] = await rows(result.failedFilePath);
  assert.equal(failed!.Name, 'Some 2');
  assert.match(failed!.sf__Error!, /^INVALID_FIELD:Failed to deserialize field at col 1/);
  assert.deepEqual(
    (await rows(result.successFilePath)).map(({ Name, sf__Created }) => [Name, sf__Created]),
    [['Some 1', 'true']],
  );
});

test('sf data import bulk, a header that the org refuses', async () => {
  const file = await csvFile('nope.csv', 'Nope\nx\n');
  const { status, stdout } = await bulk('import', file, '--wait', '5');
  assert.equal(status, 1);
  assert.match(stdout, /InvalidBatch : Field name not found : Nope/);
});

test('sf data import resume', async () => {
  org.settings.bulkPollsInProgress = 1;
  const { result } = await bulk('import', await csvFile('later.csv', 'Name\nLater\n'));
  org.settings.bulkPollsInProgress = 0;
  const resumed = await sf.run(['data', 'import', 'resume', '--job-id', result.jobId, '--wait', '5', '--json']);
  assert.deepEqual([resumed.result.processedRecords, resumed.result.failedRecords], [1, 0]);
  assert.equal((await accounts('Later')).length, 1);
});

test('sf data update bulk', async () => {
  const [first, second] = await accounts('Imported %');
  const file = await csvFile('update.csv', `Id,Description\n${first!.Id},#N/A\n${second!.Id},\n`);
  const { status, result } = await bulk('update', file, '--wait', '5');
  assert.deepEqual([status, result.successfulRecords], [0, 2]);
  assert.deepEqual(
    (await accounts('Imported %')).slice(0, 2).map(({ Description }) => Description),
    [null, second!.Description],
  );
});

test('sf data upsert bulk', async () => {
  const [known] = await accounts('Imported %');
  const file = await csvFile('upsert.csv', `Id,Name\n${known!.Id},Upserted 0\n,Upserted 1\n`);
  const { status, result } = await bulk('upsert', file, '--external-id', 'Id', '--wait', '5');
  assert.equal(status, 0);
  assert.equal(result.jobInfo.numberRecordsProcessed, 2);
  assert.deepEqual(
    new Map(result.records.successfulResults.map((row: Record<string, string>) => [row.Name, row.sf__Created])),
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

test('sf data delete bulk', async () => {
  const doomed = await accounts('Imported 1%');
  const file = await csvFile('delete.csv', `Id\n${doomed.map(({ Id }) => `${Id}\n`).join('')}`);
  const { status, result } = await bulk('delete', file, '--wait', '5');
  assert.deepEqual([status, result.jobInfo.numberRecordsProcessed], [0, 100]);
  assert.deepEqual(await accounts('Imported 1%'), []);
});

test('sf data delete bulk --hard-delete, without the permission and with it', async () => {
  const [doomed] = await accounts('Imported %');
  const file = await csvFile('hard.csv', `Id\n${doomed!.Id}\n`);
  const refused = await bulk('delete', file, '--wait', '5', '--hard-delete');
  assert.equal(refused.status, 1);
  assert.match(refused.stdout, /Bulk API Hard Delete/i);
  org.settings.permissions.bulkHardDelete = true;
  assert.equal((await bulk('delete', file, '--wait', '5', '--hard-delete')).status, 0);
  const soql = `SELECT Id FROM Account WHERE Id = '${doomed!.Id}'`;
  const { result } = await sf.practice('data', 'query', '--query', soql, '--all-rows');
  assert.equal(result.totalSize, 0);
});
