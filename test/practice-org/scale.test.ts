import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineMaker } from '../../src/practice-org/bulk/csv.ts';
import type { Database, Table } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';

const scale = { Account: 1_000_000, Contact: 300_000, Opportunity: 50_000, Invoice__c: 20_000, Payment__c: 20_000 };
const database: Database = sampleDatabase({ scale });
const table = (name: string): Table => database.tables.get(name)!;

function storedFields(name: string): { name: string; type: string }[] {
  return table(name).describe.fields.filter((field) => !['address', 'location', 'base64'].includes(field.type));
}

/** The slow path: each row by itself, written by the code that serves Bulk results. */
function slowly(name: string, fields: readonly { name: string; type: string }[], numbers: Iterable<number>): string {
  const operands = fields.map((field) => ({
    type: field.type,
    get: (row: Record<string, unknown>) => row[field.name] ?? null,
  }));
  const line = lineMaker(operands as never, { delimiter: ',', lineEnding: '\n', scientific: true });
  let text = '';
  for (const number of numbers) text += line(table(name).source.row(number));
  return text;
}

function* range(from: number, to: number): Generator<number> {
  for (let number = from; number < to; number++) yield number;
}

for (const name of Object.keys(scale)) {
  test(`the fast path of ${name} writes what the rows say, cell by cell`, () => {
    const fields = storedFields(name);
    const size = table(name).source.size;
    for (const [from, to] of [
      [0, 300],
      [8100, 8300],
      [size - 8300, size - 8000],
      [size - 20, size],
    ] as const) {
      const fast = table(name).source.csv!(
        fields.map((field) => field.name),
        from,
        to,
      );
      assert.ok(fast, 'no fast path');
      const lines = (text: string) => text.split('"\n"');
      assert.deepEqual(lines(fast.toString()), lines(slowly(name, fields, range(from, to))));
    }
  });
}

test('fields come in the order asked for, and none without a fast path is given', () => {
  const { csv } = table('Account').source;
  const fields = [
    { name: 'SystemModstamp', type: 'datetime' },
    { name: 'Id', type: 'id' },
  ];
  assert.equal(csv!(['SystemModstamp', 'Id'], 77, 79)?.toString(), slowly('Account', fields, [77, 78]));
  assert.equal(csv!(['Id', 'BillingAddress'], 0, 1), undefined);
  assert.equal(csv!(['Id', 'Nothing__c'], 0, 1), undefined);
  assert.equal(
    csv!(['Id'], 999_999, 1_000_000)?.toString(),
    slowly('Account', [{ name: 'Id', type: 'id' }], [999_999]),
  );
});

test('a large object has an Id, a name and a key of its own for every row', () => {
  const { source } = table('Account');
  const ids = new Set<unknown>();
  const keys = new Set<unknown>();
  for (let number = 0; number < source.size; number += 997) {
    const row = source.row(number);
    assert.equal(source.find(String(row.Id)), number);
    ids.add(row.Id);
    keys.add(row.External_Key__c);
  }
  assert.equal(ids.size, Math.ceil(source.size / 997));
  assert.equal(keys.size, ids.size);
  assert.equal(source.find('0015e00007ZZZZZZZZ'), -1);
});

test('lookups of a large object point at rows that exist and live, and parents never close a circle', () => {
  for (const name of Object.keys(scale)) {
    const { source, describe } = table(name);
    for (let number = 0; number < source.size; number += 1009) {
      const row = source.row(number);
      for (const field of describe.fields.filter((each) => each.type === 'reference')) {
        const id = row[field.name];
        if (id === null || id === undefined) continue;
        const target = [...database.tables.values()].find(
          (each) => each.describe.keyPrefix === String(id).slice(0, 3),
        )!;
        const at = target.source.find(String(id));
        assert.ok(at >= 0, `${name}.${field.name} of row ${number}`);
        assert.notEqual(target.source.row(at).IsDeleted, true);
        if (target === table(name)) assert.ok(at < number);
      }
    }
  }
});

test('a large object starts without computing its rows', () => {
  const { source } = sampleDatabase({ scale: { Task: 50_000_000 } }).tables.get('Task')!;
  assert.equal(source.size, 50_000_000);
  assert.equal(source.find(String(source.row(49_999_999).Id)), 49_999_999);
});

test('names of objects to scale are matched without regard to case', () => {
  assert.equal(sampleDatabase({ scale: { account: 20_000 } }).tables.get('Account')!.source.size, 20_000);
});
