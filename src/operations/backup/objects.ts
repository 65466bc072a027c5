import type { Context } from '../../context.ts';
import type { Org, Permissions } from '../../salesforce/org.ts';
import { schemaPrint } from '../../schema/print.ts';
import type { LeftOut, MapPage, RootObject } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import { type Counted, judgeCount, judgeVisibility, type Verdict } from './completeness.ts';
import type { FileList } from './file-list.ts';
import type { Journal, JournalObject, JournalRefused } from './journal.ts';
import { isObjectFault, type ObjectRead, readObject } from './object.ts';
import type { BackupRequest } from './request.ts';
import { type Chosen, hiddenFields } from './select.ts';

interface Given {
  readonly chosen: readonly Chosen[];
  readonly schemas: ReadonlyMap<string, { print: string; page: Ref }>;
  readonly permissions: Permissions;
  readonly journal: Journal;
  readonly request: BackupRequest;
}

export interface ObjectsRead {
  readonly objects: readonly RootObject[];
  readonly hidden: readonly LeftOut[];
  /** Objects of which the org answers no query. */
  readonly refused: readonly LeftOut[];
  readonly lists: readonly FileList[];
  readonly schema: readonly Ref[];
  readonly written: readonly Ref[];
}

/** Why an object is not in the point; `never`: the org answers no query of it, whoever asks. */
interface Unread {
  readonly reason: string;
  readonly never: boolean;
}

/** Objects expected to be larger than this are counted one by one and read beside one other at most. */
const largeRows = 50_000;
/** Queries that one composite call may hold: small objects are counted in groups of this size. */
const groupSize = 5;

/** Reads all chosen objects that the journal does not have yet, several at once; each is journalled when it is finished. */
export async function backupObjects(ctx: Context, org: Org, writer: PointWriter, given: Given): Promise<ObjectsRead> {
  const approximate = await org.approximateCounts();
  const expected = ({ describe }: Chosen) => approximate.get(describe.name);
  const left = stillToRead(given.journal, given.chosen, given.permissions);
  const names = new Set(left.map(({ describe }) => describe.name));
  const finished = given.journal.objects.filter(({ object }) => !names.has(object.object));
  const refused: JournalRefused[] = [...given.journal.refused];
  const lists: FileList[] = [];
  const large = left.filter((one) => (expected(one) ?? 0) > largeRows).sort((a, b) => expected(b)! - expected(a)!);
  const small = left.filter((one) => (expected(one) ?? 0) <= largeRows);
  const group = async (objects: readonly Chosen[]) => {
    const since = await org.serverTime();
    const before = await org.counts(objects.map(({ describe }) => ({ object: describe })));
    const reads: { chosen: Chosen; read: ObjectRead | Unread }[] = [];
    for (const chosen of objects) {
      ctx.signal.throwIfAborted();
      ctx.report({
        type: 'object-started',
        object: chosen.describe.name,
        way: chosen.plan.way,
        rowsExpected: expected(chosen),
      });
      reads.push({ chosen, read: await tryRead(ctx, org, writer, chosen, expected(chosen)) });
    }
    const after = await org.counts(objects.map(({ describe }) => ({ object: describe })));
    const changes = await org.counts(objects.map(({ describe }) => ({ object: describe, since })));
    const hidden = await hiddenFields(
      org,
      objects.map(({ describe }) => describe),
    );
    for (const [i, { chosen, read }] of reads.entries()) {
      const counted = { before: before[i] ?? null, after: after[i] ?? null, changes: changes[i] ?? null };
      if ('reason' in read && read.never) refused.push(await leaveOut(ctx, given, chosen, read.reason));
      else finished.push(await finish(ctx, org, writer, given, chosen, read, counted, hidden[i]!, lists));
    }
  };
  const groups = Array.from({ length: Math.ceil(small.length / groupSize) }, (_, i) =>
    small.slice(i * groupSize, (i + 1) * groupSize),
  );
  await new Work().run(
    [
      { items: large.map((one) => [one]), parallel: 1 },
      { items: groups, parallel: given.request.parallel },
    ],
    group,
  );
  return {
    objects: finished.map(({ object }) => object),
    hidden: finished.flatMap(({ hidden }) => hidden),
    refused: refused.map(({ object, reason }) => ({ object, reason })),
    lists,
    schema: [...new Map(finished.flatMap(({ schema }) => (schema ? [[schema.key, schema] as const] : []))).values()],
    written: finished.flatMap(({ written }) => written),
  };
}

/**
 * Objects that the journal has not finished as they are now. Those that failed get another chance; those whose fields changed since, and
 * those of which the user sees more by now, are read anew. Those with files are read again, since their rows tell which files there are;
 * files that were fetched before are not fetched again.
 */
export function stillToRead(journal: Journal, chosen: readonly Chosen[], permissions: Permissions): Chosen[] {
  const done = new Map(journal.objects.map((entry) => [entry.object.object, entry]));
  const refused = new Set(journal.refused.map(({ object }) => object));
  return chosen.filter(({ describe, plan }) => {
    const entry = done.get(describe.name);
    if (entry === undefined) return !refused.has(describe.name);
    const { incomplete } = entry.object;
    return (
      plan.blobFields.length > 0 ||
      incomplete === 'failed' ||
      incomplete === 'unproven' ||
      (incomplete === 'visibility' && judgeVisibility(describe, permissions).complete) ||
      entry.print !== schemaPrint(describe)
    );
  });
}

/** Groups of objects that are taken from several queues; the first that throws stops all at their next group. */
class Work {
  #failed = false;
  #reason: unknown;

