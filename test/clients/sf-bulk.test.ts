import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { allRows, pick, rowsOf, startPractice } from './practice.ts';
import { Sf } from './sf.ts';

const practice = await startPractice({ bulkPageRows: 100 });
const { org } = practice;
const sf = await Sf.loggedIn(org);
after(async () => {
  await sf[Symbol.asyncDispose]();
  await org.close();
});

const accounts = rowsOf(practice, 'Account');

async function csvFile(name: string, delimiter = ','): Promise<string[][]> {
  return parse(await readFile(sf.path(name), 'utf8'), { delimiter, record_delimiter: '\n' });
}

function exported(file: string, soql: string, ...more: string[]) {
  return sf.practice('data', 'export', 'bulk', '--query', soql, '--output-file', sf.path(file), ...more);
}

test('sf data export bulk, several pages, texts with newlines and quotes', async () => {
  const pages = org.requests.counts['bulk.results'] ?? 0;
  const { result } = await exported('accounts.csv', 'SELECT Id, Name, Description FROM Account', '--wait', '5');
  assert.equal(result.totalSize, accounts.length);
  const [header, ...rows] = await csvFile('accounts.csv');
  assert.deepEqual(header, ['Id', 'Name', 'Description']);
  assert.ok(accounts.some(({ Description }) => /"[^"]*\n/.test(String(Description))));
  assert.deepEqual(
    rows,
    accounts.map(({ Id, Name, Description }) => [Id, Name, Description ?? '']),
  );
  assert.equal((org.requests.counts['bulk.results'] ?? 0) - pages, Math.ceil(accounts.length / 100));
});

test('sf data export bulk --result-format json --all-rows', async () => {
  const soql = 'SELECT Id, Name, Description, IsDeleted, NumberOfEmployees FROM Account';
  const { result } = await exported('all.json', soql, '--all-rows', '--result-format', 'json', '--wait', '5');
  const all = allRows(practice, 'Account');
  assert.ok(all.length > accounts.length);
  assert.equal(result.totalSize, all.length);
  assert.deepEqual(
    JSON.parse(await readFile(sf.path('all.json'), 'utf8')),
    all.map((row) => ({
      ...pick(row, 'Id', 'Name'),
      Description: row.Description ?? '',
      IsDeleted: String(row.IsDeleted),
      NumberOfEmployees: String(row.NumberOfEmployees ?? ''),
    })),
  );
});

test('sf data export bulk --column-delimiter', async () => {
  const more = ['--column-delimiter', 'SEMICOLON', '--wait', '5'];
  await exported('semicolon.csv', "SELECT Id, Description FROM Account WHERE Name LIKE 'S%'", ...more);
  const [header, ...rows] = await csvFile('semicolon.csv', ';');
  assert.deepEqual(header, ['Id', 'Description']);
  const wanted = accounts.filter(({ Name }) => String(Name).toLowerCase().startsWith('s'));
  assert.ok(wanted.length > 10);
  assert.deepEqual(
    rows,
    wanted.map(({ Id, Description }) => [Id, Description ?? '']),
  );
});

test('sf data export resume', async () => {
  org.settings.bulkPollsInProgress = 1;
  const started = await exported('contacts.csv', 'SELECT Id, LastName FROM Contact');
  org.settings.bulkPollsInProgress = 0;
  const { result } = await sf.run(['data', 'export', 'resume', '--job-id', started.result.jobId, '--json']);
  const contacts = rowsOf(practice, 'Contact');
  assert.equal(result.totalSize, contacts.length);
  const [, ...rows] = await csvFile('contacts.csv');
  assert.deepEqual(
    rows,
    contacts.map(({ Id, LastName }) => [Id, LastName]),
  );
});

test('sf data export bulk, a query that the org refuses', async () => {
  const { status, failure, stdout } = await exported('nope.csv', 'SELECT Nope FROM Account', '--wait', '5');
  assert.deepEqual([status, failure], [1, 'INVALID_FIELD']);
  assert.match(stdout, /No such column 'Nope' on entity 'Account'/);
});

test('sf data export bulk, a job that fails (the CLI keeps the reason to itself)', async () => {
  org.failNext('bulk.job', { name: 'job-failed', errorMessage: 'INTERNAL_SERVER_ERROR: try again' });
  const { status, stdout } = await exported('failed.csv', 'SELECT Id FROM Account', '--wait', '5');
  assert.equal(status, 1);
  assert.match(stdout, /Query job failed to complete/);
});
