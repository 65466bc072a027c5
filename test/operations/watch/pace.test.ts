import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../../src/operations/watch/pace.ts';

const minute = 60_000;

test('points begin as far apart as asked for while the budget allows it', () => {
  const pace = new Pace({ everyMs: 5 * minute, budgetPercent: 20 });
  assert.equal(pace.interval, 5 * minute);
  pace.spent(69, 100_000);
  assert.equal(pace.interval, 5 * minute, '288 points of 69 calls are 19.9 % of the day');
  pace.spent(69, undefined);
  assert.equal(pace.interval, 5 * minute, 'an answer without the limit changes nothing');
});

test('points begin further apart when a day of them would pass the budget', () => {
  const pace = new Pace({ everyMs: minute, budgetPercent: 10 });
  pace.spent(100, 15_000);
  // 1,500 calls a day are 15 points of 100 calls: one in 96 minutes.
  assert.equal(pace.interval, 96 * minute);
});

test('a dear point is paid for by those that follow, and forgotten', () => {
  const pace = new Pace({ everyMs: minute, budgetPercent: 100 });
  for (let i = 0; i < 11; i++) pace.spent(10, 14_400);
  assert.equal(pace.interval, minute);
  pace.spent(250, 14_400);
  assert.equal(pace.interval, 3 * minute);
  for (let i = 0; i < 12; i++) pace.spent(10, 14_400);
  assert.equal(pace.interval, minute);
});
