import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Exit, Fault } from '../errors.ts';
import type { Command, CommandContext, Outcome } from './command.ts';
import { commands } from './commands.ts';
import { commandKey, findConfig, readConfig } from './config.ts';
import { failureOf, type Versions } from './failure.ts';
import { flagValues } from './flags.ts';
import { type GlobalFlags, globalFlags } from './global-flags.ts';
import { listenForInterruption } from './interruption.ts';
import { notified } from './notify/notified.ts';
import type { Scope } from './notify/notify.ts';
import { isContinuousIntegration, type Output, type OutputOptions, openOutput } from './output/output.ts';
import { type Invocation, parse } from './program.ts';
import { makePrompt } from './prompt.ts';
import { redacted } from './redaction.ts';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly bugs?: { readonly url?: string };
}

/** The same place from src/cli/ and from dist/cli/. */
const about = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Package;
const versions: Versions = {
  tool: `${about.name} ${about.version}`,
  bugs: about.bugs?.url ?? `the tracker that \`npm bugs ${about.name}\` opens`,
};

/**
 * Runs one command line and resolves with its exit code when everything is written. Nothing is thrown: this is where errors
 * become exit codes. `known`: the commands there are.
 */
export async function main(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
  known: readonly Command[] = commands,
): Promise<Exit> {
  const now = () => new Date();
  const run: Run = { environment, known, now, tempDir: undefined, output: undefined };
  const interruption = listenForInterruption(
    (name) => run.output?.event({ type: 'note', message: `${name}: stopping; once more ends at once` }),
    () => removeTemp(run),
  );
  const tell = async (error: unknown, outcome?: Outcome): Promise<Exit> => {
    const failure = await redacted(failureOf(error, interruption.signal, versions), environment);
    run.output ??= await openOutput(earlyOptions(argv, environment), environment, now);
    return run.output.finish(outcome, failure);
  };
  // an error outside of every promise that is awaited: a bug by definition
  const lastResort = (error: unknown) => {
    void tell(error).finally(() => {
      removeTemp(run);
      process.exit(failureOf(error, interruption.signal, versions).exit);
    });
  };
  process.on('uncaughtException', lastResort);
  try {
    const invocation = parse(argv, known, { version: about.version, description: about.description });
    if (invocation.kind === 'text') {
      run.output = await openOutput(plain, environment, now);
      return await run.output.finish({ result: {}, human: () => invocation.text }, undefined);
    }
    const outcome = await execute(run, invocation, interruption.signal);
    if (outcome.fault) return await tell(outcome.fault, outcome);
    return await run.output!.finish(outcome, undefined);
  } catch (error) {
    return await tell(error);
  } finally {
    process.off('uncaughtException', lastResort);
    interruption.release();
    removeTemp(run);
  }
}

/** How help is printed, whatever else was given. */
const plain: OutputOptions = { json: false, quiet: true, verbose: false, noColor: true };

/** What one run has opened so far. */
interface Run {
  readonly environment: NodeJS.ProcessEnv;
  readonly known: readonly Command[];
  readonly now: () => Date;
  tempDir: string | undefined;
  output: Output | undefined;
}

async function execute(
  run: Run,
  invocation: Extract<Invocation, { kind: 'command' }>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { environment } = run;
  const began = run.now();
  const named = flagValues({ config: globalFlags.config }, { argv: invocation.global, environment, config: {} }).config;
  const config = await readConfig((named as string | undefined) ?? findConfig(process.cwd()), run.known);
  const configFolder = config.file === undefined ? undefined : path.dirname(config.file);
  const global = globalValues(invocation, environment, config, configFolder);
  if (global.json && global.events === '-') {
    throw new Fault('usage', '--json and --events - both want standard output', {
      actions: ['give --events a file, or leave out --json: the last event holds the same document'],
    });
  }
  run.output = await openOutput(global, environment, run.now);
  const { output } = run;
  const ownKeys = (name: string) => config.values[commandKey({ name })] as Record<string, unknown> | undefined;
  const { name, configOf } = invocation.command;
  const flags = flagValues(invocation.command.flags, {
    argv: invocation.own,
    environment,
    config: { ...(configOf === undefined ? {} : ownKeys(configOf)), ...ownKeys(name) },
    configFolder,
  });
  run.tempDir = mkdtempSync(path.join(tmpdir(), 'salvor-'));
  const mayAsk = process.stdin.isTTY === true && process.stderr.isTTY === true && !global.noPrompt;
  const ctx: CommandContext = {
    signal,
    report: (event) => output.event(event),
    now: run.now,
    began,
    tempDir: run.tempDir,
    global,
    config,
    environment,
    prompt: makePrompt(mayAsk && !isContinuousIntegration(environment), signal, output.progress),
    tool: versions.tool,
    commandLine: new Set([...Object.keys(invocation.global), ...Object.keys(invocation.own)]),
  };
  const outcome = await runCommand(ctx, invocation, flags);
  if (outcome.serve) {
    await output.announce(outcome);
    await outcome.serve();
  }
  return outcome;
}

/** Once, or with --all-orgs for each org; whoever is to be notified hears of each org by itself. */
async function runCommand(
  ctx: CommandContext,
  { command, arguments: given }: Extract<Invocation, { kind: 'command' }>,
  flags: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  const shown = (error: unknown) => redacted(failureOf(error, ctx.signal, versions), ctx.environment);
  const once = (own: CommandContext, scope: Scope, first?: () => Promise<void>) => {
    const work = async () => {
      await first?.();
      return command.run(own, { flags, arguments: given });
    };
    return notified(own, command, shown, work, scope);
  };
  if (!flags.allOrgs) return once(ctx, 'whole');
  const { overOrgs } = await import('./all-orgs.ts');
  const run = (own: CommandContext, first: () => Promise<void>) => once(own, 'one of the orgs', first);
  const all = () => overOrgs(ctx, command, flags, { run, shown });
  return notified(ctx, command, shown, all, 'all orgs');
}

/** The global flags; the vault of the org that is named in `orgs`, and its pinned fingerprint, count before those for all. */
function globalValues(
  invocation: Extract<Invocation, { kind: 'command' }>,
  environment: NodeJS.ProcessEnv,
  config: CommandContext['config'],
  configFolder: string | undefined,
): GlobalFlags {
  const sources = { argv: invocation.global, environment, config: config.values, configFolder };
  const { targetOrg } = flagValues({ 'target-org': globalFlags['target-org'] }, sources);
  const { vault, rootFingerprint } = config.orgs[String(targetOrg)] ?? {};
  const own = {
    ...(vault === undefined ? {} : { vault }),
    ...(rootFingerprint === undefined ? {} : { rootFingerprint }),
  };
  const values = { ...config.values, ...own };
  return flagValues(globalFlags, { ...sources, config: values }) as unknown as GlobalFlags;
}

/** How an error is told that came before the flags could be read. */
function earlyOptions(argv: readonly string[], environment: NodeJS.ProcessEnv): OutputOptions {
  const given = (name: string) => argv.includes(`--${name}`);
  return {
    json: given('json') || /^(1|true|yes|on)$/i.test(environment.SALVOR_JSON ?? ''),
    quiet: given('quiet'),
    verbose: given('verbose'),
    noColor: given('no-color') || Boolean(environment.NO_COLOR),
  };
}

function removeTemp(run: Run): void {
  if (run.tempDir !== undefined) rmSync(run.tempDir, { recursive: true, force: true, maxRetries: 3 });
  run.tempDir = undefined;
}
