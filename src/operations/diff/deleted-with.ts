import { cells } from '../../rows/cells.ts';
import { IdMap } from '../../rows/id-table.ts';
import { KnownRows } from '../../vault/known-rows.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import type { OnRecord } from './request.ts';

/** Adds to deleted records of an object with which row they went, where tombstones of the point tell. They are read at once. */
export async function tellingRoots(
  point: PointReader,
  object: string,
  onRecord: OnRecord,
  signal: AbortSignal,
): Promise<OnRecord> {
  const known = new KnownRows(point.vault, await point.map(object), signal);
  const roots = new IdMap();
  // A later deletion of the same row is the one that stands; its own Id stands for none.
  for await (const { columns, batch } of known.tombstones()) {
    const [id, root] = [columns.indexOf('Id'), columns.indexOf('CascadeRoot')];
    if (root < 0) continue;
    for (let row = 0; row < batch.ends.length; row++) {
      const tombstone = cells(batch, row);
      if (tombstone[root] !== '' || roots.has(tombstone[id]!))
        roots.set(tombstone[id]!, tombstone[root] || tombstone[id]!);
    }
  }
  if (roots.size === 0) return onRecord;
  return (record) => {
    const root = record.change === 'deleted' ? roots.get(record.id) : undefined;
    onRecord(root === undefined || root === record.id ? record : { ...record, deletedWith: root });
  };
}
