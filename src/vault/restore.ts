import { Fault } from '../errors.ts';
import { mintRestore, restoreEntry, restoreLease, restorePart, restoreRefs } from './layout.ts';
import { isHeld, isOld, LeaseHolder, readLease } from './lease.ts';
import { putOwn } from './put-own.ts';
import type { Ref } from './record.ts';
import { writeRefs } from './refs.ts';
import {
  type Beginning,
  distinct,
  type Ending,
  type JournalEntry,
  keysByRestore,
  type RestorePlace,
  type RestoreRead,
  readEntry,
  type StoredTable,
} from './restores.ts';
import { sealBytes } from './sealed.ts';
import { sha256, signDocument } from './signed.ts';

/** The journal of a restore at work. Every entry is durable when `append` resolves. */
export class Restore {
  readonly #place: RestorePlace;
  readonly #lease: LeaseHolder;
  readonly restore: string;
  readonly beginning: Beginning;
  readonly #refs: Ref[];
  #entries: number;
  #parts: number;

  private constructor(place: RestorePlace, restore: string, beginning: Beginning, read?: RestoreRead) {
    const { store, recipient } = place;
    this.#place = place;
    this.restore = restore;
    this.beginning = beginning;
    const key = (number: number, digest: string) => restoreLease(restore, number, digest);
    this.#lease = new LeaseHolder(store, [recipient], key, beginning.org);
    this.#refs = [...(read?.refs ?? [])];
    this.#entries = read?.entryNumbers ?? 0;
    this.#parts = read?.partNumbers ?? 0;
  }

  /**
   * Takes the lease of the org, stores the plan (its lines), begins the journal and appends the signed record. When this resolves, the org
   * may be written to. `assertCurrent` is asked when nobody else can begin any more, and before anything is stored. Throws what that throws, and
   * `lease-held` when another restore into the same org is at work.
   */
  static async begin(
    place: RestorePlace,
    beginning: Omit<Beginning, 'type' | 'epoch' | 'started'>,
    plan: AsyncIterable<Buffer>,
    now: () => Date,
    random: Buffer,
    assertCurrent: () => Promise<void> = async () => {},
  ): Promise<Restore> {
    const started = now();
    const full: Beginning = { type: 'begin', ...beginning, epoch: place.epoch, started: started.toISOString() };
    const restore = new Restore(place, mintRestore(started, random), full);
    await restore.#hold(now);
    try {
      await assertCurrent();
    } catch (error) {
      await restore.release(now);
      throw error;
    }
    const parts: Ref[] = [];
    for await (const lines of plan) parts.push(await restore.putPart(lines));
    await restore.append(full, [{ name: 'plan', rows: 0, parts }]);
    await restore.#record(started);
    return restore;
  }

  /** Goes on with a restore that was interrupted. Throws `lease-held`. */
  static async goOn(place: RestorePlace, read: RestoreRead, now: () => Date): Promise<Restore> {
    const restore = new Restore(place, read.restore, read.beginning, read);
    await restore.#hold(now);
    const known = place.log && (await place.log.read()).entries.some(({ record }) => record.restore === read.restore);
    if (!known) await restore.#record(now());
    return restore;
  }

  /** Appends an entry. Throws `lease-held` when another process goes on with the same restore. */
  async append(entry: JournalEntry['entry'], tables: readonly StoredTable[] = []): Promise<void> {
    const { store, vault, recipient, signer } = this.#place;
    for (let attempt = 1; ; attempt++) {
      const number = this.#entries + 1;
      const value = { v: 1, kind: 'restore', vault, restore: this.restore, number, entry, tables };
      const body = await sealBytes(signDocument(signer.key, 'salvor-restore-v1', value), [recipient]);
      const key = restoreEntry(this.restore, number);
      this.#entries = number;
      if (await putOwn(store, key, body)) {
        this.#refs.push({ key, size: body.length, sha256: sha256(body) });
        return;
      }
      // What nobody of the vault signed is in the way and nothing else.
      const there = await readEntry(this.#place, this.restore, key, number);
      if (typeof there !== 'string' || attempt === 100) {
        throw new Fault('lease-held', `another process goes on with restore ${this.restore}`);
      }
    }
  }

  /** Stores bytes that an entry will refer to. */
  async putPart(bytes: Uint8Array): Promise<Ref> {
    const body = await sealBytes(bytes, [this.#place.recipient]);
    const digest = sha256(body);
    const ref = { key: restorePart(this.restore, ++this.#parts, digest), size: body.length, sha256: digest };
    await this.#place.store.putIfAbsent(ref.key, body);
    this.#refs.push(ref);
    return ref;
  }

  /** The last entry, the record that reaches everything, and the lease let go. */
  async end(ending: Omit<Ending, 'type' | 'ended'>, tables: readonly StoredTable[], now: () => Date): Promise<void> {
    await this.append({ type: 'end', ended: now().toISOString(), ...ending } satisfies Ending, tables);
    await this.#record(now());
    await this.release(now);
  }

  /** Lets go of the org without an end: the restore counts as interrupted. */
  release(now: () => Date): Promise<void> {
    return this.#lease.release(now);
  }

  /** Whoever sees another one at work makes way, so that of two that begin at once none or one goes on. */
  async #hold(now: () => Date): Promise<void> {
    await this.#lease.hold(now);
    const { store, identities } = this.#place;
    for (const [restore, { lease }] of await keysByRestore(store)) {
      if (restore === this.restore || lease === undefined || isOld(lease, now())) continue;
      const held = await readLease(store, identities, lease);
      if (held?.org !== this.beginning.org || !isHeld(held, now())) continue;
      await this.release(now);
      throw new Fault(
        'lease-held',
        `another restore (${restore}, on ${held.host}) writes to this org since ${held.at}`,
        {
          data: { restore, expires: held.expires },
        },
      );
    }
  }

  async #record(ended: Date): Promise<void> {
    const { store, log, signer, epoch } = this.#place;
    if (!log) return;
    const body = await writeRefs(distinct(this.#refs));
    const refs = { key: restoreRefs(this.restore, sha256(body)), size: body.length, sha256: sha256(body) };
    await store.putIfAbsent(refs.key, body);
    const { started, tool } = this.beginning;
    const times = { started, ended: ended.toISOString() };
    await log.append(signer, { kind: 'restore', restore: this.restore, refs, epoch, ...times, tool });
  }
}
