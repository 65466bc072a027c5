import { decodeHeader } from '../../rows/csv.ts';
import { IdMap, IdTable } from '../../rows/id-table.ts';
import { type RestorePlace, type RestoreRead, readTable, type StoredTable } from '../../vault/restores.ts';
import { entrySchema, outcomeColumns, outcomeFrom } from './apply/entries.ts';
import { tableRows } from './apply/tables.ts';
import type { ImageTable } from './images.ts';

/** What a restore did to one object, by Ids in the org. */
export interface ObjectFacts {
  readonly object: string;
  readonly inserted: IdTable;
  readonly undeleted: IdTable;
  readonly updated: IdTable;
  /** Those of them that stood already when they were to be made: the platform had made them, or somebody. */
  readonly found: IdTable;
  readonly deleted: IdTable;
  readonly before: ImageTable[];
  readonly after: ImageTable[];
}

/** What a restore did, from its journal: what is undone is what was done, not what was planned. */
export async function factsOf(place: RestorePlace, read: RestoreRead): Promise<Map<string, ObjectFacts>> {
  const facts = new Map<string, ObjectFacts>();
  const of = (object: string): ObjectFacts => {
    const known = facts.get(object) ?? empty(object);
    facts.set(object, known);
    return known;
  };
  const targets = new IdMap();
  const matched = new IdTable();
  for (const { entry, tables } of read.entries) {
    const known = entrySchema.safeParse(entry).data;
    if (known?.type === 'before') {
      for (const table of tables) of(known.object).before.push(await withColumns(place, table));
    }
    if (known?.type === 'planned') {
      const after = tables.filter(({ name }) => name === 'after');
      if (known.step === 'update' || known.step === 'rest')
        for (const table of after) of(known.object).after.push(await withColumns(place, table));
    }
    if (known?.type !== 'results') continue;
    const one = of(known.object);
    for await (const cells of tableRows(place, tables.find(({ name }) => name === 'outcomes')!, outcomeColumns)) {
      const { id, kind, target } = outcomeFrom(cells);
      if (target !== undefined) targets.set(id, target);
      if (kind === 'matched') matched.add(id);
      if (kind !== 'done') continue;
      const standing = targets.get(id) ?? id;
      if (known.step === 'insert') one.inserted.add(standing);
      if (known.step === 'undelete') one.undeleted.add(standing);
      if (known.step === 'rest' && matched.has(id)) one.found.add(standing);
      if (known.step === 'update' || one.found.has(standing)) one.updated.add(standing);
      if (known.step === 'delete') one.deleted.add(standing);
    }
    await others(place, tables, known.object, of);
  }
  return facts;
}

/** Rows that the platform made along with others: documents of files. */
async function others(
  place: RestorePlace,
  tables: readonly StoredTable[],
  object: string,
  of: (object: string) => ObjectFacts,
): Promise<void> {
  const ids = tables.find(({ name }) => name === 'ids');
  if (!ids) return;
  for await (const [made, , target] of tableRows(place, ids, ['Object', 'Id', 'Target'])) {
    if (made !== object) of(made!).inserted.add(target!);
  }
}

function empty(object: string): ObjectFacts {
  const table = () => new IdTable();
  return {
    object,
    inserted: table(),
    undeleted: table(),
    updated: table(),
    found: table(),
    deleted: table(),
    before: [],
    after: [],
  };
}

/** A table with the columns that its first part names. */
async function withColumns(place: RestorePlace, table: StoredTable): Promise<ImageTable> {
  for await (const part of readTable(place, { ...table, parts: table.parts.slice(0, 1) })) {
    return { table, columns: decodeHeader(part.subarray(0, part.indexOf(0x0a) + 1)) };
  }
  return { table, columns: ['Id'] };
}
