import type { Context } from '../../context.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { Keys } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import { projection } from '../../rows/project.ts';
import { RowSorter } from '../../rows/sort.ts';
import type { Org } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { indexKeys, type KnownRows } from '../../vault/known-rows.ts';
import { indexColumns } from '../../vault/segment.ts';
import type { Changes } from './changes.ts';
import type { Chosen } from './select.ts';

interface Reconciled {
  /** A row that is known and that the org no longer has, not even in its recycle bin. */
  vanished(id: string): Promise<void>;
  /** A row that is known, and that the policy leaves out by now. */
  leftOut(id: string): Promise<void>;
  /** Rows that the org has and that no window has shown as they are: committed late, or shown to the user since. */
  missed(batch: RowBatch): Promise<void>;
}

/**
 * Holds Ids and stamps of all live rows of the org against those that are known, less what changed: hard deletions are reported nowhere
 * else (field guide, extract 5.4). `before`: rows stamped then or later are left to the next run. In constant memory but for the Ids that are missing.
 */
export async function reconcile(
  ctx: Context,
  org: Org,
  request: {
    readonly chosen: Chosen;
    readonly known: KnownRows;
    readonly changes: Changes;
    readonly before: Date;
  },
  found: Reconciled,
): Promise<void> {
  const { chosen, known, changes, before } = request;
  const { describe, plan, rowsOut } = chosen;
  const sorter = new RowSorter(indexKeys, { tempDir: ctx.tempDir, signal: ctx.signal });
  const missing = new IdTable();
  const vanished = new IdTable();
  try {
    const has = (name: string) => plan.fields.includes(name);
    const fields = indexColumns.filter(has);
    const conditions = [has('IsDeleted') ? 'IsDeleted = false' : undefined, rowsOut?.kept].filter(
      (one) => one !== undefined,
    );
    const where = conditions.length === 0 ? undefined : conditions.map((one) => `(${one})`).join(' AND ');
    const flow = org.extract({ object: describe.name, plan: { ...plan, fields }, where, all: true });
    const toIndex = projection(flow.columns, indexColumns);
    for await (const batch of flow.batches) await sorter.add(toIndex(batch));
    for await (const { id, was, is } of pairs(known.live(), sorter.sorted())) {
      if (is === undefined) {
        if (!changes.isGone(id)) vanished.add(id);
      } else if (!changes.isLive(id) && was !== is && !(Date.parse(is) >= before.getTime())) missing.add(id);
    }
  } finally {
    await sorter.remove();
  }
  const stand = rowsOut && vanished.size > 0 ? await standing(org, describe, vanished) : undefined;
  for (const id of vanished) await (stand?.has(id) ? found.leftOut(id) : found.vanished(id));
  if (missing.size === 0) return;
  const rows = org.records(describe, [...missing.sorted()], plan.fields);
  const toColumns = projection(rows.columns, plan.fields);
  for await (const batch of rows.batches) await found.missed(toColumns(batch));
}

/** Those of `ids` that the org has, whatever the policy says of them. */
export async function standing(org: Org, describe: ObjectDescribe, ids: IdTable): Promise<IdTable> {
  const there = new IdTable();
  const { columns, batches } = org.records(describe, [...ids.sorted()], ['Id']);
  const keys = new Keys(columns);
  for await (const batch of batches) for (let row = 0; row < batch.ends.length; row++) there.add(keys.id(batch, row));
  return there;
}

export interface Pair {
  readonly id: string;
  /** The stamp that is known, and that of the org; undefined: there is no such row. */
  readonly was: string | undefined;
  readonly is: string | undefined;
}

/** Two flows in the columns of an index, both ascending by Id, side by side. */
export async function* pairs(known: AsyncIterable<RowBatch>, now: AsyncIterable<RowBatch>): AsyncGenerator<Pair> {
  const [left, right] = [rowsOf(known), rowsOf(now)];
  let [was, is] = [(await left.next()).value, (await right.next()).value];
  while (was || is) {
    const id = was && !(is && is.id < was.id) ? was.id : is!.id;
    const [old, here] = [was?.id === id, is?.id === id];
    yield { id, was: old ? was!.stamp : undefined, is: here ? is!.stamp : undefined };
    if (old) was = (await left.next()).value;
    if (here) is = (await right.next()).value;
  }
}

async function* rowsOf(
  batches: AsyncIterable<RowBatch>,
): AsyncGenerator<{ readonly id: string; readonly stamp: string }, undefined> {
  for await (const batch of batches)
    for (let i = 0; i < batch.ends.length; i++) yield { id: indexKeys.id(batch, i), stamp: indexKeys.stamp(batch, i) };
  return undefined;
}
