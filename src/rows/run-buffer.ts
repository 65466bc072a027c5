import type { RowBatch } from './batch.ts';
import { BatchWriter } from './batch-writer.ts';
import { type Keys, rowStart } from './cells.ts';
import { idParts, putIdKey } from './id-key.ts';

/** Rows that are put in order by insertion, before they are merged. */
const SHORT = 8;

/**
 * Rows in memory that are to be sorted. Everything is held in typed arrays that serve run after run: as strings the Ids
 * alone would cost some ten megabytes of heap.
 */
export class RunBuffer {
  readonly #keys: Keys;
  readonly #largest: number;
  #bytes: Buffer = Buffer.alloc(0);
  #ends = new Uint32Array(1024);
  #ids = new Float64Array(idParts * 1024);
  /** The first of the numbers in which the Ids of these rows differ: Ids of one object begin alike. */
  #firstPart = 0;
  #order = new Uint32Array(1024);
  #spare = new Uint32Array(1024);
  #longIds = false;
  filled = 0;
  rows = 0;

  /** `largest`: how many bytes of rows it is meant to hold. */
  constructor(keys: Keys, largest: number) {
    this.#keys = keys;
    this.#largest = largest;
  }

  /** Takes rows; they are copied. */
  add(batch: RowBatch): void {
    this.#room(batch);
    for (let i = 0; i < batch.ends.length; i++) {
      this.#ends[this.rows] = this.filled + batch.ends[i]!;
      if (!putIdKey(this.#keys, batch, i, this.#ids, idParts * this.rows++)) this.#longIds = true;
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
    const order = this.#sort(all);
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

  /** The numbers of the rows, ascending by Id and by number: a merge sort, since the built-in one calls back for each pair. */
  #sort(all: RowBatch): Uint32Array {
    const { rows } = this;
    if (this.#order.length < rows) {
      this.#order = new Uint32Array(this.#ends.length);
      this.#spare = new Uint32Array(this.#ends.length);
    }
    this.#firstPart = this.#differingPart();
    let [from, to] = [this.#order, this.#spare];
    for (let start = 0; start < rows; start += SHORT) this.#insertion(all, from, start, Math.min(start + SHORT, rows));
    for (let width = SHORT; width < rows; width *= 2) {
      for (let start = 0; start < rows; start += 2 * width) {
        this.#mergeHalves(all, from, to, start, Math.min(start + width, rows), Math.min(start + 2 * width, rows));
      }
      [from, to] = [to, from];
    }
    return from.subarray(0, rows);
  }

  #insertion(all: RowBatch, order: Uint32Array, start: number, end: number): void {
    for (let row = start; row < end; row++) {
      let at = row;
      for (; at > start && this.#compare(all, order[at - 1]!, row) > 0; at--) order[at] = order[at - 1]!;
      order[at] = row;
    }
  }

  #mergeHalves(all: RowBatch, from: Uint32Array, to: Uint32Array, start: number, middle: number, end: number): void {
    let [left, right] = [start, middle];
    for (let at = start; at < end; at++) {
      const takeLeft = left < middle && (right >= end || this.#compare(all, from[left]!, from[right]!) <= 0);
      to[at] = takeLeft ? from[left++]! : from[right++]!;
    }
  }

  #compare(all: RowBatch, a: number, b: number): number {
    const ids = this.#ids;
    for (let part = this.#firstPart; part < idParts; part++) {
      const difference = ids[idParts * a + part]! - ids[idParts * b + part]!;
      if (difference !== 0) return difference;
    }
    if (!this.#longIds) return 0;
    const [id, otherId] = [this.#keys.id(all, a), this.#keys.id(all, b)];
    return id < otherId ? -1 : id > otherId ? 1 : 0;
  }

  #differingPart(): number {
    const ids = this.#ids;
    let first = idParts - 1;
    for (let row = 1; row < this.rows && first > 0; row++) {
      for (let part = 0; part < first; part++) if (ids[idParts * row + part] !== ids[part]) first = part;
    }
    return first;
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
      const [ends, ids] = [new Uint32Array(2 * rows), new Float64Array(2 * idParts * rows)];
      ends.set(this.#ends);
      ids.set(this.#ids);
      this.#ends = ends;
      this.#ids = ids;
    }
  }
}
