import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { open } from '../age/file.ts';
import { Fault, faults, isDamage, isFault } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { orgHash } from './create.ts';
import { Keyring, type KeyTexts } from './keyring.ts';
import { mintPoint, pointRefs, pointRoots, vaultFile } from './layout.ts';
import { type Head, Log, type LogEntry, type LogProblem } from './log.ts';
import {
  type Detail,
  detailSchema,
  type MapPage,
  mapSchema,
  parseStored,
  type Root,
  type SchemaPage,
  schemaPageSchema,
} from './manifest.ts';
import type { Ref } from './record.ts';
import { findRefs, readRefs } from './refs.ts';
import { type Retention, retentionOf } from './retention.ts';
import { openRoot, rootRefOf } from './root.ts';
import { openBytes } from './sealed.ts';
import { openDocument, sha256, splitDocument } from './signed.ts';
import { type PublicKey, readTrust, type Trust } from './trust.ts';

const features = z.object({
  read: z.array(z.string()),
  write: z.array(z.string()),
  prune: z.array(z.string()),
  verify: z.array(z.string()),
});
/** What every version of the format says. */
const claimSchema = z.object({ v: z.number().int(), vault: z.string() });
const infoSchema = z.object({
  v: z.literal(1),
  kind: z.literal('vault'),
  vault: z.string(),
  created: z.string(),
  org: z.object({ hash: z.string() }).nullable(),
  features,
  probe: z.record(z.string(), z.unknown()),
  tool: z.string(),
});
export type VaultInfo = z.infer<typeof infoSchema>;

/** Features of the format that this version knows; a vault may name more, which stop the operation they are listed under. */
const known: readonly string[] = [];

/** A list of what was noted of segments takes some hundred bytes of memory for each of their blocks. */
const detailsKept = 8;

export interface OpenOptions extends KeyTexts {
  /** Pinned fingerprint of the root key. Without it the vault is believed on its own word: `anchored` is false. */
  readonly rootFingerprint?: string;
  readonly operation: keyof VaultInfo['features'];
}

/** The log as it was read, with the points and epochs that stand in it. */
export interface LogState {
  readonly entries: readonly LogEntry[];
  readonly problems: readonly LogProblem[];
  /** What was signed with a key after it was revoked: nobody believes it. */
  readonly rejected: readonly LogProblem[];
  readonly head: Head;
  /** `point` records that are not retired, oldest first. */
  readonly points: readonly LogEntry[];
  /** Points that nobody should trust, by `quarantine` records. */
  readonly quarantined: ReadonlySet<string>;
  /** `attest` records that are to be believed, oldest first. */
  readonly attested: readonly LogEntry[];
  /** What is retired, let go, pinned and held. */
  readonly retention: Retention;
  /** `epoch` records, oldest first. */
  readonly epochs: readonly LogEntry[];
}

/** An opened vault: verified trust, the log, and reading by reference. Every read checks the digest that led to it. */
export class Vault {
  readonly store: Store;
  readonly info: VaultInfo;
  readonly trust: Trust;
  readonly log: Log;
  readonly keyring: Keyring;
  readonly anchored: boolean;
  /**
   * SHA-256 of stored segments and of the text of their rows, where a read found the one behind the other. The same stored bytes, which every read
   * proves, hold the same text each time: its digest need not be computed again.
   */
  readonly proven = new Set<string>();
  readonly #details = new Map<string, Promise<Detail>>();
  #state: LogState | undefined;

  private constructor(store: Store, info: VaultInfo, trust: Trust, keyring: Keyring, anchored: boolean) {
    this.store = store;
    this.info = info;
    this.trust = trust;
    this.log = new Log(store, trust, info.vault);
    this.keyring = keyring;
    this.anchored = anchored;
  }

  /** Throws `no-vault`, `vault-incomplete`, `newer-format`, `signature-invalid`, `key-invalid`. */
  static async open(store: Store, options: OpenOptions): Promise<Vault> {
    const document = await vaultDocument(store);
    const { value } = splitDocument(vaultFile, document);
    const claimed = claimSchema.safeParse(value);
    const damaged = (why: string) =>
      new Fault('signature-invalid', `${vaultFile} ${why}`, { data: { key: vaultFile } });
    if (!claimed.success) throw damaged('does not describe a vault');
    const trust = await readTrust(store, claimed.data.vault, options.rootFingerprint);
    // The signature comes before the version: a changed digit must not pass for a newer format.
    openDocument(vaultFile, document, 'salvor-vault-v1', trust, () => ['root']);
    if (claimed.data.v > 1) {
      throw new Fault(
        'newer-format',
        `${store.url} is written in vault format ${claimed.data.v}; this salvor reads format 1`,
        { data: { format: claimed.data.v } },
      );
    }
    const parsed = infoSchema.safeParse(value);
    if (!parsed.success) throw damaged('does not describe a vault');
    const info = parsed.data;
    const unknown = info.features[options.operation].filter((feature) => !known.includes(feature));
    if (unknown.length > 0) {
      throw new Fault(
        'newer-format',
        `to ${options.operation} this vault takes a salvor that knows: ${unknown.join(', ')}`,
        { data: { features: unknown } },
      );
    }
    return new Vault(
      store,
      info,
      trust,
      await Keyring.of(store, trust, options),
      options.rootFingerprint !== undefined,
    );
  }

