import { z } from 'zod';
import { Fault, isFault } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Signer } from './keyring.ts';
import { restoreFolder, restorePattern, restorePrefix } from './layout.ts';
import { isHeld, isOld, type Lease, readLease, unreadable } from './lease.ts';
import type { Log } from './log.ts';
import { fitting, listOf } from './manifest.ts';
import { type Ref, refSchema } from './record.ts';
import { openBytes } from './sealed.ts';
import { openDocument, sha256 } from './signed.ts';
import type { Trust } from './trust.ts';
import type { Vault } from './vault.ts';

/**
 * What a restore leaves in the vault, under `restores/<restore>/`: its plan, a journal of numbered entries, and tables: before-images, Ids,
 * failed rows. Entries are signed, since a restore that goes on, an undo and later plans believe them; tables and the plan are held by the
 * digests in entries. All of it is encrypted to the epoch alone.
 */

/** A table in the CSV dialect, or the lines of a plan: in the entry itself when it is small, else in parts. */
const tableSchema = z.object({
  name: z.string(),
  object: z.string().optional(),
  rows: z.number().int(),
  parts: listOf(refSchema),
  text: z.string().optional(),
});
export type StoredTable = z.infer<typeof tableSchema>;

const beginningSchema = z.object({
  type: z.literal('begin'),
  /** 18 characters, of the org that is written to. */
  org: z.string(),
  point: z.string(),
  planDigest: z.string(),
  epoch: z.number().int(),
  started: z.string(),
  tool: z.string(),
  /** The restore that this one undoes. */
  undoes: z.string().optional(),
});
export type Beginning = z.infer<typeof beginningSchema>;

const endingSchema = z.object({
  type: z.literal('end'),
  ended: z.string(),
  /** False: rows failed or were kept as conflicts. */
  whole: z.boolean(),
  /** Object -> action -> rows. */
  done: z.record(z.string(), z.record(z.string(), z.number())),
});
export type Ending = z.infer<typeof endingSchema>;

const documentSchema = z.object({
  v: z.literal(1),
  kind: z.literal('restore'),
  vault: z.string(),
  restore: z.string(),
  number: z.number().int(),
  entry: z.looseObject({ type: z.string() }),
  tables: listOf(tableSchema),
});

export interface JournalEntry {
  readonly number: number;
  readonly entry: { readonly type: string; readonly [key: string]: unknown };
  readonly tables: readonly StoredTable[];
}

/** Where restores lie, who reads them and who signs them. */
export interface RestorePlace {
  readonly store: Store;
  readonly vault: string;
  readonly trust: Trust;
  readonly epoch: number;
  readonly recipient: string;
  readonly identities: readonly string[];
  readonly signer: Signer;
  /** Absent when the vault is read-only and the journal lies elsewhere. */
  readonly log?: Log;
  /** The vault, when the journal lies elsewhere. */
  readonly vaultStore?: Store;
}

/** The place itself, and the vault where the journal lies elsewhere: everywhere that restores are known to be. */
export function placesOf(place: RestorePlace): RestorePlace[] {
  const { vaultStore, ...own } = place;
  return [own, ...(vaultStore ? [{ ...own, store: vaultStore }] : [])];
}

/**
 * `journalTo`: keeps the same objects there instead, for a vault that is read-only; no log record is written then.
 * Throws `no-identity`, `wrong-identity`, `no-writer-key`.
 */
export async function restorePlace(vault: Vault, journalTo?: Store): Promise<RestorePlace> {
  const { epochs } = await vault.state();
  const signer = await vault.keyring.anySigner(epochs);
  if (!signer) throw new Fault('no-writer-key', 'a restore signs its journal, and there is no key to sign with');
  return {
    store: journalTo ?? vault.store,
    vault: vault.info.vault,
    trust: vault.trust,
    ...(await vault.epoch()),
    identities: await vault.rowIdentities(),
    signer,
    ...(journalTo ? { vaultStore: vault.store } : { log: vault.log }),
  };
}

