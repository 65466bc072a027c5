import type { Context } from '../../context.ts';
import type { FieldDescribe } from '../../schema/describe.ts';
import { longId } from '../../schema/ids.ts';
import { comparedFields, sameValue } from '../../schema/values.ts';
import type { MapPage, Root } from '../../vault/manifest.ts';
import { RowImages, type RowState, type SegmentNotes } from '../../vault/row-images.ts';
import type { AllPoints } from './points.ts';
import type { FindRequest, Version, VersionChange } from './request.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A record with all its values, as a point holds it. */
interface Standing {
  readonly map: MapPage;
  readonly fields: readonly FieldDescribe[];
  value(field: FieldDescribe): string;
}

/**
 * The versions of one record over all points, oldest first; none when it stands in no point. A point that does not hold its object, or not
 * all rows of it, says nothing of a record that it does not have. Where a sandbox was refreshed the record is seen anew, or is no more. `notes`: shared by many records.
 */
export async function versionsOf(
  ctx: Context,
  points: AllPoints,
  { object, id }: { readonly object: string; readonly id: string },
  request: Pick<FindRequest, 'allFields' | 'withValues'>,
  notes: SegmentNotes,
): Promise<Version[]> {
  const images = new RowImages(points.vault, id, notes, ctx.signal);
  const versions: Mutable<Version>[] = [];
  let before: Standing | undefined;
  let known: Root | undefined;
  let anew = 0;
  for (const root of points.roots) {
    ctx.signal.throwIfAborted();
    const map = await points.map(root, object);
    if (!map?.hasId) continue;
    const state = await images.state(map);
    if (!state.image && (!map.complete || mayBeLeftOut(map, state))) continue;
    if (known && longId(known.org.id) !== longId(root.org.id)) {
      // A sandbox was refreshed: its records did not come of those that had their Ids before, and nobody deleted the others.
      [before, known, anew] = [undefined, undefined, versions.length];
    }
    const last = versions.length > anew ? versions.at(-1) : undefined;
    const now = state.image && (await standing(points, map, state.image));
    const change = changeOf(last?.change, now !== undefined);
    const differing = before && now && change !== 'seen' ? differingFields(before, now, request.allFields) : [];
    if (last && (change === 'same' || (change === 'changed' && differing.length === 0))) {
      last.lastPoint = root.point;
      last.last = root.ended;
      last.points += 1;
    } else if (change !== 'none' && change !== 'same') {
      versions.push({
        object,
        id,
        change,
        from: known?.point ?? null,
        to: root.point,
        lastPoint: root.point,
        points: 1,
        first: root.ended,
        last: root.ended,
        ...changedBy(state, now),
        fields: fieldsOf(change, differing, before, now, request),
      });
    }
    if (now) before = now;
    known = root;
  }
  return versions;
}

/** A point whose policy leaves out rows knows of a deletion only where a tombstone tells it. */
function mayBeLeftOut({ kept }: MapPage, state: RowState): boolean {
  return kept !== undefined && !state.image && (state.gone === undefined || state.gone.leftOut);
}

/** `none`: it was not seen yet; `same`: it is still gone. */
function changeOf(last: VersionChange | undefined, stands: boolean): VersionChange | 'same' | 'none' {
  if (last === undefined) return stands ? 'seen' : 'none';
  if (last === 'deleted') return stands ? 'returned' : 'same';
  return stands ? 'changed' : 'deleted';
}

async function standing(
  points: AllPoints,
  map: MapPage,
  { columns, cells }: NonNullable<RowState['image']>,
): Promise<Standing> {
  const held = new Set(map.columns);
  const fields = (await points.describe(map)).fields.filter(({ name }) => held.has(name));
  const values = new Map(columns.map((name, n) => [name, cells[n]!]));
  // A segment from before a field came does not have it.
  const value = ({ name, type }: FieldDescribe) => values.get(name) ?? (type === 'boolean' ? 'false' : '');
  return { map, fields, value };
}

/** Fields that both have values of, and that differ. */
function differingFields(before: Standing, now: Standing, all: boolean): FieldDescribe[] {
  const held = new Set(before.map.columns);
  return shownFields(now, all).filter(
    (field) => held.has(field.name) && !sameValue(field, before.value(field), now.value(field)),
  );
}

function shownFields({ fields }: Standing, all: boolean): readonly FieldDescribe[] {
  return all ? fields : comparedFields(fields);
}

function changedBy(
  state: RowState,
  now: Standing | undefined,
): Pick<Version, 'changedBy' | 'changedAt' | 'deletedWith'> {
  if (!now) {
    const gone = 'gone' in state ? state.gone : undefined;
    return {
      changedBy: gone?.deletedBy || null,
      changedAt: gone?.deletedAt || null,
      deletedWith: gone?.deletedWith || null,
    };
  }
  const text = (...names: string[]) => {
    const field = names.map((name) => now.fields.find((one) => one.name === name)).find((one) => one !== undefined);
    return (field && now.value(field)) || null;
  };
  return {
    changedBy: text('LastModifiedById', 'CreatedById'),
    changedAt: text('LastModifiedDate', 'SystemModstamp', 'CreatedDate'),
    deletedWith: null,
  };
}

function fieldsOf(
  change: VersionChange,
  differing: readonly FieldDescribe[],
  before: Standing | undefined,
  now: Standing | undefined,
  { allFields, withValues }: Pick<FindRequest, 'allFields' | 'withValues'>,
): Version['fields'] {
  if (!withValues) return differing.map(({ name }) => name);
  const [from, to] = [change === 'seen' ? undefined : before, now];
  const filled = (one: Standing) => shownFields(one, allFields).filter((field) => one.value(field) !== '');
  const shown = from && to ? differing : filled((to ?? from)!);
  return Object.fromEntries(
    shown.map((field) => [field.name, { from: from?.value(field) ?? '', to: to?.value(field) ?? '' }]),
  );
}