  /** The log of another store that holds this vault: a copy. */
  logOf(store: Store): Log {
    return new Log(store, this.trust, this.info.vault);
  }

  /** The log, read once; `again` reads it anew. `known`: a head seen before, to find its end from. */
  async state(again = false, signal?: AbortSignal, known?: { seq: number }): Promise<LogState> {
    if (this.#state && !again) return this.#state;
    const read = await this.log.read(signal, known);
    const retention = retentionOf(read.entries);
    this.#state = {
      ...read,
      points: read.entries.filter(({ record }) => record.kind === 'point' && !retention.retired.has(record.point!)),
      quarantined: new Set(
        read.entries.flatMap(({ record: { kind, points = [] } }) => (kind === 'quarantine' ? points : [])),
      ),
      attested: read.entries.filter(
        ({ record, signer, seq }) => record.kind === 'attest' && this.trust.believes(signer.id, seq),
      ),
      retention,
      epochs: read.entries.filter(({ record }) => record.kind === 'epoch'),
    };
    return this.#state;
  }

  /**
   * The epoch that new data is encrypted to: the one with the highest number, also when an older one was wrapped again since. Its recipient
   * comes from the signed log and from nowhere else.
   */
  async epoch(): Promise<{ epoch: number; recipient: string }> {
    const records = (await this.state()).epochs.map(({ record }) => record);
    const newest = Math.max(0, ...records.map(({ epoch }) => epoch));
    const record = records.findLast(({ epoch }) => epoch === newest);
    if (!record?.recipient) throw new Fault('chain-broken', 'the log names no epoch to encrypt to');
    return { epoch: record.epoch, recipient: record.recipient };
  }

  /** The id of a point that begins now: it sorts behind every point of the same second that stands in the log. */
  async mintPoint(started: Date): Promise<string> {
    const { entries } = await this.state();
    const others = entries.flatMap(({ record }) => (record.kind === 'point' ? [record.point!] : []));
    return mintPoint(started, randomBytes(3), others);
  }

  /** Who may read the journals of runs besides the holders of identities. */
  get writerRecipients(): string[] {
    return recipientsOf(this.trust, this.trust.writers);
  }

  /** Who may read indexes and manifests besides the holders of identities: writers and pruners. */
  get manifestRecipients(): string[] {
    return recipientsOf(this.trust, this.trust.keys);
  }

  async manifestIdentities(): Promise<string[]> {
    return this.keyring.manifestIdentities((await this.state()).epochs);
  }
  async rowIdentities(): Promise<string[]> {
    return this.keyring.epochIdentities((await this.state()).epochs);
  }

  /** The keyed hash of the org that the vault is bound to; the newest file of `trust/` that names one holds. */
  get boundOrg(): string | undefined {
    return this.trust.orgHash ?? this.info.org?.hash;
  }

  /**
   * Throws `foreign-vault` when the vault is bound to another org, by its keyed hash or by the newest point that is not damaged. Reads nothing but
   * what the writer key opens. False: every point is damaged, and nothing else says of which org the vault is.
   */
  async assertOrg(orgId: string): Promise<boolean> {
    const foreign = () =>
      new Fault('foreign-vault', `the vault ${this.store.url} belongs to another org than ${orgId}`, {
        actions: [
          faults['foreign-vault'].advice,
          'when it is a sandbox that was refreshed: `salvor backup --accept-refreshed-org`, once, with an identity',
        ],
      });
    const writer = this.keyring.writer;
    const entry = writer && this.trust.keyOf(writer.signing.publicKey);
    const bound = this.boundOrg;
    if (bound !== undefined && writer && entry?.orgKey) {
      const orgKey = await open([writer.identity], Buffer.from(entry.orgKey, 'base64'));
      if (orgHash(orgKey, orgId) !== bound) throw foreign();
      // The root key said so, maybe since the last point: a sandbox that was refreshed has another Id than that.
      return true;
    }
    const { points } = await this.state();
    for (const entry of points.toReversed()) {
      try {
        if ((await this.root(entry)).org.id.slice(0, 15) !== orgId.slice(0, 15)) throw foreign();
        return true;
      } catch (error) {
        if (isDamage(error)) continue;
        // A writer that was added later opens only manifests written since: the keyed hash above is its proof.
        if (!isFault(error, 'wrong-identity') || bound === undefined) throw error;
        return true;
      }
    }
    return points.length === 0;
  }

