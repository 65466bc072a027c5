import type { Draft } from './draft.ts';
import { planOf } from './plan.ts';
import type { Saving } from './saving.ts';

/** No two live rows share the value of a unique field; the message names the row that has it (restore 7). */
export function checkUnique(saving: Saving, draft: Draft): void {
  for (const field of planOf(draft.object).unique) {
    const value = draft.changes[field.name];
    if (value === undefined || value === null) continue;
    const other = saving.live(draft.object.name, field.name, value).find((number) => number !== draft.number);
    if (other === undefined) continue;
    const id = draft.rows.cell(other, 'Id');
    const message = `duplicate value found: ${field.name} duplicates value on record with id: ${id}`;
    draft.fail('DUPLICATE_VALUE', message, []);
  }
}
