import { Fault } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { watchLease, watchPrefix } from './layout.ts';
import { isHeld, isOld, type Lease, LeaseHolder, readLease } from './lease.ts';
import { sha256 } from './signed.ts';
import type { Vault } from './vault.ts';

/**
 * Says that a watch is at work on this vault, between its points too, until `release` or until it is not renewed any more. Throws
 * `lease-held` (with `data.watch`) when another one is; of two that start together the later one makes way.
 */
export async function holdWatch(vault: Vault, now: () => Date): Promise<{ release(): Promise<void> }> {
  const { store } = vault;
  const identities = await vault.manifestIdentities();
  await assertAlone(store, identities, now());
  const { recipient } = await vault.epoch();
  let first: string | undefined;
  const holder = new LeaseHolder(store, [recipient, ...vault.writerRecipients], (number, digest) => {
    const key = watchLease(number, digest);
    first ??= key;
    return key;
  });
  await holder.hold(now);
  try {
    await assertAlone(store, identities, now(), first);
  } catch (error) {
    await holder.release(now).catch(() => undefined);
    throw error;
  }
  return { release: () => holder.release(now) };
}

/** `before`: only leases that were taken before this one count. */
async function assertAlone(store: Store, identities: readonly string[], now: Date, before?: string): Promise<void> {
  const newest = new Map<string, { lease: Lease; first: string }>();
  for await (const { key } of store.list(watchPrefix, { after: oldest(now) })) {
    if (isOld(key, now)) continue;
    const lease = await readLease(store, identities, key);
    if (!lease) continue;
    const process = `${lease.host} ${lease.pid}`;
    newest.set(process, { lease, first: newest.get(process)?.first ?? key });
  }
  for (const { lease, first } of newest.values()) {
    if (!isHeld(lease, now) || (before !== undefined && first > before)) continue;
    throw new Fault(
      'lease-held',
      `a watch (on ${lease.host}) takes points of this vault already, seen at ${lease.at}`,
      {
        actions: ['leave it to the other one, or stop that first'],
        data: { watch: true, expires: lease.expires },
      },
    );
  }
}

/** Behind this key stand the leases that may be held: their names begin with the time. */
function oldest(now: Date): string {
  return watchLease((now.getTime() - 3_600_000) * 1000, sha256(Buffer.alloc(0)));
}
