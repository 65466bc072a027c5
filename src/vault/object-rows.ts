import { Fault, isFault } from '../errors.ts';
import type { RowBatch, RowFlow } from '../rows/batch.ts';
import { Keys, rowStart } from '../rows/cells.ts';
import type { Ids } from '../rows/id-table.ts';
import { inOrder } from '../rows/in-order.ts';
import { keepRows } from '../rows/keep.ts';
import { mergeSorted, type SortedRows } from '../rows/merge.ts';
import { projection } from '../rows/project.ts';
import type { DeadRows } from './dead-rows.ts';
import { KnownRows } from './known-rows.ts';
import { type Layer, layersOf, readingOf } from './layers.ts';
import type { Detail, MapPage, SegmentRef } from './manifest.ts';
import { newestImages } from './newest-images.ts';
import { type Block, indexColumns, readSegment } from './segment.ts';
import { blockOf, readSegmentBlocks } from './segment-blocks.ts';
import type { Vault } from './vault.ts';

export interface RowsWanted {
  /** Only rows with these Ids. Few of them cost a few range reads; where they fill much of a segment, it is read as a whole. */
  readonly ids?: Ids;
  /** Only rows behind this Id. */
  readonly after?: string;
  /** These columns, in this order, in place of all. Names are compared without case; Fault `usage` for one that the point does not have. */
  readonly columns?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Lookups that the org has emptied since the rows were read. */
export interface Blanked {
  readonly dead: DeadRows;
  readonly fields: readonly string[];
}

/** A segment with what was noted of it when it was written. */
interface Segment {
  readonly ref: SegmentRef;
  readonly plainSha256: string | undefined;
  readonly minId: string | undefined;
  readonly maxId: string | undefined;
  readonly blocks: readonly Block[];
  /** Of the segment itself: a field may have come or gone since it was written. */
  readonly columns: readonly string[] | undefined;
}

/** Larger segments are not fetched ahead, in bytes: they would be in memory beside the one that is read. */
const largeSegment = 8 * 1024 * 1024;
/** Where more than this share of a segment's bytes is wanted, it is read as a whole: one request, and its digest is proven. */
const wholeShare = 0.8;
/** Where more than this share of the object's rows is wanted, nobody looks which segments hold them: sorting the Ids would cost more. */
const mostRows = 0.75;

/**
 * The live rows of one object, ascending by Id: base, deltas and tombstones, merged in the order of the runs that wrote them. Rows of an
 * object without Id come in the order in which they stand; `ids` and `after` name none of them. Every segment that is read as a whole is
 * proven by its digests and counts, and the rows together by the count in `map`. Where only Ids and stamps of all rows are wanted, the index
 * twins are read, which are bound to the point as the segments are. Holds one segment, and of small ones two.
 */
export async function objectRows(
  vault: Vault,
  map: MapPage,
  wanted: RowsWanted = {},
  blanked?: Blanked,
): Promise<RowFlow> {
  const columns = wanted.columns ?? map.columns;
  const known = new Set(map.columns.map((name) => name.toLowerCase()));
  const unknown = columns.find((name) => !known.has(name.toLowerCase()));
  if (unknown !== undefined) throw new Fault('usage', `the point holds no field ${unknown} of ${map.object}`);
  if (inTwins(map, columns, wanted)) return { columns, batches: fromTwins(vault, map, columns, wanted.signal) };
  const project = projection(map.columns, columns);
  const rows = new ObjectRows(vault, map, wanted, await vault.rowIdentities(), blanked);
  return {
    columns,
    batches: (async function* () {
      for await (const batch of rows.read()) {
        const projected = project(batch);
        if (projected !== batch) batch.release?.();
        yield projected;
      }
    })(),
  };
}

/** True when the index twins hold all that is wanted. */
function inTwins({ hasId, base, deltas }: MapPage, columns: readonly string[], { ids, after }: RowsWanted): boolean {
  const held = indexColumns.map((name) => name.toLowerCase());
  if (!hasId || ids !== undefined || after !== undefined) return false;
  return columns.every((name) => held.includes(name.toLowerCase())) && [...base, ...deltas].every(({ index }) => index);
}

async function* fromTwins(
  vault: Vault,
  map: MapPage,
  columns: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<RowBatch> {
  const project = projection(indexColumns, columns);
  let found = 0;
  for await (const batch of new KnownRows(vault, map, signal).live()) {
    found += batch.ends.length;
    yield project(batch);
  }
  assertRows(map, found);
}

/** Throws `count-mismatch`. */
function assertRows({ object, rows }: MapPage, found: number): void {
  if (found === rows) return;
  throw new Fault('count-mismatch', `${object} has ${found} rows in place of ${rows}`, { data: { object } });
}

class ObjectRows {
  readonly #vault: Vault;
  readonly #map: MapPage;
  readonly #wanted: RowsWanted;
  readonly #identities: readonly string[];
  readonly #keys: Keys;
  readonly #blanked: Blanked | undefined;

  constructor(
    vault: Vault,
    map: MapPage,
    wanted: RowsWanted,
    identities: readonly string[],
    blanked: Blanked | undefined,
  ) {
    this.#blanked = blanked;
    this.#vault = vault;
    this.#map = map;
    this.#wanted = wanted;
    this.#identities = identities;
    this.#keys = new Keys(map.columns);
  }

  async *read(): AsyncGenerator<RowBatch> {
    const { hasId } = this.#map;
    const { ids, after } = this.#wanted;
    const part = ids !== undefined || after !== undefined;
    if (part && !hasId) return;
    let found = 0;
    for await (const batch of await this.#merged()) {
      found += batch.ends.length;
      yield batch;
    }
    if (!part) assertRows(this.#map, found);
  }

  async #merged(): Promise<AsyncIterable<RowBatch>> {
    const { base, hasId } = this.#map;
    const notes = await this.#notes();
    const baseSegments = base.map((ref) => segmentOf(ref, notes));
    if (!hasId) return this.#chain(baseSegments);
    baseSegments.sort((a, b) => (a.minId! < b.minId! ? -1 : 1));
    this.#assertDisjoint(baseSegments);
    const later = layersOf(this.#map);
    if (later.length === 0) return this.#chain(baseSegments);
    if (this.#wanted.ids) return this.#newest(baseSegments, later, notes, this.#wanted.ids);
    const flows: SortedRows[] = [{ keys: this.#keys, batches: this.#chain(baseSegments) }];
    for (const { ref, gone } of later) flows.push(gone ? this.#tombstones(ref) : this.#delta(ref, notes));
    return mergeSorted(flows);
  }

  /** Of wanted Ids only the newest images, where the index twins tell which they are. */
  async #newest(
    base: readonly Segment[],
    layers: readonly Layer[],
    notes: Notes,
    ids: Ids,
  ): Promise<AsyncIterable<RowBatch>> {
    const sized = layers.map((layer) => ({ ...layer, blockBytes: blockBytesOf(segmentOf(layer.ref, notes)) }));
    const images = await newestImages(this.#vault, sized, ids, this.#wanted.signal);
    const only = (some: Ids) =>
      new ObjectRows(this.#vault, this.#map, { ...this.#wanted, ids: some }, this.#identities, this.#blanked);
    const flows: SortedRows[] = [{ keys: this.#keys, batches: only(images.base).#chain(base) }];
    for (const [n, { ref }] of layers.entries()) {
      const some = images.layers[n]!;
      if (some.size > 0) flows.push(only(some).#delta(ref, notes));
    }
    return mergeSorted(flows);
  }

  #delta(ref: SegmentRef, notes: Notes): SortedRows {
    const segment = segmentOf(ref, notes);
    this.#assertDisjoint([segment]);
    return { keys: this.#keys, batches: this.#chain([segment]) };
  }

  /** Only their Ids are looked at. */
  #tombstones(ref: SegmentRef): SortedRows {
    const batches = this.#whole({ ref, body: () => this.#vault.read(ref, this.#wanted.signal) }, { rows: ref.rows }, [
      'Id',
    ]);
    return { keys: new Keys(['Id']), gone: true, batches };
  }

  async #notes(): Promise<Notes> {
    const notes: Notes = new Map();
    for (const ref of this.#map.detail)
      for (const segment of (await this.#vault.detail(ref)).segments) notes.set(segment.key, segment);
    return notes;
  }

  #assertDisjoint(segments: readonly Segment[]): void {
    for (const [i, segment] of segments.entries()) {
      const { key } = segment.ref;
      if (segment.minId === undefined || segment.maxId === undefined)
        throw new Fault('segment-invalid', `no detail says which Ids ${key} holds`, { data: { key } });
      if (i > 0 && segment.minId <= segments[i - 1]!.maxId!)
        throw new Fault('segment-invalid', `${key} and another segment of ${this.#map.object} hold the same Ids`, {
          data: { key },
        });
    }
  }

  /** Segments one behind the other; while a small one is read, the next is fetched. */
  async *#chain(segments: readonly Segment[]): AsyncGenerator<RowBatch> {
    const { signal } = this.#wanted;
    const places = this.#placesOf(segments);
    const inFlight = segments.some(({ ref }) => ref.size > largeSegment) ? 1 : 2;
    const fetched = inOrder(places, inFlight, async ({ segment, blocks }) => {
      signal?.throwIfAborted();
      const body = blocks === 'all' ? await this.#vault.read(segment.ref, signal) : undefined;
      return { segment, blocks, body };
    });
    for await (const { segment, blocks, body } of fetched) {
      const { ref } = segment;
      const proof = `${ref.sha256} ${segment.plainSha256}`;
      const plainSha256 = this.#vault.proven.has(proof) ? undefined : segment.plainSha256;
      const rows = body
        ? this.#whole(
            { ref, body: async () => body },
            { rows: ref.rows, plainSha256 },
            this.#map.columns,
            segment.columns,
          )
        : this.#blocks(segment, blocks as readonly number[]);
      const blank = this.#blanked?.dead.blanking(this.#map.columns, this.#blanked.fields, readingOf(ref));
      for await (const batch of rows) {
        const kept = this.#kept(blank ? blank(batch) : batch);
        if (kept.ends.length > 0) yield kept;
        else kept.release?.();
      }
      if (body) this.#vault.proven.add(proof);
    }
  }

  /** Which blocks of which segments can hold wanted rows. */
  *#placesOf(segments: readonly Segment[]): Generator<{ segment: Segment; blocks: 'all' | readonly number[] }> {
    const { ids, after } = this.#wanted;
    const sorted = ids && ids.size < mostRows * this.#map.rows ? ids.sorted() : undefined;
    let next = sorted?.next();
    for (const segment of segments) {
      const { minId, maxId } = segment;
      if (after !== undefined && maxId! <= after) continue;
      if (!sorted) {
        yield { segment, blocks: after === undefined || after < minId! ? 'all' : from(segment, after) };
        continue;
      }
      const blocks: number[] = [];
      while (!next!.done && next!.value < minId!) next = sorted.next();
      for (; !next!.done && next!.value <= maxId!; next = sorted.next()) {
        const block = blockOf(segment.blocks, next!.value);
        if (block >= 0 && block !== blocks.at(-1)) blocks.push(block);
      }
      if (blocks.length > 0) yield { segment, blocks: shareOf(segment, blocks) > wholeShare ? 'all' : blocks };
    }
  }

  async *#blocks(
    { ref, blocks, columns = this.#map.columns }: Segment,
    wanted: readonly number[],
  ): AsyncGenerator<RowBatch> {
    const { store } = this.#vault;
    const { signal } = this.#wanted;
    const segment = { size: ref.size, columns, blocks };
    const project = this.#toColumns(columns);
    const readRange = (start: number, length: number) => store.getRange(ref.key, start, length, signal);
    try {
      for await (const batch of readSegmentBlocks(this.#identities, segment, wanted, readRange)) {
        signal?.throwIfAborted();
        yield project(batch);
      }
    } catch (error) {
      throw named(error, ref.key, this.#map.object);
    }
  }

  /** From the columns that a segment was written with to those of the page: a field that is newer was empty, or not checked. */
  #toColumns(from: readonly string[]): (batch: RowBatch) => RowBatch {
    const { columns, types } = this.#map;
    return projection(from, columns, (column) => (types?.[column] === 'boolean' ? 'false' : ''));
  }

  async *#whole(
    { ref, body }: { ref: SegmentRef; body: () => Promise<Buffer> },
    expected: { rows: number; plainSha256?: string | undefined },
    columns: readonly string[],
    noted: readonly string[] = columns,
  ): AsyncGenerator<RowBatch> {
    const { signal } = this.#wanted;
    const { rows, plainSha256 } = expected;
    const options = {
      expected: { rows, ...(plainSha256 === undefined ? {} : { plainSha256 }) },
      ...(signal ? { signal } : {}),
    };
    try {
      for await (const found of readSegment(this.#identities, await body(), options)) {
        if (columns !== this.#map.columns) yield projection(found.columns, columns)(found.batch);
        else if (!sameNames(found.columns, noted)) {
          throw new Fault('segment-invalid', 'A segment has other columns than were noted when it was written.');
        } else yield sameNames(noted, columns) ? found.batch : this.#toColumns(noted)(found.batch);
      }
    } catch (error) {
      throw named(error, ref.key, this.#map.object);
    }
  }

  /** The wanted rows of a batch. */
  #kept(batch: RowBatch): RowBatch {
    const { ids, after } = this.#wanted;
    if (ids === undefined && after === undefined) return batch;
    const direct = this.#keys.idColumn === 0;
    return keepRows(batch, (row) => {
      if (after !== undefined && this.#keys.id(batch, row) <= after) return false;
      if (ids === undefined) return true;
      return direct ? ids.has(batch.bytes, rowStart(batch, row) + 1) : ids.has(this.#keys.id(batch, row));
    });
  }
}

type Notes = Map<string, Detail['segments'][number]>;

function segmentOf(ref: SegmentRef, notes: Notes): Segment {
  const note = notes.get(ref.key);
  const blocks = (note?.blocks ?? []).map(([offset, length, rows, bytes, firstId]) => ({
    offset,
    length,
    rows,
    bytes,
    firstId,
  }));
  const { plainSha256, minId, maxId, columns } = note ?? {};
  return { ref, plainSha256, minId, maxId, blocks, columns };
}

/** The block that `after` lies in and those behind it. */
function from({ blocks }: Segment, after: string): number[] {
  const first = Math.max(0, blockOf(blocks, after));
  return Array.from({ length: blocks.length - first }, (_, i) => first + i);
}

/** Stored bytes of a block. */
function blockBytesOf({ ref, blocks }: Segment): number {
  return ref.size / Math.max(1, blocks.length);
}

function shareOf({ ref, blocks }: Segment, wanted: readonly number[]): number {
  return wanted.reduce((sum, n) => sum + blocks[n]!.length, 0) / ref.size;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

/** The same fault, naming the stored object that it is about. */
function named(error: unknown, key: string, object: string): unknown {
  if (!isFault(error) || error.data.key !== undefined) return error;
  const data = { ...error.data, key, object };
  return new Fault(error.name, `${key} (${object}): ${error.message}`, { data, cause: error });
}
