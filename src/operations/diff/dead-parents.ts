import type { Context } from '../../context.ts';
import { rowStart } from '../../rows/cells.ts';
import { closingQuote } from '../../rows/csv.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { significant } from '../../schema/ids.ts';
import type { PointReader } from '../../vault/point-reader.ts';

/**
 * Ids of the rows of the point, of the object that is described, with a lookup to a row that is gone. `deletions`: object -> Ids of its rows that
 * are. Reads Ids and lookups of the whole object from the vault when one of them may lead there.
 */
export async function orphansOf(
  ctx: Context,
  point: PointReader,
  describe: ObjectDescribe,
  columns: readonly string[],
  deletions: ReadonlyMap<string, { readonly deleted: IdTable }>,
): Promise<IdTable> {
  const orphans = new IdTable();
  const lookups = describe.fields.filter(
    ({ name, type, referenceTo }) =>
      type === 'reference' && name !== 'Id' && columns.includes(name) && referenceTo.some((to) => deletions.has(to)),
  );
  if (lookups.length === 0) return orphans;
  const gone = lookups.map(({ referenceTo }) => referenceTo.flatMap((to) => deletions.get(to)?.deleted ?? []));
  const wanted = { columns: ['Id', ...lookups.map(({ name }) => name)], signal: ctx.signal };
  const flow = await point.rows(describe.name, wanted);
  for await (const { bytes, ends, release } of flow.batches) {
    ctx.signal.throwIfAborted();
    for (let row = 0; row < ends.length; row++) {
      const start = rowStart({ bytes, ends }, row);
      let open = closingQuote(bytes, start, ends[row]!) + 2;
      for (const tables of gone) {
        const close = closingQuote(bytes, open, ends[row]!);
        if (close - open > significant && tables.some((table) => table.has(bytes, open + 1))) {
          orphans.add(bytes, start + 1);
          break;
        }
        open = close + 2;
      }
    }
    release?.();
  }
  return orphans;
}
