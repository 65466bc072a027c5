import { checkIdentity } from '../age/header.ts';
import { parseAdminKey, parseSigningKey, parseWriterKey, type WriterKey } from '../age/keys.ts';
import type { SigningKey } from '../age/ssh.ts';
import { Fault, isFault } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { LogEntry } from './log.ts';
import { openAge } from './sealed.ts';
import { sha256 } from './signed.ts';
import type { Trust } from './trust.ts';

/** Keys as text, as they came from a flag, the environment, a file or the keychain. */
export interface KeyTexts {
  /** `AGE-SECRET-KEY-1…` */
  readonly identities?: readonly string[];
  readonly writerKey?: string;
  readonly adminKey?: string;
}

export interface Signer {
  readonly id: string;
  readonly key: SigningKey;
}

export interface AdminKeys {
  readonly root: SigningKey;
  readonly admin: SigningKey;
  /** Keyed-hash key of the org id; 32 bytes. */
  readonly orgKey: Buffer;
}

/** What is at hand, and what it opens. Nothing is unwrapped before it is asked for. */
export class Keyring {
  readonly #store: Store;
  readonly #trust: Trust;
  readonly identities: readonly string[];
  readonly writer: WriterKey | undefined;
  readonly #admin: ReturnType<typeof parseAdminKey> | undefined;
  readonly #epochs = new Map<number, string>();

  private constructor(
    store: Store,
    trust: Trust,
    identities: readonly string[],
    writer?: WriterKey,
    admin?: ReturnType<typeof parseAdminKey>,
  ) {
    this.#store = store;
    this.#trust = trust;
    this.identities = identities;
    this.writer = writer;
    this.#admin = admin;
  }

  /** Throws `key-invalid` for a text that is no key of its kind. */
  static async of(store: Store, trust: Trust, keys: KeyTexts): Promise<Keyring> {
    for (const identity of keys.identities ?? []) checkIdentity(identity);
    const writer = keys.writerKey === undefined ? undefined : parseWriterKey(keys.writerKey);
    const admin = keys.adminKey === undefined ? undefined : parseAdminKey(keys.adminKey);
    return new Keyring(store, trust, keys.identities ?? [], writer, admin);
  }

  get hasIdentity(): boolean {
    return this.identities.length > 0;
  }

  /** Who signs points here. Throws `no-writer-key`, or `wrong-writer-key` when the vault does not know it. */
  writerSigner(): Signer {
    if (!this.writer) throw new Fault('no-writer-key', 'there is no writer key: nothing can be written to the vault');
    const known = this.#trust.keyOf(this.writer.signing.publicKey);
    if (known?.role !== 'writer')
      throw new Fault('wrong-writer-key', 'the writer key is not one that this vault trusts');
    const revoked = this.#trust.revoked.get(known.id);
    if (revoked) {
      throw new Fault(
        'wrong-writer-key',
        `the writer key ${known.id} was revoked: it may be stolen since ${revoked.since}`,
        {
          actions: ['make another one: `salvor keys add --writer`, with an identity'],
        },
      );
    }
    return { id: known.id, key: this.writer.signing };
  }

