import type { SObject } from '../schema.ts';
import type { SaveError } from './save.ts';
import type { FoundRow, Saving } from './saving.ts';

const verbs = { insert: 'inserted', update: 'updated' } as const;

/** Whether the user may make or change rows of an object at all: the same message for a kind that nobody may (restore 5.7). */
export function entityError(saving: Saving, object: SObject, operation: 'insert' | 'update'): SaveError | undefined {
  const allowed = operation === 'insert' ? object.describe.createable : object.describe.updateable;
  const isBig = object.table.treatment.bigObjectIndex !== undefined;
  if (allowed !== false && !isBig && saving.org.settings.permissions.editData) return undefined;
  const message = `entity type cannot be ${verbs[operation]}: ${object.describe.label ?? object.name}`;
  return { code: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', message, fields: [] };
}

/** Whether the user may change or delete this row. */
export function rowError(saving: Saving, { object, rows, number }: FoundRow): SaveError | undefined {
  const { editData, modifyAllData } = saving.org.settings.permissions;
  const isOwn = !object.field('OwnerId') || rows.cell(number, 'OwnerId') === saving.userId;
  if (editData && (modifyAllData || isOwn)) return undefined;
  return { code: 'INSUFFICIENT_ACCESS_OR_READONLY', message: 'insufficient access rights on object id', fields: [] };
}

export function deleteError(saving: Saving, found: FoundRow): SaveError | undefined {
  if (found.object.describe.deletable === false)
    return {
      code: 'INVALID_TYPE_FOR_OPERATION',
      message: `entity type ${found.object.name} does not support delete`,
      fields: [],
    };
  return rowError(saving, found);
}
