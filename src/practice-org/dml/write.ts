import type { Value } from '../database.ts';
import { nextAutoNumber } from './auto-numbers.ts';
import type { Draft } from './draft.ts';
import { planOf } from './plan.ts';
import type { Saving } from './saving.ts';

/** Writes a draft that nothing speaks against, with its stamps, autonumbers and files. The number of its row. */
export function writeDraft(saving: Saving, draft: Draft): number {
  const { object, rows, changes } = draft;
  let { number } = draft;
  if (draft.isInsert) {
    const { stamps, autoNumbers } = planOf(object);
    for (const field of autoNumbers) changes[field] = nextAutoNumber(rows, field);
    for (const field of stamps) changes[field] ??= field.endsWith('ById') ? saving.userId : saving.now;
    number = rows.add(changes);
  } else {
    Object.assign(changes, saving.modified(object));
    draft.keepBefore();
    rows.set(number, changes);
  }
  if (draft.blobs.size > 0) {
    const table = saving.table(object.name)!;
    const id = rows.cell(number, 'Id') as string;
    for (const [field, bytes] of draft.blobs) table.setBlob(id, field, bytes);
  }
  return number;
}

/** A row that the platform makes itself: no rules are asked. The number of the row. */
export function addRow(saving: Saving, objectName: string, cells: Readonly<Record<string, Value>>): number | undefined {
  const object = saving.object(objectName);
  const table = saving.table(objectName);
  if (!object || !table) return undefined;
  const { stamps, autoNumbers, defaults } = planOf(object);
  const row: Record<string, Value> = Object.fromEntries(defaults);
  for (const field of autoNumbers) row[field] = nextAutoNumber(table.source, field);
  for (const field of stamps) row[field] = field.endsWith('ById') ? saving.userId : saving.now;
  if (object.field('OwnerId')) row.OwnerId = saving.userId;
  for (const [field, value] of Object.entries(cells)) if (object.field(field)) row[field] = value;
  return table.source.add(row);
}
