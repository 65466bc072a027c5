import type { RowBatch } from '../rows/batch.ts';
import type { ObjectDescribe } from '../schema/describe.ts';
import { groups } from './composite.ts';
import { isObjectLevel } from './faults.ts';
import { queryPages } from './rest-query.ts';
import { type RestRead, restRows } from './rest-rows.ts';
import { and, select, text } from './soql.ts';
import type { Wire } from './wire.ts';

/** How an object is asked for that answers no query without a filter on its parents (field guide, extract 4.1 and 4.2). */
export interface Slicing {
  /** The field that names the parent. */
  readonly by: string;
  /** Objects whose rows are the parents. */
  readonly parents: readonly string[];
  /** `ids`: up to so many parents in a query, by their Ids. `types`: all rows of a kind of parent in one. */
  readonly each: number | 'types';
  /** Users who see all of it need no filter: try without one first. */
  readonly unfilteredFirst: boolean;
}

/** `parents` where a describe is trusted less than what is known. */
const known: Readonly<Record<string, Omit<Slicing, 'parents'> & { readonly parents?: readonly string[] }>> = {
  ContentDocumentLink: { by: 'ContentDocumentId', parents: ['ContentDocument'], each: 200, unfilteredFirst: true },
  ContentFolderItem: { by: 'ParentContentFolderId', each: 200, unfilteredFirst: false },
  ContentFolderMember: { by: 'ParentContentFolderId', each: 1, unfilteredFirst: false },
  IdeaComment: { by: 'IdeaId', each: 200, unfilteredFirst: false },
  Vote: { by: 'ParentId', each: 'types', unfilteredFirst: false },
};

/** How the org says that this object wants a filter on its parent. */
export const wantsParentFilter = /Implementation restriction|requires a filter/i;

/** True when nothing of the object can be had without its parents. */
export function slicedOnly(object: string): boolean {
  return Object.hasOwn(known, object) && !known[object]!.unfilteredFirst;
}

/** undefined: the object is asked for like any other. */
export function slicingOf({ name, fields }: Pick<ObjectDescribe, 'name' | 'fields'>): Slicing | undefined {
  const slicing = Object.hasOwn(known, name) ? known[name] : undefined;
  const parents = slicing?.parents ?? fields.find(({ name }) => name === slicing?.by)?.referenceTo;
  if (!slicing || !parents || parents.length === 0) return undefined;
  return { ...slicing, parents };
}

/** All rows of the object, parent by parent. Only rows of parents that the user sees are found. */
export async function* slicedRows(wire: Wire, read: RestRead, slicing: Slicing): AsyncGenerator<RowBatch> {
  const { by, each, parents } = slicing;
  for (const parent of parents) {
    if (each === 'types') {
      const type = `${by.replace(/Id$/, '')}.Type = ${text(parent)}`;
      yield* restRows(wire, { ...read, where: and(read.where, type) });
      continue;
    }
    for await (const ids of parentIds(wire, read, parent)) {
      for (const group of groups(ids, each)) {
        const list = group.map(text);
        const where = each === 1 ? `${by} = ${list[0]}` : `${by} IN (${list.join(',')})`;
        yield* restRows(wire, { ...read, where: and(read.where, where) });
      }
    }
  }
}

async function* parentIds(wire: Wire, { all }: RestRead, parent: string): AsyncGenerator<readonly string[]> {
  const what = `the Ids of ${parent}`;
  try {
    for await (const page of queryPages(wire, select(['Id'], parent), { all, what }))
      yield page.map(({ Id }) => String(Id));
  } catch (error) {
    // Whose parents the org has not has no rows that could be found.
    if (isObjectLevel(error) && error.data.errorCode === 'INVALID_TYPE') error.data.never = true;
    throw error;
  }
}
