import type { Step } from './entries.ts';
import type { ObjectWork, Work } from './work.ts';

/** The first slices of an object are small: what fails for all rows fails for few. */
const canary = [1, 10, 200];

/** How many rows of the object may be sent at once in this step. */
export function canaryRows(work: Work, { object }: ObjectWork, step: Step): number {
  const first = work.options.slices?.first ?? canary;
  const sent = work.state.sent.get(`${object} ${step}`) ?? 0;
  let before = 0;
  for (const rows of first) {
    if (sent < before + rows) return rows;
    before += rows;
  }
  return Number.POSITIVE_INFINITY;
}
