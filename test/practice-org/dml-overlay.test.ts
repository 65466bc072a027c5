import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { dmlOrg, said } from './dml-org.ts';

const fields = ['Id', 'Name', 'IsDeleted', 'SystemModstamp'];
const large = (): Database => sampleDatabase({ scale: { Account: 20_000, Contact: 20_000 } });

test('rows of a large object that nobody wrote to keep their fast path, the others have none', () => {
  const org = dmlOrg({}, large());
  const base = sampleDatabase({ scale: { Account: 20_000, Contact: 20_000 } }).tables.get('Account')!.source;
  const { csv } = org.rows('Account');
  const id = org.id('Account', 10_000);
  assert.deepEqual(csv!(fields, 9_000, 11_000), base.csv!(fields, 9_000, 11_000));
  org.update('Account', [{ Id: id, Name: 'written' }]);
  assert.equal(csv!(fields, 9_990, 10_010), undefined);
  assert.deepEqual(csv!(fields, 0, 9_000), base.csv!(fields, 0, 9_000));
  org.make('Account', { Name: 'new' });
  assert.equal(csv!(fields, 19_990, 20_001), undefined);
});

test('a large object is searched by key, its children are found, and cells agree with rows', () => {
  const org = dmlOrg({}, large());
  const account = org.id('Account', 12_345);
  const key = String(org.rows('Account').cell(12_345, 'External_Key__c'));
  const [result] = org.upsert('Account', 'External_Key__c', [{ External_Key__c: key.toLowerCase(), Name: 'found' }]);
  assert.deepEqual([result!.id, result!.created], [account, false]);
  const rows = org.rows('Account');
  for (const number of [0, 12_345, rows.size - 1]) {
    const row = rows.row(number);
    for (const field of Object.keys(row)) assert.equal(rows.cell(number, field), row[field]);
  }
  const child = org.make('Contact', { LastName: 'x', AccountId: account });
  const before = org.where('Contact', 'AccountId', account).length;
  org.remove([child]);
  assert.equal(org.where('Contact', 'AccountId', account).length, before - 1);
});

test('Ids ascend over gaps and are all found again; a purged row is read by who holds its number', () => {
  const org = dmlOrg();
  const ids: string[] = [];
  for (let call = 0; call < 5; call += 1)
    for (const { id } of org.insert('Account', [{ Name: `${call}` }, {}, { Name: `${call}b` }]))
      if (id !== undefined) ids.push(id);
  assert.deepEqual(ids, [...ids].sort());
  assert.equal(new Set(ids).size, 10);
  assert.deepEqual(
    ids.map((id) => org.rows('Account').find(id)),
    ids.map((_, at) => 400 + at),
  );
  org.remove([ids[3]!], { hard: true });
  assert.equal(org.rows('Account').find(ids[3]!), -1);
  assert.equal(org.rows('Account').row(403).Name, '1b');
});

test('a chunk is at most 200 records', () => {
  const org = dmlOrg();
  const records = Array.from({ length: 201 }, (_, at) => ({ Name: `${at}` }));
  assert.throws(() => org.insert('Account', records), RangeError);
  assert.deepEqual([...new Set(said(org.insert('Account', records.slice(1))))], ['saved']);
});
