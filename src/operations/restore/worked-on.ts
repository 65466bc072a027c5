import type { Context } from '../../context.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import { rowsOf } from './apply/work.ts';
import { childrenOf, type RowsOfObject } from './taken-along.ts';

/** Rows that a restore made or took out of the recycle bin, of one object. */
export type BroughtBack = RowsOfObject;

/**
 * Of rows that a restore brought back, those that people have worked on since: they were changed, records were attached to them that would be deleted
 * with them, new ones or others that were moved there, or they are parents that would take such a row along. `objects` in the order in which they were made; `since` by the org's clock.
 */
export async function workedOn(ctx: Context, org: Org, objects: readonly BroughtBack[], since: Date): Promise<IdTable> {
  const kept = new IdTable();
  const all = new IdTable();
  for (const { ids } of objects) for (const id of ids) all.add(id);
  for (const one of objects) {
    await changed(ctx, org, one, since, kept);
    await attached(ctx, org, one, since, all, kept);
  }
  for (const one of objects.toReversed()) await parents(ctx, org, one, all, kept);
  return kept;
}

async function changed(
  ctx: Context,
  org: Org,
  { target, ids }: BroughtBack,
  since: Date,
  kept: IdTable,
): Promise<void> {
  const stamp = 'LastModifiedDate';
  if (!target.queryable || !target.fields.some(({ name }) => name === stamp)) return;
  const flow = org.records(target, [...ids.sorted()], ['Id', stamp]);
  for await (const { id, cells } of rowsOf(flow, ctx.signal))
    if (Date.parse(cells(stamp)) > since.getTime()) kept.add(id);
}

/**
 * Rows with a child that would go with them, is none of the restore's own, and was made, changed or moved since. A child that nobody touched since
 * cannot have been put there since: it came out of the recycle bin with its parent, or the platform made it with it, and goes as it came.
 */
async function attached(
  ctx: Context,
  org: Org,
  one: BroughtBack,
  since: Date,
  all: IdTable,
  kept: IdTable,
): Promise<void> {
  for await (const { id, parent } of childrenOf(ctx, org, one, since)) if (!all.has(id)) kept.add(parent);
}

/** A parent that is deleted takes its children along: those of a row that is kept are kept too. Children stand behind their parents. */
async function parents(
  ctx: Context,
  org: Org,
  { target, ids }: BroughtBack,
  all: IdTable,
  kept: IdTable,
): Promise<void> {
  const lookups = target.fields.filter(({ type }) => type === 'reference').map(({ name }) => name);
  if (lookups.length === 0 || !target.queryable) return;
  for (let before = -1; before !== kept.size; ) {
    before = kept.size;
    const mine = [...ids.sorted()].filter((id) => kept.has(id));
    if (mine.length === 0) return;
    const flow = org.records(target, mine, ['Id', ...lookups]);
    for await (const { cells } of rowsOf(flow, ctx.signal)) {
      for (const name of lookups) {
        const parent = cells(name);
        if (parent !== '' && all.has(parent)) kept.add(parent);
      }
    }
  }
}