  /** Resolves when nothing of any queue is under way any more. */
  async run<T>(queues: readonly { items: readonly T[]; parallel: number }[], each: (item: T) => Promise<void>) {
    const workers = queues.flatMap(({ items, parallel }) => {
      const left = items.values();
      return Array.from({ length: parallel }, () => this.#worker(left, each));
    });
    await Promise.all(workers);
    if (this.#failed) throw this.#reason;
  }

  async #worker<T>(items: Iterable<T>, each: (item: T) => Promise<void>): Promise<void> {
    for (const item of items) {
      if (this.#failed) return;
      try {
        await each(item);
      } catch (error) {
        if (!this.#failed) this.#reason = error;
        this.#failed = true;
      }
    }
  }
}

/** A read, tried once more when the counts within it did not agree; or the reason why the object is not in the point. */
async function tryRead(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  chosen: Chosen,
  rowsExpected?: number,
): Promise<ObjectRead | Unread> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readObject(ctx, org, writer, chosen, rowsExpected);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      if (attempt === 2 || error.name !== 'count-mismatch')
        return { reason: error.message, never: error.data.never === true };
      ctx.report({ type: 'retry', what: chosen.describe.name, attempt, waitMs: 0, reason: error.message });
    }
  }
}

async function leaveOut(ctx: Context, given: Given, { describe }: Chosen, reason: string): Promise<JournalRefused> {
  const entry: JournalRefused = { type: 'refused', object: describe.name, reason };
  await given.journal.run.append(entry);
  ctx.report({
    type: 'object-finished',
    object: describe.name,
    rows: 0,
    bytes: 0,
    segments: 0,
    complete: true,
    reason,
  });
  return entry;
}

async function finish(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  given: Given,
  chosen: Chosen,
  first: ObjectRead | Unread,
  counted: Counted,
  hidden: readonly LeftOut[],
  lists: FileList[],
): Promise<JournalObject> {
  const { name } = chosen.describe;
  let read = first;
  let verdict: Verdict =
    'reason' in read ? { complete: false, incomplete: 'failed', reason: read.reason } : judgeCount(read.rows, counted);
  let counts = counted;
  if (!('reason' in read) && !verdict.complete) {
    ctx.report({ type: 'retry', what: name, attempt: 1, waitMs: 0, reason: verdict.reason! });
    const since = await org.serverTime();
    const [before] = await org.counts([{ object: chosen.describe }]);
    read = await tryRead(ctx, org, writer, chosen, counted.after ?? undefined);
    const [after, changes] = await org.counts([{ object: chosen.describe }, { object: chosen.describe, since }]);
    counts = { before: before ?? null, after: after ?? null, changes: changes ?? null };
    verdict =
      'reason' in read ? { complete: false, incomplete: 'failed', reason: read.reason } : judgeCount(read.rows, counts);
  }
  if (verdict.complete) verdict = judgeVisibility(chosen.describe, given.permissions);
  const entry: JournalObject =
    'reason' in read
      ? {
          type: 'object',
          object: failed(name, chosen.plan.way, verdict),
          print: given.schemas.get(name)!.print,
          written: [],
          hidden: [...hidden],
          numbers: writer.numbers,
        }
      : await stored(writer, given, chosen, read, counts, verdict, hidden, ctx.signal);
  if (!('reason' in read)) lists.push(read.files);
  await given.journal.run.append(entry);
  const { rows, bytes, segments, complete, reason } = entry.object;
  ctx.report({
    type: 'object-finished',
    object: name,
    rows,
    bytes,
    segments,
    complete,
    ...(reason === undefined ? {} : { reason }),
  });
  return entry;
}

function failed(object: string, path: string, verdict: Verdict): RootObject {
  return { object, rows: 0, changed: 0, deleted: 0, segments: 0, bytes: 0, path, ...verdict };
}

async function stored(
  writer: PointWriter,
  given: Given,
  { describe }: Chosen,
  read: ObjectRead,
  counted: Counted,
  verdict: Verdict,
  hidden: readonly LeftOut[],
  signal: AbortSignal,
): Promise<JournalObject> {
  const schema = given.schemas.get(describe.name)!;
  const page: MapPage = {
    v: 1,
    object: describe.name,
    columns: [...read.columns],
    hasId: read.hasId,
    stamp: ['SystemModstamp', 'CreatedDate'].find((field) => read.columns.includes(field)) ?? null,
    watermark: read.summary.started.toISOString(),
    window: { from: null, to: read.summary.ended.toISOString() },
    way: read.summary.way,
    rows: read.rows,
    deleted: read.deleted,
    bytes: read.bytes,
    base: [...read.base],
    deltas: [],
    gone: [...read.gone],
    detail: [...read.detail],
    schema,
    counted: { ...counted },
    ...verdict,
  };
  const { page: map, refs } = await writer.putMap(page, signal);
  const segments = [...read.base, ...read.gone];
  const written = segments.flatMap(({ key, size, sha256, index }) => [
    { key, size, sha256 },
    ...(index ? [index] : []),
  ]);
  const object: RootObject = {
    object: describe.name,
    page: map,
    refs,
    rows: read.rows,
    changed: read.rows,
    deleted: read.deleted,
    segments: read.base.length,
    bytes: written.reduce((sum, { size }) => sum + size, 0),
    path: read.summary.way,
    ...verdict,
  };
  const { print, page: schemaPage } = schema;
  return { type: 'object', object, print, schema: schemaPage, written, hidden: [...hidden], numbers: writer.numbers };
}
