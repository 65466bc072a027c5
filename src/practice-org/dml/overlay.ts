import type { Database, Row, RowSource, Table, Value } from '../database.ts';
import { emptyValue } from '../describe.ts';
import { recordId, recordNumber } from '../record-ids.ts';
import { Cells } from './cells.ts';
import { exactKey, FieldIndex, foldedKey } from './field-index.ts';
import type { Journal } from './journal.ts';

/** Fields that are no cells of a row: they are made of others, or are files. */
const notStored = new Set(['address', 'location', 'base64']);
/** Rows of a block that is known to be written to or not. */
const blockBits = 9;

/**
 * The rows of a table that can be written: what was written lies over the source, whose rows stay as they are and are made when asked
 * for. Numbers keep their meaning; rows that are gone for good keep their number and are in `purged`.
 */
export class WritableRows implements RowSource {
  readonly purged = new Set<number>();
  readonly csv: RowSource['csv'];
  readonly #base: RowSource;
  readonly #journal: Journal;
  readonly #prefix: string;
  readonly #empty: ReadonlyMap<string, Value>;
  /** Fields that tell capitals from small letters. */
  readonly #exact: ReadonlySet<string>;
  readonly #written = new Map<number, Cells>();
  readonly #blocks = new Set<number>();
  readonly #added: Cells[] = [];
  /** The number in the Id of each added row, ascending. */
  readonly #serials: number[] = [];
  readonly #indexes = new Map<string, FieldIndex>();
  #nextSerial: number;
  #version = 0;
  #last: { readonly number: number; readonly row: Row } | undefined;

  constructor({ describe, source }: Table, journal: Journal) {
    this.#base = source;
    this.#journal = journal;
    this.#prefix = source.newIds?.prefix ?? prefixOf(describe.keyPrefix, source);
    this.#nextSerial = source.newIds?.from ?? source.size;
    const stored = describe.fields.filter((field) => !notStored.has(field.type));
    this.#empty = new Map(stored.map((field) => [field.name, emptyValue(field.type)]));
    const exact = stored.filter((f) => f.caseSensitive === true || f.type === 'id' || f.type === 'reference');
    this.#exact = new Set(exact.map((field) => field.name));
    if (source.csv) this.csv = (fields, from, to) => this.#baseCsv(fields, from, to);
  }

  get size(): number {
    return this.#base.size + this.#added.length;
  }

  /** How many rows were made. */
  get added(): number {
    return this.#added.length;
  }

  get version(): number {
    return this.#version;
  }

  row(number: number): Row {
    const at = number - this.#base.size;
    const cells = at >= 0 ? this.#added[at]! : this.#written.get(number);
    if (!cells) return this.#base.row(number);
    const row: Record<string, Value> = at >= 0 ? Object.fromEntries(this.#empty) : { ...this.#base.row(number) };
    if (at >= 0) row.Id = this.#idOf(at);
    for (const [field, value] of cells.entries()) row[field] = value;
    return row;
  }

  cell(number: number, field: string): Value {
    const at = number - this.#base.size;
    if (at >= 0) {
      if (field === 'Id') return this.#idOf(at);
      const value = this.#added[at]!.get(field);
      return value === undefined ? (this.#empty.get(field) ?? null) : value;
    }
    const written = this.#written.size === 0 ? undefined : this.#written.get(number)?.get(field);
    if (written !== undefined) return written;
    return this.#base.cell ? this.#base.cell(number, field) : (this.#baseRow(number)[field] ?? null);
  }

  /** Rows are made when they are asked for, and their cells are read one behind the other. */
  #baseRow(number: number): Row {
    if (this.#last?.number !== number) this.#last = { number, row: this.#base.row(number) };
    return this.#last.row;
  }

  find(id: string): number {
    const serial = recordNumber(this.#prefix, id);
    const at = serial < 0 ? -1 : this.#placeOf(serial);
    const number = at >= 0 ? at + this.#base.size : this.#base.find(id);
    return this.purged.has(number) ? -1 : number;
  }

  /** Numbers of the rows with this value in this field, deleted ones too. The first call reads all rows once. */
  lookup(field: string, value: Value): number[] {
    let index = this.#indexes.get(field);
    if (!index) {
      const key = this.#exact.has(field) ? exactKey : foldedKey;
      index = new FieldIndex((number) => this.#present(number, field), key);
      for (let number = 0; number < this.size; number++) index.add(number, this.cell(number, field));
      this.#indexes.set(field, index);
    }
    return index.find(value);
  }

  /** The number of a new row with these cells; its Id is the next, which stays used up when the row is taken back. */
  add(cells: Readonly<Record<string, Value>>): number {
    const number = this.size;
    this.#added.push(Cells.unlike(this.#empty, cells));
    this.#serials.push(this.#nextSerial++);
    this.#version += 1;
    for (const [field, index] of this.#indexes) index.add(number, cells[field] ?? null);
    this.#journal.wrote(() => {
      this.#added.pop();
      this.#serials.pop();
      this.#version += 1;
    });
    return number;
  }

  set(number: number, changes: Readonly<Record<string, Value>>): void {
    const at = number - this.#base.size;
    const before = at >= 0 ? this.#added[at] : this.#written.get(number);
    this.#put(number, (before ?? Cells.none).with(changes));
    for (const [field, index] of this.#indexes) if (field in changes) index.add(number, changes[field]!);
    this.#journal.wrote(() => {
      this.#put(number, before);
      this.#reindex(number, changes);
    });
  }

  /** The row is gone for good. */
  purge(number: number): void {
    if (this.purged.has(number)) return;
    this.purged.add(number);
    this.#version += 1;
    this.#journal.wrote(() => {
      this.purged.delete(number);
      this.#version += 1;
    });
  }

