import { randomBytes } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { type FileHandle, link, open, readdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { Fault, systemCode } from '../errors.ts';
import { makeFolders } from '../folders.ts';
import { createByClaim } from './claim.ts';
import { assertKey, isKey, isKeySegment } from './key.ts';
import { type Store, type StoredObject, tooLarge } from './store.ts';
import { strangersIn } from './strangers.ts';

const windows = process.platform === 'win32';
const full = new Set(['ENOSPC', 'EDQUOT']);
const missing = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);
const refused = new Set(['EPERM', 'EACCES', 'EROFS']);
/** What `link` answers where there are no hard links; EISDIR is Windows' "invalid function" on FAT. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK', 'EISDIR', 'UNKNOWN']);
/** What `fsync` of a folder answers where it means nothing or is not for us to do. */
const noSync = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EPERM', 'EACCES']);

export interface FolderOptions {
  /** False: as if the file system had no hard links, see `createByClaim`. */
  hardLinks?: boolean;
  /** Ends every call on the store, besides the call's own signal. */
  signal?: AbortSignal;
}

/**
 * A store in a folder of a file system: each key a file, read-only except on Windows. A body is written aside under a
 * name that begins with a dot, flushed, linked to its final name, and the folder is flushed; names with a leading dot,
 * whole or left by a crash, are no objects to any verb. Missing folders are made by the first put, for the owner only, and
 * stay. Links to other places inside the folder are followed.
 */
