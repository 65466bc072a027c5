import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cells, Keys } from '../../src/rows/cells.ts';
import { encodeRows } from '../../src/rows/csv.ts';
import { mergeSorted } from '../../src/rows/merge.ts';

const id = (n: number) => `001${String(n).padStart(12, '0')}AAA`;

async function* flow(rows: readonly string[][], size: number) {
  yield encodeRows([]);
  for (let at = 0; at < rows.length; at += size) yield encodeRows(rows.slice(at, at + size));
}

test('flows in run order and their tombstones merge to what a plain map says', async () => {
  const ids = fc.uniqueArray(fc.nat(60), { maxLength: 40 }).map((list) => list.sort((a, b) => a - b));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(ids, fc.boolean()), { maxLength: 9 }),
      fc.integer({ min: 1, max: 7 }),
      async (runs, size) => {
        const state = new Map<string, string[]>();
        const flows = runs.map(([list, gone], run) => {
          const rows = list.map((n) => (gone ? ['who', id(n)] : [id(n), `from run ${run}`]));
          for (const row of rows) {
            if (gone) state.delete(row[1]!);
            else state.set(row[0]!, row);
          }
          return { keys: new Keys(gone ? ['By', 'Id'] : ['Id', 'Name']), gone, batches: flow(rows, size) };
        });
        const found: string[][] = [];
        for await (const batch of mergeSorted(flows, { batchBytes: 200 })) {
          for (const i of batch.ends.keys()) found.push(cells(batch, i));
        }
        assert.deepEqual(
          found,
          [...state.values()].sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
        );
      },
    ),
  );
});

test('a merge that is left early closes its flows', async () => {
  const closed: number[] = [];
  const flows = [0, 1].map((n) => ({
    keys: new Keys(['Id']),
    batches: (async function* () {
      try {
        for (let k = 0; ; k++) yield encodeRows([[id(2 * k + n)]]);
      } finally {
        closed.push(n);
      }
    })(),
  }));
  for await (const batch of mergeSorted(flows, { batchBytes: 100 })) {
    assert.ok(batch.ends.length > 1);
    break;
  }
  assert.deepEqual(closed, [0, 1]);
});

test('Ids that are longer than those of Salesforce, or end in a NUL, are told apart to their last letter', async () => {
  const long = (end: string) => `001000000000000AAA${end}`;
  const flows = [['', '\0', 'a', 'c'].map((end) => [long(end), 'old']), ['b', 'c'].map((end) => [long(end), 'new'])];
  const found: string[][] = [];
  const sorted = flows.map((rows) => ({ keys: new Keys(['Id', 'Name']), batches: flow(rows, 2) }));
  for await (const batch of mergeSorted(sorted)) for (const i of batch.ends.keys()) found.push(cells(batch, i));
  assert.deepEqual(found, [
    [long(''), 'old'],
    [long('\0'), 'old'],
    [long('a'), 'old'],
    [long('b'), 'new'],
    [long('c'), 'new'],
  ]);
});
