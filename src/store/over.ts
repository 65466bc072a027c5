import type { Store } from './store.ts';

/** The store, with a way of its own to read whole objects and to delete them; everything else goes through. */
export function over(store: Store, own: Pick<Store, 'get' | 'delete'>): Store {
  return {
    ...own,
    url: store.url,
    putIfAbsent: (key, body, signal) => store.putIfAbsent(key, body, signal),
    getRange: (key, start, length, signal) => store.getRange(key, start, length, signal),
    head: (key, signal) => store.head(key, signal),
    list: (prefix, options) => store.list(prefix, options),
    ...(store.extendLock && { extendLock: (object, signal) => store.extendLock!(object, signal) }),
    close: () => store.close(),
  };
}
