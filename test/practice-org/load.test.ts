import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Database, Row } from '../../src/practice-org/database.ts';
import { loadDatabase } from '../../src/practice-org/load.ts';

const data = path.resolve(import.meta.dirname, '../../../shared/data');
const skip = existsSync(data) ? false : '../shared/data is absent';

function* rowsOf(database: Database, object: string): Generator<Row> {
  const { source } = database.tables.get(object)!;
  for (let number = 0; number < source.size; number++) yield source.row(number);
}

async function folderOf(files: Record<string, string | Buffer>): Promise<AsyncDisposable & { path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'salvor-load-'));
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

function dangling(database: Database): string[] {
  const live = new Set<unknown>();
  for (const name of database.tables.keys())
    for (const row of rowsOf(database, name)) if (row.IsDeleted !== true) live.add(row.Id);
  const wrong = new Set<string>();
  for (const [name, { describe }] of database.tables) {
    const lookups = describe.fields.filter((field) => field.type === 'reference').map((field) => field.name);
    for (const row of rowsOf(database, name)) {
      if (row.IsDeleted === true) continue;
      for (const field of lookups) if (row[field] && !live.has(row[field])) wrong.add(`${name}.${field}`);
    }
  }
  return [...wrong];
}

test('recorded describes are kept key by key, and of two of one object the newer counts', { skip }, async () => {
  const { database, loaded, skipped } = await loadDatabase({ describes: path.join(data, 'describes') });
  const user = JSON.parse(await readFile(path.join(data, 'describes/User.v50.json'), 'utf8'));
  assert.deepEqual(database.tables.get('User')!.describe, user);
  assert.equal((database.tables.get('User')!.describe.childRelationships as unknown[]).length, 1597);
  assert.equal(database.tables.get('Account')!.describe.fields.length, 250);
  assert.ok(
    skipped.some(
      ({ file, reason }) => file === 'Account.v48.json' && reason.includes('Account.person-accounts.v59.json'),
    ),
  );
  assert.ok(loaded.some(({ object, describe }) => object === 'Organization' && describe === 'sample'));
  assert.equal(loaded.filter(({ describe }) => describe === 'recorded').length, 29);
});

test('made-up rows fit the recorded fields, and point at rows that exist', { skip }, async () => {
  const { database } = await loadDatabase({ describes: path.join(data, 'describes'), rows: 80 });
  assert.deepEqual(dangling(database), []);
  for (const [name, { describe }] of database.tables) {
    const fields = describe.fields.filter((field) => !['address', 'location', 'base64'].includes(field.type));
    for (const row of rowsOf(database, name)) {
      assert.deepEqual(
        Object.keys(row),
        fields.map((field) => field.name),
      );
      for (const field of fields) {
        const value = row[field.name] ?? null;
        const place = `${name}.${field.name}: ${value}`;
        if (value === null) continue;
        assert.notEqual(value, '', place);
        if (typeof value === 'string' && Number(field.length) > 0)
          assert.ok(value.length <= Number(field.length), place);
        if (field.type === 'boolean') assert.equal(typeof value, 'boolean', place);
        if (['int', 'double', 'currency', 'percent'].includes(field.type)) assert.equal(typeof value, 'number', place);
        if (field.type === 'picklist') {
          assert.ok(
            (field.picklistValues as { value: string }[]).some((entry) => entry.value === value),
            place,
          );
        }
      }
    }
  }
});

test('the user who logs in is the first one and may read everything', { skip }, async () => {
  const { database } = await loadDatabase({ describes: path.join(data, 'describes') });
  const { facts, tables } = database;
  assert.equal(tables.get('User')!.source.row(0).Id, facts.userId);
  assert.equal(tables.get('User')!.source.row(0).Username, facts.username);
  assert.equal(tables.get('Organization')!.source.row(0).Id, facts.organizationId);
  const own = [...rowsOf(database, 'PermissionSetAssignment')].find((row) => row.AssigneeId === facts.userId)!;
  const sets = tables.get('PermissionSet')!.source;
  assert.equal(sets.row(sets.find(String(own.PermissionSetId))).PermissionsViewAllData, true);
});

test('the same seed loads the same rows', { skip }, async () => {
  const rows = async (seed: number) => {
    const { database } = await loadDatabase({ describes: path.join(data, 'describes'), seed });
    return [...database.tables.keys()].map((name) => [...rowsOf(database, name)]);
  };
  assert.deepEqual(await rows(5), await rows(5));
  assert.notDeepEqual(await rows(5), await rows(6));
});

