import { open, seal } from '../age/file.ts';
import { checkRecipient } from '../age/header.ts';
import { newAgeIdentity, newPrunerKey, newWriterKey, parseAdminKey, parseWriterKey } from '../age/keys.ts';
import type { Context } from '../context.ts';
import { Fault, isDamage, isFault } from '../errors.ts';
import { attest } from '../vault/attest.ts';
import { orgHash, writerEntry } from '../vault/create.ts';
import { adminWrap, epochWrap, trustFile } from '../vault/layout.ts';
import type { LogEntry } from '../vault/log.ts';
import type { Root } from '../vault/manifest.ts';
import { putOwn } from '../vault/put-own.ts';
import type { Ref } from '../vault/record.ts';
import { sha256, signDocument } from '../vault/signed.ts';
import { readTrust, type TrustFile } from '../vault/trust.ts';
import type { Vault } from '../vault/vault.ts';

export interface KeysListed {
  readonly vaultId: string;
  readonly anchored: boolean;
  readonly keys: readonly {
    readonly id: string;
    readonly role: string;
    readonly fingerprint: string;
    /** When a key that was revoked may have been stolen. */
    readonly revokedSince?: string;
  }[];
  readonly recipients: readonly string[];
  /** Each once, the newest last. `since`: when it began, however often it was wrapped again for a further recipient. */
  readonly epochs: readonly { readonly epoch: number; readonly since: string; readonly recipient: string }[];
}

export async function listKeys(vault: Vault): Promise<KeysListed> {
  const { epochs } = await vault.state();
  const { revoked } = vault.trust;
  return {
    vaultId: vault.info.vault,
    anchored: vault.anchored,
    keys: vault.trust.keys.map(({ id, role, fingerprint }) => {
      const since = revoked.get(id)?.since;
      return { id, role, fingerprint, ...(since === undefined ? {} : { revokedSince: since }) };
    }),
    recipients: vault.trust.recipients,
    epochs: listEpochs(epochs),
  };
}

function listEpochs(entries: readonly LogEntry[]): KeysListed['epochs'] {
  const byNumber = Map.groupBy(entries, ({ record }) => record.epoch);
  return [...byNumber]
    .sort(([a], [b]) => a - b)
    .map(([epoch, wraps]) => {
      return { epoch, since: wraps[0]!.record.started, recipient: wraps.at(-1)!.record.recipient! };
    });
}

export interface KeyTested {
  /**
   * `identity` opens the newest epoch and, when there is a point, a schema page of the newest that reads; `writer` opens the root of the newest that reads and was written
   * since the key was added; `admin` is trusted.
   */
  readonly key: 'identity' | 'writer' | 'admin';
  readonly ok: boolean;
  readonly figure: string;
}

/** Proves that the keys at hand open what they have to. Throws `no-identity` when there is neither an identity nor a writer key; the damage, when no point reads. */
export async function testKeys(vault: Vault): Promise<KeyTested[]> {
  const { points, epochs } = await vault.state();
  const tested: KeyTested[] = [];
  if (vault.keyring.hasIdentity) {
    const identities = await vault.rowIdentities();
    const admin = await vault.keyring.adminKeys(epochs);
    const opened = await fromNewest(points, (entry) => oneSchema(vault, entry));
    const figure = `opens ${identities.length} of ${new Set(epochs.map(({ record }) => record.epoch)).size} epochs, the admin keys (${admin.admin.fingerprint})`;
    tested.push({
      key: 'identity',
      ok: true,
      figure: opened === undefined ? `${figure}; there is no point to try yet` : `${figure} and rows of ${opened.of}`,
    });
  }
  if (vault.keyring.writer) {
    const { id } = vault.keyring.writerSigner();
    const entry = vault.trust.keys.find((key) => key.id === id)!;
    await open([vault.keyring.writer.identity], Buffer.from(entry.orgKey ?? '', 'base64'));
    const opened = await fromNewest(points, (entry) => rootForWriter(vault, entry));
    tested.push({
      key: 'writer',
      ok: true,
      figure: `is ${id}; ${opened === undefined ? 'there is no point to try yet' : `opens the manifest of ${opened.of}`}`,
    });
  }
  if (vault.keyring.hasAdminKey) {
    const { id } = await vault.keyring.adminSigner(epochs);
    tested.push({ key: 'admin', ok: true, figure: `is ${id}` });
  }
  if (tested.length === 0) await vault.manifestIdentities();
  return tested;
}

/**
 * Keeps in the vault, signed, that these keys opened what they have to, so that `status` can say when somebody last saw that an identity does. Undefined, and a warning, where
 * no key at hand may sign or the vault takes nothing. Call it when an identity was tested: other keys recover nothing.
 */
