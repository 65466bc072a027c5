import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import { arrange, RowsOverlap } from '../../rows/arrange.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { IdRanges } from '../../rows/ranges.ts';
import type { BulkPlace, ExtractionSummary, Org } from '../../salesforce/org.ts';
import type { SegmentRef } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import { FileList } from './file-list.ts';
import { liveRows, type Passed } from './rows.ts';
import { storeSegments } from './segments.ts';
import type { Chosen } from './select.ts';
import { Tombstones } from './tombstones.ts';

/** One object, read and stored; nothing refers to it yet. */
export interface ObjectRead {
  readonly columns: readonly string[];
  readonly hasId: boolean;
  readonly rows: number;
  readonly deleted: number;
  /** Bytes of CSV in the segments. */
  readonly bytes: number;
  readonly base: readonly SegmentRef[];
  readonly gone: readonly SegmentRef[];
  readonly detail: readonly Ref[];
  readonly summary: ExtractionSummary;
  /** Blob fields that are still to be fetched. */
  readonly files: FileList;
}

const progressMs = 1000;

/** Rows of a large object that an interrupted run has stored, and where what comes behind them is kept. */
export interface Parts {
  /** What was stored so far, in order. */
  readonly done: readonly Part[];
  /** Bytes of CSV between two places that are kept. */
  readonly bytes: number;
  readonly keep: (part: Part) => Promise<void>;
}

/** A stretch of rows, up to a place of a Bulk job. */
export interface Part {
  readonly place: BulkPlace;
  readonly base: readonly SegmentRef[];
  readonly gone: readonly SegmentRef[];
  readonly detail: readonly Ref[];
  readonly live: number;
  readonly deleted: number;
}

/**
 * Reads all rows of one object into segments with disjoint Id ranges. Rows whose order is too wild to be written as they come are sorted
 * through an encrypted spill. With `parts` it goes on behind those, and keeps further ones, as long as rows come in an order that needs no sorting; where that is of no
 * use any more, it begins anew. Throws what the org throws (`count-mismatch`, `object-refused`, …) and what the store throws.
 */
export async function readObject(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  chosen: Chosen,
  rowsExpected: number | undefined,
  parts?: Parts,
): Promise<ObjectRead> {
  const { name } = chosen.describe;
  const attempts: { assumeOrder: boolean; parts?: Parts | undefined }[] = [
    ...(parts && parts.done.length > 0 ? [{ assumeOrder: true, parts }] : []),
    { assumeOrder: true, parts: parts && { ...parts, done: [] } },
    { assumeOrder: false },
  ];
  for (const { assumeOrder, parts: kept } of attempts) {
    const goesOn = kept !== undefined && kept.done.length > 0;
    try {
      if (goesOn) ctx.report({ type: 'object-resumed', object: name, rows: kept.done.at(-1)!.place.rows });
      return await readOnce(ctx, org, writer, chosen, rowsExpected, assumeOrder, kept);
    } catch (error) {
      const isOverlap = error instanceof RowsOverlap && assumeOrder;
      if (!isOverlap && !(goesOn && isObjectFault(error))) throw error;
      const reason = isOverlap ? 'rows came in an order that has to be sorted' : error.message;
      ctx.report({ type: 'retry', what: name, attempt: 1, waitMs: 0, reason });
    }
  }
  throw new Fault('count-mismatch', `${name} could not be sorted`);
}

