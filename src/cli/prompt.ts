import { Fault } from '../errors.ts';
import type { Progress } from './output/progress.ts';

/** Questions to a person. Each names the flag that answers it where nobody can be asked. */
export interface Prompt {
  /** False without a terminal and with --no-prompt: every question throws. */
  readonly possible: boolean;
  /** A line of text, not empty. Throws `usage` that names `flag`, as all but `confirm`. */
  text(question: string, flag: string, options?: { readonly default?: string }): Promise<string>;
  /** A secret; nothing shows while it is typed. */
  secret(question: string, flag: string): Promise<string>;
  select<V extends string>(question: string, flag: string, choices: readonly { value: V; name: string }[]): Promise<V>;
  /** Throws `confirmation-missing` that names `flag` where nobody can be asked. False: the person said no. */
  confirm(question: string, flag: string): Promise<boolean>;
}

/**
 * `possible`: both ends are terminals and --no-prompt was not given. Questions go to standard error: standard output is for results.
 * `progress` stands still while a person is asked.
 */
export function makePrompt(
  possible: boolean,
  signal: AbortSignal,
  progress: Pick<Progress, 'pause' | 'resume'>,
): Prompt {
  /** Inquirer is loaded with the first question. */
  async function ask<T>(question: Record<string, unknown>): Promise<T> {
    const { default: inquirer } = await import('inquirer');
    const module = inquirer.createPromptModule({ output: process.stderr, signal } as Parameters<
      typeof inquirer.createPromptModule
    >[0]);
    progress.pause();
    try {
      const answers = await module([{ ...question, name: 'answer' }] as unknown as Parameters<typeof module>[0]);
      return (answers as unknown as { answer: T }).answer;
    } catch (cause) {
      // Ctrl-C at a question reaches inquirer as a key and not the process as a signal
      if (cause instanceof Error && cause.constructor.name === 'ExitPromptError') {
        throw new Fault('interrupted', 'stopped at a question', { cause });
      }
      throw cause;
    } finally {
      progress.resume();
    }
  }
  function needed(flag: string): Fault {
    return new Fault('usage', `${flag} is needed: there is nobody to ask`, {
      actions: [`give ${flag}, or run in a terminal without --no-prompt`],
    });
  }
  return {
    possible,
    async text(question, flag, options = {}) {
      if (!possible) throw needed(flag);
      const validate = (text: string) => text.trim() !== '' || 'something has to be given';
      return (await ask<string>({ type: 'input', message: question, validate, ...options })).trim();
    },
    async secret(question, flag) {
      if (!possible) throw needed(flag);
      return ask<string>({ type: 'password', message: question });
    },
    async select(question, flag, choices) {
      if (!possible) throw needed(flag);
      return ask({ type: 'select', message: question, choices });
    },
    async confirm(question, flag) {
      if (possible) return ask<boolean>({ type: 'confirm', message: question, default: false });
      throw new Fault('confirmation-missing', `not confirmed: ${question}`, {
        actions: [`confirm with ${flag}; --json alone never approves a write`],
      });
    },
  };
}
