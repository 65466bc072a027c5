import type { Draft } from './draft.ts';
import { readFields } from './fields.ts';
import type { Outcome } from './passes.ts';
import { applyDefaults, checkRequired } from './required.ts';
import type { Saving } from './saving.ts';
import { checkUnique } from './unique.ts';
import { writeDraft } from './write.ts';

type Step = (saving: Saving, draft: Draft) => void;

/** What happens to a record before it is written, in this order; the first step that finds something wrong ends it. */
const before: readonly Step[] = [readFields, applyDefaults, checkRequired, checkUnique];

/** Saves one record, or says what is wrong with it. */
export function saveDraft(saving: Saving, draft: Draft): Outcome {
  for (const step of before) {
    step(saving, draft);
    if (draft.errors.length > 0) return outcome(draft, draft.number);
  }
  return outcome(draft, writeDraft(saving, draft));
}

function outcome(draft: Draft, number: number): Outcome {
  const id = number < 0 ? undefined : (draft.rows.cell(number, 'Id') as string);
  return { id, created: draft.isInsert && draft.errors.length === 0, errors: draft.errors };
}
