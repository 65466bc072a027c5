import { createReadStream } from 'node:fs';
import { Fault, systemCode } from '../../errors.ts';
import { parseForeign } from '../../rows/csv.ts';
import type { IdTable } from '../../rows/id-table.ts';
import { looksLikeId } from '../../schema/ids.ts';

/** Adds an Id that a person named. Throws `usage` for what is none. */
export function addId(id: string, into: IdTable): void {
  if (!looksLikeId(id))
    throw new Fault('usage', `${JSON.stringify(id.slice(0, 40))} is no Id of a record`, {
      actions: ['an Id has 15 or 18 letters and digits, as 0015e000001AbCdAAM'],
    });
  into.add(id);
}

/**
 * Adds the Ids of a file: one on each line, or CSV, whose column `Id` is taken when its first line names one, else the first column.
 * Throws `usage` for a file that cannot be read or holds something else, `nothing-selected` for one without any.
 */
export async function addIdsOfFile(file: string, into: IdTable): Promise<void> {
  let column: number | undefined;
  let found = 0;
  try {
    for await (const rows of parseForeign(createReadStream(file))) {
      for (const row of rows) {
        if (column === undefined) {
          const named = row.findIndex((cell) => cell.trim().toLowerCase() === 'id');
          column = Math.max(0, named);
          if (named >= 0) continue;
          if (!looksLikeId((row[0] ?? '').trim())) {
            throw new Fault('usage', `${file} begins with no Id, and none of its columns is called Id`);
          }
        }
        const id = (row[column] ?? '').trim();
        if (id === '') continue;
        addId(id, into);
        found += 1;
      }
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    const why = code === 'ENOENT' ? 'there is no such file' : code;
    throw new Fault('usage', `${file} cannot be read: ${why}`, { cause: error });
  }
  if (found === 0) throw new Fault('nothing-selected', `${file} holds no Id`);
}
