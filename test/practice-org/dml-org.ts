import assert from 'node:assert/strict';
import type { Database, Row } from '../../src/practice-org/database.ts';
import { Dml } from '../../src/practice-org/dml/dml.ts';
import { Journal } from '../../src/practice-org/dml/journal.ts';
import { writableDatabase } from '../../src/practice-org/dml/overlay.ts';
import type { Given, KeyReference, SaveOptions, SaveResult } from '../../src/practice-org/dml/save.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { Schema } from '../../src/practice-org/schema.ts';
import { applySettings, defaultSettings, type Settings } from '../../src/practice-org/settings.ts';

type Fields = Record<string, Given>;

export const plain: SaveOptions = { api: 'rest', allOrNone: false, assign: false, allowDuplicates: false };
export const clock = Date.UTC(2026, 10, 21, 8, 0, 0);
export const stampNow = '2026-11-21T08:00:00.000Z';

/** The sample org, to be written to without HTTP. Its clock stands still. */
export function dmlOrg(changes: Partial<Settings> = {}, given: Database = sampleDatabase()) {
  const settings = defaultSettings();
  applySettings(settings, changes);
  const journal = new Journal();
  const database = writableDatabase(given, journal);
  const schema = new Schema(database, settings);
  const dml = new Dml({ database, schema, settings, journal, now: () => clock });
  const object = (name: string) => schema.object(name)!;
  const rows = (name: string) => database.tables.get(name)!.source;
  const org = {
    dml,
    database,
    schema,
    settings,
    object,
    rows,
    insert: (name: string, records: readonly Fields[], options: Partial<SaveOptions> = {}) =>
      dml.insert(object(name), records.map(fieldsOnly), { ...plain, ...options }),
    update: (name: string, records: readonly Fields[], options: Partial<SaveOptions> = {}) =>
      dml.update(object(name), records.map(fieldsOnly), { ...plain, ...options }),
    upsert: (name: string, key: string, records: readonly Fields[], options: Partial<SaveOptions> = {}) =>
      dml.upsert(object(name), key, records.map(fieldsOnly), { ...plain, ...options }),
    insertWith: (name: string, fields: Fields, references: readonly KeyReference[]) =>
      said(dml.insert(object(name), [{ fields, references }], plain))[0]!,
    remove: (ids: readonly string[], options: Partial<SaveOptions> & { hard?: boolean } = {}) =>
      dml.remove(ids, { ...plain, ...options }),
    undelete: (ids: readonly string[]) => dml.undelete(ids, plain),
    /** Inserts one record that must succeed. */
    make: (name: string, fields: Fields): string => saved(org.insert(name, [fields])[0]!),
    /** The row with this Id; undefined when it is gone for good. */
    row: (name: string, id: string): Row | undefined => {
      const number = rows(name).find(id);
      return number < 0 ? undefined : rows(name).row(number);
    },
    /** Live rows with this value. */
    where: (name: string, field: string, value: string): Row[] =>
      rows(name)
        .lookup(field, value)
        .sort((a, b) => a - b)
        .map((number) => rows(name).row(number))
        .filter((row) => row.IsDeleted !== true),
    /** The Id of the row at this place. */
    id: (name: string, number: number): string => String(rows(name).row(number).Id),
  };
  return org;
}

function fieldsOnly(fields: Fields) {
  return { fields };
}

export function saved(result: SaveResult): string {
  assert.deepEqual(result.errors, []);
  return result.id!;
}

/** `CODE: message` of each record, `saved` for those that were. */
export function said(results: readonly SaveResult[]): string[] {
  return results.map(({ errors }) =>
    errors.length === 0 ? 'saved' : errors.map(({ code, message }) => `${code}: ${message}`).join('; '),
  );
}
