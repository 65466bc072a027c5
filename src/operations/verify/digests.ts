import { Fault, isFault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import { digestIn, readme } from '../../vault/layout.ts';
import { sha256 } from '../../vault/signed.ts';
import { counted, type Ladder, objectsFigure } from './ladder.ts';
import type { Listing } from './listing.ts';
import type { Reach } from './reach.ts';
import { parallelReads, type StoredObjects } from './stored.ts';

/** The rung `digests`: what of the point was not read by now is read, and everything is counted. */
export async function verifyDigests(stored: StoredObjects, reach: Reach, ladder: Ladder): Promise<void> {
  const left = [...reach.refs.values()].filter((ref) => stored.outcome(ref) === undefined && stored.sampled(ref.key));
  const read = inOrder(left, parallelReads, async (ref) => {
    try {
      await stored.read(ref);
    } catch (error) {
      if (!stored.withheld(ref.key)) ladder.blame(error, ref.key);
    }
  });
  for await (const _ of read) stored.signal.throwIfAborted();
  let objects = 0;
  let bytes = 0;
  let withheld = 0;
  for (const ref of reach.refs.values()) {
    const outcome = stored.outcome(ref);
    if (outcome === undefined) {
      if (stored.withheld(ref.key)) withheld += 1;
      continue;
    }
    objects += 1;
    bytes += ref.size;
    // Read for another point, or by a part of the ladder that could not go on for another reason.
    if (outcome instanceof Fault) ladder.blame(outcome, ref.key);
  }
  const figure = [objectsFigure(objects, bytes)];
  if (objects + withheld < reach.refs.size) figure.push(`sampled of ${counted(reach.refs.size, 'object')}`);
  if (withheld > 0) figure.push(`not ${counted(withheld, 'object')} that this host may not read`);
  ladder.rung('digests')!.figure = figure.join(', ');
}

/**
 * Objects that nothing signed leads to: leftovers of unfinished runs and what others put there. Those with a digest in their name must
 * match it. Returns all their keys, ascending.
 */
export async function verifyLeftovers(
  stored: StoredObjects,
  listed: Listing,
  covered: (key: string) => boolean,
  ladder: Ladder,
): Promise<string[]> {
  const leftovers = [...listed.keys()].filter((key) => !covered(key)).sort();
  const named = leftovers.filter((key) => digestIn(key) !== undefined && stored.sampled(key));
  const hashed = inOrder(named, parallelReads, async (key) => {
    try {
      const digest = sha256(await stored.bytes(key));
      return { key, whole: digest === digestIn(key) };
    } catch (error) {
      // Another run may have taken away what was its own.
      if (isFault(error, 'object-missing') || stored.withheld(key)) return { key, whole: true };
      throw error;
    }
  });
  for await (const { key, whole } of hashed) {
    stored.signal.throwIfAborted();
    if (!whole) ladder.problem('digests', key, `${key} does not have the digest that its name says`);
  }
  const unreached = leftovers.filter((key) => key !== readme).length;
  if (unreached > 0)
    ladder.rung('digests')!.figure += `; ${counted(unreached, 'object')} beside them, which no point needs`;
  return leftovers;
}
