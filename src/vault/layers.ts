import type { MapPage, SegmentRef } from './manifest.ts';

/** Segments that one run wrote of an object: rows, or tombstones. */
export interface Layer {
  readonly run: string;
  readonly gone: boolean;
  readonly segments: readonly SegmentRef[];
}

/** The run that wrote an object: the point in its key. Points sort by time. */
export function runOf(key: string): string {
  return key.split('/')[1] ?? '';
}

/**
 * What lies on the base of an object, in the order in which it holds: of two layers that name an Id the later one is right. Tombstones of the
 * base's own runs are left out, since those rows were never in the base; of one run, what it found deleted is the last word.
 */
export function layersOf({ base, deltas, gone }: MapPage): Layer[] {
  const since =
    base
      .map(({ key }) => runOf(key))
      .sort()
      .at(-1) ?? '';
  const layers = [...layersBy(deltas, false), ...layersBy(gone, true).filter(({ run }) => run > since)];
  return layers.sort((a, b) => (a.run < b.run ? -1 : a.run > b.run ? 1 : Number(a.gone) - Number(b.gone)));
}

function layersBy(segments: readonly SegmentRef[], gone: boolean): Layer[] {
  const runs = new Map<string, SegmentRef[]>();
  for (const segment of segments) {
    const run = runOf(segment.key);
    runs.set(run, [...(runs.get(run) ?? []), segment]);
  }
  return [...runs].map(([run, of]) => ({ run, gone, segments: of }));
}
