import { setTimeout as sleep } from 'node:timers/promises';
import type { SigningKey } from '../age/ssh.ts';
import { Fault, isFault } from '../errors.ts';
import { inOrder } from '../rows/in-order.ts';
import type { Store } from '../store/store.ts';
import { logRecord } from './layout.ts';
import { type LogRecord, type NewRecord, ordered, parseRecord, rolesFor } from './record.ts';
import { openDocument, sha256, signDocument } from './signed.ts';
import type { PublicKey, Trust } from './trust.ts';

/** How far behind the last number another one may stand and be part of the log: objects beyond it were put there without our counting. */
const furthest = 1000;
/** Numbers that are looked at where galloping found many: all of them are taken, or somebody laid a trail of a few. */
const looks = 16;
/** Records that are fetched at the same time: small ones, which each take a round trip. */
const inFlight = 48;

/** A number of the log that holds a record that verifies. */
export interface LogEntry {
  readonly seq: number;
  readonly key: string;
  /** SHA-256 of the whole stored record. */
  readonly digest: string;
  readonly record: LogRecord;
  readonly signer: PublicKey;
}

/** A number of the log whose object does not verify: skipped by readers, reported by `verify`. */
export interface LogProblem {
  readonly seq: number;
  readonly key: string;
  readonly fault: Fault;
}

/** Where the log ends: the last record that verifies, and the last number taken. */
export interface Head {
  readonly seq: number;
  readonly digest: string;
  readonly taken: number;
}

/**
 * The append-only list of signed records. Numbers are dense from 1; an object under a number is never replaced. A record exists
 * from the instant its PUT succeeds: that is the commit of whatever it seals.
 */
export class Log {
  readonly #store: Store;
  readonly #trust: Trust;
  readonly #vault: string;

  constructor(store: Store, trust: Trust, vault: string) {
    this.#store = store;
    this.#trust = trust;
    this.#vault = vault;
  }

  /**
   * All records in order, and what does not verify; a gap or a wrong `prev` is a problem, and nothing is thrown for it. A `prev` that passes over
   * records is right: they were damaged when it was written, and are healed. `rejected`: what was signed with a key after it was revoked. `known`: a
   * head seen before, to find the end from.
   */
  async read(
    signal?: AbortSignal,
    known?: { seq: number },
  ): Promise<{ entries: LogEntry[]; problems: LogProblem[]; rejected: LogProblem[]; head: Head }> {
    const entries: LogEntry[] = [];
    const problems: LogProblem[] = [];
    const rejected: LogProblem[] = [];
    // What a record may follow. Whoever did not know yet that a key was revoked built on what it signed.
    const followed = new Set(['']);
    const last = await this.#last(signal, known?.seq);
    const numbers = Array.from({ length: last }, (_, i) => i + 1);
    for await (const { seq, opened } of inOrder(numbers, inFlight, async (seq) => ({
      seq,
      opened: await this.#entry(seq, signal),
    }))) {
      const key = logRecord(seq);
      if (isFault(opened, 'object-missing')) {
        problems.push({
          seq,
          key,
          fault: new Fault('chain-broken', `${key} is missing though later records exist`, { data: { key } }),
        });
        continue;
      }
      if (opened instanceof Fault) {
        const digest = opened.data.rejected;
        if (typeof digest === 'string') followed.add(digest);
        (typeof digest === 'string' ? rejected : problems).push({ seq, key, fault: opened });
        continue;
      }
      if (!followed.has(opened.record.prev)) {
        problems.push({
          seq,
          key,
          fault: new Fault('chain-broken', `${key} does not follow the record before it`, { data: { key } }),
        });
      }
      entries.push(opened);
      followed.delete('');
      // A thief could fill a number that was damaged after his key was revoked: what passes over it tells.
      if (this.#trust.revoked.has(opened.signer.id)) followed.clear();
      followed.add(opened.digest);
    }
    const end = entries.at(-1);
    return { entries, problems, rejected, head: { seq: end?.seq ?? 0, digest: end?.digest ?? '', taken: last } };
  }

  /** The end of the log, read from the last number back to one that verifies. `known`: a head seen before, to start from. */
  async head(known?: { seq: number }, signal?: AbortSignal): Promise<Head> {
    const taken = await this.#last(signal, known?.seq);
    for (let seq = taken; seq > 0; seq--) {
      const opened = await this.#entry(seq, signal);
      if (!(opened instanceof Fault)) return { seq, digest: opened.digest, taken };
      if (opened.name === 'newer-format') throw opened;
    }
    return { seq: 0, digest: '', taken };
  }

  /** The record under a number, or what is wrong with it; a gap is no reason to stop either, since anybody can put an object behind one. */
  async #entry(seq: number, signal?: AbortSignal): Promise<LogEntry | Fault> {
    try {
      return this.#open(seq, await this.#store.get(logRecord(seq), signal));
    } catch (error) {
      if (isFault(error, 'object-missing')) return error;
      throw error;
    }
  }

