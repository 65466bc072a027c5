import type { Compacted } from '../../operations/compact.ts';
import { bytes, countOf } from './figures.ts';
import type { Paint } from './paint.ts';

export function compactedText({ point, of, objects }: Compacted, paint: Paint): string {
  if (point === undefined) return `point ${of} has nothing to merge`;
  const stored = objects.reduce((sum, one) => sum + one.bytes, 0);
  const before = objects.reduce((sum, { segments }) => sum + segments.before, 0);
  const after = objects.reduce((sum, { segments }) => sum + segments.after, 0);
  return [
    `point ${point} says the same as ${of}`,
    `${countOf(objects.length, 'object')}: ${countOf(before, 'segment')} became ${after}, ${bytes(stored)} stored`,
    paint.next('salvor verify', 'prove that it is whole'),
  ].join('\n');
}
