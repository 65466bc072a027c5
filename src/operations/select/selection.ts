import { Fault } from '../../errors.ts';
import { Keys } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import { matchesAny } from '../../schema/pattern.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { type RowCondition, rowCondition } from './condition.ts';

/** Which rows a person named. What is empty or undefined says nothing; what is said narrows. */
export interface SelectionRequest {
  /** Names of objects; `*` stands for any characters. */
  readonly objects: readonly string[];
  readonly exclude: readonly string[];
  readonly ids: IdTable | undefined;
  /** Rows of these objects, in place of `ids`; of objects that are selected. */
  readonly idsByObject?: ReadonlyMap<string, IdTable>;
  /** A SOQL condition, which each selected object has to understand. */
  readonly where: string | undefined;
}

/** What is selected of one object. */
export interface ObjectSelection {
  readonly object: string;
  /** Undefined: all rows. They need not stand in the point. */
  readonly ids: IdTable | undefined;
  /** Of those only rows that meet it. */
  readonly condition: RowCondition | undefined;
}

/** By the name of the object, in the order of the point. */
export type Selection = ReadonlyMap<string, ObjectSelection>;

/** True when the request narrows anything: without that, everything is selected. */
export function narrows({ objects, exclude, ids, idsByObject, where }: SelectionRequest): boolean {
  return objects.length > 0 || exclude.length > 0 || (ids ?? idsByObject ?? where) !== undefined;
}

/** True when patterns take in an object of this name. */
export function takesIn({ objects, exclude }: Pick<SelectionRequest, 'objects' | 'exclude'>, name: string): boolean {
  return (objects.length === 0 || matchesAny(name, objects)) && !matchesAny(name, exclude);
}

/**
 * What a request selects of a point. Ids go to objects by their key prefix. Throws `no-such-object` for a name that fits no object of the
 * point, and for an Id of none; `usage` for an Id of an object that is not selected, a condition that an object does not understand.
 */
export async function select(point: PointReader, request: SelectionRequest, now: Date): Promise<Selection> {
  assertKnown(point, request.objects);
  const names = point.objects().filter((name) => takesIn(request, name));
  const found = request.ids && (await idsByObject(point, request.ids));
  const byObject = found ?? request.idsByObject;
  for (const [object, ids] of found ?? []) {
    if (!names.includes(object))
      throw new Fault('usage', `${ids.id(0)} is of ${object}, which is not selected`, { data: { object } });
  }
  const selection = new Map<string, ObjectSelection>();
  for (const object of names) {
    const ids = byObject?.get(object);
    if (byObject && !ids) continue;
    selection.set(object, { object, ids, condition: await conditionOn(point, object, request.where, now) });
  }
  return selection;
}

/** Adds to `into` the Ids of the rows of the point that are selected of one object. */
export async function addSelected(
  point: PointReader,
  { object, ids, condition }: ObjectSelection,
  into: IdTable,
  signal?: AbortSignal,
): Promise<void> {
  const columns = ['Id', ...(condition?.fields ?? []).filter((name) => name !== 'Id')];
  const flow = await point.rows(object, { columns, ...(ids ? { ids } : {}), ...(signal ? { signal } : {}) });
  const test = condition?.test(columns);
  const keys = new Keys(columns);
  if (!ids && !test) into.reserve((await point.map(object)).rows);
  for await (const batch of flow.batches) {
    signal?.throwIfAborted();
    for (let row = 0; row < batch.ends.length; row++) {
      if (test && !test(batch, row)) continue;
      const start = keys.startOfUsualId(batch, row);
      if (start < 0) into.add(keys.id(batch, row));
      else into.add(batch.bytes, start);
    }
    batch.release?.();
  }
}

/** Throws `no-such-object` for a pattern that fits no object with rows. */
export function assertKnown(point: PointReader, patterns: readonly string[]): void {
  const names = point.objects();
  for (const pattern of patterns) {
    if (names.some((name) => matchesAny(name, [pattern]))) continue;
    const failed = point.failed().find(({ object }) => matchesAny(object, [pattern]));
    if (failed) throw new Fault('no-such-object', `the point has no rows of ${failed.object}: ${failed.reason}`);
    // Says why where the point knows it.
    if (!pattern.includes('*')) point.found(pattern);
    throw new Fault('no-such-object', `no object of point ${point.root.point} fits ${pattern}`);
  }
}

async function idsByObject(point: PointReader, ids: IdTable): Promise<Map<string, IdTable>> {
  const byPrefix = new Map<string, string>();
  for (const { name, keyPrefix } of (await point.describes()).values()) if (keyPrefix) byPrefix.set(keyPrefix, name);
  const found = new Map<string, IdTable>();
  for (const id of ids) {
    const object = byPrefix.get(id.slice(0, 3));
    if (object === undefined)
      throw new Fault('no-such-object', `no object of point ${point.root.point} has Ids like ${id}`);
    const table = found.get(object) ?? new IdTable();
    table.add(id);
    found.set(object, table);
  }
  return found;
}

async function conditionOn(
  point: PointReader,
  object: string,
  where: string | undefined,
  now: Date,
): Promise<RowCondition | undefined> {
  if (where === undefined) return undefined;
  const condition = rowCondition(where, await point.describe(object), now);
  const { columns } = await point.map(object);
  const missing = condition.fields.find((field) => !columns.includes(field));
  if (missing === undefined) return condition;
  throw new Fault('usage', `the point holds no values of ${object}.${missing}, which --where asks for`);
}
