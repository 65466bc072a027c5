import type { Context } from '../../context.ts';
import { PointReader } from '../../vault/point-reader.ts';
import { type RestoreFound, type RestorePlace, readRestore } from '../../vault/restores.ts';
import type { Vault } from '../../vault/vault.ts';
import { findPoint } from '../points.ts';
import type { ValueSource } from './apply/work.ts';
import { imageSource } from './images.ts';
import { pointSource } from './point-source.ts';
import { factsOf } from './undo-facts.ts';

/** Where a restore that was begun takes its values from: its point, or the before-images of the restore that it takes back. */
export async function valueSource(
  ctx: Context,
  vault: Vault,
  place: RestorePlace,
  { undoes, point }: RestoreFound['beginning'],
): Promise<ValueSource> {
  if (undoes === undefined) return pointSource(await PointReader.open(vault, await findPoint(ctx, vault, point)));
  const facts = await factsOf(place, await readRestore(place, undoes, ctx.now()));
  return imageSource(ctx, place, new Map([...facts].map(([object, { before }]) => [object, before])));
}
