import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Change, compareRows } from '../../../src/operations/diff/compare.ts';
import type { RowFlow } from '../../../src/rows/batch.ts';
import { encodeRows } from '../../../src/rows/csv.ts';
import type { FieldDescribe } from '../../../src/schema/describe.ts';

const fields = [
  { name: 'Name', type: 'string' },
  { name: 'Amount', type: 'currency' },
] as unknown as FieldDescribe[];
const columns = ['Id', 'Name', 'Amount', 'LastModifiedDate'];

type Rows = ReadonlyMap<string, readonly [name: string, amount: string, stamp: string]>;

/** Rows in batches of some size, ascending by Id. */
function flow(rows: Rows, size: number): RowFlow {
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, cells]) => [id, ...cells]);
  return {
    columns,
    batches: (async function* () {
      for (let at = 0; at < sorted.length; at += size) yield encodeRows(sorted.slice(at, at + size));
    })(),
  };
}

async function changes(from: Rows, to: Rows, size = 3): Promise<[string, Change, string[]][]> {
  const found: [string, Change, string[]][] = [];
  await compareRows(flow(from, size), flow(to, size), fields, 1, ({ id, change, fields: differing }) => {
    found.push([id, change, differing.map((n) => fields[n]!.name)]);
  });
  return found;
}

const idOf = (n: number) => `001${String(n).padStart(12, '0')}AAA`;
const row = fc.tuple(fc.constantFrom('a', 'A', ''), fc.constantFrom('1', '1.0', '2', ''), fc.constantFrom('s', 't'));
const rows = fc
  .uniqueArray(fc.tuple(fc.nat(40), row), { selector: ([n]) => n, maxLength: 25 })
  .map((list): Rows => new Map(list.map(([n, cells]) => [idOf(n), cells])));

test('every row that stands on one side only, or has another value in a compared field, is told once, by Id', async () => {
  await fc.assert(
    fc.asyncProperty(rows, rows, fc.integer({ min: 1, max: 7 }), async (from, to, size) => {
      const expected: [string, Change, string[]][] = [];
      for (const id of [...new Set([...from.keys(), ...to.keys()])].sort()) {
        const [a, b] = [from.get(id), to.get(id)];
        if (!a) expected.push([id, 'added', []]);
        else if (!b) expected.push([id, 'deleted', []]);
        else {
          const amount = (text: string) => (text === '' ? text : Number(text));
          const differing = [...(a[0] === b[0] ? [] : ['Name']), ...(amount(a[1]) === amount(b[1]) ? [] : ['Amount'])];
          if (differing.length > 0) expected.push([id, 'changed', differing]);
        }
      }
      assert.deepEqual(await changes(from, to, size), expected);
    }),
  );
});

test('both flows are closed when the receiver throws', async () => {
  let closed = 0;
  const endless = (): RowFlow => ({
    columns,
    batches: (async function* () {
      try {
        for (let n = 0; ; n++) yield encodeRows([[idOf(n), String(Math.random()), '', '']]);
      } finally {
        closed++;
      }
    })(),
  });
  const broken = compareRows(endless(), endless(), fields, 1, () => {
    throw new Error('enough');
  });
  await assert.rejects(broken, /enough/);
  assert.equal(closed, 2);
});
