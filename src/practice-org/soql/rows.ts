import { setImmediate } from 'node:timers/promises';
import type { OrgFacts, Row, RowSource } from '../database.ts';
import type { SObject } from '../schema.ts';
import type { Permissions } from '../settings.ts';

/** Numbers of the rows that a query found, in its order. */
export interface RowNumbers {
  readonly size: number;
  at(index: number): number;
  /** True: exactly the rows 0 to size - 1 in that order, known without looking at them. */
  readonly isWhole: boolean;
}

export function wholeRange(size: number): RowNumbers {
  return { size, at: (index) => index, isWhole: true };
}

export function listed(numbers: Uint32Array | readonly number[]): RowNumbers {
  return { size: numbers.length, at: (index) => numbers[index]!, isWhole: false };
}

export type RowTest = (row: Row) => boolean;

const archivable = new Set(['Task', 'Event']);
const files = new Set(['ContentVersion', 'ContentDocument']);

/**
 * Which rows the user gets to see at all; undefined: every row, so that nobody needs to look. `all` as in queryAll: the recycle
 * bin and archived activities too (extract 2.6, 1.8).
 */
export function visibility(
  object: SObject,
  all: boolean,
  permissions: Permissions,
  facts: OrgFacts,
): RowTest | undefined {
  if (object.isSetup) return undefined;
  const tests: RowTest[] = [];
  if (!all && object.field('IsDeleted')) tests.push((row) => row.IsDeleted !== true);
  if (!all && archivable.has(object.name)) tests.push((row) => row.IsArchived !== true);
  const seesAll = permissions.viewAllData && (permissions.queryAllFiles || !files.has(object.name));
  if (!seesAll && object.field('OwnerId')) tests.push((row) => row.OwnerId === facts.userId);
  if (tests.length <= 1) return tests[0];
  return (row) => tests.every((test) => test(row));
}

/**
 * Reads rows one after the other; each row is good until the next is read. Where the source computes its cells, only those that are
 * looked at are made.
 */
export function rowReader({ table: { source, describe } }: SObject): (number: number) => Row {
  if (!source.cell) return (number) => source.row(number);
  let at = 0;
  const view = {};
  for (const { name } of describe.fields)
    Object.defineProperty(view, name, { get: () => source.cell!(at, name), enumerable: true });
  return (number) => {
    at = number;
    return view;
  };
}

/** What a scan without a filter found, of sources that tell when they are written to, until they are. */
const unfiltered = new WeakMap<RowSource, { version: number | undefined; found: Map<string, RowNumbers> }>();

/** All rows that the user gets to see (`visibility`). */
export async function visibleRows(
  object: SObject,
  all: boolean,
  permissions: Permissions,
  facts: OrgFacts,
): Promise<RowNumbers> {
  const visible = visibility(object, all, permissions, facts);
  const { source } = object.table;
  const { version } = source;
  if (!visible || (version === undefined && !source.csv)) return scan(object, visible);
  let known = unfiltered.get(source);
  if (!known || known.version !== version) {
    known = { version, found: new Map() };
    unfiltered.set(source, known);
  }
  const key = `${all} ${permissions.viewAllData} ${permissions.queryAllFiles} ${facts.userId}`;
  const found = known.found.get(key) ?? (await scan(object, visible));
  if (source.version === version) known.found.set(key, found);
  return found;
}

/** Rows in the order of their numbers, until `limit` are found. Lets others run every few milliseconds. */
export async function scan(
  object: SObject,
  test: RowTest | undefined,
  limit = Number.POSITIVE_INFINITY,
): Promise<RowNumbers> {
  const { source } = object.table;
  const read = rowReader(object);
  const { purged } = source;
  if (!test && !purged?.size) return wholeRange(Math.min(source.size, limit));
  let found = new Uint32Array(Math.min(source.size, 1024));
  let count = 0;
  let since = performance.now();
  for (let number = 0; number < source.size && count < limit; number += 1) {
    if (!purged?.has(number) && (!test || test(read(number)))) {
      if (count === found.length) {
        const larger = new Uint32Array(found.length * 2);
        larger.set(found);
        found = larger;
      }
      found[count++] = number;
    }
    if ((number & 511) === 511 && performance.now() - since > 20) {
      await setImmediate();
      since = performance.now();
    }
  }
  return listed(found.subarray(0, count));
}
