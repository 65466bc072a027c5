import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdSet } from '../../src/rows/id-set.ts';

function id(n: number, prefix = '001'): Buffer {
  return Buffer.from(`${prefix}${String(n).padStart(12, '0')}AAA`);
}

test('a set of Ids knows those that were added and no others, over the borders of its chunks', () => {
  const set = new IdSet();
  for (let n = 0; n < 200_000; n++) set.add(id(2 * n));
  assert.equal(set.size, 200_000);
  for (const n of [0, 1, 63, 64, 65_535, 65_536, 65_537, 131_071, 131_072, 199_999]) {
    assert.equal(set.has(id(2 * n)), true, `${2 * n}`);
    assert.equal(set.has(id(2 * n + 1)), false, `${2 * n + 1}`);
  }
  assert.equal(set.has(id(0, '000')), false);
  assert.equal(set.has(id(0, '00Q')), false);
});

test('an empty set has nothing', () => {
  assert.equal(new IdSet().has(id(1)), false);
});

test('Ids of 15 and of 18 characters are the same, wherever they stand in a buffer', () => {
  const set = new IdSet();
  set.add(Buffer.from('"001000000000001AAA"'), 1);
  assert.equal(set.has(Buffer.from('001000000000001')), true);
  assert.equal(set.has(Buffer.from('"x","001000000000001AAA"'), 5), true);
  assert.equal(set.has(Buffer.from('00100000000000aAAA')), false);
});

test('Ids whose case differs are different', () => {
  const set = new IdSet();
  set.add(Buffer.from('0010000000000Ab'));
  assert.equal(set.has(Buffer.from('0010000000000aB')), false);
});

test('stretches may come in any order, overlap and repeat Ids', () => {
  const set = new IdSet();
  const expected = new Set<number>();
  for (const [from, step] of [
    [5000, 3],
    [1000, 2],
    [1000, 5],
    [0, 1],
    [9000, 7],
  ] as const) {
    for (let n = from; n < from + 1000; n += step) {
      set.add(id(n));
      expected.add(n);
    }
  }
  for (let n = 0; n < 11_000; n++) assert.equal(set.has(id(n)), expected.has(n), `${n}`);
});

test('an Id may be added after a look-up', () => {
  const set = new IdSet();
  set.add(id(1));
  assert.equal(set.has(id(2)), false);
  set.add(id(2));
  assert.equal(set.has(id(2)), true);
});
