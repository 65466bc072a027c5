import assert from 'node:assert/strict';
import { fuzz } from '../fuzz/fuzz.ts';
import { mutations } from '../fuzz/mutate.ts';
import { parsers } from '../fuzz/parsers.ts';
import type { Torment } from './torment.ts';

/** Long enough to leave the corpus behind, and short enough that a finding is named soon. */
const milliseconds = 30_000;

/** Whatever reads bytes of others, fed with mutated ones; what it chokes on is kept in the corpus, and its test has the short form. */
export const fuzzing: readonly Torment[] = parsers.map((parser) => ({
  name: `fuzz-${parser}`,
  figure: `bytes that nobody wrote, led by what they reach, half a minute a case: ${parser}`,
  faults: Object.keys(mutations),
  short: 0,
  async prepare() {
    return {
      async run(number, struck) {
        const { findings, mutations: used } = await fuzz(parser, { seed: number, milliseconds });
        assert.deepEqual(findings, []);
        for (const [mutation, times] of Object.entries(used)) struck(mutation, times);
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
}));
