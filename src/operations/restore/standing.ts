import type { RowFlow } from '../../rows/batch.ts';
import { Keys } from '../../rows/cells.ts';
import { IdMap, type Ids, IdTable } from '../../rows/id-table.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import type { ObjectScope, PlanScope } from './scope.ts';

/** So many rows, when they are this share of the point's, are looked for in the Ids of the whole object, which are read once. */
const manyRows = 20_000;
const wholeShare = 0.2;

/**
 * Finds out how rows of the point stand in the org now and adds each to `live`, `bin` or `vanished` of its object. Rows that are known already
 * are not asked for again. In another org nothing stands under the Ids of the point.
 */
export async function findStandings(plan: PlanScope, scope: ObjectScope, ids: Ids): Promise<void> {
  const unknown = unknownOf(scope, ids);
  if (unknown.size === 0) return;
  if (!plan.anotherOrg) await look(plan, scope, unknown, scope.live, scope.bin);
  const { live, bin, vanished, wanted } = scope;
  if (unknown === wanted) for (const n of wanted.numbers()) if (!live.at(n) && !bin.at(n)) vanished.mark(n);
  if (unknown !== wanted) for (const id of unknown) if (!live.has(id) && !bin.has(id)) vanished.add(id);
  if (plan.remade.size > 0) await lookForRemade(plan, scope, unknown);
}

/** Those of `ids` that were not asked for yet; `ids` itself when none was. */
function unknownOf({ wanted, live, bin, vanished }: ObjectScope, ids: Ids): Ids {
  if (live.size + bin.size + vanished.size === 0) return ids;
  const unknown = new IdTable();
  if (ids === wanted) {
    // By number: most plans ask again for rows that are all known, maybe millions.
    for (const n of wanted.numbers()) if (!live.at(n) && !bin.at(n) && !vanished.at(n)) unknown.add(wanted.id(n));
  } else for (const id of ids) if (!live.has(id) && !bin.has(id) && !vanished.has(id)) unknown.add(id);
  return unknown;
}

async function lookForRemade(plan: PlanScope, scope: ObjectScope, ids: Ids): Promise<void> {
  const remade = new IdMap();
  for (const id of ids) {
    const there = scope.live.has(id) ? undefined : plan.remade.get(id);
    if (there !== undefined) remade.set(there, id);
  }
  if (remade.size === 0) return;
  const standing = new IdTable();
  const asked = new IdTable();
  for (const [there] of remade) asked.add(there);
  await look(plan, scope, asked, standing, new IdTable());
  for (const id of standing) plan.earlier.set(remade.get(id)!, id);
}

interface Into {
  add(id: string): unknown;
}

/** Asks the org for rows by their Ids there. */
async function look(plan: PlanScope, scope: ObjectScope, ids: Ids, live: Into, bin: Into): Promise<void> {
  if (!scope.target?.queryable) return;
  const found = await rowsOf(plan, scope, scope.target, ids);
  const keys = new Keys(found.columns);
  for await (const batch of found.batches) {
    plan.ctx.signal.throwIfAborted();
    for (let i = 0; i < batch.ends.length; i++) {
      const id = keys.id(batch, i);
      if (ids.has(id)) (keys.deleted(batch, i) ? bin : live).add(id);
    }
    batch.release?.();
  }
}

/** The rows with these Ids, and maybe others. */
async function rowsOf(plan: PlanScope, { object }: ObjectScope, target: ObjectDescribe, ids: Ids): Promise<RowFlow> {
  const fields = ['Id', 'IsDeleted'].filter((name) => target.fields.some((field) => field.name === name));
  const extraction = plan.org.plan(target);
  const isMost = ids.size >= manyRows && ids.size >= wholeShare * (await plan.reader.map(object)).rows;
  if (isMost && extraction.way !== 'none') {
    return plan.org.extract({ object, plan: { ...extraction, fields }, all: true });
  }
  return plan.org.records(target, [...ids.sorted()], fields, { all: true });
}

/** True when the row is gone from the org, whether or not it can be taken out of the recycle bin. One that an earlier restore made again is not. */
export function isGone(plan: PlanScope, scope: ObjectScope, id: string): boolean {
  if (plan.earlier.has(id)) return false;
  return scope.bin.has(id) || scope.vanished.has(id);
}
