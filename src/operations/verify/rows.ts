import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../../errors.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { Keys } from '../../rows/cells.ts';
import { decodeHeader, encodeRow } from '../../rows/csv.ts';
import { inOrder } from '../../rows/in-order.ts';
import { RowSplitter } from '../../rows/split.ts';
import type { SegmentRef } from '../../vault/manifest.ts';
import { openAge } from '../../vault/sealed.ts';
import { readSegment } from '../../vault/segment.ts';
import { decompressFrame, frames } from '../../vault/zstd.ts';
import { goneColumns, spentColumns } from '../backup/rows.ts';
import type { ObjectContents, Opener } from './contents.ts';
import type { Twin } from './indexes.ts';

/** Segments that are open at the same time; each takes about 64 MiB. */
const parallelSegments = 2;
const framesInFlight = 3;

export interface RowsRead {
  readonly segments: number;
  readonly rows: number;
  readonly tombstones: number;
}

/** Takes the rows of one segment as they pass. */
export type Watch = (batch: RowBatch) => void;

/**
 * Reads every segment once: decrypts it, walks its blocks, and holds rows, order, header, blocks and digest against the page, the
 * detail and the index twin. `watch` is asked for each segment and sees its rows.
 */
export async function readRows(
  opener: Opener,
  objects: readonly ObjectContents[],
  twins: ReadonlyMap<string, Twin>,
  watch: (object: string, columns: readonly string[], segment: SegmentRef) => Watch,
): Promise<RowsRead> {
  let segments = 0;
  let rows = 0;
  let tombstones = 0;
  const all = function* () {
    for (const object of objects) {
      for (const segment of [...object.map.base, ...object.map.deltas]) {
        if (opener.stored.sampled(segment.key)) yield { object, segment, gone: false };
      }
      for (const segment of [...object.map.gone, ...(object.map.spent ?? [])]) yield { object, segment, gone: true };
    }
  };
  const read = inOrder(all(), parallelSegments, async ({ object, segment, gone }) => ({
    gone,
    found: gone
      ? await readGone(opener, segment)
      : await readOne(
          opener,
          object,
          segment,
          twins.get(segment.key),
          watch(object.map.object, columnsOf(object, segment.key), segment),
        ),
  }));
  for await (const { gone, found = 0 } of read) {
    opener.stored.signal.throwIfAborted();
    if (gone) tombstones += found;
    else rows += found;
    if (!gone && found > 0) segments += 1;
  }
  return { segments, rows, tombstones };
}

/** A field may have come or gone since the segment was written. */
function columnsOf({ map, details }: ObjectContents, key: string): readonly string[] {
  return details.get(key)?.columns ?? map.columns;
}

async function readGone(opener: Opener, segment: SegmentRef): Promise<number | undefined> {
  return opener.with(segment, async (body) => {
    const expected = { rows: segment.rows };
    let bytes = 0;
    let header = 0;
    for await (const { columns, batch } of readSegment(opener.identities, body, { expected })) {
      if (![goneColumns, spentColumns].some((known) => columns.join() === known.join()))
        throw new Fault('segment-invalid', `${segment.key} has other columns than tombstones have`);
      header = Buffer.byteLength(encodeRow(columns));
      bytes += batch.bytes.length;
    }
    assertBytes(segment, header + bytes);
    return segment.rows;
  });
}