export function openFolder(folder: string, { hardLinks = true, signal: outer }: FolderOptions = {}): Store {
  const root = path.resolve(folder);
  /** Folders whose entry in each folder above is on the disk. */
  const durable = new Map<string, Promise<void>>();

  const joined = (own?: AbortSignal): AbortSignal | undefined =>
    own && outer ? AbortSignal.any([own, outer]) : (own ?? outer);
  const fileOf = (key: string): string => path.join(root, ...key.split('/'));

  function durableFolder(name: string): Promise<void> {
    let made = durable.get(name);
    if (made === undefined) {
      made = makeFolder(root, name);
      durable.set(name, made);
      made.catch(() => durable.delete(name));
    }
    return made;
  }

  async function create(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'created' | 'exists'> {
    const target = fileOf(key);
    const parent = path.dirname(target);
    for (let attempt = 1; ; attempt++) {
      await durableFolder(parent);
      const aside = path.join(parent, `.tmp-${randomBytes(8).toString('hex')}`);
      try {
        await write(aside, body, signal);
        signal?.throwIfAborted();
        const outcome =
          (hardLinks && (await tryLink(aside, target))) || (await createByClaim(aside, target, syncFolder));
        if (outcome === 'cancelled') continue;
        if (outcome === 'exists' && !(await stat(target)).isFile()) throw notAFile(key);
        // Also for the loser: that the winner's name is on the disk yet, only the winner knows.
        await syncFolder(parent);
        return outcome;
      } catch (error) {
        // Another program removed the folder, or the winner's file, meanwhile.
        if (systemCode(error) === 'ENOENT' && durable.delete(parent) && attempt < 5) continue;
        throw error;
      } finally {
        await unlink(aside).catch(leaveAside);
      }
    }
  }

  return {
    url: root,

    async putIfAbsent(key, body, signal) {
      assertKey(key);
      signal = joined(signal);
      signal?.throwIfAborted();
      return await create(key, body, signal).catch((error) => raise(error, `could not write ${key}`, signal));
    },

    async get(key, signal, atMost = Number.POSITIVE_INFINITY) {
      signal = joined(signal);
      signal?.throwIfAborted();
      if (!isKey(key)) throw objectMissing(key);
      try {
        return await withFile(fileOf(key), 'r', async (file) => {
          const { size } = await file.stat();
          if (size > atMost) throw tooLarge(key, size, atMost);
          return await file.readFile({ signal });
        });
      } catch (error) {
        return raiseRead(error, key, signal);
      }
    },

    async getRange(key, start, length, signal) {
      signal = joined(signal);
      signal?.throwIfAborted();
      if (!isKey(key)) throw objectMissing(key);
      try {
        return await withFile(fileOf(key), 'r', async (file) => {
          const found = await file.stat();
          if (!found.isFile()) throw objectMissing(key);
          const bytes = Buffer.alloc(Math.max(0, Math.min(length, found.size - start)));
          for (let at = 0; at < bytes.length; ) {
            const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
            signal?.throwIfAborted();
            if (bytesRead === 0) return bytes.subarray(0, at);
            at += bytesRead;
          }
          return bytes;
        });
      } catch (error) {
        return raiseRead(error, key, signal);
      }
    },

    async head(key, signal) {
      signal = joined(signal);
      signal?.throwIfAborted();
      if (!isKey(key)) return undefined;
      return await statObject(key, fileOf(key)).catch((error) => raise(error, `could not look for ${key}`, signal));
    },

    list(prefix, { after = '', signal } = {}) {
      return walk(root, prefix, after, joined(signal));
    },

    async delete(key, signal) {
      signal = joined(signal);
      signal?.throwIfAborted();
      if (!isKey(key)) return true;
      try {
        await unlink(fileOf(key));
        await syncFolder(path.dirname(fileOf(key)));
        return true;
      } catch (error) {
        const code = systemCode(error) ?? '';
        if (code === 'ENOENT' || code === 'ENOTDIR') return true;
        if (refused.has(code)) return false;
        return raise(error, `could not delete ${key}`, signal);
      }
    },

    async *strangers(signal) {
      try {
        yield* strangersIn(root, joined(signal));
      } catch (error) {
        raise(error, `could not list ${root}`, signal);
      }
    },

    async close() {},
  };
}

async function write(name: string, body: Uint8Array, signal?: AbortSignal): Promise<void> {
  await withFile(name, 'wx', async (file) => {
    await file.writeFile(body, { signal });
    if (!windows) await file.chmod((await file.stat()).mode & 0o555).catch(ignore(noSync));
    await file.sync();
  });
}

/** Opens, works, closes. (`await using` would do, but Node 22 cannot read it.) */
async function withFile<T>(name: string, flags: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(name, flags);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** Undefined where the file system has no hard links. */
async function tryLink(aside: string, target: string): Promise<'created' | 'exists' | undefined> {
  try {
    await link(aside, target);
    return 'created';
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return 'exists';
    if (noLinks.has(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** Makes a folder and flushes the entry of each new one, and of each below `root`, which another writer may just have made. */
async function makeFolder(root: string, name: string): Promise<void> {
  const first = await makeFolders(name, 0o700);
  const top = first !== undefined && first.length <= root.length ? path.dirname(first) : root;
  for (let at = name; at.length > top.length; at = path.dirname(at)) await syncFolder(path.dirname(at));
}

/** Flushes the names in a folder to the disk; Windows has no call for it and writes them with the file. */
async function syncFolder(name: string): Promise<void> {
  if (windows) return;
  try {
    await withFile(name, 'r', (folder) => folder.sync());
  } catch (error) {
    ignore(noSync)(error);
  }
}

async function* walk(root: string, prefix: string, after: string, signal?: AbortSignal): AsyncIterable<StoredObject> {
  const base = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (base !== '' && !isKey(base.slice(0, -1))) return;
  yield* walkFolder(base);

  async function* walkFolder(at: string): AsyncIterable<StoredObject> {
    signal?.throwIfAborted();
    const folder = path.join(root, ...at.split('/'));
    const names = await entries(folder, at).catch((error) => raise(error, `could not list ${at || root}`, signal));
    let files: string[] = [];
    for (const name of names) {
      signal?.throwIfAborted();
      if (!name.endsWith('/')) files.push(name);
      if (name.endsWith('/') || files.length === 64) {
        yield* objects(files);
        files = [];
      }
      if (name.endsWith('/')) yield* walkFolder(name);
    }
    yield* objects(files);
  }

  /** Keys of files, and of folders with a slash behind, in the order of the keys in them: `a-b`, `a.b`, `a/b`. */
  async function entries(folder: string, at: string): Promise<string[]> {
    const found: string[] = [];
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(ignore(missing, [] as Dirent[]))) {
      if (!isKeySegment(entry.name)) continue;
      const key = at + entry.name;
      if (await isFolder(entry)) {
        const inside = `${key}/`;
        const reached = after < inside || after.startsWith(inside);
        if (reached && isKey(key) && (inside.startsWith(prefix) || prefix.startsWith(inside))) found.push(inside);
      } else if (key > after && key.startsWith(prefix) && isKey(key)) found.push(key);
    }
    return found.sort((a, b) => (a < b ? -1 : 1));
  }

  async function* objects(keys: string[]): AsyncIterable<StoredObject> {
    const stats = await Promise.all(keys.map((key) => statObject(key, path.join(root, ...key.split('/'))))).catch(
      (error) => raise(error, `could not list ${prefix || root}`, signal),
    );
    for (const object of stats) {
      signal?.throwIfAborted();
      if (object !== undefined) yield object;
    }
  }
}

async function isFolder(entry: Dirent): Promise<boolean> {
  if (entry.isFile() || entry.isDirectory()) return entry.isDirectory();
  const target = await stat(path.join(entry.parentPath, entry.name)).catch(
    ignore(new Set([...missing, 'ELOOP']), undefined),
  );
  return target?.isDirectory() ?? false;
}

async function statObject(key: string, name: string): Promise<StoredObject | undefined> {
  const found = await stat(name).catch(ignore(new Set([...missing, 'ELOOP']), undefined));
  return found?.isFile() ? { key, size: found.size, modified: found.mtime } : undefined;
}

function ignore(codes: ReadonlySet<string>): (error: unknown) => void;
function ignore<T>(codes: ReadonlySet<string>, instead: T): (error: unknown) => T;
function ignore<T>(codes: ReadonlySet<string>, instead?: T) {
  return (error: unknown): T | undefined => {
    if (codes.has(systemCode(error) ?? '')) return instead;
    throw error;
  };
}

/** A file aside that cannot be removed is no reason to call a put failed whose object is there: no verb sees it. */
function leaveAside(): void {}

function objectMissing(key: string, cause?: unknown): Fault {
  return new Fault('object-missing', `there is no object ${JSON.stringify(key)}`, { data: { key }, cause });
}

function notAFile(key: string): Fault {
  return new Fault('disk-error', `could not write ${key}: the name belongs to something that is not a file`);
}

function raiseRead(error: unknown, key: string, signal?: AbortSignal): never {
  if (missing.has(systemCode(error) ?? '')) throw objectMissing(key, error);
  return raise(error, `could not read ${key}`, signal);
}

/** Throws the signal's reason, the Fault for a system error, or what is neither as it is. */
function raise(error: unknown, what: string, signal?: AbortSignal): never {
  signal?.throwIfAborted();
  const code = systemCode(error);
  if (code === undefined || error instanceof Fault || !(error instanceof Error) || !('syscall' in error)) throw error;
  const name = full.has(code) ? 'disk-full' : 'disk-error';
  throw new Fault(name, `${what}: ${full.has(code) ? 'no space is left' : code}`, { data: { code }, cause: error });
}
