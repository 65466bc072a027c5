import type { Root } from '../../vault/manifest.ts';
import { whyNotChosen } from '../backup/select.ts';

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