async function readOnce(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  { describe, plan, rowsOut }: Chosen,
  rowsExpected: number | undefined,
  assumeOrder: boolean,
  parts: Parts | undefined,
): Promise<ObjectRead> {
  const { name } = describe;
  const last = parts?.done.at(-1);
  let place: BulkPlace | undefined;
  const onPlace = async (reached: BulkPlace) => {
    place = reached;
    if (parts && reached.rows === 0)
      await parts.keep({ place: reached, base: [], gone: [], detail: [], live: 0, deleted: 0 });
  };
  const extraction = org.extract({
    object: name,
    plan,
    where: rowsOut?.kept,
    all: true,
    rowsExpected,
    from: last?.place,
    onPlace,
  });
  const { columns } = extraction;
  const hasId = columns[0] === 'Id';
  const files = new FileList(name, columns, plan.blobFields);
  const stretches: Omit<Part, 'place'>[] = [...(parts?.done ?? [])];
  const flow = new Stretches(extraction.batches, () => place);
  try {
    while (!flow.ended) {
      const passed: Passed = { live: 0, deleted: 0 };
      const tombstones = new Tombstones(writer);
      const ranges = rangesOf(stretches);
      const batches = watched(ctx, name, flow.next(parts?.bytes));
      const live = liveRows(columns, batches, passed, (cells) => tombstones.add(cells));
      const options = { tempDir: ctx.tempDir, signal: ctx.signal, assumeOrder, passed: ranges, onSort: flow.mustEnd };
      const arranged = arrange(columns, files.collect(live), options);
      const { segments: base, detail } = await storeSegments(writer, name, columns, arranged, ctx.signal);
      await tombstones.flush();
      const stretch = { base, gone: tombstones.segments, detail, ...passed };
      stretches.push(stretch);
      if (parts && !flow.ended) await parts.keep({ place: flow.border!, ...stretch });
    }
  } finally {
    await flow.close();
  }
  const summary = extraction.summary();
  const sum = (count: (one: Omit<Part, 'place'>) => number) => stretches.reduce((all, one) => all + count(one), 0);
  const handled = sum(({ live, deleted }) => live + deleted);
  if (handled !== summary.rows) {
    throw new Fault('count-mismatch', `${name}: ${summary.rows} rows were read and ${handled} were handled`);
  }
  const base = stretches.flatMap((one) => one.base);
  return {
    columns,
    hasId,
    rows: base.reduce((rows, segment) => rows + segment.rows, 0),
    deleted: sum(({ deleted }) => deleted),
    bytes: base.reduce((bytes, segment) => bytes + segment.bytes, 0),
    base,
    gone: stretches.flatMap(({ gone }) => gone),
    detail: stretches.flatMap(({ detail }) => detail),
    summary,
    files,
  };
}

/** Where the rows of these segments lie. */
function rangesOf(stretches: readonly Pick<Part, 'base'>[]): IdRanges {
  const ranges = new IdRanges();
  for (const { minId, maxId } of stretches.flatMap(({ base }) => base))
    if (minId !== undefined && maxId !== undefined) ranges.add(minId, maxId);
  return ranges;
}

/** One flow of batches in stretches, which end at places of a Bulk job. */
class Stretches {
  readonly #source: AsyncIterator<RowBatch>;
  readonly #place: () => BulkPlace | undefined;
  /** The first batch of the next stretch. */
  #ahead: RowBatch | undefined;
  #isWhole = false;
  ended = false;
  /** Where the last stretch ended. */
  border: BulkPlace | undefined;
  /** From now on there is one stretch, up to the end: rows are held that are stored last. */
  readonly mustEnd = () => {
    this.#isWhole = true;
  };

  /** `place`: the newest that the source has told. */
  constructor(batches: AsyncIterable<RowBatch>, place: () => BulkPlace | undefined) {
    this.#source = batches[Symbol.asyncIterator]();
    this.#place = place;
  }

  /** The next stretch, of at least so many bytes; without them all that is left. */
  async *next(bytes = Number.POSITIVE_INFINITY): AsyncGenerator<RowBatch> {
    let size = 0;
    for (;;) {
      const before = this.#place();
      const batch = this.#ahead ?? (await this.#pull());
      this.#ahead = undefined;
      if (!batch) return;
      const place = this.#place();
      if (place && place !== before && size >= bytes && !this.#isWhole) {
        this.#ahead = batch;
        this.border = place;
        return;
      }
      size += batch.bytes.length;
      yield batch;
    }
  }

  async #pull(): Promise<RowBatch | undefined> {
    const { value, done } = await this.#source.next();
    this.ended = done === true;
    return done ? undefined : value;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** Reports progress about once a second. */
export async function* watched(
  ctx: Context,
  object: string,
  batches: AsyncIterable<RowBatch>,
): AsyncGenerator<RowBatch> {
  let rows = 0;
  let bytes = 0;
  let reported = Date.now();
  for await (const batch of batches) {
    rows += batch.ends.length;
    bytes += batch.bytes.length;
    if (Date.now() - reported >= progressMs) {
      reported = Date.now();
      ctx.report({ type: 'object-progress', object, rows, bytes });
    }
    yield batch;
  }
}

/** Faults that concern one object only: the run goes on without it. Everything else ends the run. */
export function isObjectFault(error: unknown): error is Fault {
  return isFault(error, 'object-refused', 'bulk-refused', 'count-mismatch', 'object-failed');
}
