import { Fault } from '../../src/errors.ts';
import { type Store, type StoredObject, tooLarge } from '../../src/store/store.ts';

/** A store in memory. Unlike a real one it lets a test change, remove and replace what it holds. */
export class MemoryStore implements Store {
  readonly url: string = 'memory://vault';
  readonly objects: Map<string, Buffer>;
  /** When set, every write is refused, as with credentials that only read. */
  denyWrites = false;

  constructor(objects: Iterable<readonly [string, Buffer]> = []) {
    this.objects = new Map(objects);
  }

  /** A copy of everything that `store` holds. */
  static async copyOf(store: Store): Promise<MemoryStore> {
    const copy = new MemoryStore();
    for await (const { key } of store.list('')) copy.objects.set(key, await store.get(key));
    return copy;
  }

  async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'created' | 'exists'> {
    signal?.throwIfAborted();
    if (this.denyWrites) throw new Fault('store-denied', `${this.url} takes no writes`);
    if (this.objects.has(key)) return 'exists';
    this.objects.set(key, Buffer.from(body));
    return 'created';
  }

  async get(key: string, signal?: AbortSignal, atMost = Number.POSITIVE_INFINITY): Promise<Buffer> {
    signal?.throwIfAborted();
    const body = this.objects.get(key);
    if (!body) throw new Fault('object-missing', `${key} is not in ${this.url}`, { data: { key } });
    if (body.length > atMost) throw tooLarge(key, body.length, atMost);
    return Buffer.from(body);
  }

  async getRange(key: string, start: number, length: number, signal?: AbortSignal): Promise<Buffer> {
    return (await this.get(key, signal)).subarray(start, start + length);
  }

  async head(key: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    signal?.throwIfAborted();
    const body = this.objects.get(key);
    return body && { key, size: body.length, modified: new Date(0) };
  }

  async *list(prefix: string, { after = '', signal }: { after?: string; signal?: AbortSignal } = {}) {
    for (const key of [...this.objects.keys()].sort()) {
      signal?.throwIfAborted();
      const body = this.objects.get(key);
      if (body && key.startsWith(prefix) && key > after) yield { key, size: body.length, modified: new Date(0) };
    }
  }

  async delete(key: string): Promise<boolean> {
    this.objects.delete(key);
    return true;
  }

  async close(): Promise<void> {}
}
