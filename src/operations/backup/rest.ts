import { inOrder } from '../../rows/in-order.ts';
import { longId } from '../../schema/ids.ts';
import type { LeftOut, Rest, Root } from '../../vault/manifest.ts';
import type { Vault } from '../../vault/vault.ts';
import { mostRoots, readableRoot } from './earlier-roots.ts';
import { notSelected } from './select.ts';

/** Roots that are fetched at a time. */
const atOnce = 16;

/** Objects that a point leaves out since it was asked for others. */
export function notSelectedOf(notCovered: readonly LeftOut[]): string[] {
  return notCovered.flatMap(({ object, field, reason }) =>
    reason === notSelected && field === undefined ? [object] : [],
  );
}

/**
 * Where the last state of `objects` is: for each the newest good point of the org before `point` that holds it. Each good point knows that of what it was not asked for, so that
 * the newest one mostly says it all. Where the point that it names is none in use any more, those before that one are looked at. Objects that no point in use holds are in none.
 */
export async function restOf(
  vault: Vault,
  { point, orgId }: { readonly point: string; readonly orgId: string },
  objects: readonly string[],
): Promise<Rest[]> {
  const { points, quarantined } = await vault.state();
  const trusted = points.filter(({ record }) => record.point! < point && !quarantined.has(record.point!));
  const inUse = new Set(trusted.map(({ record }) => record.point!));
  /** By object, the point before which it is looked for. */
  const left = new Map(objects.map((object) => [object, point]));
  let looked = 0;
  const rest = new Map<string, Rest>();
  const take = (earlier: Pick<Root, 'point' | 'started'>, held: readonly string[]) => {
    const found = held.filter((object) => left.delete(object));
    if (found.length === 0) return;
    const { point: name, started } = earlier;
    rest.set(name, { point: name, started, objects: [...(rest.get(name)?.objects ?? []), ...found].sort() });
  };
  for (const entry of trusted.toReversed()) {
    if (left.size === 0 || looked === mostRoots) break;
    if ([...left.values()].every((before) => entry.record.point! >= before)) continue;
    looked += 1;
    const root = await readableRoot(vault, entry);
    if (!root || longId(root.org.id) !== longId(orgId) || root.status !== 'complete' || root.suspect) continue;
    take(
      root,
      root.objects.flatMap(({ object, complete }) => (complete ? [object] : [])),
    );
    for (const earlier of root.rest ?? []) if (inUse.has(earlier.point)) take(earlier, earlier.objects);
    for (const object of root.rest ? notSelectedOf(root.notCovered) : []) {
      const before = root.rest!.find(({ objects }) => objects.includes(object))?.point;
      if (before === undefined) left.delete(object);
      else if (left.has(object)) left.set(object, before);
    }
  }
  return [...rest.values()].sort((a, b) => (a.point < b.point ? 1 : -1));
}

/** Where by now the last state of the objects is that a good point was not asked for: points that it names may not be in use any more. */
export async function restOfGood(vault: Vault, { point, org, rest = [] }: Root): Promise<Rest[]> {
  const { points, quarantined } = await vault.state();
  const inUse = new Set(points.map(({ record }) => record.point!).filter((one) => !quarantined.has(one)));
  if (rest.every((one) => inUse.has(one.point))) return rest;
  const objects = rest.flatMap((one) => one.objects);
  return restOf(vault, { point, orgId: org.id }, objects);
}

/**
 * Of the objects that `good`, the newest good point, was not asked for and that no point of `rest` holds: those that another point holds which began at `since` (ms) or later. It
 * is the newest of them, and no good one: somebody takes points of these objects, and there is none to go back to. Undefined: there are none.
 */
export async function neverGood(
  vault: Vault,
  good: Root,
  rest: readonly Rest[],
  since: number,
): Promise<Rest | undefined> {
  const named = new Set(rest.flatMap(({ objects }) => objects));
  const wanted = new Set(notSelectedOf(good.notCovered).filter((object) => !named.has(object)));
  if (wanted.size === 0) return undefined;
  const { points } = await vault.state();
  const recent = points.toReversed().filter(({ record }) => Date.parse(record.started) >= since);
  for await (const root of inOrder(recent, atOnce, (entry) => readableRoot(vault, entry))) {
    if (!root || longId(root.org.id) !== longId(good.org.id)) continue;
    const objects = root.objects.flatMap(({ object }) => (wanted.has(object) ? [object] : []));
    if (objects.length > 0) return { point: root.point, started: root.started, objects: objects.sort() };
  }
  return undefined;
}