  /** Signs as writer when its key is at hand, else as admin when an identity unwraps it; undefined when neither is. */
  async anySigner(epochs: readonly LogEntry[]): Promise<Signer | undefined> {
    const writer = this.writer && this.#trust.keyOf(this.writer.signing.publicKey);
    if (writer && !this.#trust.revoked.has(writer.id)) return this.writerSigner();
    // A pruner signs only what retention writes.
    if (this.#admin && this.#trust.keyOf(this.#admin.signing.publicKey)?.role === 'admin')
      return this.#known(this.#admin.signing);
    if (!this.hasIdentity) return undefined;
    return this.#known((await this.adminKeys(epochs)).admin);
  }

  /** Who retires and lets go here: the admin key at hand, else the one that an identity unwraps. Throws `no-admin-key`, `key-invalid`. */
  async adminSigner(epochs: readonly LogEntry[]): Promise<Signer> {
    if (this.#admin) return this.#known(this.#admin.signing);
    if (!this.hasIdentity)
      throw new Fault('no-admin-key', 'there is no admin key, and no identity to open the one in the vault');
    return this.#known((await this.adminKeys(epochs)).admin);
  }

  get hasAdminKey(): boolean {
    return this.#admin !== undefined;
  }

  /** True when a key at hand is one of this vault, whatever it opens. */
  get isKnown(): boolean {
    const keys = [this.writer?.signing, this.#admin?.signing];
    return this.hasIdentity || keys.some((key) => key !== undefined && this.#trust.keyOf(key.publicKey) !== undefined);
  }

  #known(key: SigningKey): Signer {
    const known = this.#trust.keyOf(key.publicKey);
    if (!known) throw new Fault('key-invalid', 'the admin key is not one that this vault trusts');
    return { id: known.id, key };
  }

  /**
   * Identities of epochs that our identities unwrap, newest first. Each opens rows, indexes and manifests of its epoch.
   * Throws `no-identity` when none was given and `wrong-identity` when none fits.
   */
  async epochIdentities(epochs: readonly LogEntry[]): Promise<string[]> {
    if (!this.hasIdentity) throw new Fault('no-identity', 'rows are encrypted and there is no identity to open them');
    const texts = await this.epochTexts(epochs);
    if (texts.size === 0) throw new Fault('wrong-identity', 'none of the identities at hand opens this vault');
    return [...texts]
      .sort(([a], [b]) => b - a)
      .map(([, text]) => text.split('\n').find((line) => line.startsWith('AGE-SECRET-KEY-'))!);
  }

  /** Epoch -> the identity file that its wrap holds, for the epochs that our identities open. */
  async epochTexts(epochs: readonly LogEntry[]): Promise<ReadonlyMap<number, string>> {
    for (const entry of epochs) {
      if (this.#epochs.has(entry.record.epoch)) continue;
      const text = await this.#unwrap(entry, 'keys/e');
      if (text?.includes('AGE-SECRET-KEY-')) this.#epochs.set(entry.record.epoch, text);
    }
    return this.#epochs;
  }

  /** What opens manifests and indexes: the writer key, the admin key of a prune job, or an identity through its epochs. */
  async manifestIdentities(epochs: readonly LogEntry[]): Promise<string[]> {
    const writer = [this.writer?.identity, this.#admin?.identity].filter((one) => one !== undefined);
    if (!this.hasIdentity) {
      if (writer.length === 0) {
        throw new Fault(
          'no-identity',
          'the vault is encrypted and there is neither a writer key nor an identity to open it',
          {
            actions: [
              'give the writer key (SALVOR_WRITER_KEY or SALVOR_WRITER_KEY_FILE) or an identity (--identity, SALVOR_IDENTITY_FILE)',
            ],
          },
        );
      }
      return writer;
    }
    return [...writer, ...(await this.epochIdentities(epochs))];
  }

  /** Root and admin keys, which whoever can recover can use. Throws `no-identity`, `wrong-identity`. */
  async adminKeys(epochs: readonly LogEntry[]): Promise<AdminKeys> {
    return parseAdminKeys(await this.adminText(epochs));
  }

  /** The text that `keys/admin/` wraps. Throws as `adminKeys`. */
  async adminText(epochs: readonly LogEntry[]): Promise<string> {
    if (!this.hasIdentity)
      throw new Fault('no-identity', 'the admin keys are wrapped to the recovery identities, and none is at hand');
    for (const entry of [...epochs].reverse()) {
      const text = await this.#unwrap(entry, 'keys/admin/');
      if (text) return text;
    }
    throw new Fault('wrong-identity', 'none of the identities at hand opens the admin keys');
  }

  /** The first wrap under `prefix` that an identity opens; undefined when none fits. Digests of wraps are signed: checked here. */
  async #unwrap(entry: LogEntry, prefix: string): Promise<string | undefined> {
    let damaged: Fault | undefined;
    for (const wrap of entry.record.keys ?? []) {
      if (!wrap.key.startsWith(prefix)) continue;
      try {
        const stored = await this.#store.get(wrap.key);
        if (sha256(stored) !== wrap.sha256) {
          throw new Fault('digest-mismatch', `${wrap.key} is not what the log says`, { data: { key: wrap.key } });
        }
        return (await openAge(wrap.key, stored, this.identities)).toString('utf8');
      } catch (error) {
        if (!isFault(error, 'wrong-identity', 'digest-mismatch', 'object-missing', 'not-authentic')) throw error;
        // One damaged wrap must not lock out whom another one lets in.
        if (error.name !== 'wrong-identity') damaged ??= error;
      }
    }
    if (damaged) throw damaged;
    return undefined;
  }
}

/** The text that `keys/admin/` wraps: one key a line. */
export function adminKeysText(keys: { root: string; admin: string; orgKey: Buffer }): string {
  return `# salvor root key, admin key and org hash key\n${keys.root}\n${keys.admin}\norg-hash-key ${keys.orgKey.toString('hex')}\n`;
}

function parseAdminKeys(text: string): AdminKeys {
  const line = (start: string) => {
    const found = text.split('\n').find((one) => one.startsWith(start));
    if (found === undefined) throw new Fault('key-invalid', 'the admin keys of this vault are not readable');
    return found;
  };
  return {
    root: parseSigningKey(line('SALVOR-ROOT-KEY-'), 'root'),
    admin: parseSigningKey(line('SALVOR-ADMIN-KEY-'), 'admin'),
    orgKey: Buffer.from(line('org-hash-key ').slice('org-hash-key '.length), 'hex'),
  };
}
