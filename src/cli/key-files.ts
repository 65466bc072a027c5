import { access, chmod, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Fault, systemCode } from '../errors.ts';
import { makeFolders } from '../folders.ts';

/** Writes a secret to a new file that only its owner can read. Throws `usage` when there is one already, keys are never replaced, and `disk-error`. */
export async function writeKeyFile(file: string, text: string): Promise<void> {
  try {
    await makeFolders(path.dirname(file), 0o700);
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST' && (await isThere(file))) throw existing(file);
    throw unwritable(file, cause);
  }
}

/** Throws `usage` when one of the files is there already. */
export async function assertNoFiles(files: readonly string[]): Promise<void> {
  for (const file of files) if (await isThere(file)) throw existing(file);
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Replaces a file that this program wrote before, whole or not at all. Throws `disk-error`. */
export async function replaceKeyFile(file: string, text: string): Promise<void> {
  const aside = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(aside, text, { mode: 0o600 });
    await chmod(aside, 0o600);
    await rename(aside, file);
  } catch (cause) {
    throw unwritable(file, cause);
  }
}

function unwritable(file: string, cause: unknown): Fault {
  return new Fault('disk-error', `${file} cannot be written: ${systemCode(cause) ?? 'unknown error'}`, { cause });
}

function existing(file: string): Fault {
  return new Fault('usage', `${file} exists already, and keys are never replaced`, {
    actions: ['choose another --keys-folder, or move the file away'],
  });
}
