import { fstatSync, writeSync } from 'node:fs';
import { type Exit, Fault, systemCode } from '../../errors.ts';
import type { Event } from '../../events.ts';
import type { Outcome } from '../command.ts';
import { type Failure, toldOf } from '../failure.ts';
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

type Stream = NodeJS.WriteStream & { readonly fd: number };

/** Where everything is written. Standard output holds results only: text, one JSON document, or events for `--events -`. */
export interface Output {
  event(event: Event): void;
  /** Around a question: nothing else moves meanwhile. */
  readonly progress: Pick<Progress, 'pause' | 'resume'>;
  /** The result of a server, before it serves. */
  announce(outcome: Outcome): Promise<void>;
  /**
   * The end: result, failure or both. Resolves with the exit code when everything is written. A result that could not be printed is told on
   * standard error, and is the exit code of a command that did not fail by itself. It never rejects.
   */
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
      : openEventLog(options.events, now, (text) => void print(process.stdout, text), warn);
  const textStream = options.events === '-' ? process.stderr : process.stdout;
  let announced = false;
  /** Why a part of the result was not printed: the first reason. */
  let lost: unknown;
  let printed = Promise.resolve();

  /** Resolves when this text and those before it are printed, or lost. */
  function print(stream: Stream, text: string): Promise<void> {
    const written = write(stream, text).catch((error: unknown) => {
      lost ??= error;
    });
    printed = Promise.all([printed, written]).then(() => {});
    return printed;
  }
  async function tell(outcome: Outcome | undefined, failure: Failure | undefined): Promise<void> {
    const document = envelope(outcome?.result, failure, warnings);
    log?.end(document);
    if (!announced && options.json) await print(process.stdout, `${JSON.stringify(document, null, 2)}\n`);
    else if (!announced && outcome) await print(textStream, outcomeText(outcome, makePaint(colours(textStream))));
    await printed;
  }
  async function say(failure: Failure): Promise<void> {
    // Where standard error is lost too there is no place left, and the exit code says it.
    await write(process.stderr, failureText(failure, errorPaint, options.verbose)).catch(() => {});
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
        await print(process.stdout, `${JSON.stringify(envelope(outcome.result, undefined, warnings), null, 2)}\n`);
      else await print(textStream, outcomeText(outcome, makePaint(colours(textStream))));
      announced = true;
    },
    async finish(outcome, failure) {
      progress.stop();
      await tell(outcome, failure);
      if (failure) await say(failure);
      const exit = failure?.exit ?? 0;
      if (lost === undefined) return exit;
      const unprinted = toldOf(unprintedFault(lost, exit));
      await say(unprinted);
      return failure ? exit : unprinted.exit;
    },
  };
}

/** Ora is loaded on terminals only. */
async function makeSpinner(): Promise<Spinner> {
  const { default: ora } = await import('ora');
  // with stdin discarded Ctrl-C would no longer be a signal
  return ora({ stream: process.stderr, discardStdin: false, isEnabled: true });
}

/** The result was lost on its way out. `exit`: of the command without that. */
function unprintedFault(cause: unknown, exit: Exit): Fault {
  const code = systemCode(cause);
  const name = code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'disk-error';
  return new Fault(
    name,
    `the result could not be printed: ${code ?? 'unknown error'}; the command itself ended with ${exit}`,
    { actions: ['see where standard output leads; what the command did is done'], cause },
  );
}

/** Resolves when the text has left the process, or when nobody reads any more. Rejects with the system error when it cannot be written. */
async function write(stream: Stream, text: string): Promise<void> {
  if (isFile(stream)) return writeWhole(stream.fd, text);
  await new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => (error && systemCode(error) !== 'EPIPE' ? reject(error) : resolve()));
  });
}

function isFile({ fd }: Stream): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** A full disk takes the beginning of a text and says how much that was, which Node's own stream does not look at. */
function writeWhole(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
