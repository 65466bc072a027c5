import { Fault, isFault } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { logRecord, trustFile } from '../../vault/layout.ts';
import type { LogState, Vault } from '../../vault/vault.ts';

/** A probe of the store that may not delete leaves these. */
const ofProbes = 'probe/';

/**
 * Throws `foreign-vault` unless the place is empty, or holds this very vault or a copy of it that was begun: what tells is `trust/0001`, which
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
  for await (const { key } of to.list('', { signal })) if (!key.startsWith(ofProbes)) throw foreign(key);
}

/**
 * How many records of the log the copy has. Throws `copy-ahead` when it has them all and more, and `vaults-diverged` when both have records
 * that the other has not. One record tells: each holds the digest of the one before.
 */
export async function commonRecords(vault: Vault, to: Store, state: LogState, signal: AbortSignal): Promise<number> {
  const { log, entries } = { log: vault.logOf(to), entries: state.entries };
  const { seq, digest } = await log.head(undefined, signal);
  if (seq === 0) return 0;
  if (entries.some((entry) => entry.seq === seq && entry.digest === digest)) return seq;
  const last = entries.at(-1);
  const theirs = (await log.read(signal)).entries;
  const parted = theirs.find(
    (entry) => !entries.some((ours) => ours.seq === entry.seq && ours.digest === entry.digest),
  );
  if (last && theirs.some((entry) => entry.seq === last.seq && entry.digest === last.digest))
    throw new Fault('copy-ahead', `${to.url} has ${seq - last.seq} record(s) more than ${vault.store.url}`);
  const points = theirs.filter((entry) => entry.seq >= parted!.seq && entry.record.kind === 'point');
  throw new Fault(
    'vaults-diverged',
    `${vault.store.url} and ${to.url} went different ways from ${logRecord(parted!.seq)} on; ${points.length} point(s) are in the latter alone`,
    { data: { seq: parted!.seq, points: points.map(({ record }) => record.point) } },
  );
}

export async function bytesOf(store: Store, key: string, signal: AbortSignal): Promise<Buffer | undefined> {
  try {
    return await store.get(key, signal);
  } catch (error) {
    if (isFault(error, 'object-missing')) return undefined;
    throw error;
  }
}
