import type { Context } from '../../context.ts';
import type { RowBatch, RowFlow } from '../../rows/batch.ts';
import { Keys } from '../../rows/cells.ts';
import { encodeRows } from '../../rows/csv.ts';
import type { Ids } from '../../rows/id-table.ts';
import { keepRows } from '../../rows/keep.ts';
import { projection } from '../../rows/project.ts';
import { RowSorter } from '../../rows/sort.ts';
import type { RestorePlace, StoredTable } from '../../vault/restores.ts';
import { tableRows } from './apply/tables.ts';
import type { ValueSource } from './apply/work.ts';

/** A table of values that a restore kept, with its columns; Id, as in the org, is one of them. */
export interface ImageTable {
  readonly table: StoredTable;
  readonly columns: readonly string[];
}

/** The column that says which fields of a row its table speaks of, separated by spaces. */
export const spokenOf = 'Fields of the image';

const rowsOfBatch = 1000;

/**
 * The newest image of each row in these tables, ascending by Id: by way of an encrypted spill, in constant memory. The columns are Id, `spokenOf`
 * and then those of any of the tables. `ids`: of these rows only.
 */
export async function newestImages(
  ctx: Context,
  place: RestorePlace,
  tables: readonly ImageTable[],
  ids?: Ids,
): Promise<RowFlow> {
  const columns = ['Id', spokenOf, ...imageColumns(tables).filter((name) => name !== 'Id')];
  const keys = new Keys(columns);
  return {
    columns,
    batches: (async function* () {
      const sorter = new RowSorter(keys, { tempDir: ctx.tempDir, signal: ctx.signal });
      try {
        for (const table of tables) for await (const batch of uniform(place, table, columns)) await sorter.add(batch);
        for await (const batch of sorter.sorted()) {
          yield ids ? keepRows(batch, (row) => ids.has(keys.id(batch, row))) : batch;
        }
      } finally {
        await sorter.remove();
      }
    })(),
  };
}

async function* uniform(
  place: RestorePlace,
  { table, columns }: ImageTable,
  all: readonly string[],
): AsyncGenerator<RowBatch> {
  const fields = columns.filter((name) => name !== 'Id').join(' ');
  let rows: string[][] = [];
  for await (const row of tableRows(place, table, all)) {
    row[1] = fields;
    rows.push(row);
    if (rows.length < rowsOfBatch) continue;
    yield encodeRows(rows);
    rows = [];
  }
  if (rows.length > 0) yield encodeRows(rows);
}

/** Columns of any of the tables, each once, in the order in which they were first seen. */
export function imageColumns(tables: readonly ImageTable[]): string[] {
  return [...new Set(tables.flatMap(({ columns }) => columns))];
}

/** The before-images of a restore as the values that are written: by object. */
export function imageSource(
  ctx: Context,
  place: RestorePlace,
  images: ReadonlyMap<string, readonly ImageTable[]>,
): ValueSource {
  return {
    columns: async (object) => imageColumns(images.get(object) ?? []),
    describe: async () => undefined,
    async rows(object, { ids, columns }) {
      const flow = await newestImages(ctx, place, images.get(object) ?? [], ids);
      const project = projection(flow.columns, columns);
      return {
        columns,
        batches: (async function* () {
          for await (const batch of flow.batches) yield project(batch);
        })(),
      };
    },
    file: async () => undefined,
  };
}
