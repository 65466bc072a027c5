import { Fault } from '../../../errors.ts';
import type { WriteError, Written } from '../../../salesforce/writing.ts';
import { longId } from '../../../schema/ids.ts';
import { requiredOnCreate } from '../writable.ts';
import type { Outcome, Step } from './entries.ts';
import { mostTries, mostTriesOfRow, ownCodes, remedyOf } from './errors.ts';
import type { ObjectWork, Work } from './work.ts';

/** What becomes of a row that the org answered about. `kind` is final unless another try, of which there are only so many, may help. */
export function outcomeOf(work: Work, o: ObjectWork, step: Step, id: string, written: Written): Outcome {
  if (written.errors.length > 0) return failure(work, o, step, id, written.errors);
  if (step !== 'insert' || written.id === undefined) return { id, kind: 'done' };
  return { id, kind: 'done', target: longId(written.id) };
}

/** As `outcomeOf`, for a row that was not done. */
export function failure(work: Work, o: ObjectWork, step: Step, id: string, errors: readonly WriteError[]): Outcome {
  const remedy = remedyOf(step, errors);
  const worst = errors.find((error) => remedyOf(step, [error]).kind === remedy.kind) ?? errors[0]!;
  const message = errors.map(({ code, message }) => `${code}: ${message}`).join('; ');
  const failed = (code: string): Outcome => ({ id, kind: 'failed', code, message });
  if (remedy.kind === 'gone') return { id, kind: 'done' };
  if (remedy.kind === 'report') return failed(worst.code);
  const known = work.state.retry(id, step);
  const tries = known?.of[remedy.kind] ?? 0;
  if (remedy.kind !== 'stop' && (tries >= mostTries[remedy.kind] || (known?.tries ?? 0) >= mostTriesOfRow)) {
    return failed(worst.code === '' ? ownCodes.tooManyTries : worst.code);
  }
  const again = { id, kind: 'again', code: worst.code, message } as const;
  if (remedy.kind !== 'without') return again;
  const fields = remedy.fields.flatMap((name) => fieldNamed(o, name) ?? []);
  if (fields.length === 0) return failed(worst.code);
  const required = step === 'insert' && fields.some((name) => requiredOnCreate(o.fields.get(name)!));
  if (required) return failed(ownCodes.required);
  return { ...again, fields };
}

/** Errors call fields by their names or by their labels. */
function fieldNamed({ target }: ObjectWork, name: string): string | undefined {
  const lower = name.toLowerCase();
  const found =
    target.fields.find((field) => field.name.toLowerCase() === lower) ??
    target.fields.find(({ label }) => label.toLowerCase() === lower);
  return found?.name;
}

/** Throws when one of the errors means that nothing more can be done to any row now: what is journaled goes on later. */
export function stopIfNeeded(step: Step, all: Iterable<readonly WriteError[]>): void {
  for (const errors of all) {
    const remedy = errors.length > 0 ? remedyOf(step, errors) : undefined;
    if (remedy?.kind !== 'stop') continue;
    const [{ code, message }] = errors as [WriteError];
    throw new Fault(remedy.fault, `the org takes no more: ${code}: ${message}`);
  }
}

/** A row that is not sent, since what it needs is not there. */
export function lostReference(id: string, field: string): Outcome {
  const what =
    field === '' ? 'nothing is left to be written' : `${field} refers to a record that could not be restored`;
  return { id, kind: 'failed', code: ownCodes.reference, message: what };
}
