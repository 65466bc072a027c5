import { Fault } from '../errors.ts';
import type { RowBatch } from '../rows/batch.ts';
import { encodeRows } from '../rows/csv.ts';
import { groups } from './composite.ts';
import { cellOf, type QueryPage, type RestRecord } from './rest-json.ts';
import { isTooMuch, queryPages } from './rest-query.ts';
import { select } from './soql.ts';
import { wideRecords } from './wide.ts';
import type { Wire } from './wire.ts';

export interface RestRead {
  readonly object: string;
  readonly fields: readonly string[];
  /** Type of each field, from the describe. */
  readonly types: ReadonlyMap<string, string>;
  readonly where?: string;
  readonly all: boolean;
}

/**
 * The rows of an object by REST, in the dialect and with the values as Bulk writes them, numbers as REST writes them. Throws `count-mismatch`
 * for a record without one of the fields, and what the queries throw. `first`: the first page, when it is there already.
 */
export async function* restRows(wire: Wire, read: RestRead, first?: QueryPage): AsyncGenerator<RowBatch> {
  yield* encoded(recordsOf(wire, read, first), read);
}

/** Pages of records as batches of rows. */
export async function* encoded(
  pages: AsyncIterable<readonly RestRecord[]> | Iterable<readonly RestRecord[]>,
  read: Pick<RestRead, 'object' | 'fields' | 'types'>,
): AsyncGenerator<RowBatch> {
  for await (const records of pages) {
    for (const group of groups(records, 1000)) yield encodeRecords(group, read);
  }
}

/** Records as rows; throws `count-mismatch` for one without one of the fields. */
export function encodeRecords(
  records: readonly RestRecord[],
  read: Pick<RestRead, 'object' | 'fields' | 'types'>,
): RowBatch {
  return encodeRows(
    records.map((record) => read.fields.map((field) => cellOf(valueIn(record, field, read), read.types.get(field)))),
  );
}

/** A value that is null is there as null; a field that is not there at all was lost on the way, and is no empty value. */
function valueIn(record: RestRecord, field: string, { object }: Pick<RestRead, 'object'>): unknown {
  if (Object.hasOwn(record, field)) return record[field];
  const key = Object.keys(record).find((one) => one.toLowerCase() === field.toLowerCase());
  if (key !== undefined) return record[key];
  throw new Fault('count-mismatch', `A record of ${object} came without its field ${field}.`, {
    data: { object, field },
  });
}

async function* recordsOf(wire: Wire, read: RestRead, first?: QueryPage): AsyncGenerator<readonly RestRecord[]> {
  const soql = select(read.fields, read.object, read.where);
  try {
    yield* queryPages(wire, soql, { all: read.all, what: `the query of ${read.object}`, first });
  } catch (error) {
    // Only the first request of a query can be too much, so no record was handed over.
    if (!isTooMuch(error) || !read.fields.includes('Id')) throw error;
    yield* wideRecords(wire, read);
  }
}
