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
 * several, and where the org does not tell. Asks the org for deleted rows of the objects that stand above; one query for each, whatever their number.
 * Memory for the rows above alone.
 */
export async function fillRoots(ctx: Context, org: Org, cascades: Cascades, rows: string[][]): Promise<void> {
  const dead = rows.map((row): Dead => {
    const parents = row[parentsColumn] ? row[parentsColumn].split(' ') : [];
    return { at: Date.parse(row[dateColumn]!), by: row[byColumn]!, parents };
  });
  const above = new Map<string, Dead>();
  const seen = new IdTable();
  let asked = askedBy(cascades, dead, seen);
  for (let step = 0; asked.size > 0 && step < mostSteps; step++) {
    const found: Dead[] = [];
    for (const [parent, wanted] of asked) {
      for await (const [id, one] of deadRows(ctx, org, cascades, parent, wanted)) {
        above.set(id, one);
        found.push(one);
      }
    }
    asked = askedBy(cascades, found, seen);
  }
  for (const [n, one] of dead.entries()) {
    const root = rootOf(one, above, 0);
    if (root) rows[n]![rootColumn] = root;
  }
}

/** By object the rows that these may have gone with, and that were not asked for before. */
function askedBy(cascades: Cascades, rows: readonly Dead[], seen: IdTable): Map<Chosen, Asked> {
  const asked = new Map<Chosen, Asked>();
  for (const { at, by, parents } of rows) {
    if (Number.isNaN(at) || by === '') continue;
    for (const id of parents) {
      const parent = cascades.objectOf(id);
      if (!parent) continue;
      const one = asked.get(parent) ?? { ids: new IdTable(), from: at, to: at };
      if (!seen.has(id)) one.ids.add(id);
      seen.add(id);
      one.from = Math.min(one.from, at);
      one.to = Math.max(one.to, at);
      if (one.ids.size > 0) asked.set(parent, one);
    }
  }
  return asked;
}

/** Of the rows that are asked for those in the recycle bin. */
async function* deadRows(
  ctx: Context,
  org: Org,
  cascades: Cascades,
  { describe, plan }: Chosen,
  { ids, from, to }: Asked,
): AsyncGenerator<[id: string, dead: Dead]> {
  const needed = ['Id', 'SystemModstamp', 'IsDeleted', 'LastModifiedById'];
  if (!needed.every((name) => plan.fields.includes(name))) return;
  const further = cascades.fieldsOf(describe.name).filter((name) => plan.fields.includes(name));
  const fields = [...new Set([...needed, ...further])];
  const [low, high] = [from - togetherMs, to + togetherMs].map((time) => new Date(time).toISOString());
  const where = `IsDeleted = true AND SystemModstamp >= ${low} AND SystemModstamp <= ${high}`;
  try {
    const flow = org.extract({
      object: describe.name,
      plan: { ...plan, fields },
      where,
      all: true,
      rowsExpected: ids.size,
    });
    const keys = new Keys(flow.columns);
    const parents = cascades.reader(describe.name, flow.columns);
    const modifier = flow.columns.indexOf('LastModifiedById');
    for await (const batch of flow.batches) {
      ctx.signal.throwIfAborted();
      for (let row = 0; row < batch.ends.length; row++) {
        const id = keys.id(batch, row);
        if (!ids.has(id)) continue;
        const at = Date.parse(keys.stamp(batch, row));
        yield [id, { at, by: cell(batch, row, modifier), parents: parents(batch, row) }];
      }
    }
  } catch (error) {
    // The deletion itself is known; with what the row went is told where it can be.
    if (!isObjectFault(error)) throw error;
  }
}

/** The topmost row that this one went with; undefined when it went by itself, '' when nobody can tell. */
function rootOf({ at, by, parents }: Dead, above: ReadonlyMap<string, Dead>, depth: number): string | undefined {
  if (depth > mostSteps) return '';
  const roots = new Set<string>();
  for (const id of parents) {
    const parent = above.get(id);
    if (!parent || by === '' || parent.by !== by || !(Math.abs(parent.at - at) <= togetherMs)) continue;
    roots.add(rootOf(parent, above, depth + 1) ?? id);
  }
  if (roots.size === 0) return undefined;
  return roots.size === 1 ? [...roots][0]! : '';
}
