import { hash } from 'node:crypto';
import type { RowBatch } from '../../../rows/batch.ts';
import { giveBlock, takeBlock } from '../../../rows/blocks.ts';
import { rowBytes } from '../../../rows/cells.ts';
import { keepColumns } from '../../../rows/project.ts';
import { encodeBulkRow } from '../../../salesforce/bulk-csv.ts';

const batchBytes = 1024 * 1024;
/** A slice is no larger: far below what the org takes, so that it fits into memory beside everything else. */
const mostBytes = 24 * 1024 * 1024;
const mostRows = 50_000;

/** Rows of one object that go into one ingest job. */
export interface Slice {
  readonly columns: readonly string[];
  readonly batches: readonly RowBatch[];
  /** Ids in the plan, in the order of the rows. */
  readonly ids: readonly string[];
  /** Numbers of rows of which cells are left for afterwards. */
  readonly rest: ReadonlySet<number>;
  /** Fields of the plan that rows are sent without, and in how many rows. */
  readonly left: ReadonlyMap<string, number>;
}

/** Gathers rows until they are enough for a slice. */
export class SliceBuilder {
  readonly #columns: readonly string[];
  readonly #used: boolean[];
  readonly #most: number;
  #batches: RowBatch[] = [];
  /** Rows that are no batch yet, as bytes: as texts on the heap they would be carried along by every collection. */
  #open: Buffer = Buffer.alloc(0);
  #end = 0;
  #ends: number[] = [];
  #bytes = 0;
  #ids: string[] = [];
  #rest = new Set<number>();
  #left = new Map<string, number>();

  /** `rows`: so many fill a slice. */
  constructor(columns: readonly string[], rows = mostRows) {
    this.#columns = columns;
    this.#most = rows;
    this.#used = columns.map(() => false);
  }

  get rows(): number {
    return this.#ids.length;
  }

  get full(): boolean {
    return this.#bytes >= mostBytes || this.rows >= this.#most;
  }

  add(id: string, values: readonly (string | null | undefined)[], rest: boolean, left: readonly string[] = []): void {
    for (const field of left) this.#left.set(field, (this.#left.get(field) ?? 0) + 1);
    for (let at = 0; at < values.length; at++) if (values[at] !== undefined) this.#used[at] = true;
    const text = encodeBulkRow(values);
    if (rest) this.#rest.add(this.rows);
    this.#ids.push(id);
    const most = 3 * text.length;
    if (this.#end + most > this.#open.length) {
      this.#flush();
      this.#open = takeBlock(Math.max(batchBytes, most));
    }
    const bytes = this.#open.write(text, this.#end);
    this.#end += bytes;
    this.#ends.push(this.#end);
    this.#bytes += bytes;
  }

  /** The rows so far, without columns in which none of them has anything; the builder is empty again. */
  take(): Slice {
    this.#flush();
    // A row without any cell would be none: the first column stays.
    const columns = this.#columns.filter((_, at) => this.#used[at] || (at === 0 && !this.#used.includes(true)));
    const batches = this.#batches.map(keepColumns(this.#columns, columns));
    const slice = { columns, batches, ids: this.#ids, rest: this.#rest, left: this.#left };
    this.#batches = [];
    this.#ids = [];
    this.#rest = new Set();
    this.#left = new Map();
    this.#bytes = 0;
    this.#used.fill(false);
    return slice;
  }

  #flush(): void {
    if (this.#ends.length === 0) return;
    const memory = this.#open;
    const ends = Uint32Array.from(this.#ends);
    this.#batches.push({ bytes: memory.subarray(0, this.#end), ends, release: () => giveBlock(memory) });
    this.#open = Buffer.alloc(0);
    this.#end = 0;
    this.#ends = [];
  }
}

/** What a row is found by among results: 12 bytes of the SHA-256 of its bytes as they were uploaded, in base64. */
export function rowDigest(bytes: Buffer): string {
  return hash('sha256', bytes, 'base64').slice(0, 16);
}

export function* digestsOf(batches: readonly RowBatch[]): Generator<string> {
  for (const batch of batches) for (let i = 0; i < batch.ends.length; i++) yield rowDigest(rowBytes(batch, i));
}
