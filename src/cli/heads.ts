import { readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { systemCode } from '../errors.ts';
import { makeFolders } from '../folders.ts';
import type { Vault } from '../vault/vault.ts';

/** The end of a vault's log as this client last saw it: a later log that does not hold it was rolled back. */
export interface SeenHead {
  readonly seq: number;
  readonly digest: string;
  /** URL of the store where this client writes the vault, or where it saw it first. */
  readonly place?: string;
}

function stateFile(environment: NodeJS.ProcessEnv): string {
  const base =
    environment.XDG_STATE_HOME ??
    (process.platform === 'win32' && environment.LOCALAPPDATA
      ? environment.LOCALAPPDATA
      : path.join(homedir(), '.local', 'state'));
  return path.join(base, 'salvor', 'heads.json');
}

/** What a home answers that is not there, not ours or not to be written to: then nothing is remembered. */
const noHome = ['EACCES', 'EROFS', 'EPERM', 'ENOSPC', 'ENOTDIR', 'ENOENT'];

async function read(file: string): Promise<Record<string, SeenHead>> {
  let found: unknown;
  try {
    found = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    // A file that was cut only means that nothing is remembered.
    if (noHome.includes(systemCode(error) ?? '') || error instanceof SyntaxError) return {};
    throw error;
  }
  return Object.fromEntries(Object.entries(found ?? {}).filter(([, head]) => isHead(head)));
}

function isHead(value: unknown): value is SeenHead {
  const { seq, digest, place } = (value ?? {}) as Partial<SeenHead>;
  return Number.isSafeInteger(seq) && typeof digest === 'string' && (place === undefined || typeof place === 'string');
}

export async function seenHead(environment: NodeJS.ProcessEnv, vault: string): Promise<SeenHead | undefined> {
  return (await read(stateFile(environment)))[vault];
}

/** Whether the log holds the head that was seen before. */
export async function holdsSeen(vault: Vault, seen: SeenHead): Promise<boolean> {
  const { entries } = await vault.state(false, undefined, seen);
  return entries.some(({ seq, digest }) => seq === seen.seq && digest === seen.digest);
}

/**
 * Remembers the end of a log that goes on from the head which was seen before. Otherwise that one stays: it tells of a rollback for as long as
 * nobody has said that the log is right. `wrote`: this client wrote it, and the store is the place of the vault from now on.
 */
export async function rememberEnd(
  environment: NodeJS.ProcessEnv,
  vault: Vault,
  { seq, digest }: SeenHead,
  wrote: 'wrote' | 'read' = 'read',
): Promise<void> {
  const seen = await seenHead(environment, vault.info.vault);
  if (seen && !(await holdsSeen(vault, seen))) return;
  const { url } = vault.store;
  await rememberHead(environment, vault.info.vault, {
    seq,
    digest,
    place: wrote === 'wrote' ? url : (seen?.place ?? url),
  });
}

/** Several vaults of one run are remembered one after the other, since they share the file. */
let remembering: Promise<void> = Promise.resolve();

/**
 * Remembers a head; one that lies behind the remembered one is not taken, unless a person named it as the `right` one. A home that cannot be
 * written to is no error.
 */
export function rememberHead(
  environment: NodeJS.ProcessEnv,
  vault: string,
  head: SeenHead,
  right = false,
): Promise<void> {
  const remembered = remembering.then(() => remember(environment, vault, head, right));
  remembering = remembered.catch(() => {});
  return remembered;
}

async function remember(
  environment: NodeJS.ProcessEnv,
  vault: string,
  { seq, digest, place }: SeenHead,
  right: boolean,
): Promise<void> {
  const file = stateFile(environment);
  const heads = await read(file);
  if (!right && (heads[vault]?.seq ?? 0) >= seq) return;
  const aside = `${file}.${process.pid}.tmp`;
  try {
    await makeFolders(path.dirname(file));
    await writeFile(
      aside,
      `${JSON.stringify({ ...heads, [vault]: { ...heads[vault], seq, digest, ...(place && { place }) } }, null, 2)}\n`,
      { mode: 0o600 },
    );
    await rename(aside, file);
  } catch (error) {
    if (!noHome.includes(systemCode(error) ?? '')) throw error;
  }
}
