import { createHash } from 'node:crypto';
import { openInPlace } from '../age/file.ts';
import { Fault } from '../errors.ts';
import type { RowBatch } from '../rows/batch.ts';
import { freeMemory, giveBlock, takeBlock } from '../rows/blocks.ts';
import { endOfUsualKeys, Keys, rowStart } from '../rows/cells.ts';
import { closingQuote, encodeHeader, encodeRow } from '../rows/csv.ts';
import { inOrder } from '../rows/in-order.ts';
import { RowSplitter } from '../rows/split.ts';
import { SealedFrames } from './sealed-frames.ts';
import { compressFrame, decompressFrames } from './zstd.ts';

/*
 * A segment: the header line and rows that ascend strictly by the bytes of Id, in the CSV dialect of `rows/csv.ts`.
 * The header line is one zstd frame, then each block of about 1 MiB of whole rows is one; the frames are one age file.
 * Its index twin has the columns Id and SystemModstamp and the same rows, framed block by block in the same way.
 */

const BLOCK_BYTES = 1024 * 1024;
const TARGET_BYTES = 16 * 1024 * 1024;
const IN_FLIGHT = 3;
/** What is split at a time: each usual block as a whole, and of a frame of 128 MiB, in which a row may not end, no more than is bearable. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Columns of an index twin. */
export const indexColumns = ['Id', 'SystemModstamp'] as const;

/** Rows on their way into segments. `cut`: the batch begins a stretch whose Id range is disjoint from all others. */
export interface ArrangedRows {
  readonly batch: RowBatch;
  readonly cut: boolean;
}

export interface SegmentOptions {
  /** age recipients of the rows. */
  recipients: readonly string[];
  /** age recipients of the index twins; without them none are made. */
  indexRecipients?: readonly string[];
  /** About how many stored bytes a segment has; it closes at the first block that reaches them. Default 16 MiB. */
  targetBytes?: number;
  /** zstd level of the rows. Default 3. */
  level?: number;
  signal?: AbortSignal;
}

/** One zstd frame of rows: where it lies in the compressed stream (before encryption) and what it holds. */
export interface Block {
  readonly offset: number;
  readonly length: number;
  readonly rows: number;
  /** Bytes of CSV. */
  readonly bytes: number;
  /** Undefined for rows without Id. */
  readonly firstId: string | undefined;
}

/** A segment, ready to be stored. */
export interface SegmentMade {
  readonly body: Buffer;
  /** Of `body`, in hex. */
  readonly sha256: string;
  readonly size: number;
  readonly rows: number;
  /** Bytes of CSV, header line included. */
  readonly bytes: number;
  /** Of the CSV, header line included, in hex. */
  readonly plainSha256: string;
  /** Both undefined for rows without Id. */
  readonly minId: string | undefined;
  readonly maxId: string | undefined;
  readonly columns: readonly string[];
  readonly blocks: readonly Block[];
  /** Only for rows with Id, and when there are recipients for it. */
  readonly index?: { readonly body: Buffer; readonly sha256: string; readonly size: number; readonly rows: number };
  /** Gives the memory of `body` back, to be filled with another segment: once, when it is stored. Nobody has to. */
  readonly release: () => void;
}

/**
 * Writes rows into segments, in the order they come. A `cut` always begins a new segment, so the segments' Id ranges are
 * as disjoint as the stretches are; `arrange` sees to it that stretches are long. No rows, no segment.
 * Holds one unfinished segment and the blocks in the thread pool; the next segment begins when it is asked for.
 * Throws TypeError when Ids do not ascend inside a stretch: that would be a bug of the caller.
 */
export async function* writeSegments(
  columns: readonly string[],
  flow: AsyncIterable<ArrangedRows>,
  options: SegmentOptions,
): AsyncGenerator<SegmentMade> {
  const { targetBytes = TARGET_BYTES, level = 3, signal } = options;
  const withIndex = options.indexRecipients !== undefined && new Keys(columns).idColumn >= 0;
  const header = await headerFrame(columns);
  const indexHeader = withIndex ? await headerFrame(indexColumns) : undefined;
  const pack = async (block: PlainBlock): Promise<PackedBlock> => ({
    ...block,
    frame: await compressFrame(block.plain, level),
    indexFrame: indexHeader && (await indexFrame(columns, block)),
  });
  let open: OpenSegment | undefined;
  const finish = (): SegmentMade => {
    const made = open!.close();
    open = undefined;
    return made;
  };
  try {
    for await (const block of inOrder(cutBlocks(columns, flow, signal), IN_FLIGHT, pack)) {
      if (open && block.cut) yield finish();
      open ??= await OpenSegment.begin(columns, header, indexHeader, options);
      open.add(block);
      block.release?.();
      if (open.size >= targetBytes) yield finish();
    }
    signal?.throwIfAborted();
    if (open) yield finish();
  } finally {
    open?.wipe();
  }
}

