import assert from 'node:assert/strict';
import { test } from 'node:test';
import { torture } from './torment.ts';
import { torments } from './torments.ts';

/** The short form of each torment; `npm run torture` runs the long one. */
for (const torment of torments.filter(({ short }) => short > 0)) {
  test(`${torment.name}: nothing is violated, and every fault of the menu struck`, { timeout: 300_000 }, async () => {
    const { violations, missed } = await torture(torment, { seed: 0, cases: torment.short });
    assert.deepEqual(
      violations.map(({ number, what }) => `case ${number}: ${what}`),
      [],
    );
    assert.deepEqual(missed, []);
  });
}
