import type { Step } from './entries.ts';
import type { ObjectWork, Work } from './work.ts';

/** The first slices of an object are small: what fails for all rows fails for few. */
const canary = [1, 10, 200];

/** How many rows of the object may be sent at once in this step, when so many were `sent` before. */
export function canaryRows(work: Work, o: ObjectWork, step: Step, sent = sentSoFar(work, o, step)): number {
  const first = work.options.slices?.first ?? canary;
  let before = 0;
  for (const rows of first) {
    if (sent < before + rows) return rows;
    before += rows;
  }
  return Number.POSITIVE_INFINITY;
}

/** Rows of the object that have been sent in this step. */
export function sentSoFar(work: Work, { object }: ObjectWork, step: Step): number {
  return work.state.sent.get(`${object} ${step}`) ?? 0;
}
