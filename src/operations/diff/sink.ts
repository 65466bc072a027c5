import type { ObjectSelection } from '../select/selection.ts';
import type { ComparedColumns } from './columns.ts';
import type { RowAt, RowChange } from './compare.ts';
import type { ObjectDiff } from './request.ts';
import type { DeadRows } from './tally.ts';

/** Takes what differs in one object, row by row, as a comparison finds it. */
export interface ChangeSink {
  /** Rows of which nobody can say who deleted them, left out for that. */
  readonly unattributed: number;
  /** `dead`: what is known of rows in the recycle bin. */
  take(change: RowChange, dead?: DeadRows): void;
  result(): Pick<ObjectDiff, 'object' | 'added' | 'changed' | 'deleted' | 'fields'>;
  /** So many more rows of the point have been read. Only when all rows are compared, and only of the part that is asked for. */
  read?(rows: number): void;
  /** A row of the recycle bin, good until the next one; before any row that differs. Only when all rows are compared. */
  bury?(id: string, row: RowAt, columns: readonly string[]): void;
}

/** Makes the sink of one object. */
export type MakeSink = (selection: ObjectSelection, columns: ComparedColumns) => ChangeSink;
