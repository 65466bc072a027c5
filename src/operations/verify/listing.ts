import { seqOf } from '../../vault/layout.ts';
import type { LogState, Vault } from '../../vault/vault.ts';

/** Key -> size of every object in the store, ascending. */
export type Listing = ReadonlyMap<string, number>;

/** The log, read anew, and then every object that stands in the store: what the log says must be among these. */
export async function listAll(vault: Vault, signal: AbortSignal): Promise<{ state: LogState; listed: Listing }> {
  const state = await vault.state(true, signal);
  const listed = new Map<string, number>();
  for await (const { key, size } of vault.store.list('', { signal })) listed.set(key, size);
  // A record that another run appended meanwhile is not one too many.
  const grown = [...listed.keys()].some((key) => seqOf(key) > state.head.taken);
  return { state: grown ? await vault.state(true, signal) : state, listed };
}
