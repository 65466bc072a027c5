import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { rowOf, rowsOf, startPractice } from './practice.ts';
import { type Ran, Sf } from './sf.ts';

const practice = await startPractice();
const { org } = practice;
const sf = await Sf.start();
after(async () => {
  await sf[Symbol.asyncDispose]();
  await org.close();
});
await sf.run(['plugins', 'link', path.join(import.meta.dirname, 'node_modules/sfdmu'), '--no-install']);

const objects = [
  { query: 'SELECT Id, Name, NumberOfEmployees, Description FROM Account', externalId: 'Name', operation: 'Upsert' },
  { query: 'SELECT Id, LastName, Email, AccountId FROM Contact', externalId: 'Email', operation: 'Upsert' },
];

/** Runs SFDMU in a folder of its own with these files beside its script. */
async function run(folder: string, source: string, target: string, files: Record<string, object[]> = {}): Promise<Ran> {
  await mkdir(sf.path(folder));
  const orgs = [{ name: 'practice', instanceUrl: org.url, accessToken: org.accessToken }];
  await writeFile(sf.path(folder, 'export.json'), JSON.stringify({ orgs, objects }));
  for (const [name, rows] of Object.entries(files))
    await writeFile(sf.path(folder, name), stringify(rows, { header: true }));
  const users = ['--sourceusername', source, '--targetusername', target];
  return sf.run(['sfdmu', 'run', ...users, '--path', sf.path(folder), '--noprompt']);
}

async function csvRows(folder: string, name: string): Promise<Record<string, string>[]> {
  return parse(await readFile(sf.path(folder, name), 'utf8'), { columns: true });
}

/** So many accounts, each with a contact. */
function people(prefix: string, count: number): Record<string, object[]> {
  const numbers = Array.from({ length: count }, (_, n) => n);
  return {
    'Account.csv': numbers.map((n) => ({
      Id: `A${n}`,
      Name: `${prefix} ${n}`,
      NumberOfEmployees: n,
      Description: `"${prefix}", number ${n}`,
    })),
    'Contact.csv': numbers.map((n) => ({
      Id: `C${n}`,
      LastName: `${prefix} ${n}`,
      Email: `${prefix}.${n}@example.com`.toLowerCase(),
      AccountId: `A${n}`,
      'Account.Name': `${prefix} ${n}`,
    })),
  };
}

/** Contacts with this prefix: their names, and what is known of their accounts. */
async function arrived(prefix: string): Promise<unknown[]> {
  const soql = `SELECT LastName, Account.Name, Account.NumberOfEmployees, Account.Description FROM Contact WHERE LastName LIKE '${prefix} %'`;
  const response = await fetch(`${org.url}/services/data/v67.0/query?q=${encodeURIComponent(soql)}`, {
    headers: { authorization: `Bearer ${org.accessToken}` },
  });
  const { records } = (await response.json()) as { records: Record<string, Record<string, unknown>>[] };
  return records.map(({ LastName, Account }) => [
    LastName,
    Account?.Name,
    Account?.NumberOfEmployees,
    Account?.Description,
  ]);
}

function sent(prefix: string, count: number): unknown[] {
  return Array.from({ length: count }, (_, n) => [`${prefix} ${n}`, `${prefix} ${n}`, n, `"${prefix}", number ${n}`]);
}

/** What SFDMU leaves of a text: it takes the word `undefined` for nothing. */
function kept(text: unknown): unknown {
  return text === 'undefined' ? '' : (text ?? '');
}

test('sf sfdmu run, org to csvfile', async () => {
  const ran = await run('out', 'practice', 'csvfile');
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.deepEqual(
    (await csvRows('out', 'Account.csv')).map(({ Id, Name, Description }) => [Id, Name, Description]),
    rowsOf(practice, 'Account').map(({ Id, Name, Description }) => [Id, kept(Name), kept(Description)]),
  );
  const contacts = rowsOf(practice, 'Contact');
  assert.deepEqual(
    (await csvRows('out', 'Contact.csv')).map((row) => [row.Id, row.LastName, row['Account.Name']]),
    contacts.map(({ Id, LastName, AccountId }) => [
      Id,
      kept(LastName),
      AccountId === null ? '' : kept(rowOf(practice, 'Account', AccountId).Name),
    ]),
  );
});

test('sf sfdmu run, csvfile to org by Bulk API 2.0', async () => {
  const ran = await run('bulk', 'csvfile', 'practice', people('Mover', 250));
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.equal(org.requests.counts['ingest.create'], 2);
  assert.deepEqual((await arrived('Mover')).toSorted(), sent('Mover', 250).toSorted());
});

test('sf sfdmu run, csvfile to org by REST collections, rows that are there and new ones', async () => {
  const ran = await run('rest', 'csvfile', 'practice', people('Settler', 20));
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.equal(org.requests.counts['ingest.create'], 2);
  assert.deepEqual((await arrived('Settler')).toSorted(), sent('Settler', 20).toSorted());
  const more = people('Settler', 30);
  const [first] = more['Account.csv'] as { NumberOfEmployees: number }[];
  first!.NumberOfEmployees = 1000;
  const again = await run('again', 'csvfile', 'practice', more);
  assert.equal(again.status, 0, again.stdout + again.stderr);
  const wanted = sent('Settler', 30) as unknown[][];
  wanted[0]![2] = 1000;
  assert.deepEqual((await arrived('Settler')).toSorted(), wanted.toSorted());
});
