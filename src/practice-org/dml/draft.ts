import type { Value } from '../database.ts';
import type { SObject } from '../schema.ts';
import type { WritableRows } from './overlay.ts';
import type { RecordInput, SaveError } from './save.ts';

const noFiles: ReadonlyMap<string, Buffer> = new Map();

/** One record on its way to be saved: what the row was, what changes, and what speaks against it. */
export class Draft {
  readonly object: SObject;
  readonly rows: WritableRows;
  readonly input: RecordInput;
  /** Number of the row that is changed, or -1: it is to be made. */
  readonly number: number;
  readonly isUpsert: boolean;
  readonly changes: Record<string, Value> = {};
  /** Files by blob field; most objects have none. */
  blobs: ReadonlyMap<string, Buffer> = noFiles;
  readonly errors: SaveError[] = [];
  /** API names of the fields that the client sent. */
  readonly given = new Set<string>();
  #kept: Readonly<Record<string, Value>> | undefined;

  constructor(object: SObject, rows: WritableRows, input: RecordInput, number: number, isUpsert: boolean) {
    this.object = object;
    this.rows = rows;
    this.input = input;
    this.number = number;
    this.isUpsert = isUpsert;
  }

  get isInsert(): boolean {
    return this.number < 0;
  }

  /** The value that the row is to have. */
  get(field: string): Value {
    const value = this.changes[field];
    return value === undefined ? this.before(field) : value;
  }

  text(field: string): string | null {
    const value = this.get(field);
    return typeof value === 'string' ? value : null;
  }

  /** The value that the row had before it was saved; null for a new one. */
  before(field: string): Value {
    if (this.number < 0) return null;
    const kept = this.#kept?.[field];
    return kept === undefined ? this.rows.cell(this.number, field) : kept;
  }

  setFile(field: string, bytes: Buffer): void {
    this.blobs = new Map([...this.blobs, [field, bytes]]);
  }

  /** To be called right before the changes are written. */
  keepBefore(): void {
    const kept: Record<string, Value> = {};
    for (const field in this.changes) kept[field] = this.before(field);
    this.#kept = kept;
  }

  /** Whether the row gets another value in this field; true for any value of a new row. */
  isChanged(field: string): boolean {
    const value = this.changes[field];
    return value !== undefined && value !== this.before(field);
  }

  set(field: string, value: Value): void {
    this.changes[field] = value;
  }

  /** Sets a field that the object may not have. */
  setKnown(field: string, value: Value): void {
    if (this.object.field(field)) this.changes[field] = value;
  }

  fail(code: string, message: string, fields: readonly string[] = []): void {
    this.errors.push({ code, message, fields });
  }
}
