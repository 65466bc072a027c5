import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chain, seeded } from '../support/chain.ts';

const runs = Number(process.env.SALVOR_CHAIN_RUNS ?? 4);
const first = Number(process.env.SALVOR_CHAIN_SEED ?? 1);

for (let seed = first; seed < first + runs; seed++) {
  test(`a chain of 30 points says what a full read says (seed ${seed})`, async () => {
    await using chain = await Chain.start(seed);
    const pick = seeded(seed + 1000);
    assert.equal(await chain.backup(), 'full');
    for (let point = 1; point <= 30; point++) {
      for (let n = pick(6); n > 0; n--) await chain.work();
      chain.pass(pick(3) === 0 ? 3_600_000 : 60_000);
      await chain.backup();
      if (point % 6 === 0) assert.deepEqual(await chain.differences(), [], `point ${point}`);
    }
  });
}
