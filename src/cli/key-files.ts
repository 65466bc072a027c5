import { access, chmod, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Fault, systemCode } from '../errors.ts';
import { makeFolders } from '../folders.ts';

/** Writes a secret to a new file that only its owner can read. Throws `usage` when there is one already: keys are never replaced. */
export async function writeKeyFile(file: string, text: string): Promise<void> {
  await makeFolders(path.dirname(file), 0o700);
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') throw existing(file);
    throw new Fault('disk-error', `${file} cannot be written: ${systemCode(cause) ?? 'unknown error'}`, { cause });
  }
}

/** Throws `usage` when one of the files is there already. */
export async function assertNoFiles(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (there) throw existing(file);
  }
}

/** Replaces a file that this program wrote before, whole or not at all. */
export async function replaceKeyFile(file: string, text: string): Promise<void> {
  const aside = `${file}.${process.pid}.tmp`;
  await writeFile(aside, text, { mode: 0o600 });
  await chmod(aside, 0o600);
  await rename(aside, file);
}

function existing(file: string): Fault {
  return new Fault('usage', `${file} exists already, and keys are never replaced`, {
    actions: ['choose another --keys-folder, or move the file away'],
  });
}
