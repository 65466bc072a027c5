import type { Store } from '../store/store.ts';

/**
 * Stores `body` under a name that says nothing of its bytes. True: our bytes stand there; false: somebody else's do. A store may say
 * 'exists' of our own object, when the answer to an earlier attempt was lost, so what counts is what is read.
 */
export async function putOwn(store: Store, key: string, body: Buffer, signal?: AbortSignal): Promise<boolean> {
  if ((await store.putIfAbsent(key, body, signal)) === 'created') return true;
  return (await store.get(key, signal)).equals(body);
}
