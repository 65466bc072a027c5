import { Keys } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { ObjectScope, PlanScope } from './scope.ts';

/**
 * Finds out how rows of the point stand in the org now and adds each to `live`, `bin` or `vanished` of its object. Rows that are known already
 * are not asked for again. In another org nothing stands under the Ids of the point.
 */
export async function findStandings(plan: PlanScope, scope: ObjectScope, ids: IdTable): Promise<void> {
  const unknown: string[] = [];
  for (const id of ids.sorted()) {
    if (!scope.live.has(id) && !scope.bin.has(id) && !scope.vanished.has(id)) unknown.push(id);
  }
  if (unknown.length === 0) return;
  if (!plan.anotherOrg) await look(plan, scope, unknown, scope.live, scope.bin);
  for (const id of unknown) if (!scope.live.has(id) && !scope.bin.has(id)) scope.vanished.add(id);
  const remade = new Map(unknown.flatMap((id) => (scope.live.has(id) ? [] : [[plan.remade.get(id), id] as const])));
  remade.delete(undefined);
  if (remade.size === 0) return;
  const standing = new IdTable();
  await look(plan, scope, [...remade.keys()] as string[], standing, new IdTable());
  for (const id of standing) plan.earlier.set(remade.get(id)!, id);
}

/** Asks the org for rows by their Ids there. */
async function look(
  plan: PlanScope,
  { target }: ObjectScope,
  ids: readonly string[],
  live: IdTable,
  bin: IdTable,
): Promise<void> {
  if (!target?.queryable) return;
  const fields = ['Id', 'IsDeleted'].filter((name) => target.fields.some((field) => field.name === name));
  const found = plan.org.records(target, ids, fields, { all: true });
  const keys = new Keys(found.columns);
  for await (const batch of found.batches) {
    plan.ctx.signal.throwIfAborted();
    for (let i = 0; i < batch.ends.length; i++) (keys.deleted(batch, i) ? bin : live).add(keys.id(batch, i));
    batch.release?.();
  }
}

/** True when the row is gone from the org, whether or not it can be taken out of the recycle bin. One that an earlier restore made again is not. */
export function isGone(plan: PlanScope, scope: ObjectScope, id: string): boolean {
  if (plan.earlier.has(id)) return false;
  return scope.bin.has(id) || scope.vanished.has(id);
}
