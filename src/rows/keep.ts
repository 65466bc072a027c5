import type { RowBatch } from './batch.ts';
import { rowStart } from './cells.ts';

/** The rows of a batch that `keep` says yes to, asked once for each in order. What is behind a lost row moves up, so the batch given is used up. */
export function keepRows(batch: RowBatch, keep: (row: number) => boolean): RowBatch {
  const rows = batch.ends.length;
  const ends = new Uint32Array(rows);
  let at = 0;
  let kept = 0;
  for (let from = 0; from < rows; ) {
    if (!keep(from)) {
      from++;
      continue;
    }
    let to = from + 1;
    let next = to < rows && keep(to);
    while (next) {
      to++;
      next = to < rows && keep(to);
    }
    if (to - from === rows) return batch;
    const start = rowStart(batch, from);
    const end = batch.ends[to - 1]!;
    for (let i = from; i < to; i++) ends[kept++] = batch.ends[i]! - start + at;
    batch.bytes.copyWithin(at, start, end);
    at += end - start;
    // Row `to`, if there is one, was asked about already.
    from = to + 1;
  }
  return { ...batch, bytes: batch.bytes.subarray(0, at), ends: ends.subarray(0, kept) };
}
