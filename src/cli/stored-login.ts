import { chmod, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { Fault, isFault, systemCode } from '../errors.ts';
import { makeFolders } from '../folders.ts';
import type { Login } from '../salesforce/connect.ts';
import type { CommandContext } from './command.ts';
import { openKeychain, readSecret } from './secrets.ts';

type Place = 'keychain' | 'file';

/** A login that `salvor login` left, with what is shown of it. */
export interface StoredLogin {
  readonly alias: string;
  readonly login: Login;
  readonly orgId: string;
  readonly username: string;
}

const account = (alias: string) => `login:${alias}`;

/** The folder of login files: `salvor/logins` where the system keeps the configuration of a person. */
function folderOf(environment: NodeJS.ProcessEnv): string {
  const home =
    process.platform === 'win32'
      ? (environment.APPDATA ?? path.join(homedir(), 'AppData', 'Roaming'))
      : environment.XDG_CONFIG_HOME || path.join(environment.HOME ?? homedir(), '.config');
  return path.join(home, 'salvor', 'logins');
}

function fileOf(environment: NodeJS.ProcessEnv, alias: string): string {
  return path.join(folderOf(environment), `${encodeURIComponent(alias)}.json`);
}

/** Keeps a login under its alias, in place of an older one; resolves with where it stands. Throws `keychain-unavailable`, `disk-error`. */
export async function storeLogin(
  ctx: Pick<CommandContext, 'environment'>,
  { alias, login, orgId, username }: StoredLogin,
  place: Place,
): Promise<void> {
  const text = JSON.stringify({ v: 1, alias, orgId, username, login });
  if (place === 'keychain') {
    await (await openKeychain()).set(account(alias), text);
    return;
  }
  const file = fileOf(ctx.environment, alias);
  try {
    await makeFolders(path.dirname(file), 0o700);
    // aside first, so that a crash leaves the old login: a rotated refresh token cannot be had again
    await writeFile(`${file}.tmp`, text, { mode: 0o600 });
    await chmod(`${file}.tmp`, 0o600);
    await rename(`${file}.tmp`, file);
  } catch (cause) {
    throw new Fault('disk-error', `the login cannot be written to ${file}: ${systemCode(cause) ?? 'unknown error'}`, {
      cause,
    });
  }
}

/** Where a stored login stands, for people. */
export function placeName(ctx: Pick<CommandContext, 'environment'>, alias: string, place: Place): string {
  return place === 'keychain' ? 'the keychain' : fileOf(ctx.environment, alias);
}

/** The login stored under this alias, file before keychain; undefined when there is none or no keychain can be asked. */
export async function findStoredLogin(
  ctx: Pick<CommandContext, 'environment'>,
  alias: string,
): Promise<(StoredLogin & { readonly place: Place }) | undefined> {
  const file = fileOf(ctx.environment, alias);
  let text: string | undefined;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT')
      throw new Fault('disk-error', `${file} cannot be read: ${systemCode(cause)}`, { cause });
  }
  if (text !== undefined) return { ...parse(text, file), place: 'file' };
  if (ctx.environment.SALVOR_NO_KEYCHAIN) return undefined;
  const { value } = await readSecret({ account: account(alias) });
  return value === undefined ? undefined : { ...parse(value, 'the keychain'), place: 'keychain' };
}

function parse(text: string, source: string): StoredLogin {
  try {
    const stored = JSON.parse(text) as StoredLogin & { v: number };
    if (stored.v === 1 && typeof stored.login?.kind === 'string') return stored;
  } catch {
    // told below; the parser's message would hold a part of the secret
  }
  throw new Fault('login-failed', `the login in ${source} cannot be read`, { actions: ['run `salvor login` again'] });
}

/** Aliases of all stored logins, sorted. */
export async function storedLogins(ctx: Pick<CommandContext, 'environment'>): Promise<string[]> {
  const names = await readdir(folderOf(ctx.environment)).catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return [];
    throw new Fault('disk-error', `the folder of logins cannot be read: ${systemCode(cause)}`, { cause });
  });
  const files = names.filter((name) => name.endsWith('.json')).map((name) => decodeURIComponent(name.slice(0, -5)));
  return [...new Set([...files, ...(ctx.environment.SALVOR_NO_KEYCHAIN ? [] : await inKeychain())])].sort();
}

async function inKeychain(): Promise<string[]> {
  try {
    const accounts = await (await openKeychain()).list();
    return accounts.filter((name) => name.startsWith(account(''))).map((name) => name.slice(account('').length));
  } catch (error) {
    // a machine without a keychain has no login in it
    if (isFault(error, 'keychain-unavailable')) return [];
    throw error;
  }
}
