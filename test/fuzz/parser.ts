import { type FaultName, isFault } from '../../src/errors.ts';

/** One way into a parser, that takes any bytes. */
export interface Way {
  /** Bytes that it accepts, from which the mutations begin; the corpus is added to them. */
  readonly seeds: readonly (string | Buffer)[];
  /** Parses, and asserts what has to hold of what came out. What it returns is told apart, as a branch of the source is. */
  run(bytes: Buffer): unknown;
  /** True for what it may throw. */
  foreseen(error: unknown): boolean;
}

/** A parser of salvor, to be fuzzed. `parsers.ts` lists them. */
export interface Parser {
  /** Folders and files below the project whose branches lead the way. */
  readonly sources: readonly string[];
  readonly ways: Readonly<Record<string, Way>>;
  /** Words of its language. */
  readonly words: readonly (string | Buffer)[];
}

/** For `foreseen`: Faults of these names. */
export function faults(...names: [FaultName, ...FaultName[]]): (error: unknown) => boolean {
  return (error) => isFault(error, ...names);
}
