import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from './errors.ts';

/**
 * Makes a folder and those above it that are missing; resolves with the topmost that it made. Rejects with the system's error. Node's own way of doing
 * this never ends where a folder is there and nothing can be made in it, as below `/proc` and in what an automounter serves.
 */
export async function makeFolders(name: string, mode = 0o777): Promise<string | undefined> {
  try {
    return await makeOne(name, mode);
  } catch (error) {
    const above = path.dirname(name);
    if (systemCode(error) !== 'ENOENT' || above === name) throw error;
    const first = await makeFolders(above, mode);
    const last = await makeOne(name, mode);
    return first ?? last;
  }
}

/** Undefined: it is there already. */
async function makeOne(name: string, mode: number): Promise<string | undefined> {
  try {
    await mkdir(name, { mode });
    return name;
  } catch (error) {
    if (systemCode(error) === 'EEXIST' && (await stat(name)).isDirectory()) return undefined;
    throw error;
  }
}
