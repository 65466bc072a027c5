import { randomUUID } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Fault, systemCode } from '../errors.ts';

/** The name under which everything of this program stands in the keychain of the system. */
export const service = 'salvor';

/** Longer than any key, token or protected identity file. */
const longestFile = 1024 * 1024;

/** The keychain of the system: Keychain on macOS, Credential Manager on Windows, the Secret Service elsewhere. */
export interface Keychain {
  /** The secret of an account, or undefined. */
  get(account: string): Promise<string | undefined>;
  /** Stores a secret, in place of an older one, and reads it back. */
  set(account: string, secret: string): Promise<void>;
  /** True when there was one. */
  delete(account: string): Promise<boolean>;
  /** The accounts that have a secret here, sorted. */
  list(): Promise<string[]>;
}

/** What is used of the package keytar. */
export interface Keytar {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
  findCredentials(service: string): Promise<{ account: string; password: string }[]>;
}

/** Loads the optional package keytar; rejects where it is not installed or not built. */
export async function loadKeytar(): Promise<Keytar> {
  // not a literal, so that the program compiles where the optional package is not installed
  const name: string = 'keytar';
  return (await import(name)).default as Keytar;
}

function unavailable(cause: unknown): Fault {
  const missing = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED'].includes(systemCode(cause) ?? '');
  const reason = missing
    ? 'the optional package keytar is not installed or was not built here'
    : (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!.replace(/\.$/, '');
  const actions = ['use a file or an environment variable instead: for every secret there is one, see `salvor --help`'];
  if (missing) actions.push('or install keytar; on Debian it needs libsecret-1-dev to build and libsecret-1-0 to run');
  return new Fault('keychain-unavailable', `the keychain of this system cannot be used: ${reason}`, { actions, cause });
}

/** The keychain without a probe, for reading. Every failure of it is `keychain-unavailable`. */
async function connect(load: () => Promise<Keytar>): Promise<Keychain> {
  async function ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (cause) {
      throw unavailable(cause);
    }
  }
  const keytar = await ask(load);
  const get = async (account: string) => (await ask(() => keytar.getPassword(service, account))) ?? undefined;
  return {
    get,
    async set(account, secret) {
      await ask(() => keytar.setPassword(service, account, secret));
      if ((await get(account)) !== secret) throw unavailable('it does not give back what was stored in it');
    },
    delete: (account) => ask(() => keytar.deletePassword(service, account)),
    async list() {
      const found = await ask(() => keytar.findCredentials(service));
      return found.map(({ account }) => account).sort();
    },
  };
}

/**
 * The keychain, proven by storing, reading and deleting a probe, so that a command learns at its start whether it can
 * leave a secret there. Throws `keychain-unavailable`.
 */
export async function openKeychain(load: () => Promise<Keytar> = loadKeytar): Promise<Keychain> {
  const keychain = await connect(load);
  await prove(keychain);
  return keychain;
}

async function prove(keychain: Keychain): Promise<void> {
  const account = `probe-${randomUUID()}`;
  await keychain.set(account, randomUUID());
  await keychain.delete(account);
}

/** Where a secret may stand. What is not named is not looked at. */
export interface SecretPlaces {
  /** A path, from a flag. */
  file?: string;
  /** The name of an environment variable that holds the secret itself. */
  env?: string;
  /** The name of an environment variable that holds a path. */
  fileEnv?: string;
  /** The account in the keychain. */
  account?: string;
}

/** What was found, and where. */
export interface Secret {
  /** The text without the line break at its end; undefined when it stands nowhere. */
  value: string | undefined;
  /** For messages: the path, `$NAME`, or `keychain`. */
  source: string | undefined;
  /** Sentences for the user, as on a file that others may read. */
  warnings: string[];
  /** Why the keychain could not be asked (or is locked), when it was its turn: the cause for a fault on the secret. */
  keychain?: Fault;
}

/**
 * Looks in the order flag, environment, file named by the environment, keychain, and stops at the first that has the
 * secret: the keychain costs nothing when another place has it. An empty variable counts as unset.
 * Throws as `readSecretFile` does; a keychain that fails is told in the result and never thrown.
 */
export async function readSecret(
  places: SecretPlaces,
  environment: NodeJS.ProcessEnv = process.env,
  load: () => Promise<Keytar> = loadKeytar,
): Promise<Secret> {
  const value = places.env && environment[places.env];
  const file = places.file ?? (value ? undefined : places.fileEnv && environment[places.fileEnv]);
  if (file) {
    const { bytes, warnings } = await readSecretFile(file);
    return { value: withoutLineBreak(bytes.toString('utf8')), source: file, warnings };
  }
  if (value) return { value: withoutLineBreak(value), source: `$${places.env}`, warnings: [] };
  if (places.account === undefined) return { value: undefined, source: undefined, warnings: [] };
  try {
    const keychain = await connect(load);
    const found = await keychain.get(places.account);
    // a locked keyring of a machine without a desktop answers that there is nothing; only writing tells
    if (found === undefined) await prove(keychain);
    return { value: found, source: found === undefined ? undefined : 'keychain', warnings: [] };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { value: undefined, source: undefined, warnings: [], keychain: error };
  }
}

function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/**
 * The bytes of a file that holds a secret (a pipe such as `/dev/fd/3` too), and a warning when others may read it.
 * Throws `usage` when it is not there or no such file, `disk-error` when it cannot be read.
 */
export async function readSecretFile(path: string): Promise<{ bytes: Buffer; warnings: string[] }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stat = await handle.stat();
    if (stat.isDirectory() || stat.size > longestFile) {
      throw new Fault(
        'usage',
        `${path} is ${stat.isDirectory() ? 'a folder' : 'too long'}: a file with a key was expected`,
      );
    }
    const bytes = await handle.readFile();
    const exposed = process.platform !== 'win32' && stat.isFile() && (stat.mode & 0o077) !== 0;
    const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
    return { bytes, warnings: exposed ? [`${path} can be read by others (${mode}); run: chmod 600 ${path}`] : [] };
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    if (systemCode(cause) === 'ENOENT') throw new Fault('usage', `there is no file ${path}`, { cause });
    throw new Fault('disk-error', `${path} cannot be read: ${systemCode(cause) ?? 'unknown error'}`, { cause });
  } finally {
    await handle?.close();
  }
}
