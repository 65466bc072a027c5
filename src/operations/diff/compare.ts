import type { RowBatch, RowFlow } from '../../rows/batch.ts';
import { cells, Keys, rowStart } from '../../rows/cells.ts';
import { Cursor } from '../../rows/merge.ts';
import type { FieldDescribe } from '../../schema/describe.ts';
import { sameValue } from '../../schema/values.ts';

export type Change = 'added' | 'changed' | 'deleted';

/** A row that differs between two states; good until the next one comes. */
export interface RowChange {
  readonly id: string;
  readonly change: Change;
  /** Of a changed row, the numbers of the compared fields that differ; else none. */
  readonly fields: readonly number[];
  /** Undefined for an added row. */
  readonly from: RowAt | undefined;
  /** Undefined for a deleted row. */
  readonly to: RowAt | undefined;
}

export interface RowAt {
  readonly batch: RowBatch;
  readonly row: number;
}

/**
 * Walks two flows of the same columns, both ascending by Id, and tells every row that stands in one of them only, and every row of which one
 * of `fields` has another value. The fields stand in the columns from `offset` on. Constant memory.
 */
export async function compareRows(
  from: RowFlow,
  to: RowFlow,
  fields: readonly FieldDescribe[],
  offset: number,
  onChange: (change: RowChange) => void,
): Promise<void> {
  const a = new Cursor({ keys: new Keys(from.columns), batches: from.batches }, 0);
  const b = new Cursor({ keys: new Keys(to.columns), batches: to.batches }, 1);
  try {
    let hasA = await a.refill();
    let hasB = await b.refill();
    while (hasA || hasB) {
      const order = !hasB ? -1 : !hasA ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
      if (order < 0) onChange({ id: a.id, change: 'deleted', fields: [], from: at(a), to: undefined });
      else if (order > 0) onChange({ id: b.id, change: 'added', fields: [], from: undefined, to: at(b) });
      else {
        const differing = differingFields(a, b, fields, offset);
        if (differing.length > 0) onChange({ id: a.id, change: 'changed', fields: differing, from: at(a), to: at(b) });
      }
      if (order <= 0) hasA = a.advance() || (await a.refill());
      if (order >= 0) hasB = b.advance() || (await b.refill());
    }
  } finally {
    await a.close();
    await b.close();
  }
}

function at({ batch, row }: Cursor): RowAt {
  return { batch, row };
}

/** Nearly all rows are the same to the byte. */
function differingFields(a: Cursor, b: Cursor, fields: readonly FieldDescribe[], offset: number): number[] {
  const [startA, endA] = [rowStart(a.batch, a.row), a.batch.ends[a.row]!];
  const [startB, endB] = [rowStart(b.batch, b.row), b.batch.ends[b.row]!];
  if (a.batch.bytes.compare(b.batch.bytes, startB, endB, startA, endA) === 0) return [];
  const [x, y] = [cells(a.batch, a.row), cells(b.batch, b.row)];
  const differing: number[] = [];
  for (const [n, field] of fields.entries()) {
    if (!sameValue(field, x[offset + n]!, y[offset + n]!)) differing.push(n);
  }
  return differing;
}
