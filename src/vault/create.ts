import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { seal } from '../age/file.ts';
import { newAgeIdentity, newSigningKey, newWriterKey, parseSigningKey, parseWriterKey } from '../age/keys.ts';
import { Fault } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { adminKeysText } from './keyring.ts';
import { adminWrap, epochWrap, readme, trustFile, vaultFile } from './layout.ts';
import { Log } from './log.ts';
import { putOwn } from './put-own.ts';
import { readmeText } from './readme-text.ts';
import type { Ref } from './record.ts';
import { sha256, signDocument } from './signed.ts';
import { type PublicKey, readTrust, type TrustFile } from './trust.ts';

export interface CreateRequest {
  /** age recipients of the people who can recover. */
  readonly recipients: readonly string[];
  /** Binds the vault to this org from the start; otherwise its first point does. */
  readonly orgId?: string;
  /** What the store probe found; stands in `vault.json`. */
  readonly probe: Record<string, unknown>;
  readonly tool: string;
  readonly now: Date;
  /** Called before anything is written: keeps the secrets where they belong. */
  readonly keep?: (secrets: { vault: string; writerKey: string; rootFingerprint: string }) => Promise<void>;
}

export interface Created {
  readonly vault: string;
  readonly rootFingerprint: string;
  /** One secret string; it is stored nowhere else. */
  readonly writerKey: string;
  readonly head: { readonly seq: number; readonly digest: string };
}

/**
 * Writes a new vault: keys, trust, the first log record, and `vault.json` last, so that a vault that was cut short in its making is
 * never mistaken for a whole one. Throws `vault-exists` or `vault-incomplete` when something is there already.
 */
export async function createVault(store: Store, request: CreateRequest): Promise<Created> {
  await assertEmpty(store);
  const vault = randomUUID();
  const root = newSigningKey('root');
  const admin = newSigningKey('admin');
  const writer = newWriterKey();
  const epoch = await newAgeIdentity();
  const orgKey = randomBytes(32);
  const rootKey = parseSigningKey(root);
  const adminKey = parseSigningKey(admin);
  const writerKey = parseWriterKey(writer);
  const created = request.now.toISOString();

  await request.keep?.({ vault, writerKey: writer, rootFingerprint: rootKey.fingerprint });
  const keys: Ref[] = [];
  const put = async (key: string, body: Buffer): Promise<Ref> => {
    if (!(await putOwn(store, key, body))) {
      throw new Fault('vault-exists', `${store.url} is being made into a vault by somebody else`);
    }
    return { key, size: body.length, sha256: sha256(body) };
  };
  const epochText = `# salvor vault ${vault}, epoch 1\n# public key: ${epoch.recipient}\n${epoch.identity}\n`;
  keys.push(await put(epochWrap(1, 1), await seal(request.recipients, Buffer.from(epochText))));
  const adminText = adminKeysText({ root, admin, orgKey });
  keys.push(await put(adminWrap(1), await seal(request.recipients, Buffer.from(adminText))));

  const publicKeys: PublicKey[] = [
    { id: 'root', role: 'root', key: rootKey.publicKey, fingerprint: rootKey.fingerprint },
    { id: 'admin-1', role: 'admin', key: adminKey.publicKey, fingerprint: adminKey.fingerprint },
    await writerEntry('writer-1', writerKey.signing, writerKey.recipient, orgKey),
  ];
  const trustDocument: TrustFile = {
    v: 1,
    kind: 'trust',
    vault,
    number: 1,
    keys: publicKeys,
    recipients: [...request.recipients],
    created,
  };
  await put(trustFile(1), signDocument(rootKey, 'salvor-vault-v1', trustDocument));
  await put(readme, Buffer.from(readmeText({ vault, rootFingerprint: rootKey.fingerprint })));

  const trust = await readTrust(store, vault, rootKey.fingerprint);
  const head = await new Log(store, trust, vault).append(
    { id: 'admin-1', key: adminKey },
    { kind: 'epoch', keys, epoch: 1, recipient: epoch.recipient, started: created, ended: created, tool: request.tool },
  );
  const info = {
    v: 1,
    kind: 'vault',
    vault,
    created,
    org: request.orgId === undefined ? null : { hash: orgHash(orgKey, request.orgId) },
    features: { read: [], write: [], prune: [], verify: [] },
    probe: request.probe,
    tool: request.tool,
  };
  await put(vaultFile, signDocument(rootKey, 'salvor-vault-v1', info));
  return { vault, rootFingerprint: rootKey.fingerprint, writerKey: writer, head };
}

/** A writer's line in `trust/`, with the org hash key sealed to it. */
export async function writerEntry(
  id: string,
  signing: { publicKey: string; fingerprint: string },
  recipient: string,
  orgKey: Buffer,
): Promise<PublicKey> {
  const sealed = await seal([recipient], orgKey);
  return {
    id,
    role: 'writer',
    key: signing.publicKey,
    fingerprint: signing.fingerprint,
    recipient,
    orgKey: sealed.toString('base64'),
  };
}

/** A keyed hash: who reads the bucket cannot tell, or confirm, which org it is. */
export function orgHash(orgKey: Buffer, orgId: string): string {
  return createHmac('sha256', orgKey).update(orgId.slice(0, 15)).digest('hex');
}

/** Throws `vault-exists` or `vault-incomplete` when a vault, or the rest of one, stands in the store. */
export async function assertEmpty(store: Store): Promise<void> {
  if (await store.head(vaultFile)) throw new Fault('vault-exists', `${store.url} is a vault already`);
  for (const prefix of ['keys/', 'trust/', 'log/', 'points/']) {
    for await (const object of store.list(prefix)) {
      throw new Fault(
        'vault-incomplete',
        `${store.url} holds ${object.key} but no ${vaultFile}: a vault that was not finished`,
      );
    }
  }
}
