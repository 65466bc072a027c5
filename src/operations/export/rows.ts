import { Fault } from '../../errors.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { cellsAt } from '../../rows/cells.ts';
import { keepRows } from '../../rows/keep.ts';
import { projection } from '../../rows/project.ts';
import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import { longId, looksLikeId } from '../../schema/ids.ts';
import { instant, sameValue } from '../../schema/values.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import type { ObjectSelection, Selection } from '../select/selection.ts';
import { inWindow, type Window } from '../select/window.ts';

/** Who changed a row last, and when, as a row has to say. */
export interface Stamps {
  /** Id of a user. */
  readonly changedBy: string | undefined;
  readonly between: Window | undefined;
}

/** One object that is exported: its columns with their types, and its rows, as often as they are asked for. */
export interface ObjectSource {
  readonly object: string;
  readonly describe: ObjectDescribe;
  readonly fields: readonly FieldDescribe[];
  readonly hasId: boolean;
  /** Selected rows with `fields`, or with these columns in their place. Those that the point does not hold are left out. */
  rows(signal: AbortSignal, columns?: readonly string[]): AsyncGenerator<RowBatch>;
}

const modifiers = ['LastModifiedById', 'CreatedById'];
const times = ['LastModifiedDate', 'SystemModstamp', 'CreatedDate'];

/** What is exported, in the order of the point. `names`: only these fields, beside Id. Throws `usage` for a field that no object has. */
export async function objectSources(
  point: PointReader,
  selection: Selection,
  names: readonly string[],
  stamps: Stamps,
): Promise<ObjectSource[]> {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const unknown = new Set(wanted);
  const sources: ObjectSource[] = [];
  for (const one of selection.values()) {
    const { columns, hasId } = await point.map(one.object);
    const described = await point.describe(one.object);
    const held = columns.filter((name) => wanted.size === 0 || wanted.has(name.toLowerCase()));
    for (const name of held) unknown.delete(name.toLowerCase());
    if (held.length === 0) continue;
    const shown = hasId && !held.includes('Id') ? ['Id', ...held] : held;
    const byName = new Map(described.fields.map((field) => [field.name, field]));
    sources.push({
      object: one.object,
      describe: described,
      fields: shown.map((name) => byName.get(name) ?? plainText(name)),
      hasId,
      rows: (signal, wantedColumns = shown) => selectedRows(point, one, columns, wantedColumns, stamps, signal),
    });
  }
  if (unknown.size > 0) {
    const lost = names.find((name) => unknown.has(name.toLowerCase()))!;
    throw new Fault('usage', `no selected object of point ${point.root.point} has values of a field ${lost}`);
  }
  return sources;
}

/** A column that the describe no longer knows. */
function plainText(name: string): FieldDescribe {
  return { name, label: name, type: 'string' } as FieldDescribe;
}

async function* selectedRows(
  point: PointReader,
  { object, ids, condition }: ObjectSelection,
  held: readonly string[],
  columns: readonly string[],
  { changedBy, between }: Stamps,
  signal: AbortSignal,
): AsyncGenerator<RowBatch> {
  const by = changedBy === undefined ? undefined : modifiers.find((name) => held.includes(name));
  const at = between === undefined ? undefined : times.find((name) => held.includes(name));
  // Rows that do not say who changed them, or when, are not those that are asked for.
  if ((changedBy !== undefined && !by) || (between && !at)) return;
  const besides = [...(condition?.fields ?? []), ...(by ? [by] : []), ...(at ? [at] : [])];
  const read = [...new Set([...columns, ...besides])];
  const flow = await point.rows(object, { columns: read, signal, ...(ids ? { ids } : {}) });
  const test = condition?.test(read);
  const byAt = by ? read.indexOf(by) : -1;
  const timeAt = at ? read.indexOf(at) : -1;
  const project = projection(read, columns);
  for await (const batch of flow.batches) {
    signal.throwIfAborted();
    const keep = (row: number) =>
      (!test || test(batch, row)) &&
      (byAt < 0 || sameValue({ type: 'reference' }, cellsAt(batch, row, [byAt])[0]!, changedBy!)) &&
      (timeAt < 0 || inWindow(between!, instant(cellsAt(batch, row, [timeAt])[0]!)));
    const kept = test || byAt >= 0 || timeAt >= 0 ? keepRows(batch, keep) : batch;
    if (kept.ends.length > 0) yield project(kept);
  }
}

/** The Id of the user that a person means by an Id, a username or a full name, among the users of the point. Throws `usage`. */
export async function userOfPoint(point: PointReader, text: string): Promise<string> {
  if (looksLikeId(text) && text.startsWith('005')) return longId(text);
  const found: { id: string; username: string }[] = [];
  if (point.has('User')) {
    const flow = await point.rows('User', { columns: ['Id', 'Username', 'Name'] });
    const same = (a: string) => a.toLowerCase() === text.toLowerCase();
    for await (const batch of flow.batches) {
      for (const row of batch.ends.keys()) {
        const [id = '', username = '', name = ''] = cellsAt(batch, row, [0, 1, 2]);
        if (same(username)) return longId(id);
        if (same(name)) found.push({ id, username });
      }
    }
  }
  if (found.length === 1) return longId(found[0]!.id);
  throw new Fault(
    'usage',
    found.length === 0
      ? `point ${point.root.point} has no user ${text}`
      : `${found.length} users of the point are named ${text}`,
    { actions: ['name the user by username or Id'] },
  );
}
