import type { Context } from '../../context.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import { rowsOf } from './apply/work.ts';
import { type Child, type Fate, type RowsOfObject, takingAlong } from './taken-along.ts';

/** Rows that a restore made or took out of the recycle bin, of one object. */
export type BroughtBack = RowsOfObject;

/**
 * Of rows that a restore brought back, those that people have worked on since: they were changed, or records were attached to them, to what came
 * back along with them or to what hangs on that, at any depth, which would be deleted with them, new ones or others that were moved there; or they
 * are parents that would take such a row along. `objects` in the order in which they were made; `since` by the org's clock, whole seconds.
 */
export async function workedOn(ctx: Context, org: Org, objects: readonly BroughtBack[], since: Date): Promise<IdTable> {
  const kept = new IdTable();
  const all = new IdTable();
  for (const { ids } of objects) for (const id of ids) all.add(id);
  for (const one of objects) await changed(ctx, org, one, since, kept);
  const fate = ({ id, stamped }: Child): Fate => {
    if (kept.has(id)) return 'stays';
    if (all.has(id)) return 'goes';
    // One that nobody touched since came out of the recycle bin with its parent, or the platform made it with it, and goes as it came.
    return stamped !== undefined && stamped > since ? 'stays' : 'along';
  };
  for (const id of await takingAlong(ctx, org, objects, 'every', fate)) kept.add(id);
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