  /** The stored bytes behind a reference. Throws `object-missing`, `size-mismatch`, `digest-mismatch`. */
  async read(ref: Ref, signal?: AbortSignal): Promise<Buffer> {
    const stored = await this.store.get(ref.key, signal, ref.size);
    if (stored.length !== ref.size) {
      throw new Fault('size-mismatch', `${ref.key} has ${stored.length} bytes, ${ref.size} were written`, {
        data: { key: ref.key },
      });
    }
    if (sha256(stored) !== ref.sha256) {
      throw new Fault('digest-mismatch', `${ref.key} does not have the digest it was written with`, {
        data: { key: ref.key },
      });
    }
    return stored;
  }

  /** What a point consists of: the list that its record signs. */
  async refs(entry: LogEntry): Promise<Ref[]> {
    const list = listOf(entry);
    return readRefs(list.key, await this.read(list));
  }

  async root(entry: LogEntry): Promise<Root> {
    const [point, list] = [entry.record.point ?? '', listOf(entry)];
    const ref = rootRefOf(point, await findRefs(list.key, await this.read(list), pointRoots(point)));
    const root = await this.#openRoot(entry, ref.key, await this.read(ref));
    if (root.point !== entry.record.point || root.vault !== this.info.vault) {
      throw new Fault('segment-invalid', `${ref.key} describes another point than its record`, {
        data: { key: ref.key },
      });
    }
    return root;
  }

  /** An identity that opens an epoch is the right one, also where the record of the point's own epoch does not read. */
  async #openRoot({ record: { epoch } }: LogEntry, key: string, stored: Buffer): Promise<Root> {
    const { epochs } = await this.state();
    try {
      return await openRoot(key, stored, await this.manifestIdentities());
    } catch (error) {
      if (!isFault(error, 'wrong-identity') || !this.keyring.hasIdentity) throw error;
      if (epochs.some(({ record }) => record.epoch === epoch) || (await this.keyring.epochTexts(epochs)).size === 0)
        throw error;
      throw new Fault('chain-broken', `the record of epoch ${epoch} does not read, with which ${key} is opened`, {
        actions: ['bring the record back from a second copy: `salvor repair --from`'],
        data: { key },
        cause: error,
      });
    }
  }

  async map(ref: Ref): Promise<MapPage> {
    return parseStored(
      ref.key,
      await openBytes(ref.key, await this.read(ref), await this.manifestIdentities()),
      mapSchema,
    );
  }

  /** Needs an identity. Points that lie behind each other list mostly the same: the last few are read once. */
  detail(ref: Ref): Promise<Detail> {
    const name = `${ref.key} ${ref.sha256}`;
    const known = this.#details.get(name);
    if (known) return known;
    const reading = this.#readDetail(ref);
    this.#details.set(name, reading);
    reading.catch(() => this.#details.delete(name));
    if (this.#details.size > detailsKept) this.#details.delete(this.#details.keys().next().value!);
    return reading;
  }

  async #readDetail(ref: Ref): Promise<Detail> {
    return parseStored(
      ref.key,
      await openBytes(ref.key, await this.read(ref), await this.rowIdentities()),
      detailSchema,
    );
  }

  /** Needs an identity. */
  async schema(ref: Ref): Promise<SchemaPage> {
    return parseStored(
      ref.key,
      await openBytes(ref.key, await this.read(ref), await this.rowIdentities()),
      schemaPageSchema,
    );
  }
}

/** The list that a point's record signs. Throws `signature-invalid` when it names none. */
export function listOf({ key, record: { refs, point } }: LogEntry): Ref {
  if (refs && refs.key === pointRefs(point ?? '')) return refs;
  throw new Fault('signature-invalid', `${key} names no list of objects`, { data: { key } });
}

function recipientsOf({ revoked }: Trust, keys: readonly PublicKey[]): string[] {
  return keys.flatMap(({ id, recipient }) => (recipient && !revoked.has(id) ? [recipient] : []));
}

async function vaultDocument(store: Store): Promise<Buffer> {
  try {
    return await store.get(vaultFile);
  } catch (error) {
    if (!isFault(error, 'object-missing')) throw error;
    for await (const object of store.list('')) {
      if (!/^(keys|trust|log|points)\//.test(object.key)) continue;
      throw new Fault('vault-incomplete', `${store.url} holds parts of a vault but no ${vaultFile}`);
    }
    throw new Fault('no-vault', `there is no vault at ${store.url}`);
  }
}
