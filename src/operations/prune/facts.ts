import { pointRoots } from '../../vault/layout.ts';
import { isPinned } from '../../vault/retention.ts';
import type { Vault } from '../../vault/vault.ts';
import { notChosen } from '../backup/select.ts';
import { listPoints, type PointListed } from '../points.ts';
import type { PointFacts } from './decide.ts';

/** The points in use, oldest first, as the rules see them. Throws as `listPoints` does. */
export async function pointFacts(vault: Vault, now: Date): Promise<PointFacts[]> {
  const { retention } = await vault.state();
  const held = new Map<string, Pick<PointFacts, 'objects' | 'leftOut'>>();
  const sets = new Map<string, ReadonlySet<string>>();
  const { points, problems } = await listPoints(vault, now, undefined, (root) => {
    const objects = root.objects.filter(({ complete }) => complete);
    const leftOut = root.notCovered.filter(({ reason }) => notChosen.has(reason));
    held.set(root.point, { objects: oneSet(sets, objects), leftOut: oneSet(sets, leftOut) });
  });
  const closed = new Set(problems.filter(({ name }) => name === 'wrong-identity').map(({ data }) => data.key));
  const status = (point: PointListed): PointFacts['status'] => {
    if (point.unreadable !== undefined)
      return pointRoots(point.id).some((key) => closed.has(key)) ? 'closed' : 'unreadable';
    return point.status === 'complete' ? 'complete' : 'partial';
  };
  return points
    .filter(({ retired }) => retired === null)
    .map((point) => ({
      id: point.id,
      ended: point.ended,
      status: status(point),
      suspect: point.suspect && !retention.acknowledged.has(point.id),
      acknowledged: point.suspect && retention.acknowledged.has(point.id),
      quarantined: point.quarantined,
      coverage: point.coverage,
      ...(held.get(point.id) ?? { objects: none, leftOut: none }),
      orgId: point.orgId,
      verified: point.verified?.ok === true && !point.verified.sample && point.verified.rung !== 'none',
      pinned: isPinned(retention, point.id, now),
    }))
    .reverse();
}

const none: ReadonlySet<string> = new Set();

/** Most points hold the same objects: they share one set of their names. */
function oneSet(
  sets: Map<string, ReadonlySet<string>>,
  of: readonly { readonly object: string }[],
): ReadonlySet<string> {
  const names = of.map(({ object }) => object).sort();
  const text = names.join(' ');
  const known = sets.get(text) ?? new Set(names);
  sets.set(text, known);
  return known;
}
