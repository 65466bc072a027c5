import type { RowBatch } from '../../../rows/batch.ts';
import { freeMemory } from '../../../rows/blocks.ts';
import { cells } from '../../../rows/cells.ts';
import { encodeRow } from '../../../rows/csv.ts';
import { splitRows } from '../../../rows/split.ts';
import type { Ref } from '../../../vault/record.ts';
import type { Restore } from '../../../vault/restore.ts';
import { type RestorePlace, readTable, type StoredTable } from '../../../vault/restores.ts';

const partBytes = 4 * 1024 * 1024;
/** Smaller tables stand in the entry itself: one object less to write for each. */
const inlineBytes = 16 * 1024;
/** Rows become bytes at once: as texts on the heap they would be carried along by every collection. */
const chunkBytes = 128 * 1024;

type Cells = readonly (string | null | undefined)[];

/** A table of a restore that grows row by row and is stored part by part, each with the header line. */
export class TableWriter {
  readonly #restore: Restore;
  readonly #name: string;
  readonly #object: string | undefined;
  readonly #header: string;
  readonly #parts: Ref[] = [];
  #chunks: Buffer[] = [];
  /** Batches whose bytes are among the chunks. */
  #borrowed: RowBatch[] = [];
  #open: Buffer = Buffer.alloc(0);
  #end = 0;
  #size = 0;
  #rows = 0;

  constructor(restore: Restore, name: string, columns: readonly string[], object?: string) {
    this.#restore = restore;
    this.#name = name;
    this.#object = object;
    this.#header = encodeRow(columns);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Resolves when the next may come; undefined: at once. */
  add(row: Cells): Promise<void> | undefined {
    const text = encodeRow(row);
    const most = 3 * text.length;
    if (this.#end + most > this.#open.length) {
      this.#chunk();
      // Most tables are small.
      this.#open = Buffer.allocUnsafeSlow(Math.max(this.#size === 0 ? chunkBytes / 32 : chunkBytes, most));
    }
    const bytes = this.#open.write(text, this.#end);
    this.#end += bytes;
    this.#size += bytes;
    this.#rows += 1;
    return this.#size >= partBytes ? this.#flush() : undefined;
  }

  /** As `add`, for a batch of rows of these columns, which is given back when it is stored. */
  addBatch(batch: RowBatch): Promise<void> | undefined {
    this.#chunk();
    this.#chunks.push(batch.bytes);
    this.#borrowed.push(batch);
    this.#size += batch.bytes.length;
    this.#rows += batch.ends.length;
    return this.#size >= partBytes ? this.#flush() : undefined;
  }

  /** `apart`: never inside the entry, however small, so that it can be read by hand. */
  async end({ apart = false } = {}): Promise<StoredTable> {
    const of = { name: this.#name, rows: this.#rows, ...(this.#object === undefined ? {} : { object: this.#object }) };
    if (!apart && this.#parts.length === 0 && this.#size < inlineBytes) {
      this.#chunk();
      return { ...of, parts: [], text: this.#header + Buffer.concat(this.#chunks).toString() };
    }
    if (this.#size > 0) await this.#flush();
    return { ...of, parts: this.#parts };
  }

  async #flush(): Promise<void> {
    this.#chunk();
    const part = Buffer.concat([Buffer.from(this.#header), ...this.#chunks]);
    for (const { release } of this.#borrowed) release?.();
    this.#borrowed = [];
    this.#chunks = [];
    this.#parts.push(await this.#restore.putPart(part));
    freeMemory(part);
    this.#size = 0;
  }

  #chunk(): void {
    if (this.#end > 0) this.#chunks.push(this.#open.subarray(0, this.#end));
    this.#open = Buffer.alloc(0);
    this.#end = 0;
  }
}

/** A table of rows that are at hand. */
export async function storeTable(
  restore: Restore,
  of: { readonly name: string; readonly object?: string; readonly columns: readonly string[] },
  rows: Iterable<Cells>,
): Promise<StoredTable> {
  const writer = new TableWriter(restore, of.name, of.columns, of.object);
  for (const row of rows) {
    const full = writer.add(row);
    if (full) await full;
  }
  return writer.end();
}

/** The rows of a table as cells in the order of `columns`; a column that it does not have gives empty cells. */
export async function* tableRows(
  place: RestorePlace,
  table: StoredTable,
  columns: readonly string[],
): AsyncGenerator<string[]> {
  for await (const { batch, columns: stored } of tableBatches(place, table)) {
    const at = columns.map((name) => stored.indexOf(name));
    for (let i = 0; i < batch.ends.length; i++) {
      const row = cells(batch, i);
      yield at.map((column) => row[column] ?? '');
    }
  }
}

/** The rows of a table as they are stored, some thousands at a time. Throws `segment-invalid` when they have other columns. */
export async function* storedRows(
  place: RestorePlace,
  table: StoredTable,
  columns: readonly string[],
): AsyncGenerator<RowBatch> {
  for await (const { batch } of tableBatches(place, table, columns)) yield batch;
}

async function* tableBatches(
  place: RestorePlace,
  table: StoredTable,
  columns?: readonly string[],
): AsyncGenerator<{ readonly batch: RowBatch; readonly columns: readonly string[] }> {
  for await (const part of readTable(place, table)) {
    let stored: readonly string[] = [];
    const onColumns = (found: readonly string[]) => {
      stored = found;
    };
    const options = { strict: true, fault: 'segment-invalid', onColumns, ...(columns ? { columns } : {}) } as const;
    for await (const batch of splitRows([part], options)) yield { batch, columns: stored };
    freeMemory(part);
  }
}