  /**
   * Appends a record and reads it back before it resolves. Racing writers each get a number of their own. `check` is called
   * with each head before the attempt and may throw to give up. `known`: a head seen before, to start from. Throws `store-unreachable` when the outcome stays unknown.
   */
  async append(
    signer: { id: string; key: SigningKey },
    fields: NewRecord,
    check?: (head: Head) => Promise<void> | void,
    known?: { seq: number },
  ): Promise<Pick<Head, 'seq' | 'digest'>> {
    let head = await this.head(known);
    for (;;) {
      await check?.(head);
      const seq = head.taken + 1;
      const record = ordered({ ...fields, v: 1, vault: this.#vault, seq, prev: head.digest, writer: signer.id });
      const document = signDocument(signer.key, 'salvor-log-v1', record);
      if (await this.#put(logRecord(seq), document)) return { seq, digest: sha256(document) };
      head = await this.head({ seq });
    }
  }

  /** True: our bytes stand under `key`. False: somebody else's do. The answer to a PUT may be lost, so what counts is what is read. */
  async #put(key: string, document: Buffer): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#store.putIfAbsent(key, document);
      } catch (error) {
        if (!isFault(error, 'store-unreachable')) throw error;
        if (!(await this.#store.head(key))) {
          if (attempt === 4) throw error;
          await sleep(250 * 2 ** attempt);
          continue;
        }
      }
      return (await this.#store.get(key)).equals(document);
    }
  }

  #open(seq: number, document: Buffer): LogEntry | Fault {
    const key = logRecord(seq);
    try {
      const { value, signer } = openDocument(key, document, 'salvor-log-v1', this.#trust, rolesFor);
      const record = parseRecord(key, value);
      const refuse = (why: string) => new Fault('signature-invalid', `${key}: ${why}`, { data: { key } });
      if (record.seq !== seq) throw refuse(`it is record ${record.seq}, copied to another number`);
      if (record.vault !== this.#vault) throw refuse('it belongs to another vault');
      if (record.writer !== signer.id) throw refuse('it names another signer than the one who signed it');
      const revoked = this.#trust.revoked.get(signer.id);
      if (revoked && seq > revoked.to) {
        throw new Fault('signature-invalid', `${key}: it was signed with ${signer.id} after that key was revoked`, {
          data: { key, rejected: sha256(document) },
        });
      }
      return { seq, key, digest: sha256(document), record, signer };
    } catch (error) {
      if (isFault(error)) return error;
      throw error;
    }
  }

  /** The highest number taken. Gallops from a known one and halves, then checks by a LIST behind it that nothing stands beyond a gap. */
  async #last(signal?: AbortSignal, known = 0): Promise<number> {
    const there = async (seq: number) => seq === 0 || (await this.#store.head(logRecord(seq), signal)) !== undefined;
    const base = (await there(known)) ? known : 0;
    let low = base;
    let step = 1;
    while (await there(low + step)) {
      low += step;
      step *= 2;
    }
    for (let high = low + step; high - low > 1; ) {
      const middle = Math.floor((low + high) / 2);
      if (await there(middle)) low = middle;
      else high = middle;
    }
    // Forty objects, each twice as far ahead as the one before, would make a log of a trillion numbers: then each that is there is counted.
    if (low - base > furthest && !(await this.#isDense(base, low, there))) low = base;
    for await (const object of this.#store.list('log/', { after: logRecord(low), signal })) {
      const seq = Number(object.key.slice(4));
      if (Number.isSafeInteger(seq) && seq > low && seq <= low + furthest) low = seq;
    }
    return low;
  }

  /** True when numbers between two, which nobody can foretell, are all taken. */
  async #isDense(from: number, to: number, there: (seq: number) => Promise<boolean>): Promise<boolean> {
    const numbers = Array.from({ length: looks }, () => from + 1 + Math.floor(Math.random() * (to - from)));
    return (await Promise.all(numbers.map(there))).every(Boolean);
  }
}
