import { Refusal } from '../refusal.ts';
import type { OrgState } from '../state.ts';
import type { Subrequest } from './composite.ts';
import { References, type Subresponse } from './references.ts';

/**
 * Answers subrequests in order in one transaction, which is taken back when one of them fails: that one tells its error, all others
 * PROCESSING_HALTED.
 */
export function allOrNothing(
  state: OrgState,
  list: readonly Subrequest[],
  answer: (subrequest: Subrequest, known: References) => Subresponse,
): { responses: readonly Subresponse[]; isSuccessful: boolean } {
  const known = new References();
  const responses: Subresponse[] = [];
  const rollBack = new Error('roll back');
  try {
    state.dml.transaction(() => {
      for (const subrequest of list) {
        const response = answer(subrequest, known);
        responses.push(response);
        if (response.httpStatusCode >= 400 || refusesRecords(response.body)) throw rollBack;
      }
    });
    return { responses, isSuccessful: true };
  } catch (error) {
    if (error !== rollBack) throw error;
    return { responses: rolledBackResponses(list, responses), isSuccessful: false };
  }
}

/** True for an answer of Collections, which is 200 whatever became of its records, with one that was not saved. */
function refusesRecords(body: unknown): boolean {
  return Array.isArray(body) && body.some((result) => (result as { success?: unknown } | null)?.success === false);
}

/** The last of the responses is the one that failed. */
export function rolledBackResponses(
  list: readonly Subrequest[],
  responses: readonly Subresponse[],
): readonly Subresponse[] {
  return list.map((subrequest, at) => (at === responses.length - 1 ? responses[at]! : halted(subrequest)));
}

/** The answer to a subrequest that was taken back or never begun. */
export function halted({ referenceId }: Subrequest): Subresponse {
  const message = 'The transaction was rolled back since another operation in the same transaction failed.';
  const { body } = new Refusal(400, 'PROCESSING_HALTED', message);
  return { body, httpHeaders: {}, httpStatusCode: 400, referenceId: String(referenceId) };
}
