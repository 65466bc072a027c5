import type { Describe } from '../database.ts';
import { id18, isId } from '../identifiers.ts';
import type { Schema, SObject } from '../schema.ts';
import type { Settings } from '../settings.ts';
import { Draft } from './draft.ts';
import type { Journal } from './journal.ts';
import type { WritableDatabase, WritableTable } from './overlay.ts';
import { type Outcome, passes } from './passes.ts';
import { RecycleBin } from './recycle-bin.ts';
import { type RecordInput, type SaveOptions, type SaveResult, transactionRows } from './save.ts';
import { Saving } from './saving.ts';
import { saveDraft } from './steps.ts';

/** What a save needs to know of the org. */
export interface DmlOrg {
  readonly database: WritableDatabase;
  readonly schema: Schema;
  readonly settings: Settings;
  readonly journal: Journal;
  /** The org's clock, milliseconds since 1970. */
  now(): number;
}

/**
 * Everything that changes rows. Each call is one transaction of at most 200 records with the partial saves of restore 1.3; results
 * come in the order of the records. What is wrong with a record stands in its result; nothing is thrown for it.
 */
export class Dml {
  readonly #org: DmlOrg;
  readonly #bin: RecycleBin;

  constructor(org: DmlOrg) {
    this.#org = org;
    this.#bin = new RecycleBin(org);
  }

  insert(object: SObject, records: readonly RecordInput[], options: SaveOptions): SaveResult[] {
    return this.#save(object, records, options, () => ({ number: -1 }));
  }

  /** Each record has `fields.Id`. */
  update(object: SObject, records: readonly RecordInput[], options: SaveOptions): SaveResult[] {
    return this.#save(object, records, options, (saving, record) => saving.rowOf(object, record.fields.Id));
  }

  /** By an external id, an idLookup field or Id: none found creates, one updates, more are refused (restore 1.5). */
  upsert(object: SObject, keyField: string, records: readonly RecordInput[], options: SaveOptions): SaveResult[] {
    const repeated = repeatedKeys(keyField, records);
    return this.#save(object, records, options, (saving, record, index) => {
      if (repeated.has(index))
        return {
          error: {
            code: 'DUPLICATE_VALUE',
            message: `Duplicate external id specified: ${record.fields[keyField]}`,
            fields: [keyField],
          },
        };
      return { ...saving.rowByKey(object, keyField, record), isUpsert: true };
    });
  }

  /** Deletes rows of any objects with all that goes with them. `hard`: past the recycle bin. */
  remove(ids: readonly string[], options: SaveOptions & { hard?: boolean }): SaveResult[] {
    return this.#each(ids, options, (saving, id) => this.#bin.remove(saving, id, options.hard === true));
  }

  undelete(ids: readonly string[], options: SaveOptions): SaveResult[] {
    return this.#each(ids, options, (saving, id) => this.#bin.undelete(saving, id));
  }

  /** Purges these rows, or all that lie in the bin: they are gone for good. */
  emptyRecycleBin(ids?: readonly string[]): void {
    this.transaction(() => this.#bin.empty(ids?.map((id) => (isId(id) ? id18(id) : id))));
  }

  /** All writes inside are taken back when `work` throws. */
  transaction<T>(work: () => T): T {
    return this.#org.journal.transaction(work);
  }

  #save(
    object: SObject,
    records: readonly RecordInput[],
    options: SaveOptions,
    target: (saving: Saving, record: RecordInput, index: number) => Target,
  ): SaveResult[] {
    const saving = this.#open(records.length, options);
    const table = saving.table(object.name);
    return passes(saving, records.length, (index): Outcome => {
      const record = records[index]!;
      const found = table ? target(saving, record, index) : { error: notWritable(object.describe) };
      if ('error' in found) return { id: undefined, created: false, errors: [found.error] };
      const draft = new Draft(object, (table as WritableTable).source, record, found.number, found.isUpsert === true);
      return saveDraft(saving, draft);
    });
  }

  #each(
    ids: readonly string[],
    options: SaveOptions,
    work: (saving: Saving, id: string) => Outcome['errors'],
  ): SaveResult[] {
    const saving = this.#open(ids.length, options);
    return passes(saving, ids.length, (index): Outcome => {
      const id = ids[index]!;
      if (!isId(id))
        return { id, created: false, errors: [{ code: 'MALFORMED_ID', message: `malformed id ${id}`, fields: [] }] };
      return { id: id18(id), created: false, errors: work(saving, id18(id)) };
    });
  }

  #open(size: number, options: SaveOptions): Saving {
    if (size > transactionRows)
      throw new RangeError(`${size} records are more than a transaction of ${transactionRows}`);
    return new Saving(this.#org, options);
  }
}

/** The row that a record is for: -1 for a new one. */
export type Target =
  | { readonly number: number; readonly isUpsert?: boolean }
  | { readonly error: SaveResult['errors'][number] };

function notWritable(describe: Describe): SaveResult['errors'][number] {
  const message = `entity type cannot be inserted: ${describe.label ?? describe.name}`;
  return { code: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', message, fields: [] };
}

/** Places of the records whose key stands in the list twice: all of them fail (restore 1.5). */
function repeatedKeys(keyField: string, records: readonly RecordInput[]): Set<number> {
  const first = new Map<string, number>();
  const repeated = new Set<number>();
  for (const [index, { fields }] of records.entries()) {
    const value = fields[keyField];
    if (value === null || value === undefined || value === '') continue;
    const key = String(value).toLowerCase();
    const before = first.get(key);
    if (before === undefined) first.set(key, index);
    else {
      repeated.add(before);
      repeated.add(index);
    }
  }
  return repeated;
}
