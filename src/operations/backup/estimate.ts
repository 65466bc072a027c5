import type { FieldDescribe } from '../../schema/describe.ts';
import { groupSize, type Phase } from './order.ts';
import type { Chosen } from './select.ts';

/** What is known of an object before it is read. */
export interface Known {
  /** Live rows; undefined: nobody knows. */
  readonly rows: number | undefined;
  /** True: no count says beforehand how many there are, so that Bulk reads it. */
  readonly unexpected: boolean;
  /** Undefined: it is read in full. */
  readonly changes: Changes | undefined;
  /** True: the org is asked which of its fields it hides. */
  readonly asksHidden: boolean;
  /** Of each object by whose rows it is asked for, how many there are; undefined: it is asked for as a whole. */
  readonly parentRows?: readonly number[] | undefined;
}

/** What an incremental run finds of an object. */
export interface Changes {
  /** Rows of the window; 0 with `same`: it is not read at all. */
  readonly rows: number;
  readonly same: boolean;
  /** True: its window is read with others in one call. */
  readonly few: boolean;
  /** True: all Ids are held against those of the org. */
  readonly reconciles: boolean;
}

/** Rows of one page of Bulk results; creation, one poll and removal of a job. */
const bulkPage = 100_000;
const bulkOverhead = 3;
/** From here on an object is read by Bulk (`salesforce/extract.ts`). */
const bulkRows = 2_000;
/** Ids of parents in a page. */
const parentPage = 2_000;
/** Characters of a query that still fits into a URL. */
const mostInUrl = 13_500;

/** API calls of each object, and of all: what objects of one group share is divided among them. `files`: theirs are fetched too, one call each. */
export function estimateCalls(
  phases: readonly Phase[],
  files: boolean,
  known: (chosen: Chosen) => Known,
): { readonly calls: number; readonly each: ReadonlyMap<string, number> } {
  const each = new Map<string, number>();
  let calls = 0;
  const filesOf = ({ plan }: Chosen, rows: number) => (files ? rows * plan.blobFields.length : 0);
  const add = (objects: readonly Chosen[], cost: number) => {
    calls += cost;
    for (const { describe } of objects) each.set(describe.name, (each.get(describe.name) ?? 0) + cost / objects.length);
  };
  let sameAsked: Chosen[] = [];
  for (const { large, groups } of phases) {
    for (const group of [...large.map((one) => [one]), ...groups]) {
      const full = group.filter((one) => known(one).changes === undefined);
      const parented = group.filter((one) => known(one).changes !== undefined);
      const read = parented.filter((one) => !known(one).changes!.same);
      const few = read.filter((one) => known(one).changes!.few);
      sameAsked = [...sameAsked, ...parented.filter((one) => known(one).changes!.same && known(one).asksHidden)];
      add(parented, together(parented.length));
      add(read, together(read.length));
      // One query alone is sent as it is.
      add(few, together(few.length));
      for (const one of read) {
        const { rows, reconciles } = known(one).changes!;
        const own = known(one).asksHidden ? 1 : 0;
        const { parentRows } = known(one);
        const window = few.includes(one) ? 0 : readCalls(one, { rows, parentRows });
        const outside = one.rowsOut ? restCalls(one, rows, ['Id']) : 0;
        // Counts do not agree, so that they are asked once more before and behind.
        const ids = reconciles ? readCalls(one, { rows: known(one).rows, parentRows }, ['Id']) + 2 : 0;
        add([one], window + outside + ids + own + filesOf(one, rows));
      }
      const counted = full.filter(({ describe }) => !describe.name.endsWith('__b'));
      const stamped = counted.filter(({ describe }) => describe.fields.some(({ name }) => name === 'SystemModstamp'));
      add(full, 2 * together(counted.length) + together(stamped.length));
      add(full, together(full.filter((one) => known(one).asksHidden).length));
      for (const one of full) {
        add([one], readCalls(one, known(one)) + filesOf(one, known(one).rows ?? 0));
      }
    }
  }
  add(sameAsked, together(sameAsked.length));
  return { calls, each };
}

/** Calls for so many queries that are asked together. */
export function together(queries: number): number {
  return Math.ceil(queries / groupSize);
}

/** Calls for all rows of an object, or for these of its fields. */
function readCalls(
  chosen: Chosen,
  { rows, unexpected = false, parentRows }: Pick<Known, 'rows' | 'parentRows'> & Partial<Pick<Known, 'unexpected'>>,
  fields = chosen.plan.fields,
): number {
  const { describe, plan } = chosen;
  if (plan.slicing && parentRows) return slicedCalls(plan.slicing, parentRows, restCalls(chosen, rows ?? 0, fields));
  const byBulk = plan.way !== 'rest' && plan.way !== 'index-walk';
  // Of a big object nobody counts the rows beforehand.
  const unknown = unexpected || rows === undefined || describe.name.endsWith('__b');
  const tooLong = fields.reduce((sum, name) => sum + name.length + 3, describe.name.length + 100) > mostInUrl;
  if (byBulk && (unknown || rows >= bulkRows || tooLong))
    return bulkOverhead + Math.max(1, Math.ceil((rows ?? 0) / bulkPage));
  return restCalls(chosen, rows ?? 0, fields);
}

/** Calls for an object that is asked for by its parents, whose rows come in so many pages. */
function slicedCalls(
  { each, unfilteredFirst }: NonNullable<Chosen['plan']['slicing']>,
  parentRows: readonly number[],
  pages: number,
): number {
  const refused = unfilteredFirst ? 1 : 0;
  if (each === 'types') return refused + Math.max(parentRows.length, pages);
  const ids = parentRows.reduce((sum, rows) => sum + Math.max(1, Math.ceil(rows / parentPage)), 0);
  return (
    refused +
    ids +
    Math.max(
      parentRows.reduce((sum, rows) => sum + Math.ceil(rows / each), 0),
      pages,
    )
  );
}

function restCalls({ describe }: Chosen, rows: number, fields: readonly string[]): number {
  const wanted = new Set(fields);
  const width = describe.fields.reduce((sum, field) => sum + (wanted.has(field.name) ? widthOf(field) : 0), 0);
  // Wide rows come in smaller pages; 2,000 is no more than a hint (field guide, extract 2.6).
  const page = width <= 20 ? 2000 : width <= 40 ? 1000 : width <= 80 ? 500 : 200;
  return Math.max(1, Math.ceil(rows / page));
}

function widthOf({ type, length }: FieldDescribe): number {
  return type === 'textarea' && length > 4000 ? 20 : 1;
}

/** Bytes of CSV of a row, about: fixed for what has a fixed form, a small share of the length for text, which is mostly empty. */
export function rowBytes({ describe, plan }: Chosen): number {
  const wanted = new Set(plan.fields);
  return describe.fields.reduce((sum, field) => sum + (wanted.has(field.name) ? 3 + cellBytes(field) : 0), 0);
}

function cellBytes({ type, length }: FieldDescribe): number {
  if (type === 'id' || type === 'reference') return 18;
  if (type === 'datetime') return 24;
  if (type === 'boolean') return 5;
  if (['double', 'currency', 'percent', 'int', 'date', 'time'].includes(type)) return 8;
  return Math.min(60, Math.ceil(length / 10));
}
