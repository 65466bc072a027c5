/**
 * Rows in motion: some whole rows of one object, in the CSV dialect of `csv.ts` (UTF-8, every cell quoted, LF behind
 * each row, no header line). The unit in which rows flow through the program; about 1,000 rows or up to 1 MiB.
 */
export interface RowBatch {
  /** The rows, one behind the other, each with its LF. */
  readonly bytes: Buffer;
  /** For each row the offset in `bytes` just behind its LF, ascending; its length is the number of rows. */
  readonly ends: Uint32Array;
}

/** Rows of one object with their columns. Where the object has them, the first columns are Id, SystemModstamp, IsDeleted. */
export interface RowFlow {
  readonly columns: readonly string[];
  readonly batches: AsyncIterable<RowBatch>;
}