export type RestoreState = 'running' | 'ended' | 'interrupted';

export interface RestoreFound {
  readonly restore: string;
  readonly state: RestoreState;
  readonly beginning: Beginning;
  readonly ending?: Ending;
  /** Tables of the last entry when it is the end. */
  readonly endTables: readonly StoredTable[];
  readonly heldBy?: Lease;
}

export interface RestoreRead extends RestoreFound {
  /** In order; those that are not signed by the vault's keys are left out. */
  readonly entries: readonly JournalEntry[];
  /** What is wrong with entries that were left out. */
  readonly problems: readonly string[];
  /** Everything that the journal consists of. */
  readonly refs: readonly Ref[];
  /** The highest number that an entry or a part has, readable or not. */
  readonly entryNumbers: number;
  readonly partNumbers: number;
}

/** What a restore has in the store. */
export interface Keys {
  /** Ascending. */
  readonly entries: { key: string; number: number }[];
  /** The highest number of a part. */
  parts: number;
  /** The newest. */
  lease?: string;
}

/** All restores that begun, newest first. Restores whose beginning cannot be read are left out. */
export async function findRestores(place: RestorePlace, now: Date): Promise<RestoreFound[]> {
  const found: RestoreFound[] = [];
  const all = [...(await keysByRestore(place.store))].sort(([a], [b]) => (a < b ? 1 : -1));
  for (const [restore, keys] of all) {
    const one = await summary(place, restore, keys, now);
    if (one) found.push(one);
  }
  return found;
}

/**
 * Tables (`Object`, `Id`, `Target`) of what a restore made under another Id, in order: later lines win. Of one that has ended they are one; of
 * one that was interrupted its whole journal is read.
 */
export async function idTables(place: RestorePlace, found: RestoreFound, now: Date): Promise<StoredTable[]> {
  const { entries } = found.state === 'ended' ? { entries: [] } : await readRestore(place, found.restore, now);
  return [...entries.flatMap(({ tables }) => tables), ...found.endTables].filter(({ name }) => name === 'ids');
}

/** The whole journal of one restore. Throws `no-such-restore`, and `journal-damaged` when entries between others are gone. */
export async function readRestore(place: RestorePlace, restore: string, now: Date): Promise<RestoreRead> {
  const keys = (await keysByRestore(place.store, restorePrefix(restore))).get(restore);
  const found = keys && (await summary(place, restore, keys, now));
  if (!keys || !found) throw new Fault('no-such-restore', `there is no restore ${restore} in ${place.store.url}`);
  const entries: JournalEntry[] = [];
  const problems: string[] = [];
  const refs: Ref[] = [];
  for (const [at, { key, number }] of keys.entries.entries()) {
    if (number !== at + 1) {
      throw new Fault('journal-damaged', `entry ${at + 1} of the journal of ${restore} is gone`, { data: { restore } });
    }
    const read = await readEntry(place, restore, key, number);
    if (typeof read === 'string') problems.push(read);
    else {
      entries.push(read.entry);
      refs.push(read.ref);
      // One by one: a call takes some hundred thousand arguments, and a table may have more parts.
      for (const { parts } of read.entry.tables) for (const part of parts) refs.push(part);
    }
  }
  const [entryNumbers, partNumbers] = [keys.entries.length, keys.parts];
  return { ...found, entries, problems, refs: distinct(refs), entryNumbers, partNumbers };
}

/** The rows of a table, header line left out, from parts whose digests hold. */
export async function* readTable(place: RestorePlace, { parts, text }: StoredTable): AsyncGenerator<Buffer> {
  if (text !== undefined) yield Buffer.from(text);
  for (const ref of parts) {
    const stored = await place.store.get(ref.key);
    if (sha256(stored) !== ref.sha256) {
      throw new Fault('digest-mismatch', `${ref.key} does not have the digest it was written with`, {
        data: { key: ref.key },
      });
    }
    yield await openBytes(ref.key, stored, place.identities);
  }
}

