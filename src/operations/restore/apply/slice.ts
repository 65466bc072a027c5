import { hash } from 'node:crypto';
import type { RowBatch } from '../../../rows/batch.ts';
import { rowBytes, rowStart } from '../../../rows/cells.ts';
import { decodeRow } from '../../../rows/csv.ts';
import { projection } from '../../../rows/project.ts';
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
  #open = Buffer.alloc(0);
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
    for (const [at, value] of values.entries()) if (value !== undefined) this.#used[at] = true;
    const text = encodeBulkRow(values);
    if (rest) this.#rest.add(this.rows);
    this.#ids.push(id);
    const most = 3 * text.length;
    if (this.#end + most > this.#open.length) {
      this.#flush();
      this.#open = Buffer.allocUnsafeSlow(Math.max(batchBytes, most));
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
    const project = projection(this.#columns, columns);
    const slice = { columns, batches: this.#batches.map(project), ids: this.#ids, rest: this.#rest, left: this.#left };
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
    this.#batches.push({ bytes: this.#open.subarray(0, this.#end), ends: Uint32Array.from(this.#ends) });
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

/**
 * Finds the row of a slice that a row of the results is, in whatever order they come (field guide, restore 1.6): by the bytes that were uploaded.
 * Rows with equal bytes are interchangeable: each is given out once.
 */
export class ResultMatcher {
  readonly #ids: readonly string[];
  readonly #first = new Map<string, number>();
  /** Number of the next row with the same bytes, plus one. */
  readonly #next: Uint32Array;
  #left: number;

  constructor(ids: readonly string[], digests: Iterable<string>) {
    this.#ids = ids;
    this.#next = new Uint32Array(ids.length);
    this.#left = ids.length;
    let n = 0;
    for (const digest of digests) {
      const same = this.#first.get(digest);
      if (same !== undefined) this.#next[n] = same + 1;
      this.#first.set(digest, n);
      n += 1;
    }
  }

  /** Rows that were not asked for yet. */
  get left(): number {
    return this.#left;
  }

  /** The Id in the plan; undefined when the slice has no such row, or no more of them. */
  take(digest: string): string | undefined {
    const n = this.#first.get(digest);
    if (n === undefined) return undefined;
    const next = this.#next[n]!;
    if (next === 0) this.#first.delete(digest);
    else this.#first.set(digest, next - 1);
    this.#left -= 1;
    return this.#ids[n];
  }

  /** Ids of the rows that were not asked for. */
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

/**
 * Takes result rows apart: the columns in front that the org added, and the digest of what was uploaded. `columns`: of the results;
 * `uploaded`: as they were sent.
 */
export function resultReader(
  columns: readonly string[],
  uploaded: readonly string[],
): (batch: RowBatch, row: number) => { added: string[]; digest: string } {
  const added = columns.length - uploaded.length;
  const inOrder = uploaded.every((name, at) => columns[added + at]?.toLowerCase() === name.toLowerCase());
  const project = inOrder ? undefined : projection(columns, uploaded);
  let last: { of: RowBatch; projected: RowBatch } | undefined;
  return (batch, row) => {
    const start = rowStart(batch, row);
    if (project) {
      if (last?.of !== batch) last = { of: batch, projected: project(batch) };
      const cells = decodeRow(batch.bytes, start, batch.ends[row]!);
      const own = columns.flatMap((name, at) => (name.startsWith('sf__') ? [cells[at]!] : []));
      return { added: own, digest: rowDigest(rowBytes(last.projected, row)) };
    }
    const own: string[] = [];
    let open = start;
    for (let n = 0; n < added; n++) {
      const close = endOfCell(batch.bytes, open);
      own.push(batch.bytes.toString('utf8', open + 1, close).replaceAll('""', '"'));
      open = close + 2;
    }
    return { added: own, digest: rowDigest(batch.bytes.subarray(open, batch.ends[row]!)) };
  };
}

/** Where the quote stands that closes the cell that opens at `open`. */
function endOfCell(bytes: Buffer, open: number): number {
  let at = bytes.indexOf(0x22, open + 1);
  while (bytes[at + 1] === 0x22) at = bytes.indexOf(0x22, at + 2);
  return at;
}
