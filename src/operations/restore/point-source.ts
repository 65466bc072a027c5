import { Fault } from '../../errors.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import type { ValueSource } from './apply/work.ts';

/** The values of a recovery point, as they are written back. */
export function pointSource(reader: PointReader): ValueSource {
  return {
    columns: async (object) => (reader.has(object) ? (await reader.map(object)).columns : []),
    describe: async (object) => (reader.has(object) ? reader.describe(object) : undefined),
    // All columns, as they stand: cells are read where they lie.
    rows: (object, { ids, signal }) => reader.rows(object, { ids, ...(signal ? { signal } : {}) }),
    file: async (object, id, field) => {
      const entry = await reader.fileEntry(object, id, field);
      return entry && { name: id, size: entry.size, open: () => bytes(reader, object, id, field) };
    },
  };
}

async function* bytes(reader: PointReader, object: string, id: string, field: string): AsyncGenerator<Buffer> {
  const content = await reader.file(object, id, field);
  if (!content) throw new Fault('object-missing', `the point no longer has the file of ${object} ${id}`);
  yield* content;
}
