import type { RowBatch } from './batch.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/** Where a row ends and how many cells it has; `incomplete`: the bytes end before the row does. */
export type RowFound = { end: number; cells: number } | 'incomplete' | 'invalid';

/** Rewrites rows with unquoted cells or CRLF line ends into the dialect of `csv.ts`, row by row. */
export class LenientRows {
  #out = Buffer.allocUnsafe(64 * 1024);
  #filled = 0;
  #ends: number[] = [];

  /** Bytes of the rows taken so far and not yet handed out. */
  get size(): number {
    return this.#filled;
  }

  /** Reads the row that begins at `start` and keeps it in the dialect. */
  take(bytes: Buffer, start: number): RowFound {
    const before = this.#filled;
    let at = start;
    for (let cells = 1; ; cells++) {
      const cellEnd = bytes[at] === QUOTE ? this.#quoted(bytes, at) : this.#unquoted(bytes, at);
      const lineEnd = cellEnd < 0 ? cellEnd : lineEndLength(bytes, cellEnd);
      if (lineEnd < 0) {
        this.#filled = before;
        return lineEnd === INCOMPLETE ? 'incomplete' : 'invalid';
      }
      this.#byte(lineEnd === 0 ? COMMA : LF);
      at = cellEnd + Math.max(lineEnd, 1);
      if (lineEnd > 0) {
        this.#ends.push(this.#filled);
        return { end: at, cells };
      }
    }
  }

  /** Hands out the rows taken since the last time. */
  batch(): RowBatch {
    const batch = { bytes: Buffer.from(this.#out.subarray(0, this.#filled)), ends: Uint32Array.from(this.#ends) };
    this.#filled = 0;
    this.#ends = [];
    return batch;
  }

  #quoted(bytes: Buffer, open: number): number {
    let at = open + 1;
    for (;;) {
      const quote = bytes.indexOf(QUOTE, at);
      if (quote < 0 || quote + 1 >= bytes.length) return INCOMPLETE;
      if (bytes[quote + 1] !== QUOTE) {
        this.#bytes(bytes, open, quote + 1);
        return quote + 1;
      }
      at = quote + 2;
    }
  }

  #unquoted(bytes: Buffer, start: number): number {
    this.#byte(QUOTE);
    let end = start;
    for (; ; end++) {
      if (end >= bytes.length) return INCOMPLETE;
      const byte = bytes[end]!;
      if (byte === COMMA || byte === LF) break;
      if (byte === CR && end + 1 >= bytes.length) return INCOMPLETE;
      if (byte === CR && bytes[end + 1] === LF) break;
      this.#byte(byte);
      if (byte === QUOTE) this.#byte(QUOTE);
    }
    this.#byte(QUOTE);
    return end;
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#out[this.#filled++] = byte;
  }

  #bytes(bytes: Buffer, from: number, to: number): void {
    this.#room(to - from);
    bytes.copy(this.#out, this.#filled, from, to);
    this.#filled += to - from;
  }

  #room(more: number): void {
    if (this.#filled + more <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#filled + more));
    this.#out.copy(larger, 0, 0, this.#filled);
    this.#out = larger;
  }
}

const INCOMPLETE = -1;
const INVALID = -2;

/** The length of the line end at `at`: 1 or 2; 0 for a comma. */
function lineEndLength(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case COMMA:
      return 0;
    case LF:
      return 1;
    case CR:
      if (at + 1 >= bytes.length) return INCOMPLETE;
      return bytes[at + 1] === LF ? 2 : INVALID;
    case undefined:
      return INCOMPLETE;
    default:
      return INVALID;
  }
}
