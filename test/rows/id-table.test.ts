import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdMap, IdTable } from '../../src/rows/id-table.ts';
import { longId } from '../../src/schema/ids.ts';

/** Ids that are close to each other, so that they repeat and differ in case only. */
const shortId = fc
  .tuple(fc.constantFrom('001', '00A', '00a', '005'), fc.integer({ min: 0, max: 60 }), fc.constantFrom('x', 'X'))
  .map(([prefix, n, end]) => `${prefix}${String(n).padStart(11, '0')}${end}`);
const anyId = fc
  .tuple(fc.oneof(shortId, fc.stringMatching(/^[0-9A-Za-z]{15}$/)), fc.boolean())
  .map(([id, long]) => (long ? longId(id) : id));

test('the suffix of an Id repeats the case of its letters', () => {
  assert.equal(longId('001D000000IqhSL'), '001D000000IqhSLIAZ');
  assert.equal(longId('001D000000IqhSLIAZ'), '001D000000IqhSLIAZ');
  assert.equal(longId('no Id'), 'no Id');
});

test('a table of Ids numbers them in the order of first adding, as a Map would', () => {
  fc.assert(
    fc.property(fc.array(anyId, { maxLength: 300 }), fc.array(anyId), (added, asked) => {
      const table = new IdTable();
      const numbers = new Map<string, number>();
      for (const id of added) {
        const key = longId(id);
        if (!numbers.has(key)) numbers.set(key, numbers.size);
        assert.equal(table.add(id), numbers.get(key));
      }
      assert.equal(table.size, numbers.size);
      for (const id of [...asked, ...added]) {
        assert.equal(table.number(id), numbers.get(longId(id)) ?? -1);
        assert.equal(table.has(Buffer.from(`"${id}"`), 1), numbers.has(longId(id)));
      }
      assert.deepEqual([...table], [...numbers.keys()]);
      assert.deepEqual([...table.sorted()], [...numbers.keys()].sort());
      for (const [id, number] of numbers) assert.equal(table.id(number), id);
    }),
  );
});

test('a table given Ids inside a Buffer is the table given the same Ids as texts', () => {
  fc.assert(
    fc.property(fc.array(anyId, { maxLength: 300 }), (ids) => {
      const row = Buffer.from(ids.map((id) => `"${longId(id)}"\n`).join(''));
      const table = new IdTable();
      for (const n of ids.keys()) table.add(row, n * 21 + 1);
      assert.deepEqual([...table], [...IdTable.of(ids)]);
    }),
  );
});

test('300,000 Ids in no order keep their numbers over all borders of memory', () => {
  const table = new IdTable();
  const id = (n: number) => `001${String((n * 7919) % 300_007).padStart(12, '0')}`;
  for (let n = 0; n < 300_000; n++) assert.equal(table.add(id(n)), n);
  for (let n = 0; n < 300_000; n += 997) assert.equal(table.number(id(n)), n);
  assert.equal(table.number('001000000999999'), -1);
  let last = '';
  for (const one of table.sorted()) {
    assert.ok(one > last);
    last = one;
  }
});

test('what is no Id cannot be added and is not found', () => {
  const table = IdTable.of(['001000000000001AAA']);
  for (const text of ['', '001', '001000000000001AA', 'ä01000000000001', '\u013001000000000001AAA'.slice(0, 15)]) {
    assert.throws(() => table.add(text), TypeError);
    assert.equal(table.number(text), -1);
  }
  assert.throws(() => table.id(1), RangeError);
});

test('a map of Ids holds the last Id that was set, as a Map would', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyId, anyId), { maxLength: 300 }), fc.array(anyId), (pairs, asked) => {
      const map = new IdMap();
      const model = new Map<string, string>();
      for (const [from, to] of pairs) {
        map.set(from, to);
        model.set(longId(from), longId(to));
      }
      assert.equal(map.size, model.size);
      assert.deepEqual([...map], [...model]);
      for (const id of asked) assert.equal(map.get(id), model.get(longId(id)));
    }),
  );
});

test('a pair that is refused leaves the map as it was', () => {
  const map = new IdMap();
  assert.throws(() => map.set('001000000000001', 'x'), TypeError);
  assert.equal(map.size, 0);
  map.set('001000000000002', '001000000000003');
  assert.equal(map.get('001000000000002AAA'), '001000000000003AAA');
});
