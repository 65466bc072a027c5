import { createHash } from 'node:crypto';
import { Fault, isFault } from '../../errors.ts';
import { digestIn } from '../../vault/layout.ts';
import type { Ref } from '../../vault/record.ts';
import type { Vault } from '../../vault/vault.ts';
import type { VerifyRequest } from './request.ts';

/** Objects that are read at the same time; none is larger than about 32 MiB. */
export const parallelReads = 3;

/** What a backup host need not read and its policy keeps from it (examples/s3-writer-policy.json). */
const withheldFolders = /^(keys|data|detail|files|restores|access)\//;

/** Reads stored objects, holds each against the digest that leads to it, and remembers the outcome. */
export class StoredObjects {
  readonly vault: Vault;
  readonly signal: AbortSignal;
  readonly #sample: { readonly part: number; readonly of: number } | undefined;
  readonly #tolerant: boolean;
  readonly #outcomes = new Map<string, Fault | 'whole'>();
  /** Folder -> how the store refused it. */
  readonly #withheld = new Map<string, Fault>();

  constructor(vault: Vault, signal: AbortSignal, { sample, noIdentity }: Pick<VerifyRequest, 'sample' | 'noIdentity'>) {
    this.vault = vault;
    this.signal = signal;
    this.#sample = sample;
    this.#tolerant = noIdentity;
  }

  /** True for an object in a folder that the store keeps from a host without an identity: it is not read, which is no problem. */
  withheld(key: string): boolean {
    return this.#withheld.has(folderOf(key));
  }

  /** The bytes under `key`, whatever they are. A folder of which one object was `withheld` is not asked for another. */
  async bytes(key: string): Promise<Buffer> {
    return this.#unlessWithheld(key, () => this.vault.store.get(key, this.signal));
  }

  /** Throws `object-missing`, `size-mismatch`, `digest-mismatch`: without reading again when the object was found damaged before. */
  async read(ref: Ref): Promise<Buffer> {
    this.signal.throwIfAborted();
    const known = this.#outcomes.get(nameOf(ref));
    if (known instanceof Fault) throw known;
    try {
      if ((digestIn(ref.key) ?? ref.sha256) !== ref.sha256) {
        throw new Fault('digest-mismatch', `${ref.key} is listed with another digest than its name says`, {
          data: { key: ref.key },
        });
      }
      const stored = await this.#unlessWithheld(ref.key, () => this.vault.read(ref, this.signal));
      this.#outcomes.set(nameOf(ref), 'whole');
      return stored;
    } catch (error) {
      if (isFault(error, 'object-missing', 'size-mismatch', 'digest-mismatch')) this.#outcomes.set(nameOf(ref), error);
      throw error;
    }
  }

  async #unlessWithheld(key: string, read: () => Promise<Buffer>): Promise<Buffer> {
    const known = this.#withheld.get(folderOf(key));
    if (known) throw known;
    try {
      return await read();
    } catch (error) {
      if (this.#tolerant && withheldFolders.test(key) && isFault(error, 'store-denied'))
        this.#withheld.set(folderOf(key), error);
      throw error;
    }
  }

  /** What reading the object came to; undefined when it was not read. */
  outcome(ref: Ref): Fault | 'whole' | undefined {
    return this.#outcomes.get(nameOf(ref));
  }

  /** True for an object of the part that is to be read: the same ones each time. The parts of a large file stay together. */
  sampled(key: string): boolean {
    if (!this.#sample) return true;
    const whole = key.replace(/\.age\.\d{3,}-[0-9a-f]{64}$/, '');
    return createHash('sha256').update(whole).digest().readUInt32BE(0) % this.#sample.of === this.#sample.part - 1;
  }
}

function folderOf(key: string): string {
  return key.slice(0, key.indexOf('/') + 1);
}

function nameOf({ key, sha256 }: Ref): string {
  return `${sha256} ${key}`;
}
