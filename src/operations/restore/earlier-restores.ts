import { createHash } from 'node:crypto';
import type { Context } from '../../context.ts';
import { isFault } from '../../errors.ts';
import { IdMap } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import { findRestores, idTables, placesOf, type RestoreFound, type RestorePlace } from '../../vault/restores.ts';
import { tableRows } from './apply/tables.ts';

/** A restore, or an undo, and where it lies. */
interface EarlierRestore {
  readonly at: RestorePlace;
  readonly one: RestoreFound;
}

/** What restores are known to have been begun into an org, oldest first. */
export async function earlierRestores(place: RestorePlace, org: Org, now: Date): Promise<EarlierRestore[]> {
  const found: EarlierRestore[] = [];
  for (const at of placesOf(place)) for (const one of await findRestores(at, now)) found.push({ at, one });
  const here = found.filter(({ one }) => one.beginning.org.slice(0, 15) === org.identity.orgId.slice(0, 15));
  return here.sort((a, b) => (a.one.restore < b.one.restore ? -1 : 1));
}

/** Digest of those that are over, well or not: of one that came after a plan was made, the plan does not know what it made again. */
export function earlierDigest(earlier: readonly EarlierRestore[]): string {
  const over = new Set(earlier.filter(({ one }) => one.state !== 'running').map(({ one }) => one.restore));
  return createHash('sha256')
    .update([...over].join())
    .digest('hex');
}

/**
 * Rows that they made again in the org: Id in the point -> Id there; later ones win. What was made again and deleted and made once more is followed
 * to its end.
 */
export async function remadeRows(ctx: Context, earlier: readonly EarlierRestore[]): Promise<IdMap> {
  const made = new IdMap();
  const again = new IdMap();
  for (const { at, one } of earlier) {
    // An undo names rows by their Ids in the org.
    const into = one.beginning.undoes === undefined ? made : again;
    for (const table of await readable(ctx, () => idTables(at, one, ctx.now()), []))
      for await (const [, id, target] of tableRows(at, table, ['Object', 'Id', 'Target'])) into.set(id!, target!);
  }
  for (const [id] of again) if (!made.has(id)) made.set(id, again.get(id)!);
  if (again.size > 0) for (const [id, target] of made) made.set(id, lastOf(again, target));
  return made;
}

function lastOf(again: IdMap, id: string): string {
  let last = id;
  for (let next = again.get(last), steps = 0; next !== undefined && steps < 100; next = again.get(last), steps++)
    last = next;
  return last;
}

/** What a damaged journal would say does not stand in the way of every other restore; that it is damaged is told. */
export async function readable<T>(ctx: Context, read: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isFault(error, 'journal-damaged', 'plan-edited', 'digest-mismatch', 'object-missing')) throw error;
    ctx.report({
      type: 'warning',
      name: error.name,
      message: `a restore before this one is passed over: ${error.message}`,
    });
    return otherwise;
  }
}
