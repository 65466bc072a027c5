import { matchesAny } from '../../schema/pattern.ts';
import type { Chosen } from './select.ts';

/**
 * True where an exact count says by which way to read: the org keeps count of all rows, also of those that the policy leaves out, and of empty objects of
 * none. Of an org that keeps no count for this user no object is known to be small, and all that Bulk takes is read by Bulk.
 */
export function trustsCount({ describe, rowsOut }: Chosen, approximate: ReadonlyMap<string, number>): boolean {
  return rowsOut !== undefined || (approximate.size > 0 && !approximate.has(describe.name));
}

/** Objects that are read together; those of one queue one group after the other. */
export interface Phase {
  /** Objects of many rows, one by one. */
  readonly large: readonly Chosen[];
  /** The others, in groups that share their calls. */
  readonly groups: readonly (readonly Chosen[])[];
}

/** Objects expected to be larger than this are counted one by one and read beside one other at most. */
export const largeRows = 50_000;
/** Queries that one composite call may hold: small objects are counted in groups of this size. */
export const groupSize = 5;

/**
 * In which order objects are read, so that what matters is finished when a budget ends the run: first those that `priorities` name, in that order, then all
 * others. Of each phase the large ones, the largest first, are read beside the small ones, which come as the org lists them.
 */
export function readingOrder(
  objects: readonly Chosen[],
  expected: (chosen: Chosen) => number | undefined,
  priorities: readonly string[],
): Phase[] {
  const rankOf = ({ describe }: Chosen) => priorities.findIndex((pattern) => matchesAny(describe.name, [pattern]));
  const ranked = objects.map((chosen) => ({ chosen, rank: rankOf(chosen) }));
  const first = ranked.filter(({ rank }) => rank >= 0).sort((a, b) => a.rank - b.rank);
  const rest = ranked.filter(({ rank }) => rank < 0);
  return [first, rest]
    .filter((all) => all.length > 0)
    .map((all) => {
      const large = all.filter(({ chosen }) => (expected(chosen) ?? 0) > largeRows);
      const small = all.filter((one) => !large.includes(one)).map(({ chosen }) => chosen);
      large.sort((a, b) => a.rank - b.rank || expected(b.chosen)! - expected(a.chosen)!);
      const groups = Array.from({ length: Math.ceil(small.length / groupSize) }, (_, i) =>
        small.slice(i * groupSize, (i + 1) * groupSize),
      );
      return { large: large.map(({ chosen }) => chosen), groups };
    });
}
