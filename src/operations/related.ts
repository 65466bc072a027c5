import type { Context } from '../context.ts';
import { cellsAt } from '../rows/cells.ts';
import { IdTable } from '../rows/id-table.ts';
import type { FieldDescribe, ObjectDescribe } from '../schema/describe.ts';
import { longId, looksLikeId, significant } from '../schema/ids.ts';
import type { PointReader } from '../vault/point-reader.ts';

/** A record that one record of a point refers to. */
export interface Parent {
  readonly field: string;
  /** Null: no object of the point has such a row. */
  readonly object: string | null;
  readonly id: string;
  readonly name: string | null;
}

/** Records of a point that refer to one of its records. */
export interface Children {
  readonly object: string;
  readonly field: string;
  /** As the org calls the relationship. */
  readonly relationship: string | null;
  readonly rows: number;
}

export interface Related {
  readonly parents: readonly Parent[];
  /** Relationships that lead to at least one row. */
  readonly children: readonly Children[];
  /** Objects whose rows were not looked through, with the stored bytes that this takes. */
  readonly notCounted: readonly { readonly object: string; readonly bytes: number }[];
}

/** The records that lookups lead to from a record, and how many lead to it, within the point. Objects are looked through up to `most` stored bytes, small ones first. */
export async function relatedOf(
  ctx: Context,
  point: PointReader,
  describe: ObjectDescribe,
  record: Readonly<Record<string, string>>,
  most: number,
): Promise<Related> {
  const parents: Parent[] = [];
  for (const field of describe.fields) {
    const id = field.type === 'reference' ? record[field.name] : undefined;
    if (id && looksLikeId(id)) parents.push(await parentOf(ctx, point, field, longId(id)));
  }
  return { parents, ...(await childrenOf(ctx, point, describe.name, record.Id!, most)) };
}

async function parentOf(ctx: Context, point: PointReader, field: FieldDescribe, id: string): Promise<Parent> {
  for (const object of field.referenceTo) {
    if (!point.has(object)) continue;
    const { name, fields, keyPrefix } = await point.describe(object);
    if (keyPrefix && !id.startsWith(keyPrefix)) continue;
    const { columns } = await point.map(object);
    const called = fields.find((one) => one.nameField === true && columns.includes(one.name))?.name ?? 'Id';
    const rows = await point.rows(object, { ids: IdTable.of([id]), columns: [called], signal: ctx.signal });
    for await (const batch of rows.batches)
      if (batch.ends.length > 0)
        return { field: field.name, object: name, id, name: called === 'Id' ? null : cellsAt(batch, 0, [0])[0]! };
  }
  return { field: field.name, object: null, id, name: null };
}

async function childrenOf(
  ctx: Context,
  point: PointReader,
  parent: string,
  id: string,
  most: number,
): Promise<Pick<Related, 'children' | 'notCounted'>> {
  const candidates: { object: string; lookups: FieldDescribe[]; bytes: number }[] = [];
  for (const [object, { fields }] of await point.describes()) {
    const { columns, base, deltas, hasId } = await point.map(object);
    const lookups = fields.filter(
      ({ name, type, referenceTo }) => type === 'reference' && referenceTo.includes(parent) && columns.includes(name),
    );
    const bytes = [...base, ...deltas].reduce((sum, { size }) => sum + size, 0);
    if (hasId && lookups.length > 0) candidates.push({ object, lookups, bytes });
  }
  const describe = await point.describe(parent);
  const nameOf = (object: string, field: string) =>
    describe.childRelationships?.find((one) => one.childSObject === object && one.field === field)?.relationshipName;
  const children: Children[] = [];
  const notCounted: { object: string; bytes: number }[] = [];
  let left = most;
  for (const { object, lookups, bytes } of candidates.sort((a, b) => a.bytes - b.bytes)) {
    if (bytes > left) {
      notCounted.push({ object, bytes });
      continue;
    }
    left -= bytes;
    const names = lookups.map(({ name }) => name);
    for (const [n, rows] of (await countRows(ctx, point, object, names, id)).entries())
      if (rows > 0) children.push({ object, field: names[n]!, relationship: nameOf(object, names[n]!) ?? null, rows });
  }
  return { children: children.sort((a, b) => b.rows - a.rows), notCounted };
}

/** For each lookup the rows in which it leads to the record. */
async function countRows(
  ctx: Context,
  point: PointReader,
  object: string,
  lookups: readonly string[],
  id: string,
): Promise<number[]> {
  const counts = lookups.map(() => 0);
  const positions = [...lookups.keys()];
  const wanted = id.slice(0, significant);
  const { batches } = await point.rows(object, { columns: lookups, signal: ctx.signal });
  for await (const batch of batches) {
    // Most batches have none.
    const rows = batch.bytes.includes(wanted) ? batch.ends.length : 0;
    for (let row = 0; row < rows; row++)
      for (const [n, text] of cellsAt(batch, row, positions).entries())
        if (text.slice(0, significant) === wanted) counts[n]! += 1;
    batch.release?.();
  }
  return counts;
}
