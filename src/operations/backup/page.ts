import { layersOf, runOf } from '../../vault/layers.ts';
import type { LeftOut, MapPage, RootObject, SegmentRef } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import type { Counted, Verdict } from './completeness.ts';
import type { DeltaRead } from './delta.ts';
import type { JournalObject } from './journal.ts';
import type { ObjectRead } from './object.ts';
import type { Parent } from './parents.ts';
import type { Refilled } from './refills.ts';
import type { Chosen } from './select.ts';
import type { Spent } from './spent.ts';
import { stampOf, typesOf } from './stamp.ts';
import type { Window } from './window.ts';

/** What a page says besides the rows. */
export interface PageFacts {
  readonly schema: { readonly print: string; readonly page: Ref };
  readonly counted: Counted;
  readonly verdict: Verdict;
  readonly hidden: readonly LeftOut[];
}

/** Writes the page of an object that was read in full. */
export async function fullPage(
  writer: PointWriter,
  { describe, rowsOut }: Chosen,
  read: ObjectRead,
  { spent, forgets, written }: Spent,
  facts: PageFacts,
  signal: AbortSignal,
): Promise<JournalObject> {
  const { columns, rows, deleted } = read;
  const page: MapPage = {
    v: 1,
    object: describe.name,
    columns: [...columns],
    types: typesOf(describe, columns),
    hasId: read.hasId,
    ...(rowsOut ? { kept: rowsOut.kept } : {}),
    stamp: stampOf(describe),
    watermark: read.summary.started.toISOString(),
    window: { from: null, to: read.summary.ended.toISOString() },
    way: read.summary.way,
    rows,
    deleted,
    bytes: read.bytes,
    base: [...read.base],
    deltas: [],
    gone: [...read.gone],
    spent: [...spent],
    ...(forgets === undefined ? {} : { forgets }),
    detail: [...read.detail],
    schema: facts.schema,
    counted: { ...facts.counted },
    ...facts.verdict,
  };
  return entry(writer, page, facts, [...read.base, ...read.gone, ...written], { changed: rows, deleted }, signal);
}

/** Writes the page of an object of which only what changed was read: what its parent lists, and that on top. */
export async function deltaPage(
  writer: PointWriter,
  { describe, plan, rowsOut }: Chosen,
  { page: before, root }: Parent,
  window: Window,
  read: DeltaRead,
  { spent, forgets, written: spentNow }: Spent,
  facts: PageFacts,
  signal: AbortSignal,
): Promise<JournalObject> {
  const { replaces } = window;
  const covered = new Set(layersOf(before).map(({ ref }) => runOf(ref.key)));
  // A run may have read the base and, behind it, rows whose lookups came back.
  for (const { key } of before.base) covered.delete(runOf(key));
  const kept = (key: string) => !replaces || !covered.has(runOf(key));
  const deltas = [...(replaces ? [] : before.deltas), ...read.deltas];
  const bytes = [...before.base, ...deltas].reduce((sum, segment) => sum + segment.bytes, 0);
  const reconciled = read.reconciled ?? before.reconciled;
  const left = [...(before.left ?? []), ...before.columns.filter((name) => !plan.fields.includes(name))];
  const page: MapPage = {
    v: 1,
    object: describe.name,
    columns: [...plan.fields],
    types: typesOf(describe, plan.fields),
    ...(left.length === 0 ? {} : { left }),
    hasId: true,
    ...(rowsOut ? { kept: rowsOut.kept } : {}),
    stamp: before.stamp,
    watermark: new Date(window.to.getTime() - 1000).toISOString(),
    window: window.read,
    ...(reconciled === undefined ? {} : { reconciled }),
    way: read.summary.way,
    rows: read.rows,
    deleted: read.deleted,
    bytes,
    base: before.base,
    deltas,
    gone: [...before.gone.filter(({ key }) => kept(key)), ...read.gone],
    spent: [...spent],
    ...(forgets === undefined ? {} : { forgets }),
    ...(before.refills === undefined ? {} : { refills: before.refills }),
    detail: [...before.detail.filter(({ key }) => kept(detailRun(key))), ...read.detail],
    schema: facts.schema,
    counted: { ...facts.counted },
    ...facts.verdict,
  };
  const written = [...read.deltas, ...read.gone, ...spentNow];
  return {
    ...(await entry(writer, page, facts, written, { changed: read.changed, deleted: read.deleted }, signal)),
    builtOn: root.point,
    ...(replaces || window.keepsAll ? { wide: true } : {}),
  };
}

