import { test } from 'node:test';
import { chainOfPoints } from '../support/chain.ts';

const runs = Number(process.env.SALVOR_CHAIN_RUNS ?? 4);
const first = Number(process.env.SALVOR_CHAIN_SEED ?? 1);

/** `npm run torture -- chains` makes many. */
for (let seed = first; seed < first + runs; seed++)
  test(`a chain of 30 points says what a full read says (seed ${seed})`, () => chainOfPoints(seed));
