import type { Exit } from '../../errors.ts';
import type { Failure } from '../failure.ts';

export interface Warning {
  readonly name: string;
  readonly message: string;
  /** Of which org, when the command worked on several. */
  readonly org?: string;
}

/**
 * The JSON document of `--json`: a contract with scripts. `status` is the exit code; `result` is there whenever work was
 * done; `name`, `message` and `actions` are there whenever `status` is not 0. Fields may be added, never renamed.
 */
export interface Envelope {
  readonly status: Exit;
  readonly result?: object;
  readonly warnings: readonly Warning[];
  readonly name?: string;
  readonly message?: string;
  readonly actions?: readonly string[];
  /** Facts of the error for scripts: keys, Ids, counts. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Of a bug only: what a report needs. */
  readonly stack?: string;
  readonly versions?: readonly string[];
}

export function envelope(
  result: object | undefined,
  failure: Failure | undefined,
  warnings: readonly Warning[],
): Envelope {
  return {
    status: failure?.exit ?? 0,
    ...(result && { result }),
    warnings,
    ...(failure && { name: failure.name, message: failure.message, actions: failure.actions }),
    ...(failure && Object.keys(failure.data).length > 0 && { data: failure.data }),
    ...(failure?.stack && { stack: failure.stack, versions: failure.versions }),
  };
}
