import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeRows } from '../../src/rows/csv.ts';
import { RowReader } from '../../src/rows/row-reader.ts';

const columns = ['Id', 'Name', 'Note'];
const row = fc.array(fc.string({ unit: 'grapheme', maxLength: 80 }), { minLength: 3, maxLength: 3 });

test('each cell of each row is read as it was written, by its field, again and in any order', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      let n = 0;
      for (const { cell } of new RowReader(columns).rows(encodeRows(rows))) {
        for (const name of ['Note', 'Id', 'Note', 'Name']) assert.equal(cell(name), rows[n]![columns.indexOf(name)]);
        n += 1;
      }
      assert.equal(n, rows.length);
    }),
  );
});

test('fields that were not to be asked for, and those that the rows do not have, are empty', () => {
  const batch = encodeRows([
    ['003000000000001AAA', 'Ann', 'x "y"'],
    ['003000000000002AAA', '', ''],
  ]);
  const read: string[][] = [];
  for (const { id, cell } of new RowReader(columns, ['Note', 'Fax']).rows(batch)) {
    read.push([id, cell('Name'), cell('Note'), cell('Fax')]);
  }
  assert.deepEqual(read, [
    ['003000000000001AAA', '', 'x "y"', ''],
    ['003000000000002AAA', '', '', ''],
  ]);
});
