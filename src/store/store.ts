import { Fault } from '../errors.ts';

/** What a store knows of an object without reading it. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** By the store's clock. */
  readonly modified: Date;
  /** Another for other bytes, where the store has such a thing. */
  readonly etag?: string;
}

/**
 * Named, write-once blobs. Keys are `/`-separated ASCII. Every implementation passes `test/contracts/store.ts`.
 *
 * Faults: `store-unreachable` (network, 5xx and 409 after retries, time-outs), `store-denied` (credentials, policy),
 * `no-vault` (there is no such bucket), `unproven-store` (no conditional create, lists out of order), `disk-full`,
 * `disk-error`; from get and getRange `object-missing`, and `digest-mismatch` where the store's own checksum does not
 * hold. After a `store-unreachable` from putIfAbsent its outcome is unknown: read the key to learn it. 'exists' may mean
 * an object of one's own, put by an attempt whose answer was lost. An aborted signal rejects with its reason.
 */
export interface Store {
  /** As a person would name it; never holds credentials. */
  readonly url: string;
  /** Stores `body` under `key` if no object has that key: all of it or nothing, durable when it resolves. */
  putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'created' | 'exists'>;
  /** `atMost`: an object that has more bytes is refused with `size-mismatch` before they are loaded. */
  get(key: string, signal?: AbortSignal, atMost?: number): Promise<Buffer>;
  /** `length` bytes from `start`; fewer at the object's end. */
  getRange(key: string, start: number, length: number, signal?: AbortSignal): Promise<Buffer>;
  head(key: string, signal?: AbortSignal): Promise<StoredObject | undefined>;
  /** All objects whose key begins with `prefix`, ascending by the bytes of the key; `after`: only keys behind this one. */
  list(prefix: string, options?: { after?: string; signal?: AbortSignal }): AsyncIterable<StoredObject>;
  /** True when the object is gone afterwards; false when the store refused (a lock on the object). */
  delete(key: string, signal?: AbortSignal): Promise<boolean>;
  /**
   * Lengthens the lock of an object to that of one which is put now, where less than half of that may be left; true when it was lengthened.
   * Missing where the store locks nothing.
   */
  readonly extendLock?: (object: Pick<StoredObject, 'key' | 'modified'>, signal?: AbortSignal) => Promise<boolean>;
  /** What lies in the place under names that no key has, which no other verb sees. Missing where nothing can lie there. */
  strangers?(signal?: AbortSignal): AsyncIterable<string>;
  close(): Promise<void>;
}

/** For an object that is larger than what its reader was told to expect. */
export function tooLarge(key: string, size: number, atMost: number): Fault {
  return new Fault('size-mismatch', `${key} has ${size} bytes, ${atMost} at most are its own`, { data: { key } });
}
