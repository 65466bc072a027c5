import { newAgeIdentity } from '../../src/age/keys.ts';
import type { Context } from '../../src/context.ts';
import type { Store, StoredObject } from '../../src/store/store.ts';
import { createVault } from '../../src/vault/create.ts';
import type { Root } from '../../src/vault/manifest.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from './memory-store.ts';
import { accounts, contacts, recordingContext, writePoint } from './small-vault.ts';

/** A store in memory with a clock, and with keys that it does not delete. */
export class ClockedStore extends MemoryStore {
  now = () => new Date();
  locked: (key: string) => boolean = () => false;
  /** Is told each key before it is written or deleted. */
  beforeWrite: (key: string) => Promise<void> | void = () => {};

  override async putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    await this.beforeWrite(key);
    return super.putIfAbsent(key, body);
  }

  override async head(key: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    const found = await super.head(key, signal);
    return found && { ...found, modified: this.now() };
  }

  override async delete(key: string): Promise<boolean> {
    await this.beforeWrite(key);
    return !this.locked(key) && super.delete(key);
  }
}

/** A vault with a point of each of these days (`2026-11-20`), and the keys to it. Account's page is shared by all, Contact's is of each. */
export class AgedVault {
  readonly store: Store;
  readonly keys: { readonly identity: string; readonly writerKey: string; readonly rootFingerprint: string };
  /** Ids, oldest first. */
  readonly points: string[] = [];
  #shared: Root['objects'] = [];

  private constructor(store: Store, keys: AgedVault['keys']) {
    this.store = store;
    this.keys = keys;
  }

  static async of(store: Store, days: readonly string[]): Promise<AgedVault> {
    const { identity, recipient } = await newAgeIdentity();
    const now = new Date('2026-01-01T00:00:00Z');
    const created = await createVault(store, { recipients: [recipient], probe: {}, tool: 'test', now });
    const vault = new AgedVault(store, { ...created, identity });
    for (const day of days) await vault.add(day);
    return vault;
  }

  /** The same vault in another store, which may go its own way from here on. */
  static async continued(vault: AgedVault, store: Store): Promise<AgedVault> {
    const copy = new AgedVault(store, vault.keys);
    copy.points.push(...vault.points);
    copy.#shared = vault.#shared;
    return copy;
  }

  /** `store`: another one with the same vault in it. */
  open(keys: Keys = { identities: [this.keys.identity] }, store = this.store): Promise<Vault> {
    return Vault.open(store, { operation: 'prune', rootFingerprint: this.keys.rootFingerprint, ...keys });
  }

  /** Takes a point of that day. `parent`: it says that it builds on that one; `listing`: it lists pages of another one, and does not say so. */
  async add(day: string, more: Added = {}): Promise<string> {
    const vault = await this.open({ writerKey: this.keys.writerKey });
    const id = `${day.replaceAll('-', '')}T080000Z-${(this.points.length + 1).toString(16).padStart(6, '0')}`;
    const times = { started: `${day}T08:00:00.000Z`, ended: `${day}T08:05:00.000Z` };
    const first = this.#shared.length === 0;
    const shared = [...this.#shared, ...(more.listing ?? [])];
    const own = more.listing ? [] : [contacts(id)];
    const { root } = await writePoint(vault, id, {
      objects: first ? [accounts, ...own] : own,
      shared: new Map(shared.map((one) => [one.object, one])),
      root: (made) => ({ ...made, ...times, ...more.root }),
      ...(more.parent === undefined ? {} : { parent: more.parent }),
    });
    if (first) this.#shared = root.objects.filter(({ object }) => object === 'Account');
    this.points.push(id);
    return id;
  }
}

type Keys = { readonly adminKey?: string; readonly writerKey?: string; readonly identities?: readonly string[] };
type Added = { readonly root?: Partial<Root>; readonly parent?: string; readonly listing?: Root['objects'] };

/** A context whose clock stands at `time`. */
export function contextAt(time: string): Context {
  return { ...recordingContext(), now: () => new Date(time) };
}
