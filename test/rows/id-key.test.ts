import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Keys } from '../../src/rows/cells.ts';
import { encodeRows } from '../../src/rows/csv.ts';
import { idParts, putIdKey } from '../../src/rows/id-key.ts';

/** The numbers of an Id, and whether they tell it from all others. */
function keyOf(id: string, columns = ['Id', 'Name']): { numbers: number[]; exact: boolean } {
  const row = columns.map((column) => (column === 'Id' ? id : 'x'));
  const numbers = new Float64Array(idParts);
  const exact = putIdKey(new Keys(columns), encodeRows([row]), 0, numbers, 0);
  return { numbers: [...numbers], exact };
}

function order(a: readonly number[], b: readonly number[]): number {
  const part = a.findIndex((number, i) => number !== b[i]);
  return part < 0 ? 0 : Math.sign(a[part]! - b[part]!);
}

test('the numbers of an Id are its bytes, six in each', () => {
  const { numbers, exact } = keyOf('001Kj00000abcdeAAA');
  assert.deepEqual(
    numbers.map((number) => Buffer.from(number.toString(16), 'hex').toString()),
    ['001Kj0', '0000ab', 'cdeAAA'],
  );
  assert.equal(exact, true);
});

test('an Id has the same numbers in whichever column it stands', () => {
  for (const id of ['001Kj00000abcdeAAA', '001Kj00000abcde', '']) {
    assert.deepEqual(keyOf(id, ['Name', 'Id']), keyOf(id));
  }
});

test('Ids sort as their numbers do; equal numbers of different Ids say that they are not exact', () => {
  const text = fc.string({ unit: fc.constantFrom('0', '1', 'A', 'a', '"', '\0', ','), minLength: 1, maxLength: 22 });
  const pair = fc.oneof(
    fc.tuple(text, text),
    text.map((id) => [id, `${id}0`] as const),
    text.map((id) => [id, `${id}\0`] as const),
  );
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const [one, other] = [keyOf(a), keyOf(b)];
      const byNumbers = order(one.numbers, other.numbers);
      if (byNumbers !== 0) assert.equal(byNumbers, a < b ? -1 : 1);
      else assert.ok(a === b || !one.exact || !other.exact, `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
    }),
    { numRuns: 2000 },
  );
});
