import { Fault } from '../errors.ts';
import type { ConnectOptions, Login } from '../salesforce/connect.ts';
import type { OnRotate } from '../salesforce/login.ts';
import type { Org } from '../salesforce/org.ts';
import type { CommandContext } from './command.ts';
import { orgTimeouts } from './durations.ts';
import { behind } from './open-vault.ts';
import { readSecretFile } from './secrets.ts';
import { findStoredLogin, storedLogins, storeLogin } from './stored-login.ts';

/** What flags, environment or config say about a login, by the names that `sf org login jwt` uses. */
export interface LoginSettings {
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly clientSecretFile?: string;
  readonly jwtKeyFile?: string;
  readonly username?: string;
  readonly instanceUrl?: string;
  readonly sfdxUrlFile?: string;
}

/** A login, and who is told when the org replaces its refresh token. */
export interface ChosenLogin {
  readonly login: Login;
  readonly onRotate?: OnRotate;
}

/**
 * The login of this run. First what `-o` on the command line names; then the environment: SF_ACCESS_TOKEN with
 * SF_ORG_INSTANCE_URL, SFDX_AUTH_URL or SALVOR_SFDX_URL_FILE, SALVOR_CLIENT_ID with its key or secret; then the org that
 * SF_TARGET_ORG or the config file names; then `login` in the config file; then the only stored login. An alias is looked
 * for in `orgs` of the config file, among the stored logins, and by the sf CLI. Throws `no-login`, `login-failed`, `usage`.
 */
export async function chooseLogin(ctx: CommandContext): Promise<ChosenLogin> {
  const { targetOrg } = ctx.global;
  if (targetOrg !== undefined && ctx.commandLine.has('target-org')) return byAlias(ctx, targetOrg);
  const inherited = await fromEnvironment(ctx);
  if (inherited) return inherited;
  if (targetOrg !== undefined) return byAlias(ctx, targetOrg);
  const configured = await loginFrom(ctx, (ctx.config.values.login ?? {}) as LoginSettings);
  if (configured) return { login: configured };
  return onlyStored(ctx);
}

/** The alias or username that chose the login of this run; undefined when one in the environment came before it. */
export async function aliasOfLogin(ctx: CommandContext): Promise<string | undefined> {
  const { targetOrg } = ctx.global;
  if (targetOrg === undefined || ctx.commandLine.has('target-org')) return targetOrg;
  return (await fromEnvironment(ctx)) ? undefined : targetOrg;
}

/** Logs in as `chooseLogin` says. Close the org when done. */
export async function connectOrg(
  ctx: CommandContext,
  options: Pick<ConnectOptions, 'budget' | 'timeouts'> = {},
): Promise<Org> {
  const { login, onRotate } = await chooseLogin(ctx);
  const { connect } = await import('../salesforce/connect.ts');
  return connect(ctx, login, { ...options, apiVersion: ctx.global.apiVersion, onRotate });
}

/** As `connectOrg`, within the API budget and the time limits of commands that write to the org. */
export function connectToWrite(
  ctx: CommandContext,
  flags: { readonly maxApiPercent: number; readonly maxApiCalls?: number; readonly orgTimeout?: string },
): Promise<Org> {
  return connectOrg(ctx, {
    budget: { maxPercent: flags.maxApiPercent, maxCalls: flags.maxApiCalls },
    timeouts: orgTimeouts(flags.orgTimeout),
  });
}

/** A second connection for what has to be put right when the run was stopped; undefined when nothing is switched. */
export async function connectLasting(ctx: CommandContext, bypass: string | undefined): Promise<Org | undefined> {
  return bypass === undefined ? undefined : connectOrg({ ...ctx, signal: behind(ctx.signal) });
}

async function byAlias(ctx: CommandContext, alias: string): Promise<ChosenLogin> {
  const configured = await loginFrom(ctx, ctx.config.orgs[alias]?.login ?? {});
  if (configured) return { login: configured };
  const stored = await findStoredLogin(ctx, alias);
  if (stored)
    return { login: stored.login, onRotate: (token) => storeLogin(ctx, rotated(stored, token), stored.place) };
  return { login: { kind: 'sfAlias', alias } };
}

function rotated<S extends { login: Login }>(stored: S, refreshToken: string): S {
  return stored.login.kind === 'refresh' ? { ...stored, login: { ...stored.login, refreshToken } } : stored;
}

async function onlyStored(ctx: CommandContext): Promise<ChosenLogin> {
  const aliases = await storedLogins(ctx);
  if (aliases.length === 1) return byAlias(ctx, aliases[0]!);
  if (aliases.length === 0)
    throw new Fault('no-login', 'there is no login: none in the environment, in the config file or stored');
  throw new Fault('no-login', `there are ${aliases.length} stored logins and none is named`, {
    actions: [`choose one with --target-org: ${aliases.join(', ')}`],
  });
}

