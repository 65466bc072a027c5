import { transactionRows } from '../../dml/save.ts';

/** Rows of an internal batch (restore 1.3). */
export const batchRows = 10_000;
/** A batch that takes longer than this is broken off and tried again, so often at most. */
const batchMilliseconds = 300_000;
const mostRetries = 20;
/** More rows than this that found a lock put off the rest of their batch, so often at most. */
const mostLockFailures = 100;
const mostPutOffs = 10;

/** An internal batch: rows `next` to `end` (exclusive) are still to be done. */
export class Batch {
  next: number;
  readonly end: number;
  lockFailures = 0;
  putOffs = 0;
  /** It was tried again as often as may be, and did not end in time. */
  isGivenUp = false;
  #spent = 0;
  #retries = 0;

  constructor(from: number, end: number) {
    this.next = from;
    this.end = end;
  }

  /**
   * Takes time for so many rows of the batch, or gives it up. Returns how often it was broken off and tried again for it. Rows
   * that were committed stay so.
   */
  spend(rows: number, rowMilliseconds: number): number {
    const needed = rows * rowMilliseconds;
    if (this.#spent + needed <= batchMilliseconds) {
      this.#spent += needed;
      return 0;
    }
    const left = mostRetries - this.#retries;
    this.isGivenUp = needed > batchMilliseconds || left === 0;
    const retries = this.isGivenUp ? left : 1;
    this.#retries += retries;
    this.#spent = needed;
    return retries;
  }
}

/** A transaction's worth of rows of one batch. */
export interface Chunk {
  readonly batch: Batch;
  readonly from: number;
  readonly to: number;
}

/** The batches of a job in the order in which they are worked on: some at the same time, those put off after all others. */
export class Batches {
  #queue: Batch[];
  #later: Batch[] = [];

  /** Rows 0 to `rows` (exclusive). */
  constructor(rows: number) {
    const count = Math.ceil(rows / batchRows);
    this.#queue = Array.from(
      { length: count },
      (_, index) => new Batch(index * batchRows, Math.min(rows, (index + 1) * batchRows)),
    );
  }

  /** The next chunk of each of the first `parallel` batches; none: all is done. Whoever does a chunk calls `done`. */
  round(parallel: number): Chunk[] {
    this.#queue = this.#queue.filter((batch) => batch.next < batch.end);
    if (this.#queue.length === 0) [this.#queue, this.#later] = [this.#later, []];
    return this.#queue
      .slice(0, Math.max(1, parallel))
      .map((batch) => ({ batch, from: batch.next, to: Math.min(batch.end, batch.next + transactionRows) }));
  }

  /** False: the batch met locks too often (restore 1.3). */
  done({ batch }: Chunk, to: number, lockFailures: number): boolean {
    batch.next = to;
    batch.lockFailures += lockFailures;
    if (batch.lockFailures <= mostLockFailures || batch.next >= batch.end) return true;
    batch.lockFailures = 0;
    batch.putOffs += 1;
    this.#queue = this.#queue.filter((one) => one !== batch);
    this.#later.push(batch);
    return batch.putOffs <= mostPutOffs;
  }
}
