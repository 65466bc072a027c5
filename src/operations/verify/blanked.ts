import type { Context } from '../../context.ts';
import { Keys } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { longId, looksLikeId } from '../../schema/ids.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { isObjectFault } from '../backup/object.ts';

/** A lookup that names a row on one side and is empty on the other, in a row whose stamp did not move. */
export interface OpenLookup {
  readonly field: string;
  readonly parent: string;
  /** The side that has the value: the other side should know the parent as deleted. */
  readonly filled: 'point' | 'org';
}

/** Which of the rows that open lookups name are gone from the side that has the lookup empty (field guide, extract 5.2). */
export class Parents {
  readonly #gone = { point: new IdTable(), org: new IdTable() };

  /** Asks the org for rows that the point names, and the point for rows that the org names: only for Id, and for each once. */
  static async of(ctx: Context, point: PointReader, org: Org, lookups: Iterable<OpenLookup>): Promise<Parents> {
    const found = new Parents();
    const asked = { point: new IdTable(), org: new IdTable() };
    // Some references hold names in place of Ids.
    for (const { parent, filled } of lookups) if (looksLikeId(parent)) asked[filled].add(parent);
    if (asked.point.size + asked.org.size === 0) return found;
    const byPrefix = new Map<string, string[]>();
    for (const { name, keyPrefix, queryable } of await org.objects())
      if (keyPrefix !== null && queryable) byPrefix.set(keyPrefix, [...(byPrefix.get(keyPrefix) ?? []), name]);
    const groups = (ids: IdTable) => {
      const byObject = new Map<string, IdTable>();
      for (const id of ids) {
        const names = byPrefix.get(id.slice(0, 3)) ?? [];
        // A prefix that several objects share names none of them.
        if (names.length !== 1) continue;
        const group = byObject.get(names[0]!) ?? new IdTable();
        byObject.set(names[0]!, group);
        group.add(id);
      }
      return byObject;
    };
    for (const [object, ids] of groups(asked.point)) {
      const describe = (await org.describe([object])).get(object);
      if (!describe || !('fields' in describe) || org.plan(describe).way === 'none') continue;
      const live = await idsOf(org, describe, ids);
      for (const id of ids) if (live && !live.has(id)) found.#gone.point.add(id);
    }
    for (const [object, ids] of groups(asked.org)) {
      const flow = point.has(object)
        ? await point.rows(object, { ids, columns: ['Id'], signal: ctx.signal })
        : undefined;
      const there = flow ? await idsIn(flow) : new IdTable();
      for (const id of ids) if (!there.has(id)) found.#gone.org.add(id);
    }
    return found;
  }

  /** True when the lookup is empty because the row that it names was deleted, or filled because that row came back. */
  explains({ parent, filled }: OpenLookup): boolean {
    return looksLikeId(parent) && this.#gone[filled].has(longId(parent));
  }
}

/** Those that the org has; undefined: it does not tell, and nothing is explained by them. */
async function idsOf(org: Org, describe: ObjectDescribe, ids: IdTable): Promise<IdTable | undefined> {
  try {
    return await idsIn(org.records(describe, [...ids.sorted()], ['Id']));
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    return undefined;
  }
}

async function idsIn(flow: Awaited<ReturnType<PointReader['rows']>>): Promise<IdTable> {
  const keys = new Keys(flow.columns);
  const ids = new IdTable();
  for await (const batch of flow.batches) {
    for (let row = 0; row < batch.ends.length; row++) ids.add(keys.id(batch, row));
    batch.release?.();
  }
  return ids;
}
