import type { RowBatch } from './batch.ts';
import type { Keys } from './cells.ts';
import { type Cursor, mergeSorted, type SortedRows } from './merge.ts';
import { RunBuffer } from './run-buffer.ts';
import { type Run, Spill } from './spill.ts';

export interface SortOptions {
  tempDir: string;
  signal?: AbortSignal;
  /** Bytes of rows that are sorted in memory; more go to the disk. Default 16 MiB. */
  runBytes?: number;
  /** How many runs are merged at a time; each holds two blocks in memory. Default 128. */
  fanIn?: number;
}

const BATCH_BYTES = 1024 * 1024;
const SPILL_BLOCK_BYTES = 128 * 1024;
const RUN_ROWS = 500_000;

/**
 * Sorts any number of rows by the bytes of Id in constant memory. Rows with the same Id become one: the newest
 * SystemModstamp wins, else the last to arrive. Call `remove` at the end, whatever happened.
 */
export class RowSorter {
  readonly #keys: Keys;
  readonly #options: SortOptions;
  readonly #runBytes: number;
  readonly #spill: Spill;
  #runs: Run[] = [];
  readonly #buffer: RunBuffer;
  /** Rows dropped because a newer one had the same Id. */
  duplicates = 0;

  constructor(keys: Keys, options: SortOptions) {
    this.#keys = keys;
    this.#options = options;
    this.#runBytes = options.runBytes ?? 16 * 1024 * 1024;
    this.#buffer = new RunBuffer(keys, this.#runBytes);
    this.#spill = new Spill(options.tempDir);
  }

  /** Bytes written to the disk so far. */
  get spilledBytes(): number {
    return this.#spill.bytes;
  }

  /** Takes rows; they are copied. */
  async add(batch: RowBatch): Promise<void> {
    const { filled, rows } = this.#buffer;
    const full = filled + batch.bytes.length > this.#runBytes || rows + batch.ends.length > RUN_ROWS;
    if (rows > 0 && full) await this.#spillRun();
    this.#buffer.add(batch);
  }

  /** All rows in order. To be called once, after the last `add`. */
  async *sorted(): AsyncGenerator<RowBatch> {
    const last = this.#inMemory(this.#runs.length === 0 ? BATCH_BYTES : SPILL_BLOCK_BYTES);
    if (this.#runs.length === 0) {
      yield* last;
      return;
    }
    const fanIn = this.#options.fanIn ?? 128;
    while (this.#runs.length >= fanIn) await this.#mergeRuns(fanIn);
    const flows = [...this.#runs.map((run) => this.#spill.read(run)), inSteps(last)];
    yield* this.#merge(flows, BATCH_BYTES);
  }

  /** Deletes the temporary files. */
  async remove(): Promise<void> {
    await this.#spill.remove();
  }

  async #spillRun(): Promise<void> {
    this.#runs.push(await this.#spill.write(this.#inMemory(SPILL_BLOCK_BYTES)));
    this.#buffer.clear();
  }

  /** One level of merging: neighbours, in the order in which they arrived. */
  async #mergeRuns(fanIn: number): Promise<void> {
    const merged: Run[] = [];
    for (let at = 0; at < this.#runs.length; at += fanIn) {
      this.#options.signal?.throwIfAborted();
      const group = this.#runs.slice(at, at + fanIn);
      const flows = group.map((run) => this.#spill.read(run));
      merged.push(await this.#spill.write(this.#merge(flows, SPILL_BLOCK_BYTES)));
      for (const run of group) await this.#spill.drop(run);
    }
    this.#runs = merged;
  }

  #merge(flows: readonly AsyncIterable<RowBatch>[], batchBytes: number): AsyncGenerator<RowBatch> {
    const sorted = flows.map((batches): SortedRows => ({ keys: this.#keys, batches }));
    return mergeSorted(sorted, { choose: newer, batchBytes, onLost: () => this.duplicates++ });
  }

  #inMemory(batchBytes: number): Generator<RowBatch> {
    return this.#buffer.sorted(batchBytes, () => this.duplicates++);
  }
}

/** Stamps are texts of one form in a flow, so that they compare as texts. */
function newer(earlier: Cursor, later: Cursor): Cursor {
  const stamp = (cursor: Cursor) => cursor.keys.stamp(cursor.batch, cursor.row);
  return stamp(later) >= stamp(earlier) ? later : earlier;
}

async function* inSteps(batches: Iterable<RowBatch>): AsyncGenerator<RowBatch> {
  yield* batches;
}
