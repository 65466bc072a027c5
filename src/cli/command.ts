import type { Context } from '../context.ts';
import type { Exit } from '../errors.ts';
import type { Config } from './config.ts';
import type { GlobalFlags } from './global-flags.ts';
import type { Paint } from './output/paint.ts';
import type { Prompt } from './prompt.ts';

/** What the value of a flag is. `path`: a file, folder or URL; from the config file it is relative to that file. `list`: `a,b`. */
export type Kind = 'text' | 'path' | 'integer' | 'number' | 'list';

/**
 * One flag. Its key in a declaration is its name without dashes (`max-api-percent`); from it follow the environment variable
 * (`SALVOR_MAX_API_PERCENT`), the key in the config file (`maxApiPercent`, under the command's own key) and the property
 * that `run` reads (`flags.maxApiPercent`).
 */
export interface Flag {
  /** One sentence for help and README: lower case, no full stop. */
  readonly summary: string;
  /** `-o`; only those that the product page names. */
  readonly short?: string;
  /** Name of the value, as in `--vault <url>`; without it the flag is a switch. */
  readonly value?: string;
  /** What the flag says when it is given without a value: `--with-parents` is `--with-parents=1`. A value follows an `=` only. */
  readonly bare?: string;
  /** `text` unless told. */
  readonly kind?: Kind;
  readonly choices?: readonly string[];
  /** The smallest number that it takes, wherever it comes from; 0 unless told. */
  readonly least?: number;
  /** The largest, for numbers that cost memory or connections. */
  readonly most?: number;
  /** May be given several times; `run` gets an array. */
  readonly repeatable?: boolean;
  readonly default?: string | number;
  /** The environment variable, where it is not the one that follows from the name. */
  readonly env?: string;
  /** False: stands for one run only and is no key of the config file. */
  readonly config?: false;
  /** Never accepted on the command line, where other users and logs see it: only from its environment variable. */
  readonly secret?: true;
}

export type Flags = Readonly<Record<string, Flag>>;

/** One positional argument; the order of the keys is the order on the command line. */
export interface Argument {
  readonly summary: string;
  readonly required?: true;
}

export type Arguments = Readonly<Record<string, Argument>>;

export type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

type One<F extends Flag> = F extends { choices: readonly (infer C)[] }
  ? C
  : F extends { kind: 'integer' | 'number' }
    ? number
    : string;

type FlagValue<F extends Flag> = F extends { value: string }
  ? F extends { repeatable: true } | { kind: 'list' }
    ? readonly One<F>[]
    : F extends { default: string | number }
      ? One<F>
      : One<F> | undefined
  : F extends { secret: true }
    ? string | undefined
    : boolean;

/** What `run` gets: a property per flag; switches are false, repeatable flags and lists empty, others undefined without a default. */
export type FlagValues<F extends Flags> = { readonly [K in keyof F & string as CamelCase<K>]: FlagValue<F[K]> };

export type ArgumentValues<A extends Arguments> = {
  readonly [K in keyof A & string]: A[K] extends { required: true } ? string : string | undefined;
};

/** What every command gets besides its own flags. */
export interface CommandContext extends Context {
  /** The flags that mean the same everywhere. */
  readonly global: GlobalFlags;
  readonly config: Config;
  readonly environment: NodeJS.ProcessEnv;
  readonly prompt: Prompt;
  /** Names of the flags that stand on the command line itself, for the few that mean more there (`target-org`). */
  readonly commandLine: ReadonlySet<string>;
  /** When the run began, which budgets of time are counted from. */
  readonly began: Date;
  /** Name and version of this program, as manifests and records carry it. */
  readonly tool: string;
}

/** What a command returns: the work was done, all of it or in part. Nothing done is a thrown Fault. */
export interface Outcome {
  /** `result` of the JSON document. Fields may be added, never renamed. */
  readonly result: object;
  /** The same for people, on standard output. Never record values. Without it the JSON is shown. */
  readonly human?: (paint: Paint) => string;
  /** Why the exit code is not 0 although work was done: a Fault as `object-failed` (3), `differences` (6), an alert (7), `api-budget` (75) …; anything else is a bug. */
  readonly fault?: Error;
  /** True: nobody is to be notified of this end: nothing was to be done, or all was told before. */
  readonly unnotified?: boolean;
  /** A server that goes on after its result was printed. Resolves when it has ended, which the signal asks it to do; that is no interruption. */
  readonly serve?: () => Promise<void>;
}

/** What came out for one org of several: an entry of `orgs`. */
export interface OrgOutcome {
  readonly org: string;
  readonly status: Exit;
  /** That of the command for this org, whenever work was done. */
  readonly result?: object;
  /** These three when status is not 0. */
  readonly name?: string;
  readonly message?: string;
  readonly actions?: readonly string[];
}

/** The same, with what people are shown of it. */
export interface OrgDone {
  readonly told: OrgOutcome;
  /** Undefined: nothing was done. */
  readonly outcome?: Outcome;
}

export interface Example {
  readonly command: string;
  readonly summary: string;
}

/** A command as it is declared: help, README, config schema and the types of `run` follow from it. */
export interface Declaration<F extends Flags, A extends Arguments> {
  /** `backup`; two words for a command of a group: `keys list`. */
  readonly name: string;
  readonly alias?: string;
  /** One sentence: lower case, no full stop. */
  readonly summary: string;
  readonly description?: string;
  readonly arguments?: A;
  readonly flags?: F;
  /** Name of a command whose keys in the config file hold for this one too, where it has none of its own. */
  readonly configOf?: string;
  /** True: how it ended is told as `notify` in the config says. */
  readonly notifies?: true;
  /** How the outcomes of --all-orgs are shown, in place of one after the other. */
  readonly together?: (done: readonly OrgDone[], ctx: CommandContext) => Pick<Outcome, 'result' | 'human'>;
  readonly examples?: readonly Example[];
  /** Exit codes besides those that every command has (0, 1, 2, 74, 130). */
  readonly exits?: readonly Exit[];
  /** Builds a request, imports one operation (`await import`), calls it, says what came out. Throws Faults. */
  readonly run: (
    ctx: CommandContext,
    given: { readonly flags: FlagValues<F>; readonly arguments: ArgumentValues<A> },
  ) => Promise<Outcome>;
}

/** A declared command, its own types forgotten. */
export interface Command
  extends Required<
    Omit<Declaration<Flags, Arguments>, 'alias' | 'description' | 'configOf' | 'notifies' | 'together' | 'run'>
  > {
  readonly alias?: string;
  readonly configOf?: string;
  readonly notifies?: true;
  readonly together?: Declaration<Flags, Arguments>['together'];
  readonly description?: string;
  readonly run: (
    ctx: CommandContext,
    given: { readonly flags: Readonly<Record<string, unknown>>; readonly arguments: Readonly<Record<string, unknown>> },
  ) => Promise<Outcome>;
}

/** Declares a command once. */
export function defineCommand<
  const F extends Flags = Record<never, Flag>,
  const A extends Arguments = Record<never, Argument>,
>(declaration: Declaration<F, A>): Command {
  const { run } = declaration;
  return {
    arguments: {},
    flags: {},
    examples: [],
    exits: [],
    ...declaration,
    // the values that reach `run` were read by this very declaration
    run: (ctx, given) => run(ctx, given as Parameters<typeof run>[1]),
  };
}

export function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The environment variable of a flag. */
export function variableOf(name: string, flag: Flag): string {
  return flag.env ?? `SALVOR_${name.replaceAll('-', '_').toUpperCase()}`;
}
