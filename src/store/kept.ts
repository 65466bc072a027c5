import { isFault } from '../errors.ts';
import { over } from './over.ts';
import type { Store } from './store.ts';

/** An object as it was read before, and the tag that the store had for these bytes. */
export interface KeptObject {
  readonly etag: string;
  readonly body: Buffer;
}

/** What a `keeping` store keeps, by key. */
export type KeptObjects = Map<string, KeptObject>;

/** Objects larger than this are fetched each time. */
const largest = 64 * 1024;
/** All that is kept, in bytes. */
const room = 64 * 1024 * 1024;

/**
 * The store, whose objects in `folders` (`log/`) are taken from `kept` as long as the store lists them with the tag of then, and are kept when they are read. What the store holds
 * is always asked: each folder is listed once, before the first GET in it; what it does not list any more, or lists with another tag, is dropped. A store that lists no tags keeps nothing.
 */
export function keeping(store: Store, folders: readonly string[], kept: KeptObjects): Store {
  const listed = new Map<string, Promise<ReadonlyMap<string, string>>>();
  let size = 0;
  for (const { body } of kept.values()) size += body.length;

  function drop(key: string): void {
    size -= kept.get(key)?.body.length ?? 0;
    kept.delete(key);
  }

  async function tagsOf(folder: string, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const tags = new Map<string, string>();
    try {
      for await (const { key, etag } of store.list(folder, { signal })) if (etag !== undefined) tags.set(key, etag);
    } catch (error) {
      // Who may read and not list reads all anew.
      if (!isFault(error, 'store-denied')) throw error;
      tags.clear();
    }
    for (const [key, { etag }] of kept) if (key.startsWith(folder) && tags.get(key) !== etag) drop(key);
    return tags;
  }

  return over(store, {
    async get(key, signal, atMost) {
      const folder = folders.find((one) => key.startsWith(one));
      if (folder === undefined) return store.get(key, signal, atMost);
      if (!listed.has(folder)) listed.set(folder, tagsOf(folder, signal));
      const etag = (await listed.get(folder)!).get(key);
      const known = kept.get(key);
      // A caller may change what it was given.
      if (known !== undefined) return Buffer.from(known.body);
      const body = await store.get(key, signal, atMost);
      if (etag !== undefined && body.length <= largest && size + body.length <= room && !kept.has(key)) {
        kept.set(key, { etag, body: Buffer.from(body) });
        size += body.length;
      }
      return body;
    },
    delete(key, signal) {
      drop(key);
      return store.delete(key, signal);
    },
  });
}