test('plans, record files and CSVs are read as they are, references resolved', { skip }, async () => {
  const { database, loaded, skipped } = await loadDatabase({ datasets: path.join(data, 'datasets') });
  const property = [...rowsOf(database, 'Property__c')][0]!;
  assert.equal(property.Name, 'Stunning Victorian');
  assert.equal(property.Location__Latitude__s, 42.35663);
  const brokers = database.tables.get('Broker__c')!.source;
  assert.equal(brokers.row(brokers.find(String(property.Broker__c))).Name, 'Caroline Kingsley');
  assert.ok(
    database.tables
      .get('Property__c')!
      .describe.fields.some((field) => field.name === 'Location__c' && field.type === 'location'),
  );
  const nested = [...rowsOf(database, 'Contact')].find((row) => row.LastName === 'Evans' && row.AccountId !== null)!;
  const accounts = database.tables.get('Account')!.source;
  assert.equal(accounts.row(accounts.find(String(nested.AccountId))).Name, 'SampleAccount');
  assert.deepEqual(dangling(database), []);
  for (const { describe } of database.tables.values()) {
    const names = describe.fields.map((field) => field.name.toLowerCase());
    assert.equal(new Set(names).size, names.length, describe.name);
  }
  const read = Object.fromEntries(loaded.map((object) => [object.object, object]));
  assert.equal(read.Property__c!.read, 12);
  assert.equal(read.Property__c!.describe, 'derived');
  assert.equal(read.Contact!.describe, 'sample');
  assert.ok(read.Market__c!.files.includes('easy-spaces-lwc/data/Market_Data.csv'));
  assert.ok(skipped.some(({ file, reason }) => file.endsWith('UTF32BE.csv') && reason === 'UTF-32, or not text'));
});

test('a recorded describe is not widened for a data set: what does not fit is named', async () => {
  await using folder = await folderOf({
    'Thing__c.json': JSON.stringify({
      name: 'Thing__c',
      label: 'Thing',
      keyPrefix: 'a42',
      queryable: true,
      fields: [
        { name: 'Id', type: 'id' },
        { name: 'Name', type: 'string', length: 80 },
        { name: 'Size__c', type: 'double' },
      ],
    }),
    'things.json': JSON.stringify({
      records: [
        { attributes: { type: 'Thing__c', referenceId: 'a' }, name: 'first', Size__c: '12.5', Colour__c: 'red' },
        { attributes: { type: 'Thing__c', referenceId: 'b' }, Name: '@nobody', Size__c: 'large' },
      ],
    }),
    'broken.json': '{',
    'notes.md': '# no data',
  });
  const { database, skipped } = await loadDatabase({ describes: folder.path, datasets: folder.path, rows: 0 });
  assert.deepEqual(
    [...rowsOf(database, 'Thing__c')].map(({ Name, Size__c }) => [Name, Size__c]),
    [
      ['first', 12.5],
      ['@nobody', null],
    ],
  );
  const reasons = skipped.map(({ file, reason }) => `${file}: ${reason}`);
  assert.ok(reasons.includes('things.json: Thing__c.Colour__c: the recorded describe has no such field'));
  assert.ok(reasons.includes('things.json: Thing__c.Size__c: a value is not of type double'));
  assert.ok(reasons.includes('broken.json: not valid JSON'));
  assert.ok(reasons.includes('notes.md: not a plan, a file of records or a CSV'));
});

test('a CSV of an unknown object becomes an object, its columns get the types of their values', async () => {
  await using folder = await folderOf({
    'Weather Stations.csv':
      '\ufeffName;Height;Opened;Seen At;Active;Remark\r\nSäntis;2501.5;1882-09-01;2026-01-02T03:04:05+01:00;true;"a ""b""\nc"\r\n',
  });
  const { database, loaded } = await loadDatabase({ datasets: folder.path });
  assert.equal(loaded[0]!.object, 'Weather_Stations__c');
  const [row] = [...rowsOf(database, 'Weather_Stations__c')];
  const { Name, Height__c, Opened__c, Seen_At__c, Active__c, Remark__c } = row!;
  assert.deepEqual(
    { Name, Height__c, Opened__c, Seen_At__c, Active__c, Remark__c },
    {
      Name: 'Säntis',
      Height__c: 2501.5,
      Opened__c: '1882-09-01',
      Seen_At__c: '2026-01-02T02:04:05.000Z',
      Active__c: true,
      Remark__c: 'a "b"\nc',
    },
  );
});