async function readOne(
  opener: Opener,
  object: ObjectContents,
  segment: SegmentRef,
  twin: Twin | undefined,
  watch: Watch,
): Promise<number | undefined> {
  const { map } = object;
  const { key } = segment;
  const problem = (sentence: string) => opener.ladder.problem('parse', key, `${key} (${map.object}) ${sentence}`);
  return opener.with(segment, async (body) => {
    const walk = new Walk(columnsOf(object, key), map.hasId, watch);
    const compressed = await openAge(key, body, opener.identities);
    const plain = inOrder(frames(compressed), framesInFlight, async ({ offset, length }) => ({
      offset,
      length,
      bytes: await decompressFrame(compressed.subarray(offset, offset + length), offset),
    }));
    for await (const { offset, length, bytes } of plain) {
      opener.stored.signal.throwIfAborted();
      walk.frame(offset, length, bytes);
    }
    if (walk.rows !== segment.rows)
      throw new Fault('count-mismatch', `${key} has ${walk.rows} rows, its page says ${segment.rows}`);
    assertBytes(segment, walk.bytes);
    if (twin && map.hasId && walk.indexDigest() !== twin.digest)
      problem('holds other Ids or stamps than its index says');
    const detail = object.details.get(key);
    if (!detail) {
      if (object.detailsWhole) problem('is not described in any detail');
      return walk.rows;
    }
    if (detail.plainSha256 !== walk.digest()) problem('holds other rows than were digested when it was written');
    if (detail.rows !== walk.rows) problem(`has ${walk.rows} rows, its detail says ${detail.rows}`);
    if (!isDeepStrictEqual(detail.columns, walk.columns)) problem('has other columns than its detail says');
    if ((detail.minId ?? '') !== walk.first || (detail.maxId ?? '') !== walk.last)
      problem('has another Id range than its detail says');
    if (!isDeepStrictEqual(detail.blocks, walk.blocks)) problem('has other blocks than its block index says');
    return walk.rows;
  });
}

function assertBytes({ key, bytes }: SegmentRef, found: number): void {
  if (found !== bytes) throw new Fault('count-mismatch', `${key} has ${found} bytes of CSV, its page says ${bytes}`);
}

/** What passes through one segment: the header's frame, then one frame for each block of whole rows. */
class Walk {
  readonly columns: readonly string[];
  readonly blocks: [number, number, number, number, string][] = [];
  readonly #hash = createHash('sha256');
  readonly #index = createHash('sha256');
  readonly #keys: Keys;
  readonly #hasId: boolean;
  readonly #watch: Watch;
  #header = false;
  rows = 0;
  bytes = 0;
  first = '';
  last = '';

  constructor(columns: readonly string[], hasId: boolean, watch: Watch) {
    this.columns = columns;
    this.#keys = new Keys(columns);
    this.#hasId = hasId;
    this.#watch = watch;
  }

  /** Throws `segment-invalid`. */
  frame(offset: number, length: number, plain: Buffer): void {
    this.#hash.update(plain);
    this.bytes += plain.length;
    if (!this.#header) {
      this.#header = true;
      if (!isDeepStrictEqual(decodeHeader(plain), [...this.columns]))
        throw new Fault('segment-invalid', 'the header line has other columns than the page of the object');
      return;
    }
    const { columns } = this;
    const splitter = new RowSplitter({ columns, header: false, strict: true, fault: 'segment-invalid' });
    const rowsBefore = this.rows;
    let blockFirst = '';
    for (const batch of [splitter.push(plain), ...splitter.end()]) {
      if (!batch) continue;
      if (this.#hasId) blockFirst ||= this.#keys.id(batch, 0);
      this.#batch(batch);
    }
    this.blocks.push([offset, length, this.rows - rowsBefore, plain.length, blockFirst]);
  }

  #batch(batch: RowBatch): void {
    this.rows += batch.ends.length;
    if (this.#hasId) {
      const index: string[] = [];
      for (let i = 0; i < batch.ends.length; i++) {
        const id = this.#keys.id(batch, i);
        if (id <= this.last) throw new Fault('segment-invalid', 'the rows do not ascend by Id');
        if (this.first === '') this.first = id;
        this.last = id;
        index.push(encodeRow([id, this.#keys.stamp(batch, i)]));
      }
      this.#index.update(index.join(''));
    }
    this.#watch(batch);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
  indexDigest(): string {
    return this.#index.digest('hex');
  }
}
