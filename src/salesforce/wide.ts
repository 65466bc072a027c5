import { Fault } from '../errors.ts';
import { groups } from './composite.ts';
import type { RestRecord } from './rest-json.ts';
import { isTooMuch, queryPages } from './rest-query.ts';
import type { RestRead } from './rest-rows.ts';
import { select, text } from './soql.ts';
import type { Wire } from './wire.ts';

/** Ids in one query, and characters of column names: together they fit into a URL (field guide, extract 7.5). */
const idsPerQuery = 150;
const columnCharacters = 6_000;
const mostTries = 3;

/**
 * An object with more columns, or more that have to be computed, than a query can name: some columns of 150 records at a time, put together by Id. A record
 * whose SystemModstamp differs between its parts was changed meanwhile and is read again. Throws `count-mismatch` when a
 * record does not hold still, or is gone.
 */
export async function* wideRecords(wire: Wire, read: RestRead): AsyncGenerator<readonly RestRecord[]> {
  const stamped = read.fields.includes('SystemModstamp');
  const keys = stamped ? ['Id', 'SystemModstamp'] : ['Id'];
  const columns: (readonly string[])[] = byLength(read.fields.filter((field) => !keys.includes(field)));
  const ids = queryPages(wire, select(['Id'], read.object, read.where), {
    all: read.all,
    what: `the Ids of ${read.object}`,
  });
  for await (const page of ids) {
    for (const group of groups(page, idsPerQuery)) {
      let open = group.map((record) => String(record.Id));
      for (let attempt = 1; open.length > 0; attempt++) {
        const whole = await together(wire, read, keys, columns, open);
        if (whole.size > 0) yield [...whole.values()];
        open = open.filter((id) => !whole.has(id));
        if (open.length > 0 && attempt >= mostTries) {
          throw new Fault(
            'count-mismatch',
            `${open.length} records of ${read.object} changed while they were read in parts.`,
            {
              data: { object: read.object, ids: open.slice(0, 10) },
            },
          );
        }
      }
    }
  }
}

/** The records that all parts agree on, by Id. A part that is still too much is cut in two, for those after it as well. */
async function together(
  wire: Wire,
  read: RestRead,
  keys: readonly string[],
  columns: (readonly string[])[],
  ids: readonly string[],
): Promise<Map<string, RestRecord>> {
  const where = `Id IN (${ids.map(text).join(',')})`;
  let whole: Map<string, RestRecord> | undefined;
  for (let number = 0; number < columns.length; ) {
    const part = columns[number]!;
    const next = new Map<string, RestRecord>();
    const soql = select([...keys, ...part], read.object, where);
    try {
      for await (const page of queryPages(wire, soql, { all: read.all, what: `some columns of ${read.object}` })) {
        for (const record of page) {
          const id = String(record.Id);
          const before = whole === undefined ? {} : whole.get(id);
          if (before && (whole === undefined || before.SystemModstamp === record.SystemModstamp)) {
            next.set(id, { ...before, ...record });
          }
        }
      }
    } catch (error) {
      if (!isTooMuch(error) || part.length < 2) throw error;
      const half = part.length >> 1;
      columns.splice(number, 1, part.slice(0, half), part.slice(half));
      continue;
    }
    whole = next;
    number += 1;
  }
  return whole ?? new Map();
}

function byLength(fields: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  let length = 0;
  for (const field of fields) {
    if (length + field.length + 3 > columnCharacters) {
      parts.push([]);
      length = 0;
    }
    parts.at(-1)!.push(field);
    length += field.length + 3;
  }
  return parts;
}
