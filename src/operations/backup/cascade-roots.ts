import type { Context } from '../../context.ts';
import { cell, Keys } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import type { Cascades } from './cascades.ts';
import { isObjectFault } from './object.ts';
import { goneColumns } from './rows.ts';
import type { Chosen } from './select.ts';

/** A row in the recycle bin. */
interface Dead {
  /** In milliseconds. */
  readonly at: number;
  readonly by: string;
  /** Ids of rows with which it may have gone. */
  readonly parents: readonly string[];
}

/** Rows of one object that others may have gone with, and between when these were deleted. */
interface Asked {
  readonly ids: IdTable;
  from: number;
  to: number;
}

/** What is known of rows above others. */
interface Above {
  /** Those in the recycle bin. */
  readonly dead: Map<string, Dead>;
  /** Those of which the org does not tell whether they are. */
  readonly untold: IdTable;
}

/** So many rows are asked for by their Ids. */
const fewIds = 200;
/** What one deletion takes along is stamped within this time. */
const togetherMs = 2000;
/** A root is so many relationships away at most. */
const mostSteps = 10;

const [dateColumn, byColumn, rootColumn, parentsColumn] = [
  goneColumns.indexOf('DeletedDate'),
  goneColumns.indexOf('DeletedById'),
  goneColumns.indexOf('CascadeRoot'),
  goneColumns.length,
];

/**
 * Puts the root of the cascade into tombstones (cells in the order of `goneColumns`; behind them, separated by spaces, Ids of rows with which the row may
 * have gone): the topmost row that the same user deleted within the same two seconds. It stays empty where there is none, where the ways up lead to
 * several, and where the org does not tell. Asks the org for the rows that stand above, by object.
 * Memory for the rows above alone.
 */
export async function fillRoots(ctx: Context, org: Org, cascades: Cascades, rows: string[][]): Promise<void> {
  const dead = rows.map((row): Dead => {
    const parents = row[parentsColumn] ? row[parentsColumn].split(' ') : [];
    return { at: Date.parse(row[dateColumn]!), by: row[byColumn]!, parents };
  });
  const above: Above = { dead: new Map(), untold: new IdTable() };
  let asked = askedBy(cascades, dead, above);
  for (let step = 0; asked.size > 0 && step < mostSteps; step++) {
    const found: Dead[] = [];
    for (const [parent, wanted] of asked) {
      const read = await readDead(ctx, org, cascades, parent, wanted, (id, one) => {
        above.dead.set(id, one);
        found.push(one);
      });
      if (!read) for (const id of wanted.ids) above.untold.add(id);
    }
    asked = askedBy(cascades, found, above);
  }
  for (const [n, one] of dead.entries()) {
    const root = rootOf(one, above, 0);
    if (root) rows[n]![rootColumn] = root;
  }
}

/** By object the rows that these may have gone with, and that are not known yet. One that was not found at another time is asked for again. */
function askedBy(cascades: Cascades, rows: readonly Dead[], above: Above): Map<Chosen, Asked> {
  const asked = new Map<Chosen, Asked>();
  for (const { at, by, parents } of rows) {
    if (Number.isNaN(at) || by === '') continue;
    for (const id of parents) {
      const parent = cascades.objectOf(id);
      if (!parent || above.dead.has(id) || above.untold.has(id)) continue;
      const one = asked.get(parent) ?? { ids: new IdTable(), from: at, to: at };
      one.ids.add(id);
      one.from = Math.min(one.from, at);
      one.to = Math.max(one.to, at);
      asked.set(parent, one);
    }
  }
  return asked;
}

/** Tells of the rows that are asked for those in the recycle bin. False: the org does not tell of all of them. */
async function readDead(
  ctx: Context,
  org: Org,
  cascades: Cascades,
  { describe, plan }: Chosen,
  { ids, from, to }: Asked,
  tell: (id: string, dead: Dead) => void,
): Promise<boolean> {
  const needed = ['Id', 'SystemModstamp', 'IsDeleted', 'LastModifiedById'];
  if (!needed.every((name) => plan.fields.includes(name))) return false;
  const further = cascades.fieldsOf(describe.name).filter((name) => plan.fields.includes(name));
  const fields = [...new Set([...needed, ...further])];
  const [low, high] = [from - togetherMs, to + togetherMs];
  const where = `IsDeleted = true AND SystemModstamp >= ${new Date(low).toISOString()} AND SystemModstamp <= ${new Date(high).toISOString()}`;
  try {
    // Of few rows their own state; of many whatever was deleted in that time, which may be more.
    const flow =
      ids.size <= fewIds
        ? org.records(describe, [...ids.sorted()], fields, { all: true })
        : org.extract({ object: describe.name, plan: { ...plan, fields }, where, all: true });
    const keys = new Keys(flow.columns);
    const parents = cascades.reader(describe.name, flow.columns);
    const [modifier, deleted] = ['LastModifiedById', 'IsDeleted'].map((name) => flow.columns.indexOf(name));
    for await (const batch of flow.batches) {
      ctx.signal.throwIfAborted();
      for (let row = 0; row < batch.ends.length; row++) {
        const id = keys.id(batch, row);
        const at = Date.parse(keys.stamp(batch, row));
        if (!ids.has(id) || cell(batch, row, deleted!) !== 'true' || !(at >= low && at <= high)) continue;
        tell(id, { at, by: cell(batch, row, modifier!), parents: parents(batch, row) });
      }
    }
    return true;
  } catch (error) {
    // The deletion itself is known; with what the row went is told where it can be.
    if (!isObjectFault(error)) throw error;
    return false;
  }
}

/** The topmost row that this one went with; undefined when it went by itself, '' when nobody can tell. */
function rootOf({ at, by, parents }: Dead, above: Above, depth: number): string | undefined {
  if (depth > mostSteps) return '';
  const roots = new Set<string>();
  for (const id of parents) {
    if (above.untold.has(id)) return '';
    const parent = above.dead.get(id);
    if (!parent || by === '' || parent.by !== by || !(Math.abs(parent.at - at) <= togetherMs)) continue;
    roots.add(rootOf(parent, above, depth + 1) ?? id);
  }
  if (roots.size === 0) return undefined;
  return roots.size === 1 ? [...roots][0]! : '';
}
