import type { RowBatch } from '../../rows/batch.ts';
import { cell, Keys } from '../../rows/cells.ts';
import { keepRows } from '../../rows/keep.ts';
import { leftOut } from '../../vault/known-rows.ts';

export const goneColumns = ['Id', 'DeletedDate', 'DeletedById', 'CascadeRoot', 'Learned'] as const;
/** Of tombstones that take nothing away any more; `Found`: the run that found the deletion. */
export const spentColumns = ['Id', 'DeletedDate', 'Found'] as const;

/** A tombstone of a row that the org has, and that the policy leaves out by now: it takes the row from the point, and is no deletion. */
export function leftOutTombstone(id: string): string[] {
  return [id, '', '', '', leftOut];
}

/** What a pass over the rows of one object finds besides the rows themselves. */
export interface Passed {
  live: number;
  deleted: number;
}

/**
 * Lets live rows through and turns rows of the recycle bin into tombstones (given to `onGone`, cells in the order of `goneColumns`). The platform keeps no
 * deletion date in the row: its last stamp and last modifier are what the deletion set (field guide, extract 5.4). With `parents` one more cell follows:
 * the Ids that it gives, separated by spaces.
 */
export async function* liveRows(
  columns: readonly string[],
  batches: AsyncIterable<RowBatch>,
  passed: Passed,
  onGone: (cells: readonly string[]) => Promise<void>,
  parents?: (batch: RowBatch, row: number) => readonly string[],
): AsyncGenerator<RowBatch> {
  const keys = new Keys(columns);
  const modifier = columns.indexOf('LastModifiedById');
  for await (const batch of batches) {
    const dead: number[] = [];
    if (keys.deletedColumn >= 0) {
      for (let i = 0; i < batch.ends.length; i++) if (keys.deleted(batch, i)) dead.push(i);
    }
    passed.live += batch.ends.length - dead.length;
    passed.deleted += dead.length;
    if (dead.length === 0) {
      yield batch;
      continue;
    }
    for (const i of dead) {
      await onGone([
        keys.id(batch, i),
        keys.stamp(batch, i),
        modifier < 0 ? '' : cell(batch, i, modifier),
        '',
        'recycle bin',
        ...(parents ? [parents(batch, i).join(' ')] : []),
      ]);
    }
    const isDead = new Set(dead);
    yield keepRows(batch, (row) => !isDead.has(row));
  }
}
