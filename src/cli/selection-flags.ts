import type { SelectionRequest } from '../operations/select/selection.ts';
import type { Flags, FlagValues } from './command.ts';

/** The flags by which `diff`, `export` and `restore` select objects and rows. */
export const selectionFlags = {
  objects: { value: 'names', kind: 'list', summary: 'only these objects; * stands for any characters', config: false },
  exclude: {
    value: 'names',
    kind: 'list',
    summary: 'without these objects; * stands for any characters',
    config: false,
  },
  ids: { value: 'Ids', kind: 'list', summary: 'only the records with these Ids', config: false },
  'ids-file': {
    value: 'file',
    kind: 'path',
    summary: 'only the records whose Ids stand in the file: one a line, or CSV with a column Id',
    config: false,
  },
  where: {
    value: 'condition',
    summary: 'only rows that meet a SOQL condition on their own fields, without the word WHERE',
    config: false,
  },
  fields: { value: 'names', kind: 'list', summary: 'only these fields', config: false },
  'changed-by': {
    value: 'user',
    summary: 'only rows that this user changed last: username, name or Id',
    config: false,
  },
  between: {
    value: 't1..t2',
    summary: 'only rows last changed in this time, as 2026-11-22T09:00Z..2026-11-22T10:30Z',
    config: false,
  },
} as const satisfies Flags;

/** Rows as the flags name them. Reads the file of `--ids-file`. Throws `usage` for what is no Id. */
export async function selectionOf(flags: FlagValues<typeof selectionFlags>): Promise<SelectionRequest> {
  const { objects, exclude, where } = flags;
  if (flags.ids.length === 0 && flags.idsFile === undefined) return { objects, exclude, where, ids: undefined };
  const { IdTable } = await import('../rows/id-table.ts');
  const { addId, addIdsOfFile } = await import('../operations/select/id-file.ts');
  const ids = new IdTable();
  for (const id of flags.ids) addId(id, ids);
  if (flags.idsFile !== undefined) await addIdsOfFile(flags.idsFile, ids);
  return { objects, exclude, where, ids };
}
