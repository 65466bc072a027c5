import type { Detail, SegmentRef } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import type { ArrangedRows, SegmentMade } from '../../vault/segment.ts';
import { writeSegments } from '../../vault/segment.ts';

/** Uploads in flight while the next segment is made. */
const uploads = 2;

/**
 * Writes rows of one object into segments and stores them, and their detail. `read`: the window that they were read by, of a delta. Throws what the
 * flow and the store throw, when nothing is in flight any more.
 */
export async function storeSegments(
  writer: PointWriter,
  object: string,
  columns: readonly string[],
  rows: AsyncIterable<ArrangedRows>,
  signal: AbortSignal,
  read?: { readonly from: string; readonly to: string },
): Promise<{ segments: SegmentRef[]; detail: Ref[] }> {
  const made: SegmentMade[] = [];
  const refs: Promise<SegmentRef>[] = [];
  const flow = writeSegments(columns, rows, {
    recipients: writer.recipients.rows,
    indexRecipients: writer.recipients.manifest,
    signal,
  });
  try {
    for await (const segment of flow) {
      made.push({ ...segment, body: empty, index: undefined, release: () => undefined });
      const stored = store(writer, segment, signal);
      stored.catch(() => undefined);
      refs.push(stored);
      if (refs.length > uploads) await refs[refs.length - 1 - uploads];
    }
  } catch (error) {
    await Promise.allSettled(refs);
    throw error;
  }
  const segments = (await Promise.all(refs)).map((segment) => ({ ...segment, ...(read ? { read } : {}) }));
  if (made.length === 0) return { segments, detail: [] };
  return { segments, detail: [await writer.putDetail(detailOf(object, segments, made), signal)] };
}

const empty = Buffer.alloc(0);

async function store(writer: PointWriter, segment: SegmentMade, signal: AbortSignal): Promise<SegmentRef> {
  const index = segment.index
    ? await writer.putNumbered('indexTwin', segment.index.body, segment.index.sha256, signal)
    : undefined;
  const ref = await writer.putNumbered('segment', segment.body, segment.sha256, signal);
  segment.release();
  const { rows, bytes, minId, maxId } = segment;
  const range = minId === undefined || maxId === undefined ? {} : { minId, maxId };
  return { ...ref, rows, bytes, ...(index ? { index } : {}), ...range };
}

function detailOf(object: string, stored: readonly SegmentRef[], made: readonly SegmentMade[]): Detail {
  return {
    v: 1,
    object,
    segments: made.map((segment, i) => ({
      key: stored[i]!.key,
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
