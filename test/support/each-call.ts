import type { Store, StoredObject } from '../../src/store/store.ts';

export type Verb = 'putIfAbsent' | 'get' | 'getRange' | 'head' | 'list' | 'delete' | 'extendLock';

/** Lets a call through, or does something else. `key`: of a list its prefix. */
export type Pass = <T>(call: () => Promise<T>, verb: Verb, key: string) => Promise<T>;

/** The store, each of whose calls goes through `pass`. A list is one call: all of it as it is at that moment. */
export function eachCall(store: Store, pass: Pass): Store {
  const { extendLock } = store;
  return {
    url: store.url,
    putIfAbsent: (key, body, signal) => pass(() => store.putIfAbsent(key, body, signal), 'putIfAbsent', key),
    get: (key, signal, atMost) => pass(() => store.get(key, signal, atMost), 'get', key),
    getRange: (key, start, length, signal) => pass(() => store.getRange(key, start, length, signal), 'getRange', key),
    head: (key, signal) => pass(() => store.head(key, signal), 'head', key),
    async *list(prefix, options) {
      const all = async () => {
        const found: StoredObject[] = [];
        for await (const object of store.list(prefix, options)) found.push(object);
        return found;
      };
      yield* await pass(all, 'list', prefix);
    },
    delete: (key, signal) => pass(() => store.delete(key, signal), 'delete', key),
    ...(extendLock && {
      extendLock: (object, signal) => pass(() => extendLock.call(store, object, signal), 'extendLock', object.key),
    }),
    close: () => store.close(),
  };
}
