import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import type { Org } from '../../salesforce/org.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { narrows, select } from '../select/selection.ts';
import { diffLive } from './live.ts';
import { diffPoints, selectEither } from './points.ts';
import type { DiffRequest, DiffResult, OnRecord } from './request.ts';

/**
 * What differs between a point and another one, or the org as it is now. Throws `foreign-vault` when the org is another than the point's, `usage` for
 * a field that no selected object of the point has, `nothing-selected` when the selection leaves no object of either, and what `diffLive` and `diffPoints` throw.
 */
export async function diff(
  ctx: Context,
  from: PointReader,
  to: PointReader | Org,
  request: DiffRequest,
  onRecord?: OnRecord,
): Promise<DiffResult> {
  await assertFields(from, request);
  const found = await compareEither(ctx, from, to, request, onRecord);
  if (found.compared === 0 && found.notCompared.length === 0 && narrows(request.selection))
    throw new Fault('nothing-selected', 'the selection leaves nothing to compare', {
      actions: ['select more: see --objects, --exclude, and `salvor show` for what the point holds'],
    });
  return found;
}

async function compareEither(
  ctx: Context,
  from: PointReader,
  to: PointReader | Org,
  request: DiffRequest,
  onRecord: OnRecord | undefined,
): Promise<DiffResult> {
  if (isPoint(to)) return diffPoints(ctx, from, to, request, onRecord);
  const { org } = from.root;
  if (org.id.slice(0, 15) !== to.identity.orgId.slice(0, 15))
    throw new Fault(
      'foreign-vault',
      `point ${from.root.point} is of ${org.name} (${org.id}), the org is ${to.identity.orgId}`,
    );
  return diffLive(ctx, from, to, request, onRecord);
}

/** Names of the objects that `diff` is asked to compare; less those that only the org knows. Reads no row. Throws what `select` throws. */
export async function objectsAsked(
  ctx: Context,
  from: PointReader,
  to: PointReader | Org,
  request: DiffRequest,
): Promise<string[]> {
  const selection = isPoint(to)
    ? await selectEither(from, to, request, ctx.now())
    : await select(from, request.selection, ctx.now());
  return [...selection.keys()].sort();
}

function isPoint(to: PointReader | Org): to is PointReader {
  return 'root' in to;
}

async function assertFields(point: PointReader, { fields }: DiffRequest): Promise<void> {
  if (fields.length === 0) return;
  const known = new Set<string>();
  for (const { fields: some } of (await point.describes()).values())
    for (const { name } of some) known.add(name.toLowerCase());
  const unknown = fields.find((name) => !known.has(name.toLowerCase()));
  if (unknown !== undefined) throw new Fault('usage', `no object of point ${point.root.point} has a field ${unknown}`);
}
