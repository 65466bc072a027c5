import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import { cells, Keys, rowBytes } from '../../rows/cells.ts';
import { inOrder } from '../../rows/in-order.ts';
import { matchesAny } from '../../schema/pattern.ts';
import type { SegmentRef } from '../../vault/manifest.ts';
import { readSegment } from '../../vault/segment.ts';
import type { AllPoints } from './points.ts';
import type { FindRequest, Found } from './request.ts';

/** A segment, with the columns in which the text may stand; undefined: in all. */
interface Place {
  readonly object: string;
  readonly ref: SegmentRef;
}

/** Records in which a text stands, or stood. */
export interface TextFound {
  readonly records: readonly { readonly object: string; readonly id: string }[];
  readonly more: boolean;
  readonly notSearched: Found['notSearched'];
}

/** What a search for a text reads: segments of all points, each once. */
export interface TextPlaces {
  readonly places: readonly Place[];
  readonly bytes: number;
  readonly notSearched: Found['notSearched'];
}

/** Throws `usage` when neither objects nor fields are named, `no-such-object` when no point has one of them. */
export async function textPlaces(points: AllPoints, { objects, fields }: FindRequest): Promise<TextPlaces> {
  if (objects.length === 0 && fields.length === 0)
    throw new Fault(
      'usage',
      'a text is looked for in objects or fields that are named: it may stand in any row of any point',
      {
        actions: ['name objects with --objects, fields with --fields, or give the Id of a record'],
      },
    );
  const wanted = new Set(fields.map((name) => name.toLowerCase()));
  const places = new Map<string, Place>();
  const withoutId = new Set<string>();
  let known = false;
  for (const root of points.roots) {
    for (const { object, page } of root.objects) {
      if (!page || (objects.length > 0 && !matchesAny(object, objects))) continue;
      const map = await points.map(root, object);
      if (!map || (wanted.size > 0 && !map.columns.some((name) => wanted.has(name.toLowerCase())))) continue;
      known = true;
      if (!map.hasId) withoutId.add(object);
      else for (const ref of [...map.base, ...map.deltas]) places.set(ref.key, { object, ref });
    }
  }
  if (!known) throw new Fault('no-such-object', 'no point has rows of these objects with such fields');
  const all = [...places.values()];
  return {
    places: all,
    bytes: all.reduce((sum, { ref }) => sum + ref.size, 0),
    notSearched: [...withoutId].map((object) => ({
      object,
      reason: 'its rows have no Id by which they could be told',
    })),
  };
}

const readAhead = 2;

/** Looks for a text, whatever its case, in rows of segments; ends when `limit` records were found. Holds two segments. */
export async function findText(
  ctx: Context,
  points: AllPoints,
  { places }: TextPlaces,
  { find, fields, limit }: FindRequest,
): Promise<Omit<TextFound, 'notSearched'>> {
  const found = new Map<string, { object: string; id: string }>();
  const wanted = new Set(fields.map((name) => name.toLowerCase()));
  const needle = find.toLowerCase();
  // As it stands in the CSV.
  const raw = needle.replaceAll('"', '""');
  const identities = await points.vault.rowIdentities();
  const read = inOrder(places, readAhead, async ({ object, ref }) => ({
    object,
    ref,
    body: await points.vault.read(ref, ctx.signal),
  }));
  for await (const { object, ref, body } of read) {
    for await (const { columns, batch } of readSegment(identities, body, {
      expected: { rows: ref.rows },
      signal: ctx.signal,
    })) {
      if (!batch.bytes.toString('utf8').toLowerCase().includes(raw)) continue;
      const keys = new Keys(columns);
      const within = columns.map((name) => wanted.size === 0 || wanted.has(name.toLowerCase()));
      for (let row = 0; row < batch.ends.length; row++) {
        if (!rowBytes(batch, row).toString('utf8').toLowerCase().includes(raw)) continue;
        if (!cells(batch, row).some((text, n) => within[n] && text.toLowerCase().includes(needle))) continue;
        const id = keys.id(batch, row);
        if (found.has(`${object} ${id}`)) continue;
        if (found.size === limit) return { records: [...found.values()], more: true };
        found.set(`${object} ${id}`, { object, id });
      }
    }
  }
  return { records: [...found.values()], more: false };
}
