import type { SaveError, SaveResult } from './save.ts';
import type { Saving } from './saving.ts';

/** What became of one record in one pass. */
export type Outcome = SaveResult;

const rolledBack: SaveError = {
  code: 'ALL_OR_NONE_OPERATION_ROLLED_BACK',
  message: 'Record rolled back because not all records were valid and the request was using AllOrNone header',
  fields: [],
};
const tooManyRetries: SaveError = {
  code: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
  message: 'Too many retries of batch save in the presence of Apex triggers with failures',
  fields: [],
};
const longest = 3;

/**
 * Partial saves (restore 1.3): all records are tried; when one fails everything is rolled back and the good ones are tried again, three
 * times at most. After that all that are left fail. All or none: one pass.
 */
export function passes(saving: Saving, size: number, work: (index: number) => Outcome): SaveResult[] {
  const results: SaveResult[] = new Array(size);
  let left = Array.from({ length: size }, (_, index) => index);
  for (let pass = 1; pass <= longest && left.length > 0; pass += 1) {
    saving.beginPass(left);
    const outcomes = saving.journal.attempt(
      () =>
        left.map((index) => {
          saving.place = index;
          return work(index);
        }),
      (all) => all.every((outcome) => outcome.errors.length === 0),
    );
    const good = left.filter((_, at) => outcomes[at]!.errors.length === 0);
    for (const [at, index] of left.entries()) results[index] = outcomes[at]!;
    if (good.length === left.length) return results;
    if (saving.options.allOrNone) {
      for (const index of good) results[index] = failed(results[index]!, rolledBack);
      return results;
    }
    left = good;
  }
  for (const index of left) results[index] = failed(results[index]!, tooManyRetries);
  return results;
}

function failed(result: SaveResult, error: SaveError): SaveResult {
  return { id: result.created ? undefined : result.id, created: false, errors: [error] };
}
