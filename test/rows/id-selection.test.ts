import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdSelection } from '../../src/rows/id-selection.ts';
import { IdTable } from '../../src/rows/id-table.ts';
import { longId } from '../../src/schema/ids.ts';

const id = fc.integer({ min: 0, max: 500 }).map((n) => longId(`001${String(n).padStart(11, '0')}x`));

test('a selection is the set of the Ids that were chosen, in whatever order they stand in the table', () => {
  fc.assert(
    fc.property(fc.uniqueArray(id), fc.array(fc.boolean()), fc.boolean(), fc.array(id), (all, choice, sort, asked) => {
      const ids = sort ? all.toSorted() : all;
      const table = IdTable.of(ids);
      const numbers = ids.map((_, n) => n).filter((n) => choice[n % Math.max(1, choice.length)] === true);
      const chosen = new Set(numbers.map((n) => ids[n]!));
      const selection = new IdSelection(table, Uint32Array.from(numbers));
      assert.equal(selection.size, chosen.size);
      assert.equal(selection.end, ids.length);
      assert.deepEqual([...selection], [...chosen]);
      assert.deepEqual([...selection.sorted()], [...chosen].sort());
      for (const one of [...asked, ...ids]) {
        assert.equal(selection.has(Buffer.from(`"${one}"`), 1), chosen.has(one));
        assert.equal(selection.number(one), chosen.has(one) ? ids.indexOf(one) : -1);
      }
    }),
  );
});
