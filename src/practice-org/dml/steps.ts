import { entityError, rowError } from './access.ts';
import { checkAudit } from './audit.ts';
import type { Draft } from './draft.ts';
import { readFields } from './fields.ts';
import { kindOf } from './kinds.ts';
import { assignOwner, checkOwner } from './owners.ts';
import type { Outcome } from './passes.ts';
import { checkPicklists } from './picklists.ts';
import { checkRecordType } from './record-types.ts';
import { checkReferences, resolveKeys } from './references.ts';
import { applyDefaults, checkRequired } from './required.ts';
import { checkDuplicates, checkLookupFilters, runAutomation, takeLocks } from './rules.ts';
import type { Saving } from './saving.ts';
import { checkUnique } from './unique.ts';
import { writeDraft } from './write.ts';

type Step = (saving: Saving, draft: Draft) => void;

/** What happens to a record before it is written, in this order; the first step that finds something wrong ends it. */
const before: readonly Step[] = [
  checkAccess,
  readFields,
  resolveKeys,
  checkReferences,
  checkRecordType,
  checkOwner,
  applyDefaults,
  assignOwner,
  checkAudit,
  (saving, draft) => kindOf(draft.object.name).prepare?.(saving, draft),
  checkRequired,
  checkPicklists,
  runAutomation,
  checkLookupFilters,
  checkDuplicates,
  checkUnique,
  takeLocks,
  checkStorage,
];

/** Saves one record, or says what is wrong with it. */
export function saveDraft(saving: Saving, draft: Draft): Outcome {
  for (const step of before) {
    step(saving, draft);
    if (draft.errors.length > 0) return outcome(draft, draft.number);
  }
  const number = writeDraft(saving, draft);
  kindOf(draft.object.name).saved?.(saving, draft, number);
  return outcome(draft, number);
}

function checkAccess(saving: Saving, draft: Draft): void {
  const { object, rows, number } = draft;
  const error =
    entityError(saving, object, draft.isInsert ? 'insert' : 'update') ??
    (draft.isInsert ? undefined : rowError(saving, { object, rows, number }));
  if (error) draft.errors.push(error);
}

function checkStorage(saving: Saving, draft: Draft): void {
  if (draft.isInsert && saving.addedRows() >= saving.org.settings.storageRows)
    draft.fail('STORAGE_LIMIT_EXCEEDED', 'storage limit exceeded');
}

function outcome(draft: Draft, number: number): Outcome {
  const id = number < 0 ? undefined : (draft.rows.cell(number, 'Id') as string);
  return { id, created: draft.isInsert && draft.errors.length === 0, errors: draft.errors };
}
