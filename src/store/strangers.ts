import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Fault, systemCode } from '../errors.ts';
import { isKey } from './key.ts';

/** What a crash of the folder store leaves, and what systems put into folders of themselves: none of it is a key. */
const left = [
  /^\.tmp-[0-9a-f]{16}(\.claim)?$/,
  /^\.claim-/,
  /^\.(DS_Store|localized|Spotlight-V100|fseventsd|Trashes|TemporaryItems|DocumentRevisions-V100|snapshot|zfs)$/,
  /^\._/,
  /^\.Trash-\d+$/,
  /^\.nfs[0-9a-f]+$/,
  /^(lost\+found|System Volume Information|\$RECYCLE\.BIN|@eaDir)$/,
];

/** True for a name with a part that this store or the system left behind: no file of a person. */
export function isLeftBehind(name: string): boolean {
  return name.split('/').some((part) => left.some((one) => one.test(part)));
}

/**
 * Names in a folder that are no keys and are not left behind (`isLeftBehind`), files and links to nothing among them, relative to it. Throws `usage`
 * where the place, or one above it, is a file.
 */
export async function* strangersIn(root: string, signal?: AbortSignal, at = ''): AsyncGenerator<string> {
  signal?.throwIfAborted();
  let found: Dirent[];
  try {
    found = await readdir(path.join(root, at), { withFileTypes: true });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return;
    if (code === 'ENOTDIR' && at === '') throw inAFile(root);
    if (at === '') throw error;
    // A folder that nobody may look into is somebody's.
    return yield at;
  }
  for (const entry of found) {
    const name = at + entry.name;
    if (isLeftBehind(entry.name)) continue;
    const kind = await kindOf(path.join(root, name), entry);
    // Links that lead in a circle end where no key is that long.
    if (kind === 'folder' && (entry.isDirectory() || isKey(name))) yield* strangersIn(root, signal, `${name}/`);
    else if (kind !== 'file' || !isKey(name)) yield name;
  }
}

async function kindOf(file: string, entry: Dirent): Promise<'file' | 'folder' | 'other'> {
  const found = entry.isSymbolicLink() ? await stat(file).catch(() => undefined) : entry;
  if (found?.isDirectory()) return 'folder';
  return found?.isFile() ? 'file' : 'other';
}

function inAFile(root: string): Fault {
  return new Fault('usage', `${root} is no folder, or lies in a file`, {
    actions: ['name a folder, which need not be there yet'],
  });
}
