import type { RowBatch } from '../rows/batch.ts';
import { Keys } from '../rows/cells.ts';
import { mergeSorted, type SortedRows } from '../rows/merge.ts';
import { type Layer, layersOf } from './layers.ts';
import type { MapPage, SegmentRef } from './manifest.ts';
import { readIds } from './segment-ids.ts';
import type { Vault } from './vault.ts';

/** Segments and tombstones that only one of two pages of an object lists. */
export interface Unshared {
  /** Their rows; an Id may stand in several. */
  readonly rows: number;
  readonly base: readonly SegmentRef[];
  readonly layers: readonly Layer[];
  /** The pages that they are of, for what was noted of them. */
  readonly pages: readonly MapPage[];
}

/**
 * What two pages of an object do not share. A row whose Id stands in none of it has the same newest image in both states, or in neither: its
 * images lie in the same segments, one over the other in the same order. Undefined when the pages share no rows.
 */
export function unshared(from: MapPage, to: MapPage): Unshared | undefined {
  if (!from.hasId || !to.hasId) return undefined;
  const pages = [from, to];
  const [before, after] = pages.map(layersOf) as [Layer[], Layer[]];
  const keys = pages.map(({ base }, n) => new Set([...base.map(({ key }) => key), ...[before, after][n]!.map(nameOf)]));
  const [own, other] = [before, after].map((layers, n) => layers.map(nameOf).filter((name) => keys[1 - n]!.has(name)));
  if (own!.join() !== other!.join()) return undefined;
  const base = pages.flatMap((page, n) => page.base.filter(({ key }) => !keys[1 - n]!.has(key)));
  const layers = [before, after].flatMap((some, n) => some.filter((layer) => !keys[1 - n]!.has(nameOf(layer))));
  const shared = own!.length > 0 || base.length < from.base.length + to.base.length;
  if (!shared) return undefined;
  const rows = [...base, ...layers.map(({ ref }) => ref)].reduce((sum, ref) => sum + ref.rows, 0);
  return { rows, base, layers, pages };
}

/** A segment may be base in one page and a layer in another: that is not the same. */
function nameOf({ ref, gone }: Layer): string {
  return `${gone ? 'gone' : 'delta'} ${ref.key}`;
}

/** The Ids that stand in what is not shared, ascending, each once, as rows of one column. Holds one index twin of the base and all of the layers. */
export async function* unsharedIds(
  vault: Vault,
  { base, layers, pages }: Unshared,
  signal: AbortSignal,
): AsyncGenerator<RowBatch> {
  const keys = new Keys(['Id']);
  const flows: SortedRows[] = [];
  for (const page of pages) {
    const own = page.base.filter((ref) => base.includes(ref));
    if (own.length > 0) flows.push({ keys, batches: oneByOne(vault, await inIdOrder(vault, page, own), signal) });
  }
  for (const layer of layers) flows.push({ keys, batches: await readIds(vault, layer, signal) });
  yield* mergeSorted(flows, { batchBytes: 256 * 1024 });
}

/** Segments of the base have disjoint ranges. */
async function inIdOrder(vault: Vault, page: MapPage, refs: readonly SegmentRef[]): Promise<SegmentRef[]> {
  if (refs.length === 1) return [...refs];
  const first = new Map<string, string>();
  for (const ref of page.detail)
    for (const { key, minId } of (await vault.detail(ref)).segments) first.set(key, minId ?? '');
  return [...refs].sort((a, b) => ((first.get(a.key) ?? '') < (first.get(b.key) ?? '') ? -1 : 1));
}

async function* oneByOne(vault: Vault, refs: readonly SegmentRef[], signal: AbortSignal): AsyncGenerator<RowBatch> {
  for (const ref of refs) yield* await readIds(vault, { ref, gone: false }, signal);
}
