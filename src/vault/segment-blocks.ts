import { openRanges, type ReadRange } from '../age/file.ts';
import { Fault } from '../errors.ts';
import type { RowBatch } from '../rows/batch.ts';
import { cells, Keys } from '../rows/cells.ts';
import { RowSplitter } from '../rows/split.ts';
import { type Block, vaultRows } from './segment.ts';
import { decompressFrame } from './zstd.ts';

/** A stored segment as its detail describes it. `size`: stored bytes. */
export interface IndexedSegment {
  readonly size: number;
  readonly columns: readonly string[];
  readonly blocks: readonly Block[];
}

/**
 * Rows of some blocks of a segment with Ids, by range reads: one of the age header, and one for each run of neighbouring blocks. `wanted`: numbers of blocks,
 * ascending. Each block is authenticated by age and held against the block index (rows, bytes, first Id, order of Ids); the digest of the
 * segment is not proven, since it is not read as a whole. Throws `segment-invalid` and what `openRanges` throws.
 */
export async function* readSegmentBlocks(
  identities: readonly string[],
  { size, columns, blocks }: IndexedSegment,
  wanted: readonly number[],
  readRange: ReadRange,
): AsyncGenerator<RowBatch> {
  if (wanted.length === 0) return;
  const keys = new Keys(columns);
  const reader = await openRanges(identities, size, readRange);
  try {
    for (let from = 0; from < wanted.length; ) {
      let to = from + 1;
      while (to < wanted.length && to - from < blocksPerRead && wanted[to] === wanted[to - 1]! + 1) to++;
      const run = wanted.slice(from, to).map((n) => blocks[n]!);
      const last = run.at(-1)!;
      const start = run[0]!.offset;
      if (!follow(run, reader.plaintextSize)) throw wrongBlock();
      const bytes = await reader.read(start, last.offset + last.length - start);
      for (const block of run) {
        const frame = bytes.subarray(block.offset - start, block.offset - start + block.length);
        yield* rowsOf(columns, keys, block, await decompressFrame(frame, block.offset));
      }
      from = to;
    }
  } finally {
    reader.close();
  }
}

/** Blocks that one range read fetches at most: some 4 MiB of stored bytes. */
const blocksPerRead = 12;

function rowsOf(columns: readonly string[], keys: Keys, block: Block, plain: Buffer): RowBatch[] {
  const splitter = new RowSplitter({ ...vaultRows, columns, header: false });
  const batches = [splitter.push(plain), ...splitter.end()].filter((batch) => batch !== undefined);
  let rows = 0;
  let last = '';
  for (const batch of batches) {
    for (let i = 0; i < batch.ends.length; i++) {
      const id = keys.id(batch, i);
      if (id <= last) throw new Fault('segment-invalid', 'The rows of a segment do not ascend by Id.');
      if (last === '' && id !== block.firstId) throw wrongBlock();
      last = id;
    }
    rows += batch.ends.length;
  }
  if (plain.length !== block.bytes || rows !== block.rows) throw wrongBlock();
  return batches;
}

/** True when the blocks lie one behind the other, inside of what is stored: what a detail claims is not read before it is known to be there. */
function follow(blocks: readonly Block[], size: number): boolean {
  return blocks.every(
    ({ offset, length }, i) =>
      offset >= 0 && length > 0 && offset + length <= size && offset === (i === 0 ? offset : endOf(blocks[i - 1]!)),
  );
}

function endOf({ offset, length }: Block): number {
  return offset + length;
}

function wrongBlock(): Fault {
  return new Fault('segment-invalid', 'A block of a segment holds something else than its index says.');
}

/** The number of the block that holds the Id if the segment does; -1 when it would lie before the first. */
export function blockOf(blocks: readonly Block[], id: string): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (blocks[middle]!.firstId! <= id) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** One row by its Id, with one range read of the block that would hold it; undefined when the segment does not have it. */
export async function readSegmentRow(
  identities: readonly string[],
  segment: IndexedSegment,
  id: string,
  readRange: ReadRange,
): Promise<string[] | undefined> {
  const block = blockOf(segment.blocks, id);
  const keys = new Keys(segment.columns);
  for await (const batch of readSegmentBlocks(identities, segment, block < 0 ? [] : [block], readRange)) {
    for (const i of batch.ends.keys()) if (keys.id(batch, i) === id) return cells(batch, i);
  }
  return undefined;
}