export async function attestKeys(
  ctx: Context,
  vault: Vault,
  tested: readonly KeyTested[],
  tool: string,
): Promise<{ readonly seq: number; readonly digest: string } | undefined> {
  try {
    const signer = await vault.keyring.anySigner((await vault.state()).epochs);
    if (!signer) throw new Fault('no-writer-key', 'there is no key to sign with');
    const { seq, digest } = await attest(
      vault,
      signer,
      { points: [], keys: tested.map(({ key }) => key), tool },
      ctx.now(),
    );
    return { seq, digest };
  } catch (error) {
    if (!isFault(error, 'store-denied', 'no-writer-key')) throw error;
    ctx.report({ type: 'warning', name: error.name, message: `the test is not kept in the vault: ${error.message}` });
    return undefined;
  }
}

/** What `read` gives of the newest point whose stored objects are whole. Undefined: it gives nothing of any. Throws the newest damage when nothing else is found. */
async function fromNewest<T>(
  points: readonly LogEntry[],
  read: (entry: LogEntry) => Promise<T | undefined>,
): Promise<{ readonly value: T; readonly of: string } | undefined> {
  let damage: Fault | undefined;
  for (const entry of points.toReversed()) {
    try {
      const value = await read(entry);
      const of = damage === undefined ? 'the newest point' : `point ${entry.record.point}, the newest that reads`;
      if (value !== undefined) return { value, of };
      break;
    } catch (error) {
      if (!isDamage(error)) throw error;
      damage ??= error;
    }
  }
  if (damage) throw damage;
  return undefined;
}

/** Undefined: it was written before the key was added, and not for it. */
async function rootForWriter(vault: Vault, entry: LogEntry): Promise<Root | undefined> {
  try {
    return await vault.root(entry);
  } catch (error) {
    if (isFault(error, 'wrong-identity')) return undefined;
    throw error;
  }
}

async function oneSchema(vault: Vault, entry: LogEntry): Promise<string | undefined> {
  const [schema] = (await vault.root(entry)).schema;
  return schema && (await vault.schema(schema)).objects[0]?.describe.name;
}

/**
 * Adds a writer: a new `trust/` file signed by the root key, which also binds the vault to its org, that of its newest point unless another is named, since the new
 * writer opens no manifest from before. Needs an identity. Returns the writer's secret string, stored nowhere else; `keep` gets it before the vault knows the key.
 */
export async function addWriter(
  ctx: Context,
  vault: Vault,
  keep: (id: string, writerKey: string) => Promise<void> = async () => {},
): Promise<{ id: string; writerKey: string }> {
  const { epochs, points } = await vault.state();
  const { root, orgKey } = await vault.keyring.adminKeys(epochs);
  const newest = vault.boundOrg === undefined ? await fromNewest(points, (entry) => vault.root(entry)) : undefined;
  const bound = vault.boundOrg ?? (newest && orgHash(orgKey, newest.value.org.id));
  const org = bound === undefined ? undefined : { hash: bound };
  const text = newWriterKey();
  const key = parseWriterKey(text);
  const id = `writer-${vault.trust.writers.length + 1}`;
  const entry = await writerEntry(id, key.signing, key.recipient, orgKey);
  await keep(id, text);
  await addTrust(ctx, vault, root, { keys: [entry], recipients: vault.trust.recipients, org });
  return { id, writerKey: text };
}

/**
 * Adds a pruner: a key that signs what retires and lets go points, and opens the tables of contents that are written from now on; no row, and
 * no older table. Needs an identity. Returns its secret string, stored nowhere else; `keep` gets it before the vault knows the key.
 */
export async function addPruner(
  ctx: Context,
  vault: Vault,
  keep: (id: string, adminKey: string) => Promise<void> = async () => {},
): Promise<{ id: string; adminKey: string }> {
  const { root } = await vault.keyring.adminKeys((await vault.state()).epochs);
  const text = newPrunerKey();
  const { signing, recipient } = parseAdminKey(text);
  const { publicKey: key, fingerprint } = signing;
  const id = `pruner-${vault.trust.keys.filter(({ role }) => role === 'pruner').length + 1}`;
  const entry = { id, role: 'pruner', key, fingerprint, recipient: recipient! } as const;
  await keep(id, text);
  await addTrust(ctx, vault, root, { keys: [entry], recipients: vault.trust.recipients });
  return { id, adminKey: text };
}

/**
 * Adds a person's recipient: every epoch and the admin keys are wrapped to it too, in new small objects that a new log record
 * signs. No data is rewritten. Needs an identity that opens them.
 */
export async function addRecipient(
  ctx: Context,
  vault: Vault,
  recipient: string,
  tool: string,
): Promise<{ recipients: readonly string[] }> {
  checkRecipient(recipient);
  if (vault.trust.recipients.includes(recipient))
    throw new Fault('usage', 'this recipient is one of the vault already');
  const recipients = [...vault.trust.recipients, recipient];
  await rewrap(ctx, vault, recipients, tool, false);
  return { recipients };
}

/**
 * Begins a new epoch: data written from now on is encrypted to a new key, wrapped to `recipients`. Who could open older epochs still
 * can. Needs an identity.
 */
export async function rotate(
  ctx: Context,
  vault: Vault,
  recipients: readonly string[],
  tool: string,
): Promise<{ epoch: number; recipients: readonly string[] }> {
  for (const recipient of recipients) checkRecipient(recipient);
  const epoch = await rewrap(ctx, vault, recipients, tool, true);
  return { epoch, recipients };
}

