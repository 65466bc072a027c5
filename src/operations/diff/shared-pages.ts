import { Fault } from '../../errors.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { Keys } from '../../rows/cells.ts';
import { type Ids, IdTable } from '../../rows/id-table.ts';
import { longId } from '../../schema/ids.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { type Unshared, unshared, unsharedIds } from '../../vault/unshared.ts';
import type { ComparedColumns, SideOfObject } from './columns.ts';
import { compareRows, type RowChange } from './compare.ts';

/** Rows that are looked up together: some 3 MB of Ids. */
const idsAtOnce = 100_000;

/** One object in two points, as it is compared. */
export interface ObjectInPoints {
  readonly object: string;
  readonly from: PointReader;
  readonly to: PointReader;
  readonly columns: ComparedColumns;
  /** Only these rows. */
  readonly ids: Ids | undefined;
  readonly signal: AbortSignal;
}

/**
 * What the pages of both points do not share, given that only rows of it can differ and that it is less than to look at every row. Undefined where
 * both states have to be read: a field has another type in one of them, they share nothing, or fewer rows are asked for.
 */
export async function unsharedRows(
  { object, from, to, columns, ids }: Omit<ObjectInPoints, 'signal'>,
  sides: readonly [SideOfObject, SideOfObject],
): Promise<Unshared | undefined> {
  // A cell that a segment does not have is filled by the type of its field.
  const [before, after] = sides.map(({ describe }) => new Map(describe.fields.map(({ name, type }) => [name, type])));
  if (columns.columns.some((name) => before!.get(name) !== after!.get(name))) return undefined;
  const found = unshared(await from.map(object), await to.map(object));
  return found && ids && ids.size < found.rows ? undefined : found;
}

/**
 * Compares the rows whose Ids stand in what the pages do not share; the cost follows these. Throws `count-mismatch` when the changes do not make up
 * the difference between the counts of both pages, and what reading the points throws.
 */
export async function compareUnshared(
  { object, from, to, columns, ids, signal }: ObjectInPoints,
  parts: Unshared,
  onChange: (change: RowChange) => void,
): Promise<void> {
  let more = 0;
  for await (const wanted of wantedRows(unsharedIds(from.vault, parts, signal), ids)) {
    signal.throwIfAborted();
    const options = { columns: columns.columns, signal, ...wanted };
    const rows = [await from.rows(object, options), await to.rows(object, options)] as const;
    await compareRows(...rows, columns.fields, columns.offset, (change) => {
      if (change.change !== 'changed') more += change.change === 'added' ? 1 : -1;
      onChange(change);
    });
  }
  const [before, after] = parts.pages.map(({ rows }) => rows) as [number, number];
  if (!ids && after - before !== more)
    throw new Fault('count-mismatch', `${object} went from ${before} to ${after} rows, its changes make ${more} more`, {
      data: { object },
    });
}

/** Some Ids at a time; from the first key on that is no Id, all rows behind the last Ids. */
async function* wantedRows(
  batches: AsyncIterable<RowBatch>,
  only: Ids | undefined,
): AsyncGenerator<{ ids: IdTable } | { after: string }> {
  const keys = new Keys(['Id']);
  let ids = new IdTable();
  let last = '';
  for await (const batch of batches) {
    for (let row = 0; row < batch.ends.length; row++) {
      const id = keys.id(batch, row);
      if (longId(id) !== id || id.length !== 18) {
        if (ids.size > 0) yield { ids };
        return yield { after: last };
      }
      last = id;
      if (only && !only.has(id)) continue;
      ids.add(id);
      if (ids.size < idsAtOnce) continue;
      yield { ids };
      ids = new IdTable();
    }
    batch.release?.();
  }
  if (ids.size > 0) yield { ids };
}
