import { isDamage, isFault } from '../../errors.ts';
import { longId } from '../../schema/ids.ts';
import type { LogEntry } from '../../vault/log.ts';
import type { Root } from '../../vault/manifest.ts';
import type { Vault } from '../../vault/vault.ts';
import { isRead, mostPoints } from './alerts.ts';

/** So many points are looked at for objects that the newest ones do not hold, and those that these name as holding the rest. */
export const mostRoots = 16;

/** Undefined: it is damaged or missing, or for another writer key. Throws what the store does. */
export async function readableRoot(vault: Vault, entry: LogEntry): Promise<Root | undefined> {
  try {
    return await vault.root(entry);
  } catch (error) {
    if (isDamage(error) || isFault(error, 'wrong-identity')) return undefined;
    throw error;
  }
}

/**
 * Roots of this org's points, newest first, that a new point is held against: as far back as it takes to find each of `objects`, or, for
 * `outliers`, as many as those are judged by. What was put in quarantine or does not open is passed over.
 */
export async function earlierRoots(
  vault: Vault,
  orgId: string,
  objects: readonly string[],
  outliers: boolean,
): Promise<Root[]> {
  const { points, quarantined } = await vault.state();
  const wanted = new Set(objects);
  const roots: Root[] = [];
  let looked = 0;
  const rest = new Set<string>();
  for (const entry of points.toReversed()) {
    const point = entry.record.point!;
    if (roots.length > 0 && wanted.size === 0 && (!outliers || looked >= mostPoints)) break;
    if (quarantined.has(point) || (looked >= (outliers ? mostPoints : mostRoots) && !rest.has(point))) continue;
    looked += 1;
    const root = await readableRoot(vault, entry);
    if (!root || longId(root.org.id) !== longId(orgId)) continue;
    roots.push(root);
    for (const earlier of root.rest ?? []) rest.add(earlier.point);
    for (const object of root.objects) if (isRead(object)) wanted.delete(object.object);
  }
  return roots;
}