/**
 * Wraps the admin keys, and every epoch or a fresh one, to `recipients`. Nothing is written before all that has to be wrapped is open. `trust/`
 * changes where a run that is cut short does least harm: a recipient stands in it when every wrap is recorded, and one who is left out by a
 * fresh epoch is out of it before the epoch begins. Either can be done again.
 */
async function rewrap(
  ctx: Context,
  vault: Vault,
  recipients: readonly string[],
  tool: string,
  fresh: boolean,
): Promise<number> {
  const { epochs } = await vault.state();
  const { root, admin } = await vault.keyring.adminKeys(epochs);
  const signer = { id: vault.trust.keyOf(admin.publicKey)!.id, key: admin };
  const last = await vault.epoch();
  const before = await lastWrapped(vault);
  // The record of an epoch may be damaged, and healed later: its number is taken all the same.
  const wanted = fresh
    ? [await freshEpoch(vault, Math.max(last.epoch, before.epoch) + 1)]
    : await knownEpochs(vault, epochs);
  const at = ctx.now().toISOString();
  const wrap = before.wrap + 1;
  const adminText = await vault.keyring.adminText(epochs);
  const adminRef = await put(vault, adminWrap(wrap), await seal(recipients, Buffer.from(adminText)));
  if (fresh) await addTrust(ctx, vault, root, { keys: [], recipients });
  for (const { epoch, recipient, text } of wanted) {
    const ref = await put(vault, epochWrap(epoch, wrap), await seal(recipients, Buffer.from(text)));
    const keys = [ref, adminRef];
    await vault.log.append(signer, { kind: 'epoch', keys, epoch, recipient, started: at, ended: at, tool });
  }
  if (!fresh) await addTrust(ctx, vault, root, { keys: [], recipients });
  return wanted.at(-1)!.epoch;
}

interface OpenEpoch {
  readonly epoch: number;
  readonly recipient: string;
  /** The identity file that is wrapped. */
  readonly text: string;
}

async function freshEpoch(vault: Vault, epoch: number): Promise<OpenEpoch> {
  const { identity, recipient } = await newAgeIdentity();
  const text = `# salvor vault ${vault.info.vault}, epoch ${epoch}\n# public key: ${recipient}\n${identity}\n`;
  return { epoch, recipient, text };
}

/** Every epoch, ascending. Throws `wrong-identity` when one of them does not open. */
async function knownEpochs(vault: Vault, epochs: readonly LogEntry[]): Promise<OpenEpoch[]> {
  const texts = await vault.keyring.epochTexts(epochs);
  const latest = new Map(epochs.map(({ record }) => [record.epoch, record.recipient!]));
  return [...latest]
    .sort(([a], [b]) => a - b)
    .map(([epoch, recipient]) => {
      const text = texts.get(epoch);
      if (text === undefined) throw new Fault('wrong-identity', `the identity at hand does not open epoch ${epoch}`);
      return { epoch, recipient, text };
    });
}

/** The highest numbers of a wrap and of an epoch that was wrapped, recorded or left by a run that was cut short. */
async function lastWrapped(vault: Vault): Promise<{ wrap: number; epoch: number }> {
  const last = { wrap: 0, epoch: 0 };
  for await (const { key } of vault.store.list('keys/')) {
    last.wrap = Math.max(last.wrap, Number(/\/r(\d{4})\.age$/.exec(key)?.[1] ?? 0));
    last.epoch = Math.max(last.epoch, Number(/^keys\/e(\d{4})\//.exec(key)?.[1] ?? 0));
  }
  return last;
}

/** Adds a file to `trust/`, signed by the root key. Throws `lease-held` when somebody else has just added one. */
export async function addTrust(
  ctx: Context,
  vault: Vault,
  root: Parameters<typeof signDocument>[0],
  given: Pick<TrustFile, 'keys' | 'org' | 'revoked'> & { readonly recipients: readonly string[] },
): Promise<void> {
  const number = vault.trust.files.length + 1;
  const file: TrustFile = {
    v: 1,
    kind: 'trust',
    vault: vault.info.vault,
    number,
    keys: given.keys,
    recipients: [...given.recipients],
    org: given.org,
    revoked: given.revoked,
    created: ctx.now().toISOString(),
  };
  const document = signDocument(root, 'salvor-vault-v1', file);
  if (!(await putOwn(vault.store, trustFile(number), document))) {
    throw new Fault(
      'lease-held',
      `somebody else is changing the keys of this vault: ${trustFile(number)} was just written`,
    );
  }
  const trust = await readTrust(vault.store, vault.info.vault, vault.trust.root.fingerprint);
  vault.trust.files.splice(0, vault.trust.files.length, ...trust.files);
}

async function put(vault: Vault, key: string, body: Buffer): Promise<Ref> {
  if (!(await putOwn(vault.store, key, body))) {
    throw new Fault('lease-held', `somebody else is changing the keys of this vault: ${key} was just written`);
  }
  return { key, size: body.length, sha256: sha256(body) };
}
