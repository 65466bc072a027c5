import type { Context } from '../context.ts';
import { Fault } from '../errors.ts';
import { cells } from '../rows/cells.ts';
import { IdTable } from '../rows/id-table.ts';
import { longId, looksLikeId } from '../schema/ids.ts';
import type { LogEntry } from '../vault/log.ts';
import { PointReader } from '../vault/point-reader.ts';
import { SegmentNotes } from '../vault/row-images.ts';
import type { Vault } from '../vault/vault.ts';
import { type PointResult, pointResult } from './backup/request.ts';
import { AllPoints } from './find/points.ts';
import type { Version } from './find/request.ts';
import { versionsOf } from './find/versions.ts';
import { type Related, relatedOf } from './related.ts';

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

/** Fields of one object, and some of its rows, ascending by Id: `limit` from behind the Id `after`. Needs an identity. */
export async function showObject(
  vault: Vault,
  entry: LogEntry,
  object: string,
  options: { limit: number; after?: string },
): Promise<ObjectShown> {
  const point = await PointReader.open(vault, entry);
  const { columns, hasId } = await point.map(object);
  const { fields } = await point.describe(object);
  const page: Record<string, string>[] = [];
  const after = options.after === undefined || !hasId ? {} : { after: longId(options.after) };
  const rows = await point.rows(object, after);
  for await (const batch of rows.batches) {
    for (let i = 0; i < batch.ends.length && page.length < options.limit; i++)
      page.push(record(rows.columns, cells(batch, i)));
    if (page.length >= options.limit) break;
  }
  const found = point.found(object);
  return {
    object: found.object,
    rows: found.rows,
    complete: found.complete,
    ...(found.reason === undefined ? {} : { reason: found.reason }),
    fields: fields.map(({ name, label, type }) => ({ name, label, type, inPoint: columns.includes(name) })),
    page,
  };
}

/** A version of a record, with the first point that has it and when that ended. */
export type HistoryEntry = Version & { readonly point: string; readonly ended: string };

export interface RecordShown extends Related {
  readonly record: Record<string, string>;
  /** Over all points of the vault, oldest first. */
  readonly history: readonly HistoryEntry[];
}

/**
 * One record with all its values, its related records in the point, and its versions in all points. `most`: stored bytes that are looked through for
 * children. Throws `no-such-record`.
 */
export async function showRecord(
  ctx: Context,
  vault: Vault,
  entry: LogEntry,
  { object, id, most, withValues }: { object: string; id: string; most: number; withValues: boolean },
): Promise<RecordShown> {
  const point = await PointReader.open(vault, entry);
  const { object: name } = await point.map(object);
  const rows = looksLikeId(id) ? await point.rows(object, { ids: IdTable.of([id]) }) : undefined;
  for await (const batch of rows?.batches ?? []) {
    if (batch.ends.length === 0) continue;
    const found = record(rows!.columns, cells(batch, 0));
    const related = await relatedOf(ctx, point, await point.describe(object), found, most);
    const points = await AllPoints.open(ctx, vault);
    const asked = { allFields: false, withValues };
    const versions = await versionsOf(ctx, points, { object: name, id: longId(id) }, asked, new SegmentNotes(vault));
    const history = versions.map((version) => ({ point: version.to, ended: version.first, ...version }));
    return { record: found, ...related, history };
  }
  throw new Fault('no-such-record', `${object} ${id} does not stand in point ${entry.record.point}`);
}

function record(columns: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((column, i) => [column, values[i]!]));
}