/**
 * Writes a page anew on which rows lie that were read again because of their lookups. `before`: what the run journalled of the object, if it did, and by object
 * that rows may name the newest run of the page that told what to ask for.
 */
export async function refilledPage(
  writer: PointWriter,
  before: {
    readonly page: MapPage;
    readonly entry: JournalObject | undefined;
    readonly parent: Parent | undefined;
    readonly asked: Readonly<Record<string, string>>;
  },
  { deltas, detail, rows }: Refilled,
  hidden: readonly LeftOut[],
  signal: AbortSignal,
): Promise<JournalObject> {
  const { entry: done, parent } = before;
  const bytes = deltas.reduce((sum, segment) => sum + segment.bytes, before.page.bytes);
  const page: MapPage = {
    ...before.page,
    bytes,
    refills: { ...before.page.refills, ...before.asked },
    deltas: [...before.page.deltas, ...deltas],
    detail: [...before.page.detail, ...detail],
  };
  const { complete, incomplete, reason } = done?.object ?? parent!.object;
  const verdict = { complete, ...(incomplete ? { incomplete } : {}), ...(reason ? { reason } : {}) };
  const facts = { schema: page.schema, counted: page.counted, verdict, hidden: done?.hidden ?? hidden };
  const changed = (done?.object.changed ?? 0) + rows;
  const made = await entry(writer, page, facts, deltas, { changed, deleted: done?.object.deleted ?? 0 }, signal);
  return {
    ...(done ?? { builtOn: parent!.root.point }),
    ...made,
    object: { ...made.object, bytes: made.object.bytes + (done?.object.bytes ?? 0) },
    written: [...(done?.written ?? []), ...made.written],
  };
}

/** The object as a point lists it that has nothing new of it: by the page of its parent. */
export function samePage({ object, page, ref, refs }: Parent): RootObject {
  const { incomplete, reason, complete } = object;
  return {
    object: object.object,
    page: ref,
    refs,
    rows: page.rows,
    changed: 0,
    deleted: 0,
    segments: page.base.length + page.deltas.length,
    bytes: 0,
    path: page.way,
    complete,
    ...(incomplete === undefined ? {} : { incomplete }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** `detail/<run>-<sha256>…` as a key whose run `runOf` finds. */
function detailRun(key: string): string {
  return key.replace(/-[0-9a-f]{64}\..*$/, '');
}

async function entry(
  writer: PointWriter,
  page: MapPage,
  { schema, verdict, hidden }: PageFacts,
  segments: readonly SegmentRef[],
  { changed, deleted }: { readonly changed: number; readonly deleted: number },
  signal: AbortSignal,
): Promise<JournalObject> {
  const { page: map, refs } = await writer.putMap(page, signal);
  const written = segments.flatMap(({ key, size, sha256, index }) => [
    { key, size, sha256 },
    ...(index ? [index] : []),
  ]);
  const object: RootObject = {
    object: page.object,
    page: map,
    refs,
    rows: page.rows,
    changed,
    deleted,
    segments: page.base.length + page.deltas.length,
    bytes: written.reduce((sum, { size }) => sum + size, 0),
    path: page.way,
    ...verdict,
  };
  const { print, page: schemaPage } = schema;
  return { type: 'object', object, print, schema: schemaPage, written, hidden: [...hidden], numbers: writer.numbers };
}
