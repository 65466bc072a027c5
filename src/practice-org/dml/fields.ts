import type { Field } from '../schema.ts';
import { coerce } from './coerce.ts';
import type { Draft } from './draft.ts';
import { planOf } from './plan.ts';
import type { Saving } from './saving.ts';

/** Reads what the client sent into the draft; fields that this operation must not write fail it, all in one message (restore 4.1). */
export function readFields(saving: Saving, draft: Draft): void {
  const { byName } = planOf(draft.object);
  const refused: string[] = [];
  for (const name in draft.input.fields) {
    const given = draft.input.fields[name];
    if (given === undefined) continue;
    const field = byName.get(name.toLowerCase());
    if (!field) {
      draft.fail('INVALID_FIELD', `No such column '${name}' on sobject of type ${draft.object.name}`, [name]);
      return;
    }
    if (field.type === 'id') {
      if (draft.isInsert && !draft.isUpsert && given !== null && given !== '') {
        draft.fail('INVALID_FIELD_FOR_INSERT_UPDATE', 'cannot specify Id in an insert call', ['Id']);
        return;
      }
      continue;
    }
    if (!isWritable(draft, field)) refused.push(field.name);
    else {
      draft.given.add(field.name);
      coerce(draft, field, given, saving.options.api, saving.org.settings.trimsText);
    }
  }
  if (refused.length > 0) refuse(draft, refused);
}

/** Key fields of an upsert may be named though only an insert could write them. */
function isWritable(draft: Draft, field: Field): boolean {
  if (draft.isInsert) return field.createable !== false && !(draft.isUpsert && auditFields.has(field.name));
  if (field.updateable !== false) return true;
  return draft.isUpsert && field.externalId === true;
}

/** Set on insert alone, with the permission for it; never by upsert (restore 4.3). */
export const auditFields: ReadonlySet<string> = new Set([
  'CreatedDate',
  'CreatedById',
  'LastModifiedDate',
  'LastModifiedById',
]);

export function refuse(draft: Draft, fields: readonly string[]): void {
  const message = `Unable to create/update fields: ${fields.join(', ')}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`;
  draft.fail('INVALID_FIELD_FOR_INSERT_UPDATE', message, fields);
}
