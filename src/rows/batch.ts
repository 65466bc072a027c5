/**
 * Rows in motion: some whole rows of one object, in the CSV dialect of `csv.ts` (UTF-8, every cell quoted, LF behind
 * each row, no header line). The unit in which rows flow through the program; about 1,000 rows or up to 1 MiB.
 */
export interface RowBatch {
  /** The rows, one behind the other, each with its LF. */
  readonly bytes: Buffer;
  /** For each row the offset in `bytes` just behind its LF, ascending; its length is the number of rows. */
  readonly ends: Uint32Array;
  /**
   * Gives the memory of `bytes` back, to be filled with other rows. A batch has one owner: who hands it on owns it no
   * more. The owner may change `bytes`, and who ends with it may call this, once, and must not look at `bytes` after that.
   * Nobody has to: what is not given back is collected. Absent where the memory is not to be used again, and in a batch
   * that shares the memory of another; then the other is not given back either.
   */
  readonly release?: () => void;
}

/** Rows of one object with their columns. Where the object has them, the first columns are Id, SystemModstamp, IsDeleted. */
export interface RowFlow {
  readonly columns: readonly string[];
  readonly batches: AsyncIterable<RowBatch>;
}
