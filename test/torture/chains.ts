import { chainOfPoints, workKinds } from '../support/chain.ts';
import type { Torment } from './torment.ts';

/** People work in the org between points, also in ways that move no stamp: each point says what a full read says. Case n is the chain of seed n + 1. */
export const chains: Torment = {
  name: 'chains',
  figure: 'chains of 30 points over random work, each against full reads',
  faults: workKinds,
  // A test of its own makes some, and more of them under CI.
  short: 0,
  share: 3,
  async prepare() {
    return {
      run: (number, struck) => chainOfPoints(number + 1, struck),
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};
