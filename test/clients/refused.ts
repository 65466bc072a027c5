/** Between a call and the reason, in the title of a test. */
export const refusedMark = ' is refused: ';

/**
 * The title of a test that shows that a call does not work, and in which way. A test whose title begins with `sf`, `jsforce` or
 * `salvor` is a call that works, unless its title is made here.
 */
export function refused(call: string, why: string): string {
  return `${call}${refusedMark}${why}`;
}