  #put(number: number, cells: Cells | undefined): void {
    this.#version += 1;
    const at = number - this.#base.size;
    if (at >= 0) this.#added[at] = cells!;
    else if (cells) this.#written.set(number, cells);
    else this.#written.delete(number);
    if (at < 0) this.#blocks.add(number >> blockBits);
  }

  #reindex(number: number, changes: Readonly<Record<string, Value>>): void {
    for (const [field, index] of this.#indexes) if (field in changes) index.add(number, this.cell(number, field));
  }

  #present(number: number, field: string): Value {
    return number >= this.size || this.purged.has(number) ? null : this.cell(number, field);
  }

  #idOf(at: number): string {
    return recordId(this.#prefix, this.#serials[at]!);
  }

  /** The place among the added rows of the one with this number in its Id, or -1. */
  #placeOf(serial: number): number {
    let [low, high] = [0, this.#serials.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const here = this.#serials[middle]!;
      if (here === serial) return middle;
      if (here < serial) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** The source's own CSV of rows that nobody wrote to. */
  #baseCsv(fields: readonly string[], from: number, to: number): Buffer | undefined {
    if (to > this.#base.size) return undefined;
    if (this.#blocks.size > 0)
      for (let block = from >> blockBits; block <= (to - 1) >> blockBits; block++)
        if (this.#blocks.has(block)) return undefined;
    return this.#base.csv!(fields, from, to);
  }
}

function prefixOf(keyPrefix: string | null, source: RowSource): string {
  if (keyPrefix) return keyPrefix;
  const first = source.size > 0 ? source.row(0).Id : null;
  return typeof first === 'string' ? first.slice(0, 3) : '0zz';
}

/** A table whose rows and files can be written. */
export interface WritableTable extends Table {
  readonly source: WritableRows;
  blob(id: string, field: string): Buffer | undefined;
  setBlob(id: string, field: string, bytes: Buffer): void;
}

export interface WritableDatabase extends Database {
  readonly tables: ReadonlyMap<string, WritableTable>;
}

/** The database as one org may write to it; the given one stays as it is. */
export function writableDatabase({ facts, tables }: Database, journal: Journal): WritableDatabase {
  return { facts, tables: new Map([...tables].map(([name, table]) => [name, writableTable(table, journal)])) };
}

function writableTable(table: Table, journal: Journal): WritableTable {
  const written = new Map<string, Buffer>();
  return {
    ...table,
    source: new WritableRows(table, journal),
    blob: (id, field) => written.get(`${id}/${field}`) ?? table.blob?.(id, field),
    pieces: (id, field) => (written.has(`${id}/${field}`) ? undefined : table.pieces?.(id, field)),
    setBlob: (id, field, bytes) => {
      const key = `${id}/${field}`;
      const before = written.get(key);
      written.set(key, bytes);
      journal.wrote(() => (before ? written.set(key, before) : written.delete(key)));
    },
  };
}
