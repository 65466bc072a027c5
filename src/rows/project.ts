import type { RowBatch } from './batch.ts';
import { rowStart } from './cells.ts';
import { closingQuote } from './csv.ts';

const COMMA = 0x2c;
const LF = 0x0a;

/**
 * Turns batches with the columns `from` into batches with the columns `to`, in that order; names are compared without case. A column that
 * `from` does not have becomes empty cells. The batches given stay as they are.
 */
export function projection(from: readonly string[], to: readonly string[]): (batch: RowBatch) => RowBatch {
  const lower = from.map((name) => name.toLowerCase());
  const wanted = to.map((name) => lower.indexOf(name.toLowerCase()));
  if (from.length === to.length && wanted.every((column, i) => column === i)) return (batch) => batch;
  const last = Math.max(-1, ...wanted);
  const opens = new Uint32Array(last + 1);
  const closes = new Uint32Array(last + 1);
  return (batch) => {
    // Enough unless a column is wanted twice.
    let room = batch.bytes.length + 3 * to.length * batch.ends.length;
    let out = Buffer.allocUnsafe(room);
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
      for (const column of wanted) needed += column < 0 ? 3 : closes[column]! - opens[column]! + 1;
      if (at + needed > room) {
        room = 2 * (at + needed);
        const larger = Buffer.allocUnsafe(room);
        out.copy(larger, 0, 0, at);
        out = larger;
      }
      for (const [i, column] of wanted.entries()) {
        if (i > 0) out[at++] = COMMA;
        if (column < 0) {
          out[at++] = 0x22;
          out[at++] = 0x22;
        } else at += batch.bytes.copy(out, at, opens[column]!, closes[column]!);
      }
      out[at++] = LF;
      ends[row] = at;
    }
    return { bytes: out.subarray(0, at), ends };
  };
}
