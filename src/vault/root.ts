import { Fault } from '../errors.ts';
import { pointRoots } from './layout.ts';
import { parseStored, type Root, rootSchema } from './manifest.ts';
import type { Ref } from './record.ts';
import { openAge, openBytes } from './sealed.ts';

/**
 * The root that a point's list names: compressed, or as it was before roots were. Throws `object-missing` when the list names neither, and `segment-invalid` when it
 * names both: then nothing says which one holds.
 */
export function rootRefOf(point: string, list: readonly Ref[]): Ref {
  const names = pointRoots(point);
  const found = list.filter(({ key }) => names.includes(key));
  const [ref] = found;
  const data = { key: names[0] };
  if (ref === undefined)
    throw new Fault('object-missing', `the list of point ${point} does not name its root`, { data });
  if (found.length > 1)
    throw new Fault('segment-invalid', `the list of point ${point} names more than one root`, { data });
  return ref;
}

/** The root in these stored bytes. Throws as `openBytes` and `parseStored` do. */
export async function openRoot(key: string, stored: Buffer, identities: readonly string[]): Promise<Root> {
  const bytes = await (key.endsWith('.zst.age') ? openBytes : openAge)(key, stored, identities);
  return parseStored(key, bytes, rootSchema);
}
