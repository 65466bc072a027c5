import { z } from 'zod';
import { isFault } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Signer } from './keyring.ts';
import { lease, pointPattern, runEntry, runPrefix, timeIn } from './layout.ts';
import { isHeld, type Lease, LeaseHolder, readLease, unreadable } from './lease.ts';
import { fitting } from './manifest.ts';
import { openBytes, sealBytes } from './sealed.ts';
import { openDocument, sha256, signDocument } from './signed.ts';
import type { Trust } from './trust.ts';

/**
 * The journal of an unfinished run and the leases of running ones, under `runs/<point>/`: they save work and API calls. Written with the
 * manifest's recipients; entries are numbered and never replaced. Each is signed by its writer, since a run that goes on signs what its
 * journal says: who can only write to the store must not be able to say it.
 */

const entrySchema = z.object({
  v: z.literal(1),
  kind: z.literal('run'),
  vault: z.string(),
  point: z.string(),
  number: z.number().int(),
  entry: z.record(z.string(), z.unknown()),
});

/** Older runs are not resumed: their windows would be too long ago. */
export const resumableHours = 72;
const dayMs = 86_400_000;

export interface RunFound {
  readonly point: string;
  /** Journal entries in order, as JSON; what cannot be read or is not signed by a writer of the vault is left out. */
  readonly entries: readonly unknown[];
  /** The highest number that an entry has, readable or not. */
  readonly numbers: number;
  /** Set when another process holds the run. */
  readonly heldBy?: Lease;
  /** What is wrong with entries that were left out. */
  readonly problems: readonly string[];
}

/** What it takes to read runs. */
export interface RunReader {
  readonly store: Store;
  readonly vault: string;
  readonly trust: Trust;
  /** Open manifests. */
  readonly identities: readonly string[];
}

/** What it takes to write one. */
export interface RunPlace {
  readonly store: Store;
  readonly vault: string;
  readonly recipients: readonly string[];
  readonly signer: Signer;
}

export class Run {
  readonly #place: RunPlace;
  readonly point: string;
  #number: number;
  readonly #lease: LeaseHolder;

  /** `numbers`: the highest number that the run's entries have so far. */
  constructor(place: RunPlace, point: string, numbers = 0) {
    this.#place = place;
    this.point = point;
    this.#number = numbers;
    const { store, recipients } = place;
    this.#lease = new LeaseHolder(store, recipients, (number, digest) => lease(point, number, digest));
  }

  /** Appends an entry; it is durable when this resolves. */
  async append(entry: object): Promise<void> {
    const { store, vault, recipients, signer } = this.#place;
    this.#number += 1;
    const number = this.#number;
    const value = { v: 1, kind: 'run', vault, point: this.point, number, entry };
    const body = await sealBytes(signDocument(signer.key, 'salvor-run-v1', value), recipients);
    await store.putIfAbsent(runEntry(this.point, number, sha256(body)), body);
  }

  /** Takes the lease and renews it until `release`. A renewal that fails is not an error: the lease then runs out. */
  hold(now: () => Date): Promise<void> {
    return this.#lease.hold(now);
  }

  release(now: () => Date): Promise<void> {
    return this.#lease.release(now);
  }
}

/** Runs of the last three days that no point record closes, newest first. `today` by the clock that names runs, where another than the host's is known. */
export async function findRuns(
  reader: RunReader,
  sealed: ReadonlySet<string>,
  now: Date,
  today = now,
): Promise<RunFound[]> {
  const oldest = today.getTime() - resumableHours * 3_600_000;
  const found: RunFound[] = [];
  // A day more: the clock by which the run was named may be ahead of this one.
  for (let days = -1; days <= Math.ceil(resumableHours / 24); days++) {
    const day = new Date(today.getTime() - days * dayMs).toISOString().slice(0, 10).replaceAll('-', '');
    const keys = new Map<string, string[]>();
    for await (const { key } of reader.store.list(`runs/${day}`)) {
      const point = key.split('/')[1] ?? '';
      if (!pointPattern.test(point) || sealed.has(point) || timeIn(point) < oldest) continue;
      keys.set(point, [...(keys.get(point) ?? []), key]);
    }
    for (const [point, names] of [...keys].sort(([a], [b]) => (a < b ? 1 : -1))) {
      found.push(await readRun(reader, point, names.sort(), now));
    }
  }
  return found;
}

/** The first entry of a run, sealed or not; undefined when there is none to be read. */
export async function firstEntry(reader: RunReader, point: string): Promise<unknown> {
  for await (const { key } of reader.store.list(`${runPrefix(point)}00001-`)) {
    const entry = await readEntry(reader, point, key);
    if (typeof entry !== 'string') return entry;
  }
  return undefined;
}

async function readRun(reader: RunReader, point: string, keys: readonly string[], now: Date): Promise<RunFound> {
  const prefix = runPrefix(point);
  const entries: unknown[] = [];
  const problems: string[] = [];
  let numbers = 0;
  for (const key of keys.filter((one) => /^\d{5}-/.test(one.slice(prefix.length)))) {
    numbers = Math.max(numbers, Number(key.slice(prefix.length, prefix.length + 5)));
    const entry = await readEntry(reader, point, key);
    if (typeof entry === 'string') problems.push(entry);
    else entries.push(entry);
  }
  const last = keys.filter((key) => key.startsWith(`${prefix}lease-`)).at(-1);
  const held = last === undefined ? undefined : await readLease(reader.store, reader.identities, last);
  return { point, entries, numbers, problems, ...(held && isHeld(held, now) ? { heldBy: held } : {}) };
}

/** The entry, or what is wrong with it. */
async function readEntry({ store, vault, trust, identities }: RunReader, point: string, key: string) {
  try {
    const document = await openBytes(key, await store.get(key), identities);
    const { value } = openDocument(key, document, 'salvor-run-v1', trust, () => ['writer']);
    const { entry, ...of } = fitting(key, value, entrySchema);
    const number = Number(key.slice(runPrefix(point).length, runPrefix(point).length + 5));
    if (of.vault !== vault || of.point !== point || of.number !== number) return `${key} is an entry of another run`;
    return entry;
  } catch (error) {
    if (isFault(error, ...unreadable)) return error.message;
    throw error;
  }
}
