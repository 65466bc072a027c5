import { hostname } from 'node:os';
import { z } from 'zod';
import { isFault, systemCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { parseStored } from './manifest.ts';
import { openBytes, sealBytes } from './sealed.ts';
import { sha256 } from './signed.ts';

const leaseSchema = z.object({
  v: z.literal(1),
  host: z.string(),
  pid: z.number().int(),
  at: z.string(),
  expires: z.string(),
  /** restores: the org that is written to. */
  org: z.string().optional(),
});
export type Lease = z.infer<typeof leaseSchema>;

const leaseSeconds = 300;

/** Says that this process is at work, until it is released or not renewed any more. Nobody's safety rests on it: it saves work. */
export class LeaseHolder {
  readonly #store: Store;
  readonly #recipients: readonly string[];
  readonly #key: (number: number, sha256: string) => string;
  readonly #org: string | undefined;
  #written = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    store: Store,
    recipients: readonly string[],
    key: (number: number, sha256: string) => string,
    org?: string,
  ) {
    this.#store = store;
    this.#recipients = recipients;
    this.#key = key;
    this.#org = org;
  }

  /** Takes the lease and renews it until `release`. A renewal that fails is not an error: the lease then runs out. */
  async hold(now: () => Date): Promise<void> {
    await this.#write(now(), leaseSeconds);
    this.#timer = setInterval(() => this.#write(now(), leaseSeconds).catch(() => undefined), (leaseSeconds * 1000) / 3);
    this.#timer.unref();
  }

  async release(now: () => Date): Promise<void> {
    clearInterval(this.#timer);
    await this.#write(now(), 0);
  }

  async #write(now: Date, seconds: number): Promise<void> {
    const expires = new Date(now.getTime() + seconds * 1000).toISOString();
    const value: Lease = { v: 1, host: hostname(), pid: process.pid, at: now.toISOString(), expires };
    const org = this.#org === undefined ? {} : { org: this.#org };
    const body = await sealBytes(Buffer.from(JSON.stringify({ ...value, ...org })), this.#recipients);
    this.#written += 1;
    // The time orders leases of work that several processes held one after the other.
    const number = now.getTime() * 1000 + this.#written;
    await this.#store.putIfAbsent(this.#key(number, sha256(body)), body);
  }
}

/** What a lease or a journal of another salvor or a damaged one may hold: work then goes on without it. */
export const unreadable = [
  'wrong-identity',
  'not-authentic',
  'segment-invalid',
  'object-missing',
  'signature-invalid',
  'newer-format',
] as const;

/** Undefined when it cannot be read: that must not stop anybody. */
export async function readLease(store: Store, identities: readonly string[], key: string): Promise<Lease | undefined> {
  try {
    return parseStored(key, await openBytes(key, await store.get(key), identities), leaseSchema);
  } catch (error) {
    if (isFault(error, ...unreadable)) return undefined;
    throw error;
  }
}

/** True when the name of a lease says that it was written too long ago to be held, so that it need not be read. */
export function isOld(key: string, now: Date): boolean {
  const number = Number(/lease-(\d+)-/.exec(key)?.[1] ?? 0);
  return now.getTime() - number / 1000 > 2 * leaseSeconds * 1000;
}

/** A lease holds until it runs out; on this host it also ends with its process, so that killed work can go on at once. */
export function isHeld(held: Lease, now: Date): boolean {
  const left = Date.parse(held.expires) - now.getTime();
  // Longer than any lease: the clock of that host is ahead, and waiting for it could take for ever.
  if (!(left > 0) || left > 2 * leaseSeconds * 1000) return false;
  if (held.host !== hostname()) return true;
  if (held.pid === process.pid) return false;
  try {
    process.kill(held.pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
