import type { RowBatch } from './batch.ts';
import { BatchWriter } from './batch-writer.ts';
import { type Keys, rowStart } from './cells.ts';

/** Bytes of an Id that are compared as numbers: three of six bytes each. Every Salesforce Id fits. */
const KEY_BYTES = 18;

/**
 * Rows in memory that are to be sorted. Everything is held in typed arrays that serve run after run: as strings the Ids
 * alone would cost some ten megabytes of heap.
 */
export class RunBuffer {
  readonly #keys: Keys;
  readonly #largest: number;
  #bytes: Buffer = Buffer.alloc(0);
  #ends = new Uint32Array(1024);
  /** The Id of each row as three numbers, of equal order. */
  #ids = new Float64Array(3 * 1024);
  #longIds = false;
  filled = 0;
  rows = 0;

  /** `largest`: how many bytes of rows it is meant to hold. */
  constructor(keys: Keys, largest: number) {
    this.#keys = keys;
    this.#largest = largest;
  }

  /** Takes rows; they are copied. `ids`: the Id of each. */
  add(batch: RowBatch, ids: readonly string[]): void {
    this.#room(batch);
    for (let i = 0; i < ids.length; i++) {
      this.#ends[this.rows] = this.filled + batch.ends[i]!;
      this.#key(3 * this.rows++, ids[i]!);
    }
    batch.bytes.copy(this.#bytes, this.filled);
    this.filled += batch.bytes.length;
  }

  clear(): void {
    this.filled = 0;
    this.rows = 0;
    this.#longIds = false;
  }

  /** The rows in the order of their Ids; of those with the same Id the one that is `newer`, else the last to arrive. */
  *sorted(batchBytes: number, onLost: () => void): Generator<RowBatch> {
    const all: RowBatch = { bytes: this.#bytes, ends: this.#ends.subarray(0, this.rows) };
    const order = new Uint32Array(this.rows);
    for (let i = 0; i < order.length; i++) order[i] = i;
    order.sort((a, b) => this.#compare(all, a, b) || a - b);
    const out = new BatchWriter(batchBytes);
    for (let n = 0; n < order.length; n++) {
      let row = order[n]!;
      while (n + 1 < order.length && this.#compare(all, order[n + 1]!, row) === 0) {
        const later = order[++n]!;
        if (this.#keys.stamp(all, later) >= this.#keys.stamp(all, row)) row = later;
        onLost();
      }
      out.add(all.bytes, rowStart(all, row), all.ends[row]!);
      if (out.full) yield out.take();
    }
    if (!out.empty) yield out.take();
  }

  #compare(all: RowBatch, a: number, b: number): number {
    const ids = this.#ids;
    const difference =
      ids[3 * a]! - ids[3 * b]! || ids[3 * a + 1]! - ids[3 * b + 1]! || ids[3 * a + 2]! - ids[3 * b + 2]!;
    if (difference !== 0 || !this.#longIds) return difference;
    const [one, other] = [this.#keys.id(all, a), this.#keys.id(all, b)];
    return one < other ? -1 : one > other ? 1 : 0;
  }

  #key(at: number, id: string): void {
    for (let part = 0; part < 3; part++) {
      let number = 0;
      for (let i = 6 * part; i < 6 * part + 6; i++) number = number * 256 + (i < id.length ? id.charCodeAt(i) : 0);
      this.#ids[at + part] = number;
    }
    // A NUL would be taken for the filling behind a shorter Id.
    if (id.length > KEY_BYTES || id.includes('\0')) this.#longIds = true;
  }

  /** Grows step by step, so that small objects take little memory. */
  #room(batch: RowBatch): void {
    const bytes = this.filled + batch.bytes.length;
    if (bytes > this.#bytes.length) {
      const doubled = Math.min(2 * Math.max(this.#bytes.length, batch.bytes.length), this.#largest);
      const larger = Buffer.allocUnsafeSlow(Math.max(bytes, doubled));
      this.#bytes.copy(larger, 0, 0, this.filled);
      this.#bytes = larger;
    }
    const rows = this.rows + batch.ends.length;
    if (rows > this.#ends.length) {
      const [ends, ids] = [new Uint32Array(2 * rows), new Float64Array(6 * rows)];
      ends.set(this.#ends);
      ids.set(this.#ids);
      this.#ends = ends;
      this.#ids = ids;
    }
  }
}
