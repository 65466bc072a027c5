import { type Exit, exits, type Fault, isFault } from '../errors.ts';

/** An error as it is told: the only place where errors become exit codes. */
export interface Failure {
  readonly exit: Exit;
  /** A name of the table in `errors.ts`, or `bug`. */
  readonly name: string;
  readonly message: string;
  readonly actions: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
  /** Messages of the causes, nearest first. */
  readonly causes: readonly string[];
  /** Of a bug only. */
  readonly stack?: string;
  readonly versions: readonly string[];
}

export interface Versions {
  readonly tool: string;
  readonly bugs: string;
}

/** What to tell of an error that was thrown, or that an outcome carries. `signal`: when it is aborted, what follows from it is no bug. */
export function failureOf(error: unknown, signal: AbortSignal, versions: Versions): Failure {
  const fault = faultOf(error, signal);
  if (fault) return toldOf(fault);
  const thrown = error instanceof Error ? error : new Error(`something was thrown that is no error: ${typeof error}`);
  return {
    exit: 1,
    name: exits[1].name,
    message: thrown.message || thrown.name,
    actions: [`report this, with the lines below, at ${versions.bugs}`],
    data: {},
    causes: causesOf(thrown),
    stack: thrown.stack ?? thrown.message,
    versions: [versions.tool, `node ${process.version}`, `${process.platform} ${process.arch}`],
  };
}

/** What to tell of a fault. */
export function toldOf(fault: Fault): Failure {
  const { exit, name, message, actions, data } = fault;
  return { exit, name, message, actions, data, causes: causesOf(fault), versions: [] };
}

function faultOf(error: unknown, signal: AbortSignal): Fault | undefined {
  if (isFault(error)) return error;
  // Node and libraries wrap the reason of an abort in errors of their own, or leave it out
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name !== 'AbortError') continue;
    if (isFault(cause.cause)) return cause.cause;
    if (isFault(signal.reason)) return signal.reason;
  }
  return undefined;
}

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error && causes.length < 10; cause = cause.cause) {
    causes.push(cause.message || cause.name);
  }
  return causes;
}
