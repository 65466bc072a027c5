import type { Root } from '../../vault/manifest.ts';
import { unseen, whyNotChosen } from '../backup/select.ts';

/**
 * Why a point holds nothing of an object that need not be missing in the org: the point names it as not covered, or its policy takes in no object
 * of that name. Undefined: nothing says that it was left out.
 */
export function leftOutOf({ point, policy, notCovered }: Root, object: string): string | undefined {
  const named = notCovered.find(
    (one) => one.object.toLowerCase() === object.toLowerCase() && one.field === undefined && one.where === undefined,
  );
  const { reason, owner } = named ?? whyNotChosen(object, policy) ?? {};
  if (reason === undefined) return undefined;
  return `point ${point} leaves it out: ${reason}${owner === undefined ? '' : ` (${owner})`}`;
}

/**
 * The same of an object that the org shows now: undefined as well where the point has nothing of it because nobody could read it, as of an
 * external object.
 */
export function leftOutOfOrg(root: Root, object: string): string | undefined {
  const wasUnseen = root.notCovered.some((one) => one.object === object && one.reason === unseen);
  return wasUnseen || whyNotChosen(object, root.policy) ? leftOutOf(root, object) : undefined;
}
