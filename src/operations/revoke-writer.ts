import type { Context } from '../context.ts';
import { Fault, isFault } from '../errors.ts';
import { KeySet } from '../vault/key-set.ts';
import { runOf } from '../vault/layers.ts';
import type { LogEntry } from '../vault/log.ts';
import { reachedBy } from '../vault/reached.ts';
import type { Revoked } from '../vault/trust.ts';
import type { Vault } from '../vault/vault.ts';
import { addTrust, rotate } from './keys.ts';

export interface WriterRevoked {
  readonly id: string;
  readonly since: string;
  /** Points that stand in quarantine because of it, oldest first: those that the key signed since, and those of other writers that list anything of them. */
  readonly quarantined: readonly string[];
  /** What is written from now on is encrypted to this epoch. */
  readonly epoch: number;
}

/**
 * Takes back the trust in a writer's key that may have been stolen at `since`, needs an identity. From then on nothing that the key signs is a record; points that it
 * signed since, and points that were built on those, stand in quarantine; a new epoch begins, of which the key opens neither manifests nor indexes. What tells
 * when a record was written is the record and the store, whichever is later: a thief may write any time into a record. Cut short, it can be done again, and goes on; an
 * earlier `since` widens it.
 * Throws `usage` for an id that is no writer's and for a copy, `lease-held` when somebody else is changing the keys.
 */
export async function revokeWriter(
  ctx: Context,
  vault: Vault,
  id: string,
  since: Date,
  tool: string,
): Promise<WriterRevoked> {
  if (!vault.trust.writers.some((key) => key.id === id)) {
    const known = vault.trust.writers.map((key) => key.id).join(', ');
    throw new Fault('usage', `${id} is no writer of this vault`, { actions: [`name one of ${known}`] });
  }
  if (since.getTime() > ctx.now().getTime()) throw new Fault('usage', '--since lies in the future');
  const { root, admin } = await vault.keyring.adminKeys((await vault.state()).epochs);
  const known = vault.trust.revoked.get(id);
  if (!known || since.getTime() < Date.parse(known.since)) {
    const revoked = [await revocation(vault, id, since, known)];
    await addTrust(ctx, vault, root, { keys: [], recipients: vault.trust.recipients, revoked });
  }
  const revoked = vault.trust.revoked.get(id)!;
  const { entries, quarantined, epochs } = await vault.state(true);
  const points = await tainted(ctx, vault, entries, revoked);
  const fresh = points.filter((point) => !quarantined.has(point));
  if (fresh.length > 0) {
    const at = ctx.now().toISOString();
    const { epoch } = await vault.epoch();
    const signer = { id: vault.trust.keyOf(admin.publicKey)!.id, key: admin };
    await vault.log.append(signer, { kind: 'quarantine', points: fresh, epoch, started: at, ended: at, tool });
  }
  // One that began before the key was revoked may have been begun by nobody but an admin, and is open to the thief all the same.
  const begun = epochs.some(({ seq }) => seq > revoked.to);
  const epoch = begun ? (await vault.epoch()).epoch : (await rotate(ctx, vault, vault.trust.recipients, tool)).epoch;
  return { id, since: revoked.since, quarantined: points, epoch };
}

/** What `trust/` is to say of the key, by the log as it is now. */
async function revocation(vault: Vault, id: string, since: Date, known: Revoked | undefined): Promise<Revoked> {
  const { entries, head } = await vault.state(true);
  const stored = new Map<string, Date>();
  for await (const { key, modified } of vault.store.list('log/')) stored.set(key, modified);
  refuseCopyingDates(entries, stored, since);
  const isSince = (time: Date | string | undefined) =>
    time !== undefined && new Date(time).getTime() >= since.getTime();
  const first = entries.find(
    ({ key, record, signer }) =>
      signer.id === id && (isSince(record.started) || isSince(record.ended) || isSince(stored.get(key))),
  );
  const to = known?.to ?? head.taken;
  return { id, since: since.toISOString(), from: first?.seq ?? to + 1, to };
}

/**
 * Throws `usage` where the store dates even the vault's first record at `since` or later and that record says to be older: what was copied is dated by the copying, which would put all that
 * the key ever signed in quarantine.
 */
function refuseCopyingDates(entries: readonly LogEntry[], stored: ReadonlyMap<string, Date>, since: Date): void {
  const [first] = entries;
  const dated = first && stored.get(first.key);
  if (!dated || Date.parse(first.record.ended) >= since.getTime() || dated.getTime() < since.getTime()) return;
  throw new Fault(
    'usage',
    `the store dates every record at ${since.toISOString()} or later: it tells when they were copied here, and not when they were written`,
    {
      actions: [
        'revoke in the vault that this is a copy of, and copy then',
        `where that is lost: name the time of the copying or a later one by --since, ${dated.toISOString()} or after it, if nothing was forged before`,
        `or trust nothing that the key ever signed: name a time before ${first.record.started}`,
      ],
    },
  );
}

/** Points that are not to be trusted, oldest first. A point that was let go is passed over. */
async function tainted(
  ctx: Context,
  vault: Vault,
  entries: readonly LogEntry[],
  { id, from }: Revoked,
): Promise<string[]> {
  const points = entries.filter(({ record }) => record.kind === 'point');
  const suspects = points.filter(({ seq }) => seq >= from);
  if (!suspects.some(({ signer }) => signer.id === id)) return [];
  const clean = new KeySet();
  const walked = new KeySet();
  for (const entry of points) {
    if (entry.seq < from) for (const key of await keysOf(ctx, vault, entry, walked)) clean.add(key);
  }
  const found = new Set<string>();
  const foul = new KeySet();
  for (const entry of suspects) {
    const keys = await keysOf(ctx, vault, entry, new KeySet());
    const mine = keys.filter((key) => !clean.has(key));
    const isFoul = entry.signer.id === id || mine.some((key) => foul.has(key) || found.has(runOf(key)));
    if (isFoul) found.add(entry.record.point!);
    for (const key of mine) (isFoul ? foul : clean).add(key);
  }
  return points.flatMap(({ record }) => (found.has(record.point!) ? [record.point!] : []));
}

async function keysOf(ctx: Context, vault: Vault, entry: LogEntry, walked: KeySet): Promise<string[]> {
  const keys: string[] = [];
  try {
    for await (const { key } of reachedBy(vault, entry, walked, ctx.signal)) keys.push(key);
  } catch (error) {
    // What is missing or damaged was let go, or `verify` tells of it.
    if (!isFault(error) || error.exit !== 4) throw error;
  }
  return keys;
}
