import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { startRehearsalOrg } from '../../src/practice-org/from-schema.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { loadDatabase } from '../../src/practice-org/load.ts';
import type { PracticeOrg } from '../../src/practice-org/server.ts';
import { data, missing } from './recorded-database.ts';

const facts = {
  organizationId: '00D5e000000abcdEAA',
  organizationName: 'Acme',
  isSandbox: false,
  instanceName: 'CS1',
  userId: '0055e000000aaaaAAA',
  username: 'ann@acme.example',
};
const sample = sampleDatabase();
const describes = (...names: string[]) => names.map((name) => sample.tables.get(name)!.describe);

async function call(org: PracticeOrg, resource: string, body?: unknown): Promise<ReturnType<typeof JSON.parse>> {
  const answer = await fetch(`${org.url}/services/data/v67.0${resource}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${org.accessToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.json();
}

async function query(org: PracticeOrg, soql: string): Promise<Record<string, unknown>[]> {
  const { records } = await call(org, `/query?q=${encodeURIComponent(soql)}`);
  return records.map(({ attributes: _, ...record }: Record<string, unknown>) => record);
}

test('rows that are handed over keep their Ids, stamps and values, typed by their fields', async () => {
  await using org = await startRehearsalOrg({
    facts,
    describes: describes('User', 'Account'),
    rows: [
      { object: 'User', columns: ['Id', 'IsActive'], batches: [[[facts.userId, 'true']]] },
      {
        object: 'Account',
        columns: ['Id', 'Name', 'AnnualRevenue', 'CreatedDate', 'Industry', 'OwnerId'],
        batches: [
          [['0015e00000abcdeAAB', 'Acme', '1.25E3', '2019-01-02T03:04:05.000Z', '', facts.userId]],
          [['0015e00000abcdfAAB', 'Beta', '', '2019-01-02T03:04:06.000Z', 'Banking', facts.userId]],
        ],
      },
    ],
  });
  assert.deepEqual(await query(org, 'SELECT Id, Name, AnnualRevenue, CreatedDate, Industry FROM Account'), [
    {
      Id: '0015e00000abcdeAAB',
      Name: 'Acme',
      AnnualRevenue: 1250,
      CreatedDate: '2019-01-02T03:04:05.000+0000',
      Industry: null,
    },
    {
      Id: '0015e00000abcdfAAB',
      Name: 'Beta',
      AnnualRevenue: null,
      CreatedDate: '2019-01-02T03:04:06.000+0000',
      Industry: 'Banking',
    },
  ]);
});

test('the org and its user are those that are named, whether or not there are rows of them', async () => {
  await using org = await startRehearsalOrg({ facts, describes: describes('Account'), rows: [] });
  assert.deepEqual(await query(org, 'SELECT Id, Name, IsSandbox FROM Organization'), [
    { Id: facts.organizationId, Name: 'Acme', IsSandbox: false },
  ]);
  assert.deepEqual(await query(org, `SELECT Id, Username FROM User WHERE Id = '${facts.userId}'`), [
    { Id: facts.userId, Username: 'ann@acme.example' },
  ]);
});

test('new rows get Ids that no org has given out, and the rules of their describe hold', async () => {
  await using org = await startRehearsalOrg({ facts, describes: describes('User', 'Account', 'Contact'), rows: [] });
  const made = await call(org, '/sobjects/Account', { Name: 'Acme', OwnerId: '0055e000000unknAAA' });
  assert.equal(made.success, true, JSON.stringify(made));
  assert.match(made.id, /^0015e0U/);
  assert.deepEqual(await query(org, 'SELECT Name FROM Account'), [{ Name: 'Acme' }]);
  const [nameless] = await call(org, '/sobjects/Account', { Industry: 'Banking' });
  assert.equal(nameless.errorCode, 'REQUIRED_FIELD_MISSING');
  const [nowhere] = await call(org, '/sobjects/Contact', { LastName: 'Ann', AccountId: '0015e00000abcdeAAB' });
  assert.equal(nowhere.errorCode, 'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY');
});

test('users are taken to be there where none was handed over, and no others where some were', async () => {
  const rows = [{ object: 'User', columns: ['Id', 'IsActive'], batches: [[[facts.userId, 'true']]] }];
  await using org = await startRehearsalOrg({ facts, describes: describes('User', 'Account'), rows });
  const [nobody] = await call(org, '/sobjects/Account', { Name: 'Acme', OwnerId: '0055e000000unknAAA' });
  assert.equal(nobody.errorCode, 'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY');
});

test('recorded describes of real orgs are taken as they are', { skip: missing }, async () => {
  const { database } = await loadDatabase({ describes: path.join(data, 'describes'), rows: 2 });
  const all = [...database.tables.values()].map(({ describe }) => describe);
  await using org = await startRehearsalOrg({ facts, describes: all, rows: [] });
  const described = await call(org, '/sobjects/Account/describe');
  assert.deepEqual(described.fields, JSON.parse(JSON.stringify(database.tables.get('Account')!.describe.fields)));
  const made = await call(org, '/sobjects/Contact', { LastName: 'Ann' });
  assert.equal(made.success, true, JSON.stringify(made));
});

test('what is no describe, and rows of an object that none describes, are refused', async () => {
  await assert.rejects(startRehearsalOrg({ facts, describes: [{ name: 'Account' }], rows: [] }), TypeError);
  const rows = [{ object: 'Contact', columns: ['Id'], batches: [[['0035e00000abcdeAAB']]] }];
  await assert.rejects(startRehearsalOrg({ facts, describes: describes('Account'), rows }), TypeError);
});
