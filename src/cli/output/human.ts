/**
 * The voice of salvor on a terminal, once for all commands:
 * - lower case sentences without a full stop; names of objects, fields and orgs as they are;
 * - what happened first, then the figure, then what to do: the last line names the next command;
 * - tables are aligned and have no frames; figures stand on the right;
 * - an error is one sentence and its actions; a stack only for a bug;
 * - never a record value, never a secret.
 */
import type { Outcome } from '../command.ts';
import type { Failure } from '../failure.ts';
import type { Paint } from './paint.ts';
import { printable } from './table.ts';

/** What a command says on standard output. */
export function outcomeText(outcome: Outcome, paint: Paint): string {
  return outcome.human ? outcome.human(paint).replace(/\n*$/, '\n') : `${JSON.stringify(outcome.result, null, 2)}\n`;
}

/** What is said of an error on standard error. `verbose`: its causes too. */
export function failureText(failure: Failure, paint: Paint, verbose: boolean): string {
  const lines = [`${paint.bad(failure.exit === 1 ? 'bug:' : `${failure.name}:`)} ${printable(failure.message)}`];
  if (verbose) for (const cause of failure.causes) lines.push(paint.faint(`  because ${printable(cause)}`));
  for (const action of failure.actions) lines.push(`  ${paint.faint('try:')} ${printable(action)}`);
  if (failure.stack) lines.push('', failure.stack, '', ...failure.versions);
  return `${lines.join('\n')}\n`;
}
