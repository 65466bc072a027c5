import { over } from './over.ts';
import type { Store } from './store.ts';

/** Objects larger than this are fetched each time. */
const largest = 4 * 1024 * 1024;
/** All that is kept, in bytes; what was asked for longest ago goes first. */
const room = 64 * 1024 * 1024;

/**
 * The store, with small objects that it has read kept in memory: no key ever gets another object, so a second GET tells nothing. For work that goes on for long and reads
 * the same log, roots and pages again and again. Whether an object is still there is always asked.
 */
export function remembered(store: Store): Store {
  const kept = new Map<string, Buffer>();
  let size = 0;
  function keep(key: string, body: Buffer): void {
    if (body.length > largest || kept.has(key)) return;
    kept.set(key, body);
    size += body.length;
    for (const [oldest, { length }] of kept) {
      if (size <= room) return;
      kept.delete(oldest);
      size -= length;
    }
  }
  return over(store, {
    async get(key, signal, atMost) {
      signal?.throwIfAborted();
      const known = kept.get(key);
      if (known === undefined) {
        const body = await store.get(key, signal, atMost);
        keep(key, Buffer.from(body));
        return body;
      }
      kept.delete(key);
      kept.set(key, known);
      // A caller may change what it was given.
      return Buffer.from(known);
    },
    async delete(key, signal) {
      size -= kept.get(key)?.length ?? 0;
      kept.delete(key);
      return store.delete(key, signal);
    },
  });
}
