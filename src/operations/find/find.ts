import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import { longId, looksLikeId } from '../../schema/ids.ts';
import { SegmentNotes } from '../../vault/row-images.ts';
import type { Vault } from '../../vault/vault.ts';
import { AllPoints } from './points.ts';
import type { FindRequest, Found, Version } from './request.ts';
import { findText, textPlaces } from './text.ts';
import { versionsOf } from './versions.ts';

/**
 * In which points a record stands, and how it changed; or the records in which a text stands or stood. `onPlaces` is told what a search for a text
 * will read before it reads. Throws `no-such-record` when nothing is found, and what `textPlaces` and reading the vault throw.
 */
export async function find(
  ctx: Context,
  vault: Vault,
  request: FindRequest,
  onPlaces: (segments: number, bytes: number) => void,
): Promise<Found> {
  const points = await AllPoints.open(ctx, vault);
  const notes = new SegmentNotes(vault);
  const unreadable = points.unreadable.map(({ point, fault }) => ({ point, reason: fault.message }));
  const asId = !request.asText && looksLikeId(request.find);
  const objects = asId ? await points.objectsOf(request.find.slice(0, 3)) : [];
  if (asId && objects.length === 0 && request.objects.length === 0 && request.fields.length === 0)
    throw new Fault('no-such-object', `no object of any point has Ids like ${request.find}`, {
      actions: ['check the Id; for a text that looks like one give --text, and say where with --objects or --fields'],
    });
  const versions: Version[] = [];
  const told = { find: request.find, points: points.roots.length };
  if (objects.length > 0) {
    const id = longId(request.find);
    for (const object of objects) versions.push(...(await versionsOf(ctx, points, { object, id }, request, notes)));
    if (versions.length > 0) return { ...told, versions, more: false, notSearched: unreadable };
    throw new Fault('no-such-record', `${objects.join(', ')} ${id} stands in none of ${points.roots.length} points`);
  }
  const places = await textPlaces(points, request);
  onPlaces(places.places.length, places.bytes);
  const { records, more } = await findText(ctx, points, places, request);
  if (records.length === 0)
    throw new Fault('no-such-record', `no row of ${points.roots.length} points has this text in what was searched`, {
      actions: ['look in more objects or fields'],
    });
  for (const record of records) versions.push(...(await versionsOf(ctx, points, record, request, notes)));
  return { ...told, versions, more, notSearched: [...unreadable, ...places.notSearched] };
}
