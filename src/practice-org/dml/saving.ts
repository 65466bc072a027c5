import type { Value } from '../database.ts';
import { id18, isId } from '../identifiers.ts';
import type { SObject } from '../schema.ts';
import type { DmlOrg, Target } from './dml.ts';
import type { Journal } from './journal.ts';
import type { WritableRows, WritableTable } from './overlay.ts';
import type { Given, RecordInput, SaveOptions } from './save.ts';

/** A row that an Id leads to. */
export interface FoundRow {
  readonly object: SObject;
  readonly rows: WritableRows;
  readonly number: number;
}

/** One call of `Dml`: the org, who saves, when, and how. */
export class Saving {
  readonly org: DmlOrg;
  readonly options: SaveOptions;
  readonly journal: Journal;
  readonly userId: string;
  /** Whole seconds, as stamps are. */
  readonly now: string;
  /** Places of the records that this pass tries. */
  left: readonly number[] = [];
  /** Place of the record that is being worked on. */
  place = 0;

  constructor(org: DmlOrg, options: SaveOptions) {
    this.org = org;
    this.options = options;
    this.journal = org.journal;
    this.userId = options.userId ?? org.database.facts.userId;
    this.now = new Date(Math.floor(org.now() / 1000) * 1000).toISOString();
  }

  get today(): string {
    return this.now.slice(0, 10);
  }

  beginPass(left: readonly number[]): void {
    this.left = left;
  }

  /** Rows that were made since the org started. */
  addedRows(): number {
    if (this.org.settings.storageRows === Number.POSITIVE_INFINITY) return 0;
    let added = 0;
    for (const { source } of this.org.database.tables.values()) added += source.added;
    return added;
  }

  table(name: string): WritableTable | undefined {
    return this.org.database.tables.get(name);
  }

  object(name: string): SObject | undefined {
    return this.org.schema.object(name);
  }

  /** The row with this 18-character Id, also one that lies in the bin; `candidates` where the prefix is nobody's. */
  find(id: string, candidates: readonly string[] = []): FoundRow | undefined {
    const object = this.org.schema.objectOfId(id, []) ?? this.org.schema.objectOfId(id, candidates);
    return object && this.rowNamed({ object: object.name, id });
  }

  /** The row of this object with this Id; undefined when it is gone for good. */
  rowNamed({ object: name, id }: { readonly object: string; readonly id: string }): FoundRow | undefined {
    const object = this.object(name);
    const table = this.table(name);
    const number = table ? table.source.find(id) : -1;
    return object && table && number >= 0 ? { object, rows: table.source, number } : undefined;
  }

  /** Numbers of the live rows of an object with this value in this field. */
  live(object: string, field: string, value: Value): number[] {
    const table = this.table(object);
    if (!table) return [];
    return table.source.lookup(field, value).filter((number) => table.source.cell(number, 'IsDeleted') !== true);
  }

  /** The live row that an update is for. */
  rowOf(object: SObject, given: Given | undefined): Target {
    if (given === null || given === undefined || given === '')
      return refused('MISSING_ARGUMENT', 'Id not specified in an update call', ['Id']);
    const id = String(given);
    const { keyPrefix } = object.describe;
    if (!isId(id)) return refused('MALFORMED_ID', `bad id ${id}`, ['Id']);
    if (keyPrefix && !id.startsWith(keyPrefix))
      return refused('MALFORMED_ID', `${object.describe.label} ID: id value of incorrect type: ${id}`, ['Id']);
    const rows = this.table(object.name)!.source;
    const number = rows.find(id18(id));
    if (number < 0) return refused('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id');
    if (rows.cell(number, 'IsDeleted') === true) return refused('ENTITY_IS_DELETED', 'entity is deleted');
    return { number };
  }

  /** The row that an upsert is for. */
  rowByKey(object: SObject, keyField: string, { fields }: RecordInput): Target {
    const given = fields[keyField];
    const blank = given === null || given === undefined || given === '';
    const field = object.field(keyField);
    if (field?.name === 'Id') return blank ? { number: -1 } : this.rowOf(object, given);
    if (!field || (field.externalId !== true && field.idLookup !== true))
      return refused('INVALID_FIELD', `${keyField} does not exist or is not an external id of ${object.name}`);
    if (blank) return refused('MISSING_ARGUMENT', `${object.name}: ${field.name} not specified`, [field.name]);
    const numeric = ['double', 'int', 'currency', 'percent'].includes(field.type);
    const found = this.live(object.name, field.name, numeric ? Number(given) : String(given));
    if (found.length > 1)
      return refused(
        'DUPLICATE_EXTERNAL_ID',
        `${field.name}: more than one record found for external id field: ${this.idsOf(object, found)}`,
        [field.name],
      );
    return { number: found[0] ?? -1 };
  }

  idsOf(object: SObject, numbers: readonly number[]): string {
    const { source } = this.table(object.name)!;
    return `[${numbers.map((number) => source.cell(number, 'Id')).join(', ')}]`;
  }

  /** Changes a row on the side: a stamp moves only when asked for. */
  touch(object: SObject, number: number, changes: Readonly<Record<string, Value>>, moves: boolean): void {
    const rows = this.table(object.name)!.source;
    rows.set(number, moves ? { ...changes, ...this.modified(object) } : changes);
  }

  /** The stamps of a change. */
  modified(object: SObject): Record<string, Value> {
    const stamps: Record<string, Value> = {};
    if (object.field('LastModifiedDate')) stamps.LastModifiedDate = this.now;
    if (object.field('LastModifiedById')) stamps.LastModifiedById = this.userId;
    if (object.field('SystemModstamp')) stamps.SystemModstamp = this.now;
    return stamps;
  }
}

export function refused(
  code: string,
  message: string,
  fields: readonly string[] = [],
): { error: { code: string; message: string; fields: readonly string[] } } {
  return { error: { code, message, fields } };
}
