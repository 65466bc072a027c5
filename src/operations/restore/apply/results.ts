import type { RowBatch } from '../../../rows/batch.ts';
import { cell, rowBytes, rowStart } from '../../../rows/cells.ts';
import { closingQuote } from '../../../rows/csv.ts';
import { projection } from '../../../rows/project.ts';
import { rowDigest } from './slice.ts';

/**
 * Finds the row of a slice that a row of the results is, in whatever order they come (field guide, restore 1.6): by the bytes that were uploaded.
 * Rows with equal bytes are interchangeable: each is given out once.
 */
export interface ResultMatcher {
  /** Rows that were not asked for yet. */
  readonly left: number;
  /** The Id in the plan of a row with these bytes; undefined when the slice has no such row, or no more of them. */
  take(bytes: Buffer, start: number, end: number): string | undefined;
  /** Ids of the rows that were not asked for. */
  rest(): Iterable<string>;
}

/** Rows by their bytes, while those that were uploaded are at hand. */
export class RowMatcher implements ResultMatcher {
  readonly #ids: readonly string[];
  readonly #batches: readonly RowBatch[];
  /** The number of the first row of each batch, and the batch of each row. */
  readonly #firstOf: number[] = [];
  readonly #batchOf: Uint16Array;
  readonly #taken: Uint8Array;
  /** By hash of the bytes the number of a row plus one, and of the next row with the same hash. */
  readonly #first: Uint32Array;
  readonly #next: Uint32Array;
  left: number;

  /** `batches`: the rows as they were uploaded, in the order of `ids`. */
  constructor(ids: readonly string[], batches: readonly RowBatch[]) {
    this.#ids = ids;
    this.#batches = batches;
    this.#batchOf = new Uint16Array(ids.length);
    this.#taken = new Uint8Array(ids.length);
    this.#first = new Uint32Array(2 ** Math.ceil(Math.log2(ids.length + 1)));
    this.#next = new Uint32Array(ids.length);
    this.left = ids.length;
    let n = 0;
    for (const [at, batch] of batches.entries()) {
      this.#firstOf.push(n);
      this.#batchOf.fill(at, n, n + batch.ends.length);
      for (let row = 0; row < batch.ends.length; row++, n++) {
        const slot = this.#slot(batch.bytes, rowStart(batch, row), batch.ends[row]!);
        this.#next[n] = this.#first[slot]!;
        this.#first[slot] = n + 1;
      }
    }
  }

  take(bytes: Buffer, start: number, end: number): string | undefined {
    const slot = this.#slot(bytes, start, end);
    for (let n = this.#first[slot]! - 1, before = -1; n >= 0; before = n, n = this.#next[n]! - 1) {
      if (!this.#isRow(n, bytes, start, end)) continue;
      // What was given out is not walked over again: thousands of rows may be the same.
      if (before < 0) this.#first[slot] = this.#next[n]!;
      else this.#next[before] = this.#next[n]!;
      this.#taken[n] = 1;
      this.left -= 1;
      return this.#ids[n];
    }
    return undefined;
  }

  *rest(): Generator<string> {
    for (let n = 0; n < this.#taken.length; n++) if (!this.#taken[n]) yield this.#ids[n]!;
  }

  #isRow(n: number, bytes: Buffer, start: number, end: number): boolean {
    const at = this.#batchOf[n]!;
    const batch = this.#batches[at]!;
    const row = n - this.#firstOf[at]!;
    const from = rowStart(batch, row);
    const to = batch.ends[row]!;
    return to - from === end - start && batch.bytes.compare(bytes, start, end, from, to) === 0;
  }

  #slot(bytes: Buffer, start: number, end: number): number {
    let hash = 0x811c9dc5;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      hash = Math.imul(hash ^ word, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    return (hash ^ (hash >>> 15)) & (this.#first.length - 1);
  }
}

/** Rows by what the journal has of them, when a restore goes on. */
export class DigestMatcher implements ResultMatcher {
  readonly #ids: readonly string[];
  readonly #first = new Map<string, number>();
  /** Number of the next row with the same bytes, plus one. */
  readonly #next: Uint32Array;
  left: number;

  /** `digests`: `rowDigest` of each row. */
  constructor(ids: readonly string[], digests: Iterable<string>) {
    this.#ids = ids;
    this.#next = new Uint32Array(ids.length);
    this.left = ids.length;
    let n = 0;
    for (const digest of digests) {
      const same = this.#first.get(digest);
      if (same !== undefined) this.#next[n] = same + 1;
      this.#first.set(digest, n);
      n += 1;
    }
  }

  take(bytes: Buffer, start: number, end: number): string | undefined {
    const digest = rowDigest(bytes.subarray(start, end));
    const n = this.#first.get(digest);
    if (n === undefined) return undefined;
    const next = this.#next[n]!;
    if (next === 0) this.#first.delete(digest);
    else this.#first.set(digest, next - 1);
    this.left -= 1;
    return this.#ids[n];
  }

  *rest(): Generator<string> {
    for (let first of this.#first.values()) {
      for (;;) {
        yield this.#ids[first]!;
        const next = this.#next[first]!;
        if (next === 0) break;
        first = next - 1;
      }
    }
  }
}

/** A row of results: one of the cells that the org added, and where the row lies as it was uploaded. */
export interface ResultRow {
  readonly added: string;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Takes result rows apart. `columns`: of the results; `uploaded`: as they were sent; `added`: of the columns that the org added, the number of the
 * one that is read.
 */
export function resultReader(
  columns: readonly string[],
  uploaded: readonly string[],
  added: number,
): (batch: RowBatch, row: number) => ResultRow {
  const own = columns.length - uploaded.length;
  const inOrder = uploaded.every((name, at) => columns[own + at]?.toLowerCase() === name.toLowerCase());
  const project = inOrder ? undefined : projection(columns, uploaded);
  const position = columns.indexOf(columns.filter((name) => inOrder || name.startsWith('sf__'))[added]!);
  let last: { of: RowBatch; projected: RowBatch } | undefined;
  return (batch, row) => {
    const { bytes } = batch;
    const end = batch.ends[row]!;
    if (project) {
      if (last?.of !== batch) last = { of: batch, projected: project(batch) };
      const sent = rowBytes(last.projected, row);
      return { added: cell(batch, row, position), bytes: sent, start: 0, end: sent.length };
    }
    let text = '';
    let open = rowStart(batch, row);
    for (let n = 0; n < own; n++) {
      const close = closingQuote(bytes, open, end);
      if (n === position) text = bytes.toString('utf8', open + 1, close).replaceAll('""', '"');
      open = close + 2;
    }
    return { added: text, bytes, start: open, end };
  };
}
