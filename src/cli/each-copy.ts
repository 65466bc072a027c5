import { Fault } from '../errors.ts';
import type { CommandContext } from './command.ts';

/** What is told of a copy with which nothing could be done. */
export interface FailedCopy {
  readonly to: string;
  /** The exit code that it would have alone. */
  readonly status: number;
  readonly name: string;
  readonly message: string;
}

/** Works on one copy after the other; one that fails stops no other. Returns those that failed, and throws what is no Fault, and the signal's reason. */
export async function eachCopy(
  { signal }: CommandContext,
  places: readonly string[],
  work: (place: string) => Promise<void>,
): Promise<{ readonly told: FailedCopy; readonly fault: Fault }[]> {
  const failed: { told: FailedCopy; fault: Fault }[] = [];
  for (const place of places) {
    try {
      await work(place);
    } catch (fault) {
      signal.throwIfAborted();
      if (!(fault instanceof Fault)) throw fault;
      failed.push({ told: { to: place, status: fault.exit, name: fault.name, message: fault.message }, fault });
    }
  }
  return failed;
}
