import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { pick, plain, rowsOf, startPractice } from './practice.ts';
import { Sf } from './sf.ts';

const practice = await startPractice();
const { org } = practice;
const sf = await Sf.loggedIn(org);
after(async () => {
  await sf[Symbol.asyncDispose]();
  await org.close();
});

type Json = ReturnType<typeof JSON.parse>;

/** What a query finds now, by plain HTTP. */
async function found(soql: string): Promise<Json[]> {
  const url = `${org.url}/services/data/v67.0/query?q=${encodeURIComponent(soql)}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${org.accessToken}` } });
  return ((await response.json()) as { records: Json[] }).records.map(plain);
}

const record = (verb: string, ...args: string[]) =>
  sf.practice('data', verb, 'record', '--sobject', 'Account', ...args);

let made: string;

test('sf data create record', async () => {
  const { result } = await record('create', '--values', "Name='Made by sf' NumberOfEmployees=5");
  made = result.id;
  assert.deepEqual(result, { id: made, success: true, errors: [] });
  assert.deepEqual(await found(`SELECT Name, NumberOfEmployees FROM Account WHERE Id = '${made}'`), [
    { Name: 'Made by sf', NumberOfEmployees: 5 },
  ]);
});

test('sf data create record, the error of the org', async () => {
  const { status, failure } = await record('create', '--values', 'Nope=x');
  assert.deepEqual([status, failure], [1, 'INVALID_FIELD']);
});

test('sf data get record, by Id and by a field', async () => {
  const byId = await record('get', '--record-id', made);
  assert.equal(byId.result.Name, 'Made by sf');
  const byField = await record('get', '--where', "Name='Made by sf'");
  assert.equal(byField.result.Id, made);
});

test('sf data update record', async () => {
  const { result } = await record('update', '--record-id', made, '--values', "Name='Changed by sf'");
  assert.equal(result.success, true);
  assert.deepEqual(await found(`SELECT Name FROM Account WHERE Id = '${made}'`), [{ Name: 'Changed by sf' }]);
});

test('sf data create file', async () => {
  const bytes = Buffer.from([0, 0xff, 13, 10, 0x80, 1]);
  await writeFile(sf.path('scan.bin'), bytes);
  const ran = await sf.practice('data', 'create', 'file', '--file', 'scan.bin', '--title', 'Scan', '--parent-id', made);
  assert.equal(ran.status, 0, ran.stdout);
  const [version] = await found("SELECT Id, ContentDocumentId, ContentSize FROM ContentVersion WHERE Title = 'Scan'");
  assert.equal(version.ContentSize, bytes.length);
  const url = `${org.url}/services/data/v67.0/sobjects/ContentVersion/${version.Id}/VersionData`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${org.accessToken}` } });
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
  const links = await found(
    `SELECT LinkedEntityId FROM ContentDocumentLink WHERE ContentDocumentId = '${version.ContentDocumentId}'`,
  );
  assert.ok(links.some(({ LinkedEntityId }) => LinkedEntityId === made));
});

test('sf data delete record', async () => {
  const { result } = await record('delete', '--record-id', made);
  assert.equal(result.success, true);
  assert.deepEqual(await found(`SELECT Id FROM Account WHERE Id = '${made}'`), []);
});

test('sf data import tree --files', async () => {
  const records = [
    {
      attributes: { type: 'Account', referenceId: 'parent' },
      Name: 'Tree parent',
      Contacts: { records: [{ attributes: { type: 'Contact', referenceId: 'child' }, LastName: 'Tree child' }] },
    },
  ];
  await writeFile(sf.path('tree.json'), JSON.stringify({ records }));
  const { result } = await sf.practice('data', 'import', 'tree', '--files', 'tree.json');
  assert.deepEqual(
    result.map(({ refId, type }: Json) => [refId, type]),
    [
      ['parent', 'Account'],
      ['child', 'Contact'],
    ],
  );
  const [contact] = await found("SELECT Account.Name FROM Contact WHERE LastName = 'Tree child'");
  assert.equal(contact.Account.Name, 'Tree parent');
});

test('sf data export tree --plan, and import tree --plan of it', async () => {
  const few = rowsOf(practice, 'Account')
    .filter(({ Name }) => String(Name).startsWith('A'))
    .slice(0, 5);
  const names = few.map(({ Name }) => `'${String(Name).replaceAll("'", "\\'")}'`).join(',');
  const soql = `SELECT Id, Name, NumberOfEmployees, (SELECT LastName FROM Contacts) FROM Account WHERE Name IN (${names})`;
  const exported = await sf.practice('data', 'export', 'tree', '--query', soql, '--plan', '--prefix', 'few');
  assert.equal(exported.status, 0, exported.stdout);
  const file = JSON.parse(await readFile(sf.path('few-Account.json'), 'utf8'));
  assert.equal(file.records.length, few.length);
  const { result, stdout } = await sf.practice('data', 'import', 'tree', '--plan', 'few-Account-Contact-plan.json');
  assert.ok(result, stdout);
  const imported = result.filter(({ type }: Json) => type === 'Account').map(({ id }: Json) => `'${id}'`);
  const copies = await found(`SELECT Name, NumberOfEmployees FROM Account WHERE Id IN (${imported}) ORDER BY Id`);
  const sorted = (rows: Json[]) => rows.toSorted((a, b) => (a.Name < b.Name ? -1 : 1));
  assert.deepEqual(sorted(copies), sorted(few.map((row) => pick(row, 'Name', 'NumberOfEmployees'))));
});

test('sf data import tree, a record that the org refuses takes the others with it', async () => {
  const records = [
    { attributes: { type: 'Contact', referenceId: 'good' }, LastName: 'Refused tree' },
    { attributes: { type: 'Contact', referenceId: 'bad' }, FirstName: 'Nameless' },
  ];
  await writeFile(sf.path('bad.json'), JSON.stringify({ records }));
  const { status, stdout } = await sf.practice('data', 'import', 'tree', '--files', 'bad.json');
  assert.equal(status, 1);
  assert.match(stdout, /REQUIRED_FIELD_MISSING/);
  assert.deepEqual(await found("SELECT Id FROM Contact WHERE LastName = 'Refused tree'"), []);
});
