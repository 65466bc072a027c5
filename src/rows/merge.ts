import type { RowBatch } from './batch.ts';
import { BatchWriter } from './batch-writer.ts';
import { type Keys, rowStart } from './cells.ts';
import { idParts, putIdKey } from './id-key.ts';

/** Rows that ascend strictly by the bytes of Id. */
export interface SortedRows {
  readonly keys: Keys;
  readonly batches: AsyncIterable<RowBatch>;
  /** True: these are tombstones; only their Ids count. */
  readonly gone?: boolean;
}

const none: RowBatch = { bytes: Buffer.alloc(0), ends: new Uint32Array() };

/** A flow that stands at one of its rows. */
export class Cursor {
  /** The flow's place in the list that is merged. */
  readonly order: number;
  readonly gone: boolean;
  readonly keys: Keys;
  batch: RowBatch = none;
  row = 0;
  /** The Id as numbers (`putIdKey`), and whether they tell it from all others. */
  readonly #key = new Float64Array(idParts);
  #exact = true;
  readonly #source: AsyncIterator<RowBatch>;

  constructor(rows: SortedRows, order: number) {
    this.order = order;
    this.gone = rows.gone ?? false;
    this.keys = rows.keys;
    this.#source = rows.batches[Symbol.asyncIterator]();
  }

  get id(): string {
    return this.keys.id(this.batch, this.row);
  }

  /** Below, at or above zero as this Id sorts before, with or behind that of `other`. */
  compare(other: Cursor): number {
    const a = this.#key;
    const b = other.#key;
    const difference = a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!;
    if (difference !== 0 || (this.#exact && other.#exact)) return difference;
    return this.id < other.id ? -1 : this.id > other.id ? 1 : 0;
  }

  /** Goes to the next row of the batch; false when there is none and `refill` is needed. */
  advance(): boolean {
    if (++this.row >= this.batch.ends.length) return false;
    this.#exact = putIdKey(this.keys, this.batch, this.row, this.#key, 0);
    return true;
  }

  /** Goes to the first row of the next batch; false at the end of the flow. */
  async refill(): Promise<boolean> {
    do {
      this.batch.release?.();
      const next = await this.#source.next();
      this.batch = next.done ? none : next.value;
      if (next.done) return false;
    } while (this.batch.ends.length === 0);
    this.row = 0;
    this.#exact = putIdKey(this.keys, this.batch, 0, this.#key, 0);
    return true;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

export interface MergeOptions {
  /** Of two cursors at the same Id, the one whose row stays; `earlier` comes first in the list. Default: `later`. */
  choose?: (earlier: Cursor, later: Cursor) => Cursor;
  /** Called for each row that was not chosen. */
  onLost?: () => void;
  /** Size of the batches that come out. Default 1 MiB. */
  batchBytes?: number;
}

/**
 * Merges flows into one that ascends strictly by Id; a chosen row of a flow of tombstones is left out. With the flows of
 * an object in run order and nothing chosen, this is its state: the newest image of each Id, less what is gone.
 * All flows but tombstones have the same columns. Holds one batch of each flow; closes them all at its end.
 */
export async function* mergeSorted(flows: readonly SortedRows[], options: MergeOptions = {}): AsyncGenerator<RowBatch> {
  const { choose = (_, later) => later, onLost, batchBytes = 1024 * 1024 } = options;
  const cursors = flows.map((rows, order) => new Cursor(rows, order));
  const heap = new Heap();
  const out = new BatchWriter(batchBytes);
  try {
    for (const cursor of cursors) if (await cursor.refill()) heap.push(cursor);
    for (let top = heap.top; top; top = heap.top) {
      if (!heap.tied()) {
        write(out, top);
        if (top.advance() || (await top.refill())) heap.settle();
        else heap.pop();
      } else {
        const tied = [heap.pop()];
        while (heap.top?.compare(top) === 0) tied.push(heap.pop());
        write(out, tied.reduce(choose));
        for (const _ of tied.slice(1)) onLost?.();
        for (const cursor of tied) if (cursor.advance() || (await cursor.refill())) heap.push(cursor);
      }
      if (out.full) yield out.take();
    }
    if (!out.empty) yield out.take();
  } finally {
    for (const cursor of cursors) await cursor.close();
  }
}

function write(out: BatchWriter, { gone, batch, row }: Cursor): void {
  if (!gone) out.add(batch.bytes, rowStart(batch, row), batch.ends[row]!);
}

/** Cursors with the least Id on top; of equal Ids the earlier in the list. */
class Heap {
  readonly #cursors: Cursor[] = [];

  get top(): Cursor | undefined {
    return this.#cursors[0];
  }

  /** True when a second cursor stands at the Id of the top. */
  tied(): boolean {
    const [top, left, right] = this.#cursors;
    return left?.compare(top!) === 0 || right?.compare(top!) === 0;
  }

  push(cursor: Cursor): void {
    const all = this.#cursors;
    let at = all.length;
    all.push(cursor);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(all[parent]!, cursor)) break;
      all[at] = all[parent]!;
      at = parent;
    }
    all[at] = cursor;
  }

  pop(): Cursor {
    const top = this.#cursors[0]!;
    const last = this.#cursors.pop()!;
    if (this.#cursors.length > 0) {
      this.#cursors[0] = last;
      this.settle();
    }
    return top;
  }

  /** Puts the top back in its place after it has moved on. */
  settle(): void {
    const all = this.#cursors;
    const cursor = all[0]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= all.length) break;
      if (child + 1 < all.length && before(all[child + 1]!, all[child]!)) child++;
      if (before(cursor, all[child]!)) break;
      all[at] = all[child]!;
      at = child;
    }
    all[at] = cursor;
  }
}

function before(a: Cursor, b: Cursor): boolean {
  const order = a.compare(b) || a.order - b.order;
  return order < 0;
}
