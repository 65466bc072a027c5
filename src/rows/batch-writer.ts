import type { RowBatch } from './batch.ts';
import { giveBlock, takeBlock } from './blocks.ts';

/** Copies rows, one behind the other, into batches of about `batchBytes`. */
export class BatchWriter {
  readonly #batchBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #filled = 0;
  #ends = new Uint32Array(256);
  #rows = 0;

  constructor(batchBytes: number) {
    this.#batchBytes = batchBytes;
  }

  /** True when `take` should be called before the next row. */
  get full(): boolean {
    return this.#filled >= this.#batchBytes || this.#rows >= 65_536;
  }

  get empty(): boolean {
    return this.#rows === 0;
  }

  /** Adds the row at `bytes[start, end)`. */
  add(bytes: Buffer, start: number, end: number): void {
    const filled = this.#filled + end - start;
    if (filled > this.#bytes.length) {
      const larger = takeBlock(Math.max(this.#rows === 0 ? filled : 2 * filled, this.#batchBytes));
      this.#bytes.copy(larger, 0, 0, this.#filled);
      giveBlock(this.#bytes);
      this.#bytes = larger;
    }
    if (this.#rows === this.#ends.length) {
      const larger = new Uint32Array(2 * this.#rows);
      larger.set(this.#ends);
      this.#ends = larger;
    }
    bytes.copy(this.#bytes, this.#filled, start, end);
    this.#filled = filled;
    this.#ends[this.#rows++] = filled;
  }

  /** The rows added so far; the next ones go into a new batch. */
  take(): RowBatch {
    const full = this.#bytes;
    const bytes = full.subarray(0, this.#filled);
    const ends = this.#ends.slice(0, this.#rows);
    // A small batch must not keep a large buffer alive.
    const small = this.#filled < full.length / 2;
    if (!small) this.#bytes = Buffer.alloc(0);
    this.#filled = 0;
    this.#rows = 0;
    return small ? { bytes: Buffer.from(bytes), ends } : { bytes, ends, release: () => giveBlock(full) };
  }
}
