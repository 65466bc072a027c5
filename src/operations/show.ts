import { Fault } from '../errors.ts';
import { cells } from '../rows/cells.ts';
import { IdTable } from '../rows/id-table.ts';
import { longId, looksLikeId } from '../schema/ids.ts';
import type { LogEntry } from '../vault/log.ts';
import { PointReader } from '../vault/point-reader.ts';
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

/** One record with all its values. Throws `no-such-record`. */
export async function showRecord(
  vault: Vault,
  entry: LogEntry,
  object: string,
  id: string,
): Promise<{ record: Record<string, string>; history: { point: string; ended: string }[] }> {
  const point = await PointReader.open(vault, entry);
  await point.map(object);
  const rows = looksLikeId(id) ? await point.rows(object, { ids: IdTable.of([id]) }) : undefined;
  for await (const batch of rows?.batches ?? []) {
    if (batch.ends.length === 0) continue;
    return {
      record: record(rows!.columns, cells(batch, 0)),
      history: [{ point: entry.record.point!, ended: entry.record.ended }],
    };
  }
  throw new Fault('no-such-record', `${object} ${id} does not stand in point ${entry.record.point}`);
}

function record(columns: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((column, i) => [column, values[i]!]));
}
