import type { Context } from '../context.ts';
import { Fault, isDamage } from '../errors.ts';
import { matchesAny } from '../schema/pattern.ts';
import { blankableLookups } from '../vault/dead-rows.ts';
import { layersOf, oldestRun } from '../vault/layers.ts';
import type { LogEntry } from '../vault/log.ts';
import type { MapPage, RootObject } from '../vault/manifest.ts';
import { PointWriter } from '../vault/point.ts';
import { PointReader } from '../vault/point-reader.ts';
import type { Ref } from '../vault/record.ts';
import type { Vault } from '../vault/vault.ts';
import { unfinishedRuns } from './backup/journal.ts';
import { restOf } from './backup/rest.ts';
import { storeSegments } from './backup/segments.ts';
import { findPoint } from './points.ts';
import { assertKnown } from './select/selection.ts';

/** `result` of `salvor compact --json`. */
export interface Compacted {
  /** The point that says the same as `of`; undefined: there was nothing to merge. */
  readonly point: string | undefined;
  readonly of: string;
  readonly objects: readonly {
    readonly object: string;
    /** Segments of rows and of tombstones, before and after. */
    readonly segments: { readonly before: number; readonly after: number };
    readonly rows: number;
    readonly bytes: number;
  }[];
}

/**
 * Merges what later runs wrote of objects into new bases: a new point that says what the newest one says, with the same times, and that later runs go
 * on from. Objects whose lookups may name rows of objects that only other points hold stay as they are. Points that are there keep what they list. Throws the damage of the newest one: a
 * point with the times of an older one would come behind it, and stand for what it held. Reads rows, so it takes an identity. Throws `no-such-point`, `no-such-object`, `no-identity`, `lease-held` when a point is
 * taken meanwhile, `clock-behind`, and what reading and storing throw.
 */
export async function compact(
  ctx: Context,
  vault: Vault,
  request: { readonly objects: readonly string[]; readonly tool: string },
): Promise<Compacted> {
  await unfinishedRuns(ctx, vault);
  const entry = await findPoint(ctx, vault, 'latest!');
  const reader = await opened(vault, entry);
  assertKnown(reader, request.objects);
  const { root } = reader;
  const signer = await vault.keyring.anySigner((await vault.state()).epochs);
  if (!signer) throw new Fault('no-writer-key', 'a point is signed, and there is no key to sign with');
  const elsewhere = await heldElsewhere(vault, reader);
  const layered: MapPage[] = [];
  for (const object of reader.objects()) {
    const map = await reader.map(object);
    const chosen = request.objects.length === 0 || matchesAny(object, request.objects);
    if (!chosen || !map.hasId || layersOf(map).length === 0) continue;
    // Which of its lookups deletions of other points' objects emptied nobody could tell of merged rows.
    const lookups = blankableLookups(await reader.describe(object));
    if (!lookups.some(({ objects }) => objects.some((name) => elsewhere.has(name)))) layered.push(map);
  }
  if (layered.length === 0) return { point: undefined, of: root.point, objects: [] };
  const writer = new PointWriter(vault, await vault.mintPoint(ctx.now()), await vault.epoch());
  await writer.buildsOn(root.point);
  if (writer.point <= root.point) {
    throw new Fault(
      'clock-behind',
      `the clock of this host is behind point ${root.point}, which was taken later by its name`,
    );
  }
  ctx.report({ type: 'stage', stage: 'merging segments', total: layered.length });
  const done = new Map<string, { object: RootObject; written: readonly Ref[]; merged: Compacted['objects'][number] }>();
  for (const map of layered) {
    ctx.signal.throwIfAborted();
    done.set(map.object, await merged(ctx, reader, writer, map));
  }
  const written = [...done.values()].flatMap((one) => one.written);
  const objects = root.objects.map(
    (one) => done.get(one.object)?.object ?? { ...one, changed: 0, deleted: 0, bytes: 0 },
  );
  const bytes = written.reduce((sum, { size }) => sum + size, 0);
  const same = { ...root, point: writer.point, tags: [], objects, bytes, apiCalls: 0 };
  // A point that was taken meanwhile says more: this one would come behind it and say less.
  const newest = (await vault.state(true)).points.at(-1)?.record.point;
  if (newest !== root.point) throw new Fault('lease-held', `point ${newest} was taken while segments were merged`);
  await writer.seal(same, written, signer, request.tool, ctx.signal);
  return { point: writer.point, of: root.point, objects: [...done.values()].map((one) => one.merged) };
}

async function opened(vault: Vault, entry: LogEntry): Promise<PointReader> {
  try {
    return await PointReader.open(vault, entry);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const { point } = entry.record;
    throw new Fault(
      error.name,
      `the newest point, ${point}, does not read, and only the newest is merged: ${error.message}`,
      {
        actions: [
          'run `salvor backup`, which goes past it, then `salvor compact` merges the point that it took',
          ...error.actions,
        ],
        data: { ...error.data, point },
        cause: error,
      },
    );
  }
}

/** Objects that the point does not hold and others do. */
async function heldElsewhere(vault: Vault, reader: PointReader): Promise<Set<string>> {
  const { point, org, notCovered, rest = [] } = reader.root;
  const whole = notCovered.filter(({ field, where }) => field === undefined && where === undefined);
  const names = [...whole, ...reader.failed()].map(({ object }) => object);
  const earlier = await restOf(vault, { point, orgId: org.id }, names);
  return new Set([...rest, ...earlier].flatMap(({ objects }) => objects));
}

async function merged(ctx: Context, reader: PointReader, writer: PointWriter, map: MapPage) {
  const { object } = map;
  const { columns, batches } = await reader.rows(object, { signal: ctx.signal });
  const flow = (async function* () {
    let cut = true;
    for await (const batch of batches) {
      yield { batch, cut };
      cut = false;
    }
  })();
  const { segments, detail } = await storeSegments(writer, object, columns, flow, ctx.signal);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const oldest = oldestRun(map);
  const page: MapPage = {
    ...map,
    left: undefined,
    window: { from: null, to: map.window.to },
    // All Ids were held against the org when the base was read, or later; merging asks no org.
    reconciled: map.reconciled ?? map.base[0]?.read?.to ?? map.deltas[0]?.read?.from ?? map.watermark,
    deleted: 0,
    bytes,
    base: segments.map((segment) => ({ ...segment, ...(oldest === '' ? {} : { oldest }) })),
    deltas: [],
    detail,
  };
  const refs = await writer.putMap(page, ctx.signal);
  const written = segments.flatMap(({ key, size, sha256, index }) => [
    { key, size, sha256 },
    ...(index ? [index] : []),
  ]);
  const before = reader.found(object);
  const stored = written.reduce((sum, { size }) => sum + size, 0);
  ctx.report({
    type: 'object-finished',
    object,
    rows: map.rows,
    bytes,
    segments: segments.length,
    complete: before.complete,
  });
  return {
    object: { ...before, ...refs, changed: 0, deleted: 0, segments: segments.length, bytes: stored },
    written,
    merged: {
      object,
      segments: { before: map.base.length + map.deltas.length + map.gone.length, after: segments.length },
      rows: map.rows,
      bytes: stored,
    },
  };
}