interface HeaderFrame {
  readonly plain: Buffer;
  readonly frame: Buffer;
}

async function headerFrame(columns: readonly string[]): Promise<HeaderFrame> {
  const plain = encodeHeader(columns);
  return { plain, frame: await compressFrame(plain) };
}

interface PlainBlock {
  readonly cut: boolean;
  readonly plain: Buffer;
  readonly ends: Uint32Array;
  readonly firstId: string;
  readonly lastId: string;
  readonly release?: (() => void) | undefined;
}

interface PackedBlock extends PlainBlock {
  readonly frame: Buffer;
  readonly indexFrame: Buffer | undefined;
}

/** Regroups batches into blocks of about 1 MiB, and proves that Ids ascend. */
async function* cutBlocks(
  columns: readonly string[],
  flow: AsyncIterable<ArrangedRows>,
  signal: AbortSignal | undefined,
): AsyncGenerator<PlainBlock> {
  const keys = new Keys(columns);
  let parts: RowBatch[] = [];
  let bytes = 0;
  let rows = 0;
  let cut = false;
  let firstId = '';
  let lastId = '';
  const flush = (): PlainBlock => {
    const block = { cut, ...joined(parts, bytes, rows), firstId, lastId };
    parts = [];
    bytes = 0;
    rows = 0;
    cut = false;
    return block;
  };
  for await (const { batch, cut: begins } of flow) {
    signal?.throwIfAborted();
    if (batch.ends.length === 0) continue;
    if (begins) {
      if (rows > 0) yield flush();
      cut = true;
      lastId = '';
    }
    if (bytes > 0 && bytes + batch.bytes.length > 1.25 * BLOCK_BYTES) yield flush();
    if (keys.idColumn >= 0) {
      const id = keys.id(batch, 0);
      if (id <= lastId || !ascends(keys, batch)) throw new TypeError('rows do not ascend by Id');
      if (rows === 0) firstId = id;
      lastId = keys.id(batch, batch.ends.length - 1);
    }
    parts.push(batch);
    bytes += batch.bytes.length;
    rows += batch.ends.length;
    if (bytes >= BLOCK_BYTES) yield flush();
  }
  if (rows > 0) yield flush();
}

/** True when each row's Id is above that of the row before it. */
function ascends(keys: Keys, batch: RowBatch): boolean {
  for (let i = 1; i < batch.ends.length; i++) if (keys.ascent(batch, i) === 0) return false;
  return true;
}

function joined(
  parts: readonly RowBatch[],
  bytes: number,
  rows: number,
): Pick<PlainBlock, 'plain' | 'ends' | 'release'> {
  if (parts.length === 1) return { plain: parts[0]!.bytes, ends: parts[0]!.ends, release: parts[0]!.release };
  const memory = takeBlock(bytes);
  const ends = new Uint32Array(rows);
  let at = 0;
  let row = 0;
  for (const part of parts) {
    part.bytes.copy(memory, at);
    for (const end of part.ends) ends[row++] = at + end;
    at += part.bytes.length;
    part.release?.();
  }
  return { plain: memory.subarray(0, bytes), ends, release: () => giveBlock(memory) };
}

/** Id and SystemModstamp of each row of a block, as rows, compressed. */
async function indexFrame(columns: readonly string[], { plain, ends }: PlainBlock): Promise<Buffer> {
  const keys = new Keys(columns);
  const batch = { bytes: plain, ends };
  if (keys.idColumn !== 0 || keys.stampColumn !== 1) {
    const rows = Array.from(ends, (_, i) => encodeRow([keys.id(batch, i), keys.stamp(batch, i)]));
    return await compressFrame(Buffer.from(rows.join('')), 1);
  }
  // The two cells in front are taken over as they stand: 47 bytes and LF in nearly every row.
  let out = takeBlock(48 * ends.length);
  let at = 0;
  for (let i = 0; i < ends.length; i++) {
    const start = rowStart(batch, i);
    let end = endOfUsualKeys(plain, start);
    if (end < 0) end = closingQuote(plain, closingQuote(plain, start, ends[i]!) + 2, ends[i]!) + 1;
    if (at + end - start >= out.length) {
      const larger = takeBlock(2 * (at + end - start));
      out.copy(larger, 0, 0, at);
      giveBlock(out);
      out = larger;
    }
    for (let from = start; from < end; from++) out[at++] = plain[from]!;
    out[at++] = 0x0a;
  }
  const frame = await compressFrame(out.subarray(0, at), 1);
  giveBlock(out);
  return frame;
}

/** A segment that still takes blocks. */
class OpenSegment {
  readonly #columns: readonly string[];
  readonly #frames: SealedFrames;
  readonly #index: SealedFrames | undefined;
  readonly #largest: number;
  readonly #blocks: Block[] = [];
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #rows = 0;
  #maxId = '';

  private constructor(
    columns: readonly string[],
    frames: SealedFrames,
    index: SealedFrames | undefined,
    largest: number,
  ) {
    this.#columns = columns;
    this.#frames = frames;
    this.#index = index;
    this.#largest = largest;
  }

