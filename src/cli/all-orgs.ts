import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Exit, Fault, isFault } from '../errors.ts';
import type { Command, CommandContext, Flags, OrgDone, OrgOutcome, Outcome } from './command.ts';
import type { OrgConfig } from './config-schema.ts';
import type { Failure } from './failure.ts';
import type { Paint } from './output/paint.ts';
import type { Prompt } from './prompt.ts';

/** Flags of commands that can work on every org of the config file. */
export const allOrgsFlags = {
  'all-orgs': {
    summary: 'every org of the config file, each with its vault and login; exits with the worst code',
    config: false,
  },
} as const satisfies Flags;

/** For commands that have no such flag of their own. */
export const parallelOrgs = {
  parallel: {
    value: 'number',
    kind: 'integer',
    least: 1,
    most: 100,
    default: 4,
    summary: 'orgs at the same time, with --all-orgs',
  },
} as const satisfies Flags;

/** Worst first: what a person has to look at, before what is to be run again, before what was told. */
const worst: readonly Exit[] = [130, 1, 4, 68, 74, 5, 2, 75, 69, 7, 3, 6, 0];

/** What is done for one org, and an error of it as it may be shown. */
interface ForOne {
  /** `first`: called before anything is done; what it throws is how this org ended. */
  run(ctx: CommandContext, first: () => Promise<void>): Promise<Outcome>;
  shown(error: unknown): Promise<Failure>;
}

/**
 * Runs a command for each org of the config, up to `--parallel` at a time; one that fails stops no other. The result is `{orgs: [{org, status, result, …}]}`, in the order
 * of the config file, unless the command has a way of its own; the fault is that of the org that came out worst. Throws `usage`.
 */
export async function overOrgs(
  ctx: CommandContext,
  { together }: Pick<Command, 'together'>,
  flags: Readonly<Record<string, unknown>>,
  { run, shown }: ForOne,
): Promise<Outcome> {
  assertAll(ctx, flags);
  const parallel = Number(flags.parallel);
  const orgs = Object.entries(ctx.config.orgs);
  const prompt = askedOnce(ctx.prompt);
  const one = async ([alias, org]: [string, OrgConfig], number: number): Promise<Run> => {
    try {
      const outcome = await run(contextOf({ ...ctx, prompt }, alias, org, number), async () => {
        // Those that are waiting when a signal comes end as the others do.
        ctx.signal.throwIfAborted();
        await assertOwnVault(alias, ctx.config.orgs);
      });
      if (!outcome.fault) return { told: { org: alias, status: 0, result: outcome.result }, outcome };
      const failure = toldOf(alias, await shown(outcome.fault));
      return { told: { ...failure, result: outcome.result }, outcome, error: outcome.fault };
    } catch (error) {
      return { told: toldOf(alias, await shown(error)), error };
    }
  };
  const done: Run[] = [];
  const waiting = orgs.entries();
  const inTurn = async () => {
    for (const [number, org] of waiting) done[number] = await one(org, number);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, orgs.length) }, inTurn));
  const fault = worstOf(done);
  const unnotified = fault !== undefined || done.some(({ outcome }) => outcome?.unnotified);
  return {
    ...(together ?? eachByItself)(done, ctx),
    ...(fault ? { fault } : {}),
    // Each org has told its own end; that all of them are well is told besides.
    ...(unnotified ? { unnotified } : {}),
  };
}

interface Run extends OrgDone {
  /** As it was thrown, or came beside a result. */
  readonly error?: unknown;
}

function assertAll(
  { config, commandLine, environment }: CommandContext,
  flags: Readonly<Record<string, unknown>>,
): void {
  if (Object.keys(config.orgs).length === 0) {
    throw new Fault('usage', `--all-orgs: ${config.file ?? 'there is no config file, which'} names no orgs`, {
      actions: ['name them under "orgs", each with its vault: {"orgs": {"prod": {"vault": "s3://…"}}}'],
    });
  }
  const single = [
    commandLine.has('target-org') && '--target-org',
    commandLine.has('vault') && '--vault',
    environment.SALVOR_VAULT && 'SALVOR_VAULT',
    flags.acceptRefreshedOrg && '--accept-refreshed-org',
    flags.expectHead && '--expect-head',
  ].find(Boolean);
  if (single) throw new Fault('usage', `${single} is about one org, and --all-orgs takes every one: leave one out`);
}

