import type { Draft } from './draft.ts';
import { planOf } from './plan.ts';
import type { Saving } from './saving.ts';

/** Puts in what the client left out: declared defaults, and the user as the owner (restore 1.5, 4.4). */
export function applyDefaults(saving: Saving, draft: Draft): void {
  if (!draft.isInsert) return;
  for (const [field, value] of planOf(draft.object).defaults)
    if (draft.changes[field] === undefined) draft.set(field, value);
  const owner = draft.object.field('OwnerId');
  if (owner && draft.changes.OwnerId === undefined) draft.set('OwnerId', saving.userId);
}

/** Checkboxes are never empty; what describe says must not be empty is not (restore 7). */
export function checkRequired(_saving: Saving, draft: Draft): void {
  const missing: string[] = [];
  for (const field of planOf(draft.object).required) {
    if (draft.blobs.has(field.name)) continue;
    if (draft.isInsert ? draft.get(field.name) === null : draft.changes[field.name] === null) {
      if (draft.isInsert && field.defaultedOnCreate === true && !draft.given.has(field.name)) continue;
      if (field.type === 'base64' && !draft.isInsert) continue;
      missing.push(field.name);
    }
  }
  if (missing.length > 0)
    draft.fail('REQUIRED_FIELD_MISSING', `Required fields are missing: [${missing.join(', ')}]`, missing);
  for (const field of draft.given)
    if (draft.changes[field] === null && draft.object.field(field)?.type === 'boolean')
      draft.fail('INVALID_TYPE_ON_FIELD_IN_RECORD', `${field}: value not of required type: null`, [field]);
}
