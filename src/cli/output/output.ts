import type { Exit } from '../../errors.ts';
import type { Event } from '../../events.ts';
import type { Outcome } from '../command.ts';
import type { Failure } from '../failure.ts';
import { type EventLog, openEventLog } from './events.ts';
import { failureText, outcomeText } from './human.ts';
import { envelope, type Warning } from './json.ts';
import { makePaint } from './paint.ts';
import { makeProgress, type Progress, type Spinner } from './progress.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly noColor: boolean;
  /** A file, or `-`. */
  readonly events?: string;
}

/** Where everything is written. Standard output holds results only: text, one JSON document, or events for `--events -`. */
export interface Output {
  event(event: Event): void;
  /** Around a question: nothing else moves meanwhile. */
  readonly progress: Pick<Progress, 'pause' | 'resume'>;
  /** The result of a server, before it serves. */
  announce(outcome: Outcome): Promise<void>;
  /** The end: result, failure or both. Resolves with the exit code when everything is written. */
  finish(outcome: Outcome | undefined, failure: Failure | undefined): Promise<Exit>;
}

/** True on a terminal that a person looks at. One without a width is no such thing, and a spinner on it would never end. */
function isWatched(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): boolean {
  return (
    stream.isTTY === true && stream.columns > 0 && environment.TERM !== 'dumb' && !isContinuousIntegration(environment)
  );
}

/** The convention of `CI`: set to anything but nothing, 0 or false. */
export function isContinuousIntegration(environment: NodeJS.ProcessEnv): boolean {
  return !['', '0', 'false'].includes(environment.CI ?? '');
}

export async function openOutput(
  options: OutputOptions,
  environment: NodeJS.ProcessEnv,
  now: () => Date,
): Promise<Output> {
  const colours = (stream: NodeJS.WriteStream) =>
    !options.noColor && stream.isTTY === true && environment.TERM !== 'dumb';
  const errorPaint = makePaint(colours(process.stderr));
  const moves = isWatched(process.stderr, environment) && !options.quiet;
  const progress = makeProgress({
    paint: errorPaint,
    write: (text) => process.stderr.write(text),
    columns: process.stderr.columns || 80,
    quiet: options.quiet,
    verbose: options.verbose,
    now,
    ...(moves && { spinner: await makeSpinner() }),
  });
  const warnings: Warning[] = [];
  const warn = (message: string) => {
    warnings.push({ name: 'events', message });
    progress.event({ type: 'warning', name: 'events', message });
  };
  const log: EventLog | undefined =
    options.events === undefined
      ? undefined
      : openEventLog(options.events, now, (text) => process.stdout.write(text), warn);
  const textStream = options.events === '-' ? process.stderr : process.stdout;
  let announced = false;

  async function tell(outcome: Outcome | undefined, failure: Failure | undefined): Promise<void> {
    const document = envelope(outcome?.result, failure, warnings);
    log?.end(document);
    if (options.json) return announced ? undefined : write(process.stdout, `${JSON.stringify(document, null, 2)}\n`);
    if (outcome && !announced) await write(textStream, outcomeText(outcome, makePaint(colours(textStream))));
  }
  return {
    event(event) {
      if (event.type === 'warning') {
        const { name, message, org } = event;
        warnings.push({ name, message, ...(org === undefined ? {} : { org }) });
      }
      log?.event(event);
      progress.event(event);
    },
    progress,
    async announce(outcome) {
      progress.stop();
      if (options.json)
        await write(process.stdout, `${JSON.stringify(envelope(outcome.result, undefined, warnings), null, 2)}\n`);
      else await write(textStream, outcomeText(outcome, makePaint(colours(textStream))));
      announced = true;
    },
    async finish(outcome, failure) {
      progress.stop();
      await tell(outcome, failure);
      if (failure) await write(process.stderr, failureText(failure, errorPaint, options.verbose));
      return failure?.exit ?? 0;
    },
  };
}

/** Ora is loaded on terminals only. */
async function makeSpinner(): Promise<Spinner> {
  const { default: ora } = await import('ora');
  // with stdin discarded Ctrl-C would no longer be a signal
  return ora({ stream: process.stderr, discardStdin: false, isEnabled: true });
}

/** Resolves when the text has left the process, or when nobody reads any more. */
export function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, () => resolve());
  });
}
