import type { RowBatch } from '../../rows/batch.ts';
import { cell, Keys } from '../../rows/cells.ts';

/** A blob field of a row that is to be fetched. */
export interface WantedFile {
  readonly object: string;
  readonly id: string;
  readonly field: string;
  /** As the row says; undefined when it does not. */
  readonly size: number | undefined;
  /** MD5 in hex, as the row says. */
  readonly md5: string | undefined;
  /** When the row was last changed, in milliseconds; undefined when it does not say. */
  readonly stamp: number | undefined;
}

/** Columns that say how long the bytes of a row's blob are (field guide, extract 4.1). */
const sizeColumns = ['ContentSize', 'BodyLength', 'LogFileLength'];
const entry = 18 + 8 + 16 + 8;

/**
 * Which rows of an object have bytes to fetch, gathered while the rows pass by. Kept as 50 bytes a row, so that a million files
 * take 50 MB.
 */
export class FileList {
  readonly object: string;
  readonly fields: readonly string[];
  readonly #columns: readonly string[];
  readonly #chunks: Buffer[] = [];
  #used = 0;
  #perChunk = 16_384;

  constructor(object: string, columns: readonly string[], blobFields: readonly string[]) {
    this.object = object;
    this.#columns = columns;
    this.fields = blobFields;
  }

  /** Rows of the list. */
  get length(): number {
    return this.#chunks.length === 0 ? 0 : (this.#chunks.length - 1) * this.#perChunk + this.#used;
  }

  /** Passes batches through and notes their rows. */
  async *collect(batches: AsyncIterable<RowBatch>): AsyncGenerator<RowBatch> {
    if (this.fields.length === 0) return yield* batches;
    const keys = new Keys(this.#columns);
    const size = this.#columns.findIndex((column) => sizeColumns.includes(column));
    const md5 = this.#columns.indexOf('Checksum');
    for await (const batch of batches) {
      for (let i = 0; i < batch.ends.length; i++) {
        this.#add(
          keys.id(batch, i),
          size < 0 ? '' : cell(batch, i, size),
          md5 < 0 ? '' : cell(batch, i, md5),
          Date.parse(keys.stamp(batch, i)),
        );
      }
      yield batch;
    }
  }

  #add(id: string, size: string, md5: string, stamp: number): void {
    if (this.#chunks.length === 0 || this.#used === this.#perChunk) {
      this.#chunks.push(Buffer.alloc(this.#perChunk * entry));
      this.#used = 0;
    }
    const chunk = this.#chunks.at(-1)!;
    const at = this.#used++ * entry;
    chunk.write(id, at, 18, 'latin1');
    chunk.writeDoubleLE(size === '' ? -1 : Number(size), at + 18);
    chunk.write(/^[0-9a-f]{32}$/i.test(md5) ? md5 : '', at + 26, 16, 'hex');
    chunk.writeDoubleLE(stamp, at + 42);
  }

  /** In the order in which the rows came. A row with several blob fields gives several. */
  *wanted(): Generator<WantedFile> {
    for (const [c, chunk] of this.#chunks.entries()) {
      const rows = c === this.#chunks.length - 1 ? this.#used : this.#perChunk;
      for (let at = 0; at < rows * entry; at += entry) {
        const id = chunk.toString('latin1', at, at + 18);
        const size = chunk.readDoubleLE(at + 18);
        const md5 = chunk.toString('hex', at + 26, at + 42);
        const stamp = chunk.readDoubleLE(at + 42);
        for (const field of this.fields) {
          yield {
            object: this.object,
            id,
            field,
            size: size < 0 ? undefined : size,
            md5: /^0+$/.test(md5) ? undefined : md5,
            stamp: Number.isNaN(stamp) ? undefined : stamp,
          };
        }
      }
    }
  }
}
