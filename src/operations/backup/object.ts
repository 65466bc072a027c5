import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import { arrange, RowsOverlap } from '../../rows/arrange.ts';
import type { RowBatch } from '../../rows/batch.ts';
import type { ExtractionSummary, Org } from '../../salesforce/org.ts';
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
  const { segments: base, detail } = await storeSegments(writer, describe.name, columns, arranged, ctx.signal);
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
    detail,
    summary,
    files,
  };
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
