import { readFileSync } from 'node:fs';
import type fs from 'node:fs/promises';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import path from 'node:path';

type Promises = { -readonly [name in keyof typeof fs]: (typeof fs)[name] };
const promises = createRequire(import.meta.url)('node:fs/promises') as Promises;

/** What a process did to a folder, in order, as far as it matters to what is on the disk when the power goes. */
export type Effect =
  /** A name begins to stand for a file, or no longer does. */
  | { readonly kind: 'name'; readonly folder: string; readonly name: string; readonly file: number | undefined }
  | { readonly kind: 'bytes'; readonly file: number; readonly body: Buffer }
  /** A folder that was made: a name in the one above. */
  | { readonly kind: 'folder'; readonly folder: string; readonly name: string }
  /** All effects on this file, or on the names of this folder, before `from` are on the disk. */
  | { readonly kind: 'flushed'; readonly file: number | string; readonly from: number }
  /** Somebody was told that this is done. */
  | { readonly kind: 'told'; readonly what: string };

/** Notes what is done below a folder by way of `node:fs/promises`, while it is on. */
export class DiskTrace {
  readonly effects: Effect[] = [];
  readonly #root: string;
  readonly #files = new Map<string, number>();
  #next = 0;

  constructor(root: string) {
    this.#root = root;
  }

  tell(what: string): void {
    this.effects.push({ kind: 'told', what });
  }

  /** Does the work with everything noted. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const { open, link, unlink, mkdir } = promises;
    const inside = (name: unknown) => typeof name === 'string' && name.startsWith(this.#root);
    promises.open = (async (name: string, flags: string, mode?: number) => {
      if (inside(name) && flags === 'wx') this.#name(name, this.#next++);
      const handle = await open(name, flags, mode);
      return inside(name) ? this.#watched(handle, name) : handle;
    }) as typeof open;
    promises.link = async (from, to) => {
      const file = this.#files.get(String(from));
      await link(from, to);
      if (file !== undefined) this.#name(String(to), file);
    };
    promises.unlink = async (name) => {
      await unlink(name);
      if (inside(name)) this.#name(String(name), undefined);
    };
    promises.mkdir = (async (name: string, options: { mode: number }) => {
      await mkdir(name, options);
      if (inside(name)) this.effects.push({ kind: 'folder', folder: path.dirname(name), name: path.basename(name) });
    }) as typeof mkdir;
    syncBuiltinESMExports();
    try {
      return await work();
    } finally {
      Object.assign(promises, { open, link, unlink, mkdir });
      syncBuiltinESMExports();
    }
  }

  #name(name: string, file: number | undefined): void {
    if (file === undefined) this.#files.delete(name);
    else this.#files.set(name, file);
    this.effects.push({ kind: 'name', folder: path.dirname(name), name: path.basename(name), file });
  }

  #watched(handle: fs.FileHandle, name: string): fs.FileHandle {
    return new Proxy(handle, {
      get: (target, property) => {
        const value = Reflect.get(target, property) as unknown;
        if (typeof value !== 'function') return value;
        const file = this.#files.get(name);
        if (property === 'writeFile') {
          return async (body: Uint8Array, options: object) => {
            await target.writeFile(body, options);
            this.effects.push({ kind: 'bytes', file: file!, body: readFileSync(name) });
          };
        }
        if (property === 'sync') {
          return async () => {
            const from = this.effects.length;
            await target.sync();
            this.effects.push({ kind: 'flushed', file: file ?? name, from });
          };
        }
        return value.bind(target);
      },
    });
  }
}

/**
 * What is on the disk when the power goes behind the first `end` effects: those that were flushed, and of the others those of which `keeps` holds;
 * bytes that were not flushed are there in part. Key -> body; names that begin with a dot, and what stands in folders without a name, are left out.
 */
export function diskAfter(
  root: string,
  effects: readonly Effect[],
  end: number,
  keeps: (at: number) => boolean,
): Map<string, Buffer> {
  const done = effects.slice(0, end);
  const flushed = new Map<number | string, number>();
  for (const one of done) {
    if (one.kind === 'flushed') flushed.set(one.file, Math.max(flushed.get(one.file) ?? 0, one.from));
  }
  const names = new Map<string, number | undefined>();
  const bodies = new Map<number, Buffer>();
  const folders = new Set([root]);
  for (const [at, one] of done.entries()) {
    if (one.kind === 'bytes') {
      const isThere = at < (flushed.get(one.file) ?? 0);
      bodies.set(one.file, isThere || keeps(at) ? one.body : one.body.subarray(0, one.body.length >> 1));
    }
    if (one.kind !== 'name' && one.kind !== 'folder') continue;
    if (at >= (flushed.get(one.folder) ?? 0) && !keeps(at)) continue;
    const whole = path.join(one.folder, one.name);
    if (one.kind === 'folder') folders.add(whole);
    else names.set(whole, one.file);
  }
  const reachable = (folder: string): boolean =>
    folder.length <= root.length || (folders.has(folder) && reachable(path.dirname(folder)));
  const found = new Map<string, Buffer>();
  for (const [name, file] of names) {
    if (file === undefined || path.basename(name).startsWith('.') || !reachable(path.dirname(name))) continue;
    found.set(path.relative(root, name).split(path.sep).join('/'), bodies.get(file) ?? Buffer.alloc(0));
  }
  return found;
}

/** Does the work on a disk that has room for so many bytes more. `refused`: the folders of the files that there was no room for. */
export async function withSpaceFor<T>(
  bytes: number,
  code: 'ENOSPC' | 'EDQUOT',
  work: () => Promise<T>,
): Promise<{ refused: string[]; outcome: PromiseSettledResult<T> }> {
  const { open } = promises;
  let room = bytes;
  const refused: string[] = [];
  promises.open = (async (name: string, flags: string, mode?: number) => {
    const handle = await open(name, flags, mode);
    return new Proxy(handle, {
      get(target, property) {
        const value = Reflect.get(target, property) as unknown;
        if (property !== 'writeFile') return typeof value === 'function' ? value.bind(target) : value;
        return async (body: Uint8Array, options: object) => {
          room -= body.length;
          if (room >= 0) return target.writeFile(body, options);
          refused.push(path.dirname(name));
          await target.writeFile(body.subarray(0, Math.max(0, body.length + room)), options);
          throw Object.assign(new Error(`${code}: no space left, write`), { code, syscall: 'write' });
        };
      },
    });
  }) as typeof open;
  syncBuiltinESMExports();
  try {
    const [outcome] = await Promise.allSettled([work()]);
    return { refused, outcome: outcome! };
  } finally {
    Object.assign(promises, { open });
    syncBuiltinESMExports();
  }
}
