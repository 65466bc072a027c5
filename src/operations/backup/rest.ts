import { longId } from '../../schema/ids.ts';
import type { LeftOut, Rest, Root } from '../../vault/manifest.ts';
import type { Vault } from '../../vault/vault.ts';
import { mostRoots, readableRoot } from './earlier-roots.ts';
import { notSelected } from './select.ts';

/** Objects that a point leaves out since it was asked for others. */
export function notSelectedOf(notCovered: readonly LeftOut[]): string[] {
  return notCovered.flatMap(({ object, field, reason }) =>
    reason === notSelected && field === undefined ? [object] : [],
  );
}

/**
 * Where the last state of `objects` is: for each the newest good point of the org before `point` that holds it. Each good point knows that of all before it, so that
 * the newest one mostly says it all. Objects that no point in use holds are in none.
 */
export async function restOf(
  vault: Vault,
  { point, orgId }: { readonly point: string; readonly orgId: string },
  objects: readonly string[],
): Promise<Rest[]> {
  const { points, quarantined } = await vault.state();
  const trusted = points.filter(({ record }) => record.point! < point && !quarantined.has(record.point!));
  const inUse = new Set(trusted.map(({ record }) => record.point!));
  const left = new Set(objects);
  const rest = new Map<string, Rest>();
  const take = (earlier: Pick<Root, 'point' | 'started'>, held: readonly string[]) => {
    const found = held.filter((object) => left.delete(object));
    if (found.length === 0) return;
    const { point: name, started } = earlier;
    rest.set(name, { point: name, started, objects: [...(rest.get(name)?.objects ?? []), ...found].sort() });
  };
  for (const entry of trusted.toReversed().slice(0, mostRoots)) {
    if (left.size === 0) break;
    const root = await readableRoot(vault, entry);
    if (!root || longId(root.org.id) !== longId(orgId) || root.status !== 'complete' || root.suspect) continue;
    take(
      root,
      root.objects.flatMap(({ object, complete }) => (complete ? [object] : [])),
    );
    for (const earlier of root.rest ?? []) if (inUse.has(earlier.point)) take(earlier, earlier.objects);
    if (root.rest || notSelectedOf(root.notCovered).length === 0) break;
  }
  return [...rest.values()].sort((a, b) => (a.point < b.point ? 1 : -1));
}
