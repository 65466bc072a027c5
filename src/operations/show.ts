import { Fault } from '../errors.ts';
import { cells, Keys } from '../rows/cells.ts';
import type { FieldDescribe } from '../schema/describe.ts';
import type { LogEntry } from '../vault/log.ts';
import type { MapPage, Root, RootObject } from '../vault/manifest.ts';
import { readSegment } from '../vault/segment.ts';
import type { Vault } from '../vault/vault.ts';
import { type PointResult, pointResult } from './backup/request.ts';

export interface ObjectShown {
  readonly object: string;
  readonly rows: number;
  readonly complete: boolean;
  readonly reason?: string;
  readonly fields: readonly {
    readonly name: string;
    readonly label: string;
    readonly type: string;
    readonly inPoint: boolean;
  }[];
  readonly page: readonly Record<string, string>[];
}

/** A point's table of contents. The writer key alone is enough. */
export async function showPoint(
  vault: Vault,
  entry: LogEntry,
): Promise<{ point: PointResult; seq: number; digest: string }> {
  return { point: pointResult(await vault.root(entry)), seq: entry.seq, digest: entry.digest };
}

/**
 * Fields of one object, and some of its rows: `limit` from behind the Id `after`. Needs an identity. Rows come in the order of their
 * segments, which is by Id inside each.
 */
export async function showObject(
  vault: Vault,
  entry: LogEntry,
  object: string,
  options: { limit: number; after?: string },
): Promise<ObjectShown> {
  const { found, map } = await pageOf(vault, await vault.root(entry), object);
  const fields = await fieldsOf(vault, map);
  const page: Record<string, string>[] = [];
  const segments = await segmentsById(vault, map);
  for (const segment of segments) {
    if (page.length >= options.limit) break;
    if (options.after !== undefined && segment.maxId !== undefined && segment.maxId <= options.after) continue;
    for await (const { columns, batch } of readSegment(await vault.rowIdentities(), await vault.read(segment.ref))) {
      const keys = new Keys(columns);
      for (let i = 0; i < batch.ends.length && page.length < options.limit; i++) {
        if (options.after !== undefined && keys.id(batch, i) <= options.after) continue;
        page.push(record(columns, cells(batch, i)));
      }
      if (page.length >= options.limit) break;
    }
  }
  return {
    object: found.object,
    rows: found.rows,
    complete: found.complete,
    ...(found.reason === undefined ? {} : { reason: found.reason }),
    fields: fields.map(({ name, label, type }) => ({ name, label, type, inPoint: map.columns.includes(name) })),
    page,
  };
}

/** One record with all its values. Throws `no-such-record`. */
export async function showRecord(
  vault: Vault,
  entry: LogEntry,
  object: string,
  id: string,
): Promise<{ record: Record<string, string>; history: { point: string; ended: string }[] }> {
  const { map } = await pageOf(vault, await vault.root(entry), object);
  for (const segment of await segmentsById(vault, map)) {
    if (segment.minId === undefined || id < segment.minId.slice(0, id.length) || id > segment.maxId!) continue;
    for await (const { columns, batch } of readSegment(await vault.rowIdentities(), await vault.read(segment.ref))) {
      const keys = new Keys(columns);
      for (let i = 0; i < batch.ends.length; i++) {
        if (!keys.id(batch, i).startsWith(id)) continue;
        return {
          record: record(columns, cells(batch, i)),
          history: [{ point: entry.record.point!, ended: entry.record.ended }],
        };
      }
    }
  }
  throw new Fault('no-such-record', `${object} ${id} does not stand in point ${entry.record.point}`);
}

async function pageOf(vault: Vault, root: Root, object: string): Promise<{ found: RootObject; map: MapPage }> {
  const found = root.objects.find((one) => one.object.toLowerCase() === object.toLowerCase());
  if (!found) {
    const reason = root.notCovered.find(
      (one) => one.object.toLowerCase() === object.toLowerCase() && one.field === undefined,
    )?.reason;
    throw new Fault(
      'no-such-object',
      `point ${root.point} does not hold ${object}${reason === undefined ? '' : `: ${reason}`}`,
    );
  }
  if (!found.page)
    throw new Fault('no-such-object', `point ${root.point} has no rows of ${object}: ${found.reason ?? 'it failed'}`);
  return { found, map: await vault.map(found.page) };
}

async function fieldsOf(vault: Vault, map: MapPage): Promise<readonly FieldDescribe[]> {
  const page = await vault.schema(map.schema.page);
  const entry = page.objects.find(({ print, describe }) => print === map.schema.print && describe.name === map.object);
  if (!entry)
    throw new Fault('segment-invalid', `${map.schema.page.key} does not describe ${map.object}`, {
      data: { key: map.schema.page.key },
    });
  return entry.describe.fields as FieldDescribe[];
}

async function segmentsById(vault: Vault, map: MapPage) {
  const details = (await Promise.all(map.detail.map((ref) => vault.detail(ref)))).flatMap(({ segments }) => segments);
  const range = new Map(details.map(({ key, minId, maxId }) => [key, { minId, maxId }]));
  return map.base
    .map((ref) => ({ ref, minId: range.get(ref.key)?.minId, maxId: range.get(ref.key)?.maxId }))
    .sort((a, b) => ((a.minId ?? '') < (b.minId ?? '') ? -1 : 1));
}

function record(columns: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((column, i) => [column, values[i]!]));
}
