import type { Context } from '../../context.ts';
import { isFault } from '../../errors.ts';
import { IdMap, IdTable } from '../../rows/id-table.ts';
import type { Match, Org } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { rowsOf } from './apply/work.ts';

/** Rows of one object, by their Ids in the org. */
export interface RowsOfObject {
  readonly target: ObjectDescribe;
  readonly ids: IdTable;
}

/** A live row that the org would delete along with `parent`, which its lookup `field` names. */
export interface Child {
  readonly object: string;
  readonly id: string;
  readonly field: string;
  readonly parent: string;
  /** When it was last made, changed or moved, as exactly as its object tells; undefined: the object does not. */
  readonly stamped: Date | undefined;
}

/** What the platform writes about rows by itself, again whenever it wants. */
const bookkeeping = /(?:History|Share)$/;

/** Rows that are nothing without the row that they belong to, and that the platform makes along with it. */
const parts = new Set([
  ...['CampaignMemberStatus', 'ContentDocumentLink', 'ContentVersion', 'DuplicateRecordItem', 'EmailMessageRelation'],
  ...['EntitySubscription', 'EventRelation', 'FeedComment', 'FeedItem', 'TaskRelation'],
]);

/** Fields that are true in rows that the platform makes along with another and takes away with it. */
const marks: Readonly<Record<string, string>> = { AccountContactRelation: 'IsDirect', Contact: 'IsPersonAccount' };

/** From the one that the most moves to the one that the fewest do: a merge moves only the first. */
const stamps = ['SystemModstamp', 'LastModifiedDate', 'CreatedDate'];

/** What becomes of a child when its parent is deleted, as somebody would have it. */
export type Fate =
  /** It is not to be deleted: its parent cannot be either. */
  | 'stays'
  /** It is deleted for itself, and looked at for itself. */
  | 'goes'
  /** It goes along, and so does what hangs on it, which is looked at too. */
  | 'along';

/** Which children are looked at: those that somebody made, neither by the platform alone nor by it along with others; or every one. */
export type Children = 'made' | 'every';

/**
 * The live rows that would be deleted along with rows of an object (`cascadeDelete`), history and shares left out. Objects that the org does not
 * let be searched are told as warnings. Asks nothing when there are no rows.
 */
async function* childrenOf(
  ctx: Context,
  org: Org,
  { target, ids }: RowsOfObject,
  which: Children,
): AsyncGenerator<Child & { readonly described: ObjectDescribe }> {
  if (ids.size === 0) return;
  const relations = target.childRelationships.filter(({ cascadeDelete }) => cascadeDelete);
  const described = await org.describe([...new Set(relations.map(({ childSObject }) => childSObject))]);
  for (const { childSObject, field } of relations) {
    const child = described.get(childSObject);
    if (!child || 'reason' in child || !isSearched(org, child, field, which)) continue;
    try {
      for await (const row of childrenBy(ctx, org, child, field, ids, which)) yield { ...row, described: child };
    } catch (error) {
      if (!isFault(error, 'object-refused', 'bulk-refused')) throw error;
      const message = `${childSObject} could not be searched for rows that would be deleted along with others: ${error.message}`;
      ctx.report({ type: 'warning', name: error.name, message });
    }
  }
}

/**
 * Of rows that are to be deleted, those that must be kept since a row that `stays` would be deleted along with them, and those that would take along
 * such a row that is kept, at any depth. `rows`: of all objects that are looked at together, in any order. `fate` is asked of each child.
 */
export async function takingAlong(
  ctx: Context,
  org: Org,
  rows: readonly RowsOfObject[],
  which: Children,
  fate: (child: Child) => Fate,
): Promise<IdTable> {
  const kept = new IdTable();
  /** Child -> parent, of children that are deleted; by object and lookup, since a row may have two parents. */
  const parents = new Map<string, IdMap>();
  const seen = new IdTable();
  for (let level = rows; level.length > 0; ) {
    const below = new Map<string, RowsOfObject>();
    for (const one of level) {
      for await (const child of childrenOf(ctx, org, one, which)) {
        const is = fate(child);
        if (is === 'stays') {
          kept.add(child.parent);
          continue;
        }
        const key = `${child.object}.${child.field}`;
        const known = parents.get(key) ?? new IdMap();
        parents.set(key, known);
        known.set(child.id, child.parent);
        if (is === 'goes' || seen.has(child.id)) continue;
        seen.add(child.id);
        const found = below.get(child.object) ?? { target: child.described, ids: new IdTable() };
        below.set(child.object, found);
        found.ids.add(child.id);
      }
    }
    level = [...below.values()];
  }
  for (let before = -1; before !== kept.size; ) {
    before = kept.size;
    for (const links of parents.values()) for (const [id, parent] of links) if (kept.has(id)) kept.add(parent);
  }
  return kept;
}

function isSearched(org: Org, child: ObjectDescribe, field: string, which: Children): boolean {
  const { name, queryable, createable } = child;
  if (!queryable || org.plan(child).way === 'none' || bookkeeping.test(name) || !hasFilter(child, field)) return false;
  return which === 'every' || (createable && !parts.has(name));
}

async function* childrenBy(
  ctx: Context,
  org: Org,
  child: ObjectDescribe,
  field: string,
  ids: IdTable,
  which: Children,
): AsyncGenerator<Child> {
  const stamp = stampOf(child);
  const mark = which === 'every' ? undefined : child.fields.find(({ name }) => name === marks[child.name])?.name;
  const asked = ['Id', field, ...[stamp, mark].filter((name) => name !== undefined)];
  const match: Match = { field, values: [...ids.sorted()] };
  for await (const { id, cells } of rowsOf(org.matching(child, match, asked), ctx.signal)) {
    if (mark !== undefined && cells(mark) === 'true') continue;
    const stamped = stamp === undefined ? undefined : new Date(cells(stamp));
    yield { object: child.name, id, field, parent: cells(field), stamped };
  }
}

function stampOf(child: ObjectDescribe): string | undefined {
  return stamps.find((name) => hasFilter(child, name));
}

function hasFilter({ fields }: ObjectDescribe, field: string): boolean {
  return fields.some(({ name, filterable }) => name === field && filterable);
}
