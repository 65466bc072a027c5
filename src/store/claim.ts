import { mkdir, readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from '../errors.ts';

const occupied = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES', 'EBUSY']);

/**
 * Gives a finished file its final name if no file has it, on file systems without hard links (FAT, exFAT, some network
 * shares), by two facts that hold on all of them: a folder cannot be renamed onto a folder with something in it, and a
 * rename moves a file whole or not at all.
 *
 * The file goes into a folder of its own, and that folder is renamed to `.claim-<name>`: one writer wins. While the claim
 * stands, only the file in it can become the target, since its name is unique and each writer moves only its own. The
 * winner looks whether the target exists (an earlier winner may have finished), then moves its file there.
 *
 * A claim whose writer died is cancelled after `patience` milliseconds by removing the file in it; a writer that only
 * slept learns that from ENOENT and the result is 'cancelled': it has to write its file again. All writers of a folder
 * must see it without hard links, or all with.
 */
export async function createByClaim(
  file: string,
  target: string,
  syncFolder: (folder: string) => Promise<void>,
  patience = 2000,
): Promise<'created' | 'exists' | 'cancelled'> {
  const box = `${file}.claim`;
  const claim = path.join(path.dirname(target), `.claim-${path.basename(target)}`);
  const claimed = path.join(claim, path.basename(file));
  await mkdir(box);
  try {
    await rename(file, path.join(box, path.basename(file)));
    await syncFolder(box);
    let refusals = 0;
    while (!(await isFile(target))) {
      const error = await rename(box, claim).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (error === undefined) return await finish(claim, claimed, target);
      if (!occupied.has(systemCode(error) ?? '')) throw error;
      // The same codes mean a lack of permission: then there is no claim, and waiting is in vain.
      if (!(await isFolder(claim)) && ++refusals > 20) throw error;
      if (!(await settles(claim, target, patience))) await cancel(claim);
    }
    return 'exists';
  } finally {
    await rm(box, { recursive: true, force: true });
  }
}

async function finish(claim: string, claimed: string, target: string): Promise<'created' | 'exists' | 'cancelled'> {
  try {
    if (await isFile(target)) {
      await unlink(claimed);
      return 'exists';
    }
    await rename(claimed, target);
    return 'created';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'cancelled';
    await rm(claimed, { force: true });
    throw error;
  } finally {
    await removeEmpty(claim);
  }
}

/** True once the target is there or the claim is gone; false after `patience` milliseconds. */
async function settles(claim: string, target: string, patience: number): Promise<boolean> {
  const end = performance.now() + patience;
  while (performance.now() < end) {
    await sleep(5 + Math.random() * 20);
    if (!(await isFolder(claim)) || (await isFile(target))) return true;
  }
  return false;
}

async function cancel(claim: string): Promise<void> {
  try {
    for (const name of await readdir(claim)) await unlink(path.join(claim, name));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  await removeEmpty(claim);
}

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    // Gone, or taken by the next writer.
    if (!occupied.has(systemCode(error) ?? '') && systemCode(error) !== 'ENOENT') throw error;
  }
}

async function isFile(name: string): Promise<boolean> {
  return (await stat(name).catch(ignoreMissing))?.isFile() ?? false;
}

async function isFolder(name: string): Promise<boolean> {
  return (await stat(name).catch(ignoreMissing))?.isDirectory() ?? false;
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error;
}