/** Names of objects by restore, of those under `prefix`. */
export async function keysByRestore(store: Store, prefix = restoreFolder): Promise<Map<string, Keys>> {
  const found = new Map<string, Keys>();
  for await (const { key } of store.list(prefix)) {
    const [, restore = '', name = ''] = key.split('/');
    if (!restorePattern.test(restore)) continue;
    const keys: Keys = found.get(restore) ?? { entries: [], parts: 0 };
    found.set(restore, keys);
    const entry = /^(\d{6,})\.zst\.age$/.exec(name)?.[1];
    const part = /^part-(\d{6,})-/.exec(name)?.[1];
    if (entry) keys.entries.push({ key, number: Number(entry) });
    else if (part) keys.parts = Math.max(keys.parts, Number(part));
    else if (name.startsWith('lease-')) keys.lease = key;
  }
  for (const { entries } of found.values()) entries.sort((a, b) => a.number - b.number);
  return found;
}

/** What is switched back when everything is done may be noted behind the end. */
const entriesBehindEnd = 2;

/** Reads the first and the last entries only. */
async function summary(place: RestorePlace, restore: string, keys: Keys, now: Date): Promise<RestoreFound | undefined> {
  const [first, last] = [keys.entries[0], keys.entries.at(-1)];
  if (!first || !last) return undefined;
  const begun = await readEntry(place, restore, first.key, first.number);
  if (typeof begun === 'string') return undefined;
  const beginning = beginningSchema.safeParse(begun.entry.entry).data;
  if (!beginning) return undefined;
  const end = await endOf(place, restore, keys);
  const ending = endingSchema.safeParse(end?.entry).data;
  const lease = keys.lease !== undefined && !isOld(keys.lease, now) ? keys.lease : undefined;
  const held = lease === undefined ? undefined : await readLease(place.store, place.identities, lease);
  const heldBy = held && isHeld(held, now) ? held : undefined;
  return {
    restore,
    beginning,
    endTables: ending ? end!.tables : [],
    state: ending ? 'ended' : heldBy ? 'running' : 'interrupted',
    ...(ending ? { ending } : {}),
    ...(heldBy && !ending ? { heldBy } : {}),
  };
}

/** The end of the journal, where it has one: nothing that happens to rows comes behind it. */
async function endOf(place: RestorePlace, restore: string, keys: Keys): Promise<JournalEntry | undefined> {
  let looked = 0;
  for (const { key, number } of keys.entries.toReversed()) {
    const read = await readEntry(place, restore, key, number);
    if (typeof read === 'string') continue;
    if (read.entry.entry.type === 'end') return read.entry;
    if (++looked === entriesBehindEnd) return undefined;
  }
  return undefined;
}

/** The entry and what it takes to refer to it, or what is wrong with it. */
export async function readEntry(
  { store, vault, trust, identities }: RestorePlace,
  restore: string,
  key: string,
  number: number,
): Promise<{ entry: JournalEntry; ref: Ref } | string> {
  try {
    const stored = await store.get(key);
    const document = await openBytes(key, stored, identities);
    const { value } = openDocument(key, document, 'salvor-restore-v1', trust, () => ['writer', 'admin']);
    const { entry, tables, ...of } = fitting(key, value, documentSchema);
    if (of.vault !== vault || of.restore !== restore || of.number !== number)
      return `${key} is an entry of another restore`;
    return { entry: { number, entry, tables }, ref: { key, size: stored.length, sha256: sha256(stored) } };
  } catch (error) {
    if (isFault(error, ...unreadable)) return error.message;
    throw error;
  }
}

/** Each object once. */
export function distinct(refs: readonly Ref[]): Ref[] {
  return [...new Map(refs.map((ref) => [ref.key, ref])).values()];
}
