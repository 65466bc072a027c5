import { hostname } from 'node:os';
import { z } from 'zod';
import { systemCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { lease, pointPattern, runEntry, runPrefix } from './layout.ts';
import { parseStored } from './manifest.ts';
import { openBytes, sealBytes } from './sealed.ts';
import { sha256 } from './signed.ts';

/**
 * The journal of an unfinished run and the leases of running ones, under `runs/<point>/`. A courtesy: it saves work and API calls, and
 * no point's safety rests on it. Written with the manifest's recipients; entries are numbered and never replaced.
 */

const leaseSchema = z.object({
  v: z.literal(1),
  host: z.string(),
  pid: z.number().int(),
  at: z.string(),
  expires: z.string(),
});
type Lease = z.infer<typeof leaseSchema>;

const leaseSeconds = 300;
/** Older runs are not resumed: their windows would be too long ago. */
const resumableHours = 72;

export interface RunFound {
  readonly point: string;
  /** Journal entries in order, as JSON. */
  readonly entries: readonly unknown[];
  /** Set when another process holds the run. */
  readonly heldBy?: Lease;
}

export class Run {
  readonly #store: Store;
  readonly #recipients: readonly string[];
  readonly point: string;
  #number: number;
  #leases = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Store, recipients: readonly string[], point: string, entries = 0) {
    this.#store = store;
    this.#recipients = recipients;
    this.point = point;
    this.#number = entries;
  }

  /** Appends an entry; it is durable when this resolves. */
  async append(entry: object): Promise<void> {
    const body = await sealBytes(Buffer.from(JSON.stringify(entry)), this.#recipients);
    this.#number += 1;
    await this.#store.putIfAbsent(runEntry(this.point, this.#number, sha256(body)), body);
  }

  /** Takes the lease and renews it until `release`. A renewal that fails is not an error: the lease then runs out. */
  async hold(now: () => Date): Promise<void> {
    await this.#lease(now(), leaseSeconds);
    this.#timer = setInterval(() => this.#lease(now(), leaseSeconds).catch(() => undefined), (leaseSeconds * 1000) / 3);
    this.#timer.unref();
  }

  async release(now: () => Date): Promise<void> {
    clearInterval(this.#timer);
    await this.#lease(now(), 0);
  }

  async #lease(now: Date, seconds: number): Promise<void> {
    const expires = new Date(now.getTime() + seconds * 1000).toISOString();
    const value: Lease = { v: 1, host: hostname(), pid: process.pid, at: now.toISOString(), expires };
    const body = await sealBytes(Buffer.from(JSON.stringify(value)), this.#recipients);
    this.#leases += 1;
    // The time orders leases of a run that several processes held one after the other.
    const number = Math.floor(now.getTime() / 1000) * 1000 + this.#leases;
    await this.#store.putIfAbsent(lease(this.point, number, sha256(body)), body);
  }
}

/** Runs of the last three days that no point record closes, newest first. What cannot be read is left out. */
export async function findRuns(
  store: Store,
  identities: readonly string[],
  sealed: ReadonlySet<string>,
  now: Date,
): Promise<RunFound[]> {
  const found: RunFound[] = [];
  for (let days = 0; days <= resumableHours / 24; days++) {
    const day = new Date(now.getTime() - days * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
    const keys = new Map<string, { key: string; size: number }[]>();
    for await (const object of store.list(`runs/${day}`)) {
      const point = object.key.split('/')[1] ?? '';
      if (!pointPattern.test(point) || sealed.has(point)) continue;
      keys.set(point, [...(keys.get(point) ?? []), object]);
    }
    for (const [point, objects] of [...keys].sort(([a], [b]) => (a < b ? 1 : -1))) {
      found.push(await readRun(store, identities, point, objects.map(({ key }) => key).sort(), now));
    }
  }
  return found;
}

async function readRun(
  store: Store,
  identities: readonly string[],
  point: string,
  keys: string[],
  now: Date,
): Promise<RunFound> {
  const prefix = runPrefix(point);
  const names = keys.map((key) => key.slice(prefix.length));
  const lastLease = names.filter((name) => name.startsWith('lease-')).at(-1);
  const entries: unknown[] = [];
  for (const name of names.filter((one) => /^\d{5}-/.test(one))) {
    entries.push(
      JSON.parse((await openBytes(prefix + name, await store.get(prefix + name), identities)).toString('utf8')),
    );
  }
  if (!lastLease) return { point, entries };
  const key = prefix + lastLease;
  const held = parseStored(key, await openBytes(key, await store.get(key), identities), leaseSchema);
  return { point, entries, ...(isHeld(held, now) ? { heldBy: held } : {}) };
}

/** A lease holds until it runs out; on this host it also ends with its process, so that a killed run can go on at once. */
function isHeld(held: Lease, now: Date): boolean {
  if (new Date(held.expires) <= now) return false;
  if (held.host !== hostname()) return true;
  if (held.pid === process.pid) return false;
  try {
    process.kill(held.pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