/** Throws `no-vault`; `config-invalid` when another org has the same one, or one inside of it or around it, for a vault is of one org. */
async function assertOwnVault(alias: string, orgs: CommandContext['config']['orgs']): Promise<void> {
  const { vault } = orgs[alias]!;
  if (vault === undefined) throw new Fault('no-vault', `the config file names no vault for ${alias}`);
  const together: [string, string][] = [];
  for (const [one, { vault: other }] of Object.entries(orgs))
    if (one === alias || (other !== undefined && (await isShared(vault, other)))) together.push([one, other!]);
  if (together.length === 1) return;
  const names = together.map(([one]) => one).join(' and ');
  const places = [...new Set(together.map(([, place]) => place))];
  throw new Fault('config-invalid', `${names} have the same vault, or one inside of the other: ${places.join(', ')}`, {
    actions: ['give each org a vault of its own'],
  });
}

/** A place that cannot be read is nobody else's: its own org is told. */
async function isShared(vault: string, other: string): Promise<boolean> {
  const { shareAPlace } = await import('../store/open.ts');
  try {
    return await shareAPlace(vault, other);
  } catch (error) {
    if (isFault(error, 'usage')) return false;
    throw error;
  }
}

/** What the org's own entry says counts as if it stood on the command line; vault and copies that are named for all are of no org here. */
function contextOf(ctx: CommandContext, alias: string, org: OrgConfig, number: number): CommandContext {
  const tempDir = path.join(ctx.tempDir, `org-${number}`);
  mkdirSync(tempDir, { recursive: true, mode: 0o700 });
  return {
    ...ctx,
    tempDir,
    config: { ...ctx.config, copies: [] },
    global: {
      ...ctx.global,
      targetOrg: alias,
      vault: org.vault,
      rootFingerprint: org.rootFingerprint ?? pinnedForAll(ctx),
    },
    commandLine: new Set([...ctx.commandLine, 'target-org']),
    report: (event) => ctx.report({ ...event, org: alias }),
  };
}

/** The fingerprint that was told for all orgs, and not that of one of them which is the default. */
function pinnedForAll({ commandLine, environment, global, config }: CommandContext): string | undefined {
  if (commandLine.has('root-fingerprint') || environment.SALVOR_ROOT_FINGERPRINT) return global.rootFingerprint;
  const { rootFingerprint } = config.values;
  return typeof rootFingerprint === 'string' ? rootFingerprint : undefined;
}

/** A passphrase that opens an identity for all orgs is asked for once. */
function askedOnce(prompt: Prompt): Prompt {
  const asked = new Map<string, Promise<string>>();
  return {
    ...prompt,
    secret(question, flag) {
      const answer = asked.get(question) ?? prompt.secret(question, flag);
      asked.set(question, answer);
      return answer;
    },
  };
}

function toldOf(org: string, { exit, name, message, actions }: Failure): OrgOutcome {
  return { org, status: exit, name, message, actions };
}

/** The fault of the org that came out worst, with its name. A bug stays what was thrown, with its stack. */
function worstOf(done: readonly Run[]): Error | undefined {
  const [first] = [...done].sort((a, b) => worst.indexOf(a.told.status) - worst.indexOf(b.told.status));
  const { told, error } = first!;
  if (told.status === 0) return undefined;
  const failed = done.filter((one) => one.told.status !== 0).length;
  const more = failed > 1 ? `; and ${failed - 1} more of the orgs, see the result` : '';
  const message = `${told.org}: ${told.message}${more}`;
  if (error instanceof Fault)
    return new Fault(error.name, message, {
      actions: error.actions,
      data: { org: told.org, ...error.data },
      cause: error.cause,
    });
  return error instanceof Error ? error : new Error(message);
}

function eachByItself(done: readonly OrgDone[]): Pick<Outcome, 'result' | 'human'> {
  return {
    result: { orgs: done.map(({ told }) => told) },
    human: (paint) => done.map((one) => textOf(one, paint)).join('\n'),
  };
}

function textOf({ told, outcome }: OrgDone, paint: Paint): string {
  const { org, status, name, message } = told;
  const alias = paint.printable(org);
  const head =
    status === 0 ? paint.good('ok') : `${paint.bad(name ?? '')} (exit ${status}): ${paint.printable(message ?? '')}`;
  const text = outcome?.human?.(paint) ?? '';
  const lines = text === '' ? [] : text.replace(/\n*$/, '').split('\n');
  return [`${paint.strong(alias)}: ${head}`, ...lines.map((line) => `${alias}: ${line}`.trimEnd())].join('\n');
}
