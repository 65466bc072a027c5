import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import type { IdTable } from '../../rows/id-table.ts';
import { inOrder } from '../../rows/in-order.ts';
import { KnownRows } from '../../vault/known-rows.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { type ObjectSelection, type Selection, select, takesIn } from '../select/selection.ts';
import { ComparedColumns, type SideOfObject } from './columns.ts';
import { compareRows, type RowChange } from './compare.ts';
import { tellingRoots } from './deleted-with.ts';
import { leftOutOf } from './left-out.ts';
import { byName, differs, incompleteIn } from './live.ts';
import { noRows } from './org-rows.ts';
import type { DiffRequest, DiffResult, NotCompared, ObjectDiff, OnRecord } from './request.ts';
import { compareUnshared, unsharedRows } from './shared-pages.ts';
import { Tally } from './tally.ts';

/**
 * What differs between two points. Objects whose page both list are known to be the same and are not read; of others only rows of segments that one
 * of the pages lists and the other does not, where they share some. An object that one of the points leaves out is not compared. Throws what `select` throws, and what the vault throws.
 */
export async function diffPoints(
  ctx: Context,
  from: PointReader,
  to: PointReader,
  request: DiffRequest,
  onRecord?: OnRecord,
): Promise<DiffResult> {
  if (from.root.org.id !== to.root.org.id)
    throw new Fault(
      'usage',
      `points ${from.root.point} and ${to.root.point} are of two orgs: ${from.root.org.id} and ${to.root.org.id}`,
      { actions: ['take two points of one org; a sandbox has another Id since it was refreshed'] },
    );
  const selection = await selectEither(from, to, request, ctx.now());
  const notCompared: NotCompared[] = [];
  for (const point of [from, to]) {
    for (const { object, reason } of point.failed())
      if (takesIn(request.selection, object) && !request.selection.ids)
        notCompared.push({ object, reason: `point ${point.root.point} has no rows of it: ${reason}`, failed: true });
  }
  const failed = new Set(notCompared.map(({ object }) => object));
  const objects: ObjectDiff[] = [];
  let unattributed = 0;
  const work = [...selection.values()].filter(({ object }) => !failed.has(object));
  ctx.report({ type: 'stage', stage: 'comparing the points', total: work.length });
  const compared = inOrder(work, request.parallel, (one) => compareObject(ctx, from, to, one, request, onRecord));
  for await (const found of compared) {
    ctx.signal.throwIfAborted();
    if ('reason' in found) notCompared.push(found);
    else {
      objects.push(found.diff);
      unattributed += found.unattributed;
    }
  }
  return {
    from: from.root.point,
    to: to.root.point,
    objects: objects.filter(differs).sort(byName),
    notCompared: notCompared.sort(byName),
    unattributed,
    compared: objects.length,
  };
}

/** What either point knows of what is asked for. */
export async function selectEither(
  from: PointReader,
  to: PointReader,
  request: DiffRequest,
  now: Date,
): Promise<Selection> {
  const found: ObjectSelection[] = [];
  let unknown: unknown;
  for (const point of [from, to]) {
    try {
      found.push(...(await select(point, request.selection, now)).values());
    } catch (error) {
      if (!isFault(error, 'no-such-object') || unknown !== undefined) throw error;
      unknown = error;
    }
  }
  return new Map(found.map((one) => [one.object, one]));
}

async function compareObject(
  ctx: Context,
  from: PointReader,
  to: PointReader,
  selection: ObjectSelection,
  request: DiffRequest,
  onRecord: OnRecord | undefined,
): Promise<{ diff: ObjectDiff; unattributed: number } | NotCompared> {
  const { object, ids, condition } = selection;
  const [before, after] = [await sideOf(from, object), await sideOf(to, object)];
  const whole = request.full || (before && after && (await to.mayBeBlankedSince(from, object)));
  if (before?.page === after?.page && !whole) return { diff: same(object), unattributed: 0 };
  const lacking = before ? (after ? undefined : to) : from;
  const leftOut = lacking && leftOutOf(lacking.root, object);
  if (leftOut !== undefined) return { object, reason: leftOut, failed: false };
  const one = (before ?? after)!;
  if (!one.hasId) return { object, reason: 'its rows have no Id by which they could be told apart', failed: false };
  const columns = new ComparedColumns(before ?? one, after ?? one, request, condition);
  const telling = onRecord && after ? await tellingRoots(to, object, onRecord, ctx.signal) : onRecord;
  const tally = new Tally(selection, columns, request, telling);
  const rowsOut = after ? await rowsLeftOut(to, object, ctx.signal) : undefined;
  const onChange = (change: RowChange) => {
    if (change.change !== 'deleted' || !rowsOut?.has(change.id)) tally.take(change);
  };
  const both = { object, from, to, columns, ids, signal: ctx.signal };
  const parts = before && after && !whole && (await unsharedRows(both, [before, after]));
  if (parts) await compareUnshared(both, parts, onChange);
  else {
    const rows = (point: PointReader, side: typeof before) =>
      side === undefined
        ? noRows(columns.columns)
        : point.rows(object, { columns: columns.columns, signal: ctx.signal, ...(ids ? { ids } : {}) });
    await compareRows(await rows(from, before), await rows(to, after), columns.fields, columns.offset, onChange);
  }
  const only = lacking ? { only: onlyOne(lacking, before ? 'from' : 'to') } : {};
  const incomplete = incompleteIn([from, to], object, before && after && otherRows(before, after));
  const diff = { ...tally.result(), fieldsGone: columns.gone, fieldsNew: columns.new, ...incomplete, ...only };
  return { diff, unattributed: tally.unattributed };
}

type Side = SideOfObject & {
  readonly page: string;
  readonly hasId: boolean;
  readonly kept: string | undefined;
  readonly base: string | undefined;
};

/** Rows that are not in the point since its policy leaves them out; they were not deleted. */
async function rowsLeftOut(point: PointReader, object: string, signal: AbortSignal): Promise<IdTable | undefined> {
  const map = await point.map(object);
  return map.kept === undefined ? undefined : new KnownRows(point.vault, map, signal).leftOut();
}

/** Why a row that one of the points lacks need not have been made or deleted in between. */
function otherRows(before: Side, after: Side): string | undefined {
  if (before.kept !== after.kept) return 'the policy of one point leaves out other rows than that of the other';
  if (after.kept === undefined || before.base === after.base) return undefined;
  return 'rows that the policy began to leave out are told as deleted: all rows were read anew in between';
}

/** Undefined when the point does not hold the object. */
async function sideOf(point: PointReader, object: string): Promise<Side | undefined> {
  if (!point.has(object)) return undefined;
  const { columns, hasId, kept, base } = await point.map(object);
  const page = point.found(object).page!.sha256;
  return { describe: await point.describe(object), columns, hasId, kept, base: base[0]?.key, page };
}

function same(object: string): ObjectDiff {
  return { object, added: 0, changed: 0, deleted: 0, fields: {}, fieldsGone: [], fieldsNew: [] };
}

function onlyOne({ root }: PointReader, side: 'from' | 'to'): NonNullable<ObjectDiff['only']> {
  return { side, reason: `point ${root.point} knows no such object` };
}
