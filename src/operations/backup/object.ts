import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import { arrange, RowsOverlap } from '../../rows/arrange.ts';
import type { RowBatch } from '../../rows/batch.ts';
import type { ExtractionSummary, Org } from '../../salesforce/org.ts';
import type { Detail, SegmentRef } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import { type SegmentMade, writeSegments } from '../../vault/segment.ts';
import { FileList } from './file-list.ts';
import { liveRows, type Passed } from './rows.ts';
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

/** Uploads in flight while the next segment is made. */
const uploads = 2;
const progressMs = 1000;

/**
 * Reads all rows of one object into segments with disjoint Id ranges. Rows whose order is too wild to be written as they come are sorted
 * through an encrypted spill. Throws what the org throws (`count-mismatch`, `object-refused`, …) and what the store throws.
 */
export async function readObject(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  { describe, plan }: Chosen,
  rowsExpected: number | undefined,
): Promise<ObjectRead> {
  for (const assumeOrder of [true, false]) {
    try {
      return await readOnce(ctx, org, writer, { describe, plan }, rowsExpected, assumeOrder);
    } catch (error) {
      if (!(error instanceof RowsOverlap) || !assumeOrder) throw error;
      ctx.report({
        type: 'retry',
        what: describe.name,
        attempt: 1,
        waitMs: 0,
        reason: 'rows came in an order that has to be sorted',
      });
    }
  }
  throw new Fault('count-mismatch', `${describe.name} could not be sorted`);
}

async function readOnce(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  { describe, plan }: Chosen,
  rowsExpected: number | undefined,
  assumeOrder: boolean,
): Promise<ObjectRead> {
  const extraction = org.extract({ object: describe.name, plan, all: true, rowsExpected });
  const { columns } = extraction;
  const hasId = columns[0] === 'Id';
  const passed: Passed = { live: 0, deleted: 0 };
  const tombstones = new Tombstones(writer);
  const files = new FileList(describe.name, columns, plan.blobFields);
  const live = liveRows(columns, watched(ctx, describe.name, extraction.batches), passed, (cells) =>
    tombstones.add(cells),
  );
  const arranged = arrange(columns, files.collect(live), { tempDir: ctx.tempDir, signal: ctx.signal, assumeOrder });
  const made: SegmentMade[] = [];
  const refs: Promise<SegmentRef>[] = [];
  const flow = writeSegments(columns, arranged, {
    recipients: writer.recipients.rows,
    indexRecipients: writer.recipients.manifest,
    signal: ctx.signal,
  });
  try {
    for await (const segment of flow) {
      made.push({ ...segment, body: empty, index: undefined, release: () => undefined });
      const stored = store(writer, segment, ctx.signal);
      stored.catch(() => undefined);
      refs.push(stored);
      if (refs.length > uploads) await refs[refs.length - 1 - uploads];
    }
  } catch (error) {
    await Promise.allSettled(refs);
    throw error;
  }
  const base = await Promise.all(refs);
  await tombstones.flush();
  const summary = extraction.summary();
  if (passed.live + passed.deleted !== summary.rows) {
    throw new Fault(
      'count-mismatch',
      `${describe.name}: ${summary.rows} rows were read and ${passed.live + passed.deleted} were handled`,
    );
  }
  const rows = base.reduce((sum, segment) => sum + segment.rows, 0);
  return {
    columns,
    hasId,
    rows,
    deleted: passed.deleted,
    bytes: base.reduce((sum, segment) => sum + segment.bytes, 0),
    base,
    gone: tombstones.segments,
    detail: made.length === 0 ? [] : [await writer.putDetail(detailOf(describe.name, base, made), ctx.signal)],
    summary,
    files,
  };
}

const empty = Buffer.alloc(0);

async function store(writer: PointWriter, segment: SegmentMade, signal: AbortSignal): Promise<SegmentRef> {
  const index = segment.index
    ? await writer.putNumbered('indexTwin', segment.index.body, segment.index.sha256, signal)
    : undefined;
  const ref = await writer.putNumbered('segment', segment.body, segment.sha256, signal);
  segment.release();
  return { ...ref, rows: segment.rows, bytes: segment.bytes, ...(index ? { index } : {}) };
}

function detailOf(object: string, base: readonly SegmentRef[], made: readonly SegmentMade[]): Detail {
  return {
    v: 1,
    object,
    segments: made.map((segment, i) => ({
      key: base[i]!.key,
      columns: [...segment.columns],
      rows: segment.rows,
      minId: segment.minId,
      maxId: segment.maxId,
      plainSha256: segment.plainSha256,
      blocks: segment.blocks.map(({ offset, length, rows, bytes, firstId }) => [
        offset,
        length,
        rows,
        bytes,
        firstId ?? '',
      ]),
    })),
  };
}

/** Reports progress about once a second. */
async function* watched(ctx: Context, object: string, batches: AsyncIterable<RowBatch>): AsyncGenerator<RowBatch> {
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
