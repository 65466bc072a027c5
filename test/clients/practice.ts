import type { Database, Row, Value } from '../../src/practice-org/database.ts';
import { defaultNow, sampleDatabase } from '../../src/practice-org/generate.ts';
import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import type { Settings } from '../../src/practice-org/settings.ts';

export interface Practice {
  readonly org: PracticeOrg;
  readonly database: Database;
}

/** The sample org at the moment it was made for, whatever the day is. */
export async function startPractice(settings: Partial<Settings> = {}): Promise<Practice> {
  const database = sampleDatabase();
  const org = await startPracticeOrg(database, { clockSkew: defaultNow.getTime() - Date.now(), ...settings });
  return { org, database };
}

/** All rows of an object, the recycle bin too, in creation order, which is the order of their Ids. */
export function allRows({ database }: Practice, object: string): Row[] {
  const { source } = database.tables.get(object)!;
  return Array.from({ length: source.size }, (_, number) => source.row(number));
}

/** The rows that a query sees. */
export function rowsOf(practice: Practice, object: string): Row[] {
  return allRows(practice, object).filter((row) => row.IsDeleted !== true);
}

/** The row with this Id. */
export function rowOf({ database }: Practice, object: string, id: Value | undefined): Row {
  const { source } = database.tables.get(object)!;
  const number = source.find(String(id));
  if (number < 0) throw new Error(`there is no ${object} ${id}`);
  return source.row(number);
}

/** A row with just these fields. */
export function pick(row: Row, ...fields: string[]): Record<string, Value> {
  return Object.fromEntries(fields.map((field) => [field, row[field]!]));
}

/** A record as clients return it, without the attributes that the REST API adds. */
export function plain(record: object): Record<string, unknown> {
  const { attributes: _, ...fields } = record as Record<string, unknown>;
  return fields;
}

/** A row as REST shows the whole record: without hidden fields, and with datetimes in its notation (`+0000`). */
export function shown({ database }: Practice, object: string, row: Row): Record<string, Value> {
  const { describe, treatment } = database.tables.get(object)!;
  const fields = describe.fields.filter(({ name }) => name in row && !treatment.hiddenFields?.includes(name));
  return Object.fromEntries(
    fields.map(({ name, type }) => {
      const value = row[name]!;
      return [name, type === 'datetime' && typeof value === 'string' ? value.replace(/Z$/, '+0000') : value];
    }),
  );
}