async function fromEnvironment(ctx: CommandContext): Promise<ChosenLogin | undefined> {
  const { environment } = ctx;
  const token = environment.SF_ACCESS_TOKEN;
  if (token) {
    const instanceUrl = environment.SF_ORG_INSTANCE_URL;
    if (!instanceUrl)
      throw new Fault('no-login', 'SF_ACCESS_TOKEN is set and SF_ORG_INSTANCE_URL is not', { actions: ['set both'] });
    return { login: { kind: 'token', accessToken: token, instanceUrl } };
  }
  if (environment.SFDX_AUTH_URL) return withoutPlace(ctx, { kind: 'sfdxAuthUrl', url: environment.SFDX_AUTH_URL });
  const login = await loginFrom(ctx, {
    clientId: environment.SALVOR_CLIENT_ID || undefined,
    clientSecret: environment.SALVOR_CLIENT_SECRET || undefined,
    clientSecretFile: environment.SALVOR_CLIENT_SECRET_FILE || undefined,
    jwtKeyFile: environment.SALVOR_JWT_KEY_FILE || undefined,
    username: environment.SALVOR_USERNAME || undefined,
    instanceUrl: environment.SALVOR_INSTANCE_URL || environment.SF_ORG_INSTANCE_URL || undefined,
    sfdxUrlFile: environment.SALVOR_SFDX_URL_FILE || undefined,
  });
  return login && withoutPlace(ctx, login);
}

/** A new refresh token of a login from the environment has no place to go: said, not swallowed. */
function withoutPlace(ctx: CommandContext, login: Login): ChosenLogin {
  const message =
    'the org replaces refresh tokens: the login in the environment is used up; store one with `salvor login`, or use JWT';
  return { login, onRotate: () => ctx.report({ type: 'warning', name: 'no-login', message }) };
}

/**
 * The login that these settings describe; undefined when they describe none. Reads the files that they name. Throws `no-login`
 * when a part is missing, by name.
 */
export async function loginFrom(
  ctx: Pick<CommandContext, 'report' | 'environment'>,
  settings: LoginSettings,
): Promise<Login | undefined> {
  const { clientId, username, instanceUrl } = settings;
  if (settings.sfdxUrlFile) return { kind: 'sfdxAuthUrl', url: sfdxUrlIn(await secretIn(ctx, settings.sfdxUrlFile)) };
  if (settings.jwtKeyFile) {
    const privateKeyPem = await secretIn(ctx, settings.jwtKeyFile);
    return { kind: 'jwt', privateKeyPem, instanceUrl, ...needed('JWT', { 'client-id': clientId, username }) };
  }
  const clientSecret = settings.clientSecretFile
    ? await secretIn(ctx, settings.clientSecretFile)
    : settings.clientSecret;
  if (clientId && (clientSecret ?? ctx.environment.SALVOR_CLIENT_SECRET)) {
    const secret = clientSecret ?? ctx.environment.SALVOR_CLIENT_SECRET!;
    const all = needed('client credentials', { 'client-id': clientId, 'instance-url': instanceUrl });
    return { kind: 'clientCredentials', clientSecret: secret, ...all };
  }
  return undefined;
}

type Camel<K> = K extends 'client-id' ? 'clientId' : K extends 'instance-url' ? 'instanceUrl' : K;

function needed<K extends string>(
  way: string,
  parts: Record<K, string | undefined>,
): { [P in K as Camel<P> & string]: string } {
  const missing = Object.entries(parts).filter(([, value]) => !value);
  if (missing.length > 0) {
    const flags = missing.map(([name]) => `--${name}`).join(' and ');
    throw new Fault('no-login', `a login by ${way} lacks ${flags}`, {
      actions: [`give ${flags}, the environment variable or the config key`],
    });
  }
  const named = Object.entries(parts).map(([name, value]) => [
    name.replace(/-(\w)/, (_, c: string) => c.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(named) as { [P in K as Camel<P> & string]: string };
}

async function secretIn(ctx: Pick<CommandContext, 'report'>, file: string): Promise<string> {
  const { bytes, warnings } = await readSecretFile(file);
  for (const message of warnings) ctx.report({ type: 'warning', name: 'file-exposed', message });
  return bytes.toString('utf8').trim();
}

/** The file holds the URL alone, or the JSON that `sf org display --verbose --json` prints. */
function sfdxUrlIn(text: string): string {
  if (!text.startsWith('{')) return text;
  try {
    const json = JSON.parse(text) as { sfdxAuthUrl?: string; result?: { sfdxAuthUrl?: string } };
    return json.result?.sfdxAuthUrl ?? json.sfdxAuthUrl ?? '';
  } catch (cause) {
    throw new Fault('login-failed', 'the file with the SFDX auth URL holds neither the URL nor JSON', { cause });
  }
}
