import type { RowBatch, RowFlow } from '../../rows/batch.ts';
import { Keys } from '../../rows/cells.ts';

/** A row that stands in a batch; good until the next is asked for. */
export interface RowAt {
  readonly columns: readonly string[];
  readonly batch: RowBatch;
  readonly row: number;
}

/** The same record at up to three times. */
export interface Joined {
  readonly id: string;
  readonly before: RowAt;
  readonly after: RowAt | undefined;
  readonly now: RowAt | undefined;
}

/**
 * Walks rows of the point (`before`) and, beside each, the row with the same Id of `after` and of `now`. All flows ascend by Id. Constant memory.
 */
export async function* join(
  before: RowFlow,
  now: RowFlow,
  after: RowFlow | undefined,
  signal: AbortSignal,
): AsyncGenerator<Joined> {
  const sides = { now: new Side(now), after: after && new Side(after) };
  const keys = new Keys(before.columns);
  for await (const batch of before.batches) {
    signal.throwIfAborted();
    for (let row = 0; row < batch.ends.length; row++) {
      const id = keys.id(batch, row);
      yield {
        id,
        before: { columns: before.columns, batch, row },
        after: await sides.after?.at(id),
        now: await sides.now.at(id),
      };
    }
    batch.release?.();
  }
}

/** A flow that is asked for ascending Ids. */
class Side {
  readonly #columns: readonly string[];
  readonly #keys: Keys;
  readonly #batches: AsyncIterator<RowBatch>;
  #batch: RowBatch | undefined;
  #row = 0;
  #ended = false;

  constructor(flow: RowFlow) {
    this.#columns = flow.columns;
    this.#keys = new Keys(flow.columns);
    this.#batches = flow.batches[Symbol.asyncIterator]();
  }

  async at(id: string): Promise<RowAt | undefined> {
    for (;;) {
      if (!this.#batch || this.#row >= this.#batch.ends.length) {
        if (this.#ended) return undefined;
        this.#batch?.release?.();
        const next = await this.#batches.next();
        if (next.done) {
          this.#ended = true;
          this.#batch = undefined;
          return undefined;
        }
        this.#batch = next.value;
        this.#row = 0;
        continue;
      }
      const here = this.#keys.id(this.#batch, this.#row);
      if (here === id) return { columns: this.#columns, batch: this.#batch, row: this.#row };
      if (here > id) return undefined;
      this.#row += 1;
    }
  }
}
