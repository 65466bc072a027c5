import { mix } from '../random.ts';
import type { RowOrder } from '../settings.ts';

/** Rows of one PK chunk (extract 3.7). */
const chunk = 100_000;

/**
 * The same rows in the order in which a job hands them out. A place maps to a row by arithmetic, so that a page can start
 * anywhere and nothing is held in memory.
 */
export interface JobOrder {
  readonly size: number;
  /** Index into the found rows of what stands at this place. */
  at(place: number): number;
  /** How many places from here follow each other without a jump, at least 1. */
  run(place: number): number;
}

/** The order of so many rows. */
export function jobOrder(size: number, order: RowOrder, seed: number): JobOrder {
  if (order === 'ascending' || size < 2) return { size, at: (place) => place, run: (place) => size - place };
  return order === 'chunked' ? chunked(size, seed) : shuffled(size, seed);
}

/** Chunks in random order. The last, short chunk stands where it falls, so places are found by the chunks' starts. */
function chunked(size: number, seed: number): JobOrder {
  const count = Math.ceil(size / chunk);
  const order = Array.from({ length: count }, (_, index) => index).sort((a, b) => mix(seed, a) - mix(seed, b));
  const starts: number[] = [];
  let start = 0;
  for (const index of order) {
    starts.push(start);
    start += Math.min(chunk, size - index * chunk);
  }
  const chunkAt = (place: number): number => {
    let at = Math.min(count - 1, Math.floor(place / chunk) + 1);
    while (starts[at]! > place) at -= 1;
    return at;
  };
  return {
    size,
    at: (place) => {
      const at = chunkAt(place);
      return order[at]! * chunk + place - starts[at]!;
    },
    run: (place) => (starts[chunkAt(place) + 1] ?? size) - place,
  };
}

/** A linear map over the row numbers, with a stride that shares no divisor with their count. */
function shuffled(size: number, seed: number): JobOrder {
  const start = mix(seed, size) % size;
  let stride = Math.max(1, Math.floor(size * 0.381966) + (mix(seed, size, 1) % 97));
  while (divisor(stride, size) !== 1) stride += 1;
  return { size, at: (place) => (start + place * stride) % size, run: () => 1 };
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
