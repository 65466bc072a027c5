import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cells } from '../../src/rows/cells.ts';
import { encodeRows } from '../../src/rows/csv.ts';
import { keepRows } from '../../src/rows/keep.ts';
import { keepColumns, projection } from '../../src/rows/project.ts';

const row = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 3, maxLength: 3 });
const table = fc.array(row, { maxLength: 20 });
const rowsOf = (batch: ReturnType<typeof encodeRows>) => Array.from(batch.ends, (_, i) => cells(batch, i));

test('the kept rows of a batch are those that were asked for, and each is asked about once', () => {
  fc.assert(
    fc.property(table, fc.infiniteStream(fc.boolean()), (rows, stream) => {
      const answers = rows.map(() => stream.next().value as boolean);
      const asked: number[] = [];
      const kept = keepRows(encodeRows(rows), (n) => {
        asked.push(n);
        return answers[n]!;
      });
      assert.deepEqual(
        rowsOf(kept),
        rows.filter((_, n) => answers[n]),
      );
      assert.deepEqual(asked, [...rows.keys()]);
    }),
  );
});

test('columns are taken in any order, twice, and as empty cells where there are none', () => {
  const names = ['Id', 'Name', 'Phone'];
  const wanted = fc.array(fc.constantFrom('id', 'Name', 'Phone', 'Fax'), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(table, wanted, (rows, to) => {
      const batch = encodeRows(rows);
      const expected = rows.map((cells) =>
        to.map((name) => cells[names.findIndex((one) => one.toLowerCase() === name.toLowerCase())] ?? ''),
      );
      assert.deepEqual(rowsOf(projection(names, to)(batch)), rowsOf(encodeRows(expected)));
      assert.deepEqual(rowsOf(batch), rowsOf(encodeRows(rows)));
    }),
  );
});

test('columns are dropped from a batch in the memory that it is in', () => {
  fc.assert(
    fc.property(table, fc.subarray([0, 1, 2], { minLength: 1 }), (rows, kept) => {
      const names = ['a', 'b', 'c'];
      const keep = keepColumns(
        names,
        kept.map((at) => names[at]!),
      );
      const expected = rows.map((cells) => kept.map((at) => cells[at]!));
      assert.deepEqual(rowsOf(keep(encodeRows(rows))), expected);
    }),
  );
});
