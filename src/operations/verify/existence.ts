import { type Ladder, objectsFigure } from './ladder.ts';
import type { Listing } from './listing.ts';
import type { Reach } from './reach.ts';

/** The rung `existence`: everything that the point reaches was listed, with its size. */
export function verifyExistence(reach: Reach, listed: Listing, ladder: Ladder): void {
  let bytes = 0;
  for (const { key, size } of reach.refs.values()) {
    const found = listed.get(key);
    if (found === undefined) ladder.problem('existence', key, `${key} is not in the vault`);
    else if (found !== size) ladder.problem('existence', key, `${key} has ${found} bytes, ${size} were written`);
    bytes += size;
  }
  ladder.rung('existence')!.figure = objectsFigure(reach.refs.size, bytes);
}
