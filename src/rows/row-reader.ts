import type { RowBatch } from './batch.ts';
import { Keys, rowStart } from './cells.ts';
import { closingQuote } from './csv.ts';

/** Reads the cells of one row after the other by their columns; a cell is decoded when it is asked for. */
export class RowReader {
  readonly #keys: Keys;
  readonly #positions: ReadonlyMap<string, number>;
  /** Cells that a row is walked over. */
  readonly #walked: number;
  readonly #opens: Uint32Array;
  readonly #closes: Uint32Array;
  readonly #values: (string | undefined)[];
  #batch: RowBatch = { bytes: Buffer.alloc(0), ends: new Uint32Array() };
  #row = 0;

  /** `columns`: of the rows. `fields`: those that are asked for; absent: all. */
  constructor(columns: readonly string[], fields: Iterable<string> = columns) {
    this.#keys = new Keys(columns);
    const wanted = new Set(fields);
    this.#positions = new Map(columns.flatMap((name, at) => (wanted.has(name) ? [[name, at]] : [])));
    this.#walked = Math.max(-1, ...this.#positions.values()) + 1;
    this.#opens = new Uint32Array(this.#walked);
    this.#closes = new Uint32Array(this.#walked);
    this.#values = new Array(this.#walked).fill(undefined);
  }

  /** Goes to row `i` of a batch, which must not be given back while it is read. */
  goTo(batch: RowBatch, i: number): void {
    const { bytes } = batch;
    const end = batch.ends[i]!;
    let open = rowStart(batch, i);
    for (let n = 0; n < this.#walked; n++) {
      const close = open < end ? closingQuote(bytes, open, end) : -1;
      this.#opens[n] = open + 1;
      this.#closes[n] = close < 0 ? open + 1 : close;
      this.#values[n] = undefined;
      open = close < 0 ? end : close + 2;
    }
    this.#batch = batch;
    this.#row = i;
  }

  /** Goes to each row of a batch in turn. */
  *rows(batch: RowBatch): Generator<this> {
    for (let i = 0; i < batch.ends.length; i++) {
      this.goTo(batch, i);
      yield this;
    }
  }

  /** The Id of the row. */
  get id(): string {
    return this.#keys.id(this.#batch, this.#row);
  }

  /** The cell of a field; '' for one that the rows do not have or that was not to be asked for. */
  readonly cell = (field: string): string => {
    const at = this.#positions.get(field);
    if (at === undefined) return '';
    const known = this.#values[at];
    if (known !== undefined) return known;
    const open = this.#opens[at]!;
    const close = this.#closes[at]!;
    const text = open === close ? '' : this.#batch.bytes.toString('utf8', open, close);
    const value = text.includes('"') ? text.replaceAll('""', '"') : text;
    this.#values[at] = value;
    return value;
  };
}
