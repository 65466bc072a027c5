import type { RowBatch } from './batch.ts';
import { giveBlock, takeBlock } from './blocks.ts';
import { rowStart } from './cells.ts';
import { closingQuote } from './csv.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;

/**
 * Turns batches with the columns `from` into batches with the columns `to`, in that order; names are compared without case. A column that
 * `from` does not have becomes empty cells, or what `absent` says of its place in `to`, in ASCII and without quotes. The batches given stay as they are.
 */
export function projection(
  from: readonly string[],
  to: readonly string[],
  absent: (column: number) => string = () => '',
): (batch: RowBatch) => RowBatch {
  const lower = from.map((name) => name.toLowerCase());
  const wanted = to.map((name) => lower.indexOf(name.toLowerCase()));
  if (from.length === to.length && wanted.every((column, i) => column === i)) return (batch) => batch;
  const runs = runsOf(wanted).map((run) => ({ ...run, text: run.first < 0 ? absent(run.column) : '' }));
  const absentBytes = runs.reduce((sum, { text }) => sum + text.length, 0);
  const last = Math.max(-1, ...wanted);
  const opens = new Uint32Array(last + 1);
  const closes = new Uint32Array(last + 1);
  return (batch) => {
    // Enough unless a column is wanted twice.
    let out = takeBlock(batch.bytes.length + (3 * to.length + absentBytes) * batch.ends.length);
    const ends = new Uint32Array(batch.ends.length);
    let at = 0;
    for (let row = 0; row < ends.length; row++) {
      let open = rowStart(batch, row);
      for (let column = 0; column <= last; column++) {
        const close = closingQuote(batch.bytes, open, batch.ends[row]!);
        opens[column] = open;
        closes[column] = close + 1;
        open = close + 2;
      }
      let needed = 0;
      for (const { first, end, text } of runs) needed += first < 0 ? 3 + text.length : closes[end]! - opens[first]! + 1;
      if (at + needed > out.length) {
        const larger = takeBlock(2 * (at + needed));
        out.copy(larger, 0, 0, at);
        giveBlock(out);
        out = larger;
      }
      for (const { first, end, text } of runs) {
        if (first < 0) {
          out[at++] = QUOTE;
          for (let i = 0; i < text.length; i++) out[at++] = text.charCodeAt(i);
          out[at++] = QUOTE;
        } else at += batch.bytes.copy(out, at, opens[first]!, closes[end]!);
        out[at++] = COMMA;
      }
      out[at - 1] = LF;
      ends[row] = at;
    }
    const memory = out;
    return { bytes: out.subarray(0, at), ends, release: () => giveBlock(memory) };
  };
}

/** As `projection`, for columns of `from` in their order: the rows move up in the memory that they are in, so the batches given are used up. */
export function keepColumns(from: readonly string[], kept: readonly string[]): (batch: RowBatch) => RowBatch {
  if (from.length === kept.length) return (batch) => batch;
  const runs = runsOf(kept.map((name) => from.indexOf(name)));
  const last = from.indexOf(kept.at(-1)!);
  const opens = new Uint32Array(last + 1);
  const closes = new Uint32Array(last + 1);
  return (batch) => {
    const { bytes, ends } = batch;
    const moved = new Uint32Array(ends.length);
    let at = 0;
    for (let row = 0; row < ends.length; row++) {
      let open = rowStart(batch, row);
      for (let column = 0; column <= last; column++) {
        const close = closingQuote(bytes, open, ends[row]!);
        opens[column] = open;
        closes[column] = close + 1;
        open = close + 2;
      }
      for (const { first, end } of runs) {
        bytes.copyWithin(at, opens[first]!, closes[end]!);
        at += closes[end]! - opens[first]!;
        bytes[at++] = COMMA;
      }
      bytes[at - 1] = LF;
      moved[row] = at;
    }
    return { ...batch, bytes: bytes.subarray(0, at), ends: moved };
  };
}

/** Wanted columns that stand one behind the other in the rows are copied in one piece. `first`: -1 for a column that there is not; `column`: the place of the first among those wanted. */
function runsOf(
  wanted: readonly number[],
): { readonly first: number; readonly end: number; readonly column: number }[] {
  const runs: { first: number; end: number; column: number }[] = [];
  for (const [place, column] of wanted.entries()) {
    const run = runs.at(-1);
    if (run && column >= 0 && run.first >= 0 && column === run.end + 1) run.end = column;
    else runs.push({ first: column, end: column, column: place });
  }
  return runs;
}
