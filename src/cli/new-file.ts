import { access, rm, writeFile } from 'node:fs/promises';
import { Fault, systemCode } from '../errors.ts';

/** Writes a new file that only its owner may read; whole, or there is none. Throws `usage` when there is such a file, `disk-full`, `disk-error`. */
export async function writeNewFile(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'EEXIST') throw new Fault('usage', `there is a file ${file} already`);
    if (code === 'ENOSPC') await rm(file, { force: true });
    throw new Fault(code === 'ENOSPC' ? 'disk-full' : 'disk-error', `${file} cannot be written: ${code}`, { cause });
  }
}

/** Before work whose outcome goes into a file. Throws `usage` when there is such a file. */
export async function assertNewFile(file: string): Promise<void> {
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (there) throw new Fault('usage', `there is a file ${file} already`);
}
