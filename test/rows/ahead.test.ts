import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ahead } from '../../src/rows/ahead.ts';

async function* counting(made: number[], fails = Number.POSITIVE_INFINITY): AsyncGenerator<number> {
  try {
    for (let n = 1; n <= 3; n++) {
      if (n === fails) throw new Error(`no ${n}`);
      made.push(n);
      yield n;
    }
  } finally {
    made.push(0);
  }
}

test('the next item is made when that is asked for, and no other', async () => {
  const made: number[] = [];
  const items = new Ahead(counting(made));
  const seen: string[] = [];
  for await (const item of items) {
    seen.push(`${item}: ${made.join()}`);
    if (item > 1) continue;
    items.prepare();
    items.prepare();
    await new Promise(setImmediate);
    seen.push(`${item}: ${made.join()}`);
  }
  assert.deepEqual(seen, ['1: 1', '1: 1,2', '2: 1,2', '3: 1,2,3']);
});

test('an error of an item that was made ready comes when its turn has come', async () => {
  const items = new Ahead(counting([], 2));
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const item of items) {
      items.prepare();
      await new Promise(setImmediate);
      seen.push(item);
    }
  }, /no 2/);
  assert.deepEqual(seen, [1]);
});

test('whoever leaves early ends the source', async () => {
  const made: number[] = [];
  const items = new Ahead(counting(made));
  for await (const _ of items) {
    items.prepare();
    break;
  }
  assert.deepEqual(made, [1, 2, 0]);
});
