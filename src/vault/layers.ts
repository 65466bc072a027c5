import type { MapPage, SegmentRef } from './manifest.ts';

/** What lies over the base of an object: rows that a later run found changed, or tombstones. */
export interface Layer {
  readonly ref: SegmentRef;
  readonly gone: boolean;
}

/** The layers of a page that count, in the order in which they lie one over the other. */
export function layersOf({ base, deltas, gone }: Pick<MapPage, 'base' | 'deltas' | 'gone'>): Layer[] {
  // What the runs of the base found deleted, or runs before them, was never in the base.
  const since = newestRun(base);
  const layers = [
    ...deltas.map((ref) => ({ ref, gone: false })),
    ...gone.filter(({ key }) => runOf(key) > since).map((ref) => ({ ref, gone: true })),
  ];
  // Of one run, what it found deleted is the last word.
  return layers.sort((a, b) => order(runOf(a.ref.key), runOf(b.ref.key)) || Number(a.gone) - Number(b.gone));
}

/** The run that wrote an object: the point in its key. Points sort by time. */
export function runOf(key: string): string {
  return key.split('/')[1] ?? '';
}

/** Where the rows of a segment come from. */
export function readingOf({ key, oldest }: SegmentRef): { readonly run: string; readonly oldest: string | undefined } {
  return { run: runOf(key), oldest };
}

/** The oldest run that rows of a page may be from. */
export function oldestRun({ base, deltas }: Pick<MapPage, 'base' | 'deltas'>): string {
  const runs = [...base, ...deltas].map(({ key, oldest }) => oldest ?? runOf(key));
  return runs.sort()[0] ?? '';
}

/** The newest run that has written some of these segments; '' when there are none. */
export function newestRun(segments: readonly SegmentRef[]): string {
  const runs = segments.map(({ key }) => runOf(key));
  return runs.sort().at(-1) ?? '';
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
