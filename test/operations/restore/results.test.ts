import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DigestMatcher, RowMatcher, resultReader } from '../../../src/operations/restore/apply/results.ts';
import { digestsOf } from '../../../src/operations/restore/apply/slice.ts';
import type { RowBatch } from '../../../src/rows/batch.ts';
import { encodeRows } from '../../../src/rows/csv.ts';

const columns = ['Name', 'Note'];
const added = ['sf__Id', 'sf__Created'];
/** Few values, so that rows are often equal. */
const value = fc.constantFrom('', 'a', 'b', 'c"d', 'é\nf');
const rows = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 60 });

function batchesOf(all: readonly (readonly string[])[]): RowBatch[] {
  const batches: RowBatch[] = [];
  for (let from = 0; from < all.length; from += 7) batches.push(encodeRows(all.slice(from, from + 7)));
  return batches;
}

const ways = {
  'by their bytes': (ids: string[], batches: RowBatch[]) => new RowMatcher(ids, batches),
  'by their digests': (ids: string[], batches: RowBatch[]) => new DigestMatcher(ids, digestsOf(batches)),
};

for (const [name, make] of Object.entries(ways)) {
  describe(`rows of results, found ${name}`, () => {
    test('in whatever order they come, each row is given out once', () => {
      fc.assert(
        fc.property(rows, fc.infiniteStream(fc.nat()), fc.nat(20), (all, random, lost) => {
          const ids = all.map((_, n) => String(n));
          const shuffled = ids.map((id) => [random.next().value, id] as const).sort(([a], [b]) => a - b);
          const order = shuffled.map(([, id]) => Number(id)).slice(lost);
          const matcher = make(ids, batchesOf(all));
          const found = new Set<string>();
          for (const n of order) {
            const { bytes } = encodeRows([all[n]!]);
            const id = matcher.take(bytes, 0, bytes.length);
            assert.ok(id !== undefined && !found.has(id));
            assert.deepEqual(all[Number(id)], all[n]);
            found.add(id);
          }
          assert.equal(matcher.left, all.length - order.length);
          assert.deepEqual([...matcher.rest()].sort(), ids.filter((id) => !found.has(id)).sort());
        }),
      );
    });

    test('thousands of rows that are the same take no longer than others', () => {
      const all = Array.from({ length: 20_000 }, () => ['same', '']);
      const matcher = make([...all.keys()].map(String), batchesOf(all));
      const { bytes } = encodeRows([['same', '']]);
      const found = new Set(all.map(() => matcher.take(bytes, 0, bytes.length)));
      assert.equal(found.size, all.length);
      assert.equal(matcher.left, 0);
    });

    test('a row that was not sent, or comes once too often, is found nowhere', () => {
      const matcher = make(['1'], batchesOf([['a', 'b']]));
      const { bytes } = encodeRows([['a', 'b']]);
      const other = encodeRows([['a', 'c']]).bytes;
      assert.equal(matcher.take(other, 0, other.length), undefined);
      assert.equal(matcher.take(bytes, 0, bytes.length), '1');
      assert.equal(matcher.take(bytes, 0, bytes.length), undefined);
    });
  });
}

test('what was uploaded is read from results whatever order their columns have', () => {
  const uploaded = encodeRows([['Ann', 'x "y"']]).bytes;
  for (const [names, cells] of [
    [
      [...added, ...columns],
      ['001', 'true', 'Ann', 'x "y"'],
    ],
    [
      ['Note', ...added, 'Name'],
      ['x "y"', '001', 'true', 'Ann'],
    ],
  ] as const) {
    for (const [number, expected] of ['001', 'true'].entries()) {
      const found = resultReader(names, columns, number)(encodeRows([cells]), 0);
      assert.equal(found.added, expected);
      assert.deepEqual(found.bytes.subarray(found.start, found.end), uploaded);
    }
  }
});