  static async begin(
    columns: readonly string[],
    header: HeaderFrame,
    indexHeader: HeaderFrame | undefined,
    { recipients, indexRecipients, targetBytes = TARGET_BYTES }: SegmentOptions,
  ): Promise<OpenSegment> {
    const frames = await SealedFrames.begin(recipients, header.frame);
    const index = indexHeader && indexRecipients && (await SealedFrames.begin(indexRecipients, indexHeader.frame));
    const segment = new OpenSegment(columns, frames, index, targetBytes + 2 * BLOCK_BYTES);
    segment.#hash.update(header.plain);
    segment.#bytes = header.plain.length;
    return segment;
  }

  /** Bytes of the frames so far. */
  get size(): number {
    return this.#frames.size;
  }

  add(block: PackedBlock): void {
    const rows = block.ends.length;
    const bytes = block.plain.length;
    const firstId = block.firstId === '' ? undefined : block.firstId;
    this.#blocks.push({ offset: this.size, length: block.frame.length, rows, bytes, firstId });
    this.#frames.add(block.frame, this.#largest);
    if (block.indexFrame) this.#index?.add(block.indexFrame, 0);
    this.#hash.update(block.plain);
    this.#bytes += bytes;
    this.#rows += rows;
    this.#maxId = block.lastId;
  }

  close(): SegmentMade {
    return {
      ...this.#frames.end(),
      rows: this.#rows,
      bytes: this.#bytes,
      plainSha256: this.#hash.digest('hex'),
      minId: this.#blocks[0]?.firstId,
      maxId: this.#maxId === '' ? undefined : this.#maxId,
      columns: this.#columns,
      blocks: this.#blocks,
      ...(this.#index ? { index: { ...this.#index.end(), rows: this.#rows } } : {}),
    };
  }

  /** Forgets the keys of a segment that will not be finished. */
  wipe(): void {
    this.#frames.wipe();
    this.#index?.wipe();
  }
}

/** How rows of the vault are split: in the dialect itself, or `segment-invalid`. */
export const vaultRows = { strict: true, fault: 'segment-invalid' } as const;

/**
 * The rows of a stored segment or index twin, with its columns on each batch. Uses `body` up: decrypts all, walks every frame, and checks
 * that the rows are in the dialect, have as many cells as the header line, and ascend strictly by Id where they have one.
 * At the end it holds `expected` against what passed: nothing is proven before the generator has ended.
 * Throws `segment-invalid`, `count-mismatch`, `digest-mismatch`, and what `open` of `age/` throws.
 */
export async function* readSegment(
  identities: readonly string[],
  body: Buffer,
  { expected, signal }: { expected?: { rows?: number; plainSha256?: string }; signal?: AbortSignal } = {},
): AsyncGenerator<{ readonly columns: readonly string[]; readonly batch: RowBatch }> {
  const hash = expected?.plainSha256 === undefined ? undefined : createHash('sha256');
  const splitter = new RowSplitter(vaultRows);
  const order = new IdOrder();
  try {
    const compressed = await openInPlace(identities, body);
    for await (const plain of decompressFrames(compressed)) {
      signal?.throwIfAborted();
      hash?.update(plain);
      for (let from = 0; from < plain.length; from += PIECE_BYTES) {
        const batch = splitter.push(plain.subarray(from, from + PIECE_BYTES));
        if (from + PIECE_BYTES >= plain.length) freeMemory(plain);
        if (!batch) continue;
        order.check(splitter.columns!, batch);
        yield { columns: splitter.columns!, batch };
      }
    }
  } finally {
    freeMemory(body);
  }
  for (const batch of splitter.end()) {
    order.check(splitter.columns!, batch);
    yield { columns: splitter.columns!, batch };
  }
  if (!splitter.columns) throw new Fault('segment-invalid', 'A segment has no header line.');
  if (expected?.rows !== undefined && expected.rows !== order.rows) {
    throw new Fault('count-mismatch', `A segment has ${order.rows} rows in place of ${expected.rows}.`);
  }
  if (hash && expected?.plainSha256 !== hash.digest('hex')) {
    throw new Fault('digest-mismatch', 'The CSV of a segment has another SHA-256 than was noted when it was written.');
  }
}

/** Counts rows and proves that they ascend. */
class IdOrder {
  rows = 0;
  #keys: Keys | undefined;
  #last = '';

  check(columns: readonly string[], batch: RowBatch): void {
    this.#keys ??= new Keys(columns);
    this.rows += batch.ends.length;
    if (this.#keys.idColumn < 0) return;
    if (this.#keys.id(batch, 0) <= this.#last || !ascends(this.#keys, batch)) {
      throw new Fault('segment-invalid', 'The rows of a segment do not ascend by Id.');
    }
    this.#last = this.#keys.id(batch, batch.ends.length - 1);
  }
}
