import { Fault, isFault } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { trustFile } from '../../vault/layout.ts';
import type { Vault } from '../../vault/vault.ts';

/** A probe of the store that may not delete leaves these. */
const ofProbes = 'probe/';
/** Put into folders by the system, under names that a key could have. */
const ofWindows = /(^|\/)(thumbs\.db|desktop\.ini)$/i;

/**
 * Throws `foreign-vault` unless the place is empty but for what systems leave in folders, or holds this very vault or a copy of it that was begun: what tells is `trust/0001`, which
 * a copy begins with. `action`: what to do instead.
 */
export async function assertOurs(vault: Vault, to: Store, action: string, signal: AbortSignal): Promise<void> {
  const foreign = (what: string) =>
    new Fault('foreign-vault', `${to.url} holds ${what}, and not a copy of the vault ${vault.info.vault}`, {
      actions: [action],
    });
  const ours = await vault.store.get(trustFile(1), signal);
  const theirs = await bytesOf(to, trustFile(1), signal);
  if (theirs?.equals(ours)) return;
  if (theirs) throw foreign('another vault');
  for await (const name of to.strangers?.(signal) ?? []) throw foreign(JSON.stringify(name));
  for await (const { key } of to.list('', { signal }))
    if (!key.startsWith(ofProbes) && !ofWindows.test(key)) throw foreign(key);
}

export async function bytesOf(store: Store, key: string, signal: AbortSignal): Promise<Buffer | undefined> {
  try {
    return await store.get(key, signal);
  } catch (error) {
    if (isFault(error, 'object-missing')) return undefined;
    throw error;
  }
}
