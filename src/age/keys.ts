import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { bech32 } from '@scure/base';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { Fault } from '../errors.ts';
import { checkIdentity } from './header.ts';
import { type SigningKey, signingKeyOf } from './ssh.ts';

/** What a key as text begins with, and how many bytes stand behind it. */
const kinds = {
  writer: { prefix: 'salvor-writer-key-', size: 64 },
  admin: { prefix: 'salvor-admin-key-', size: 32 },
  pruner: { prefix: 'salvor-admin-key-', size: 64 },
  root: { prefix: 'salvor-root-key-', size: 32 },
} as const;
/** What stands in front of an X25519 secret in PKCS #8 (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');

export type { SigningKey } from './ssh.ts';

/** A new age identity (`AGE-SECRET-KEY-1…`, with `postQuantum` `AGE-SECRET-KEY-PQ-1…`) and its recipient, as text. */
export async function newAgeIdentity(
  options: { postQuantum?: boolean } = {},
): Promise<{ identity: string; recipient: string }> {
  const identity = await (options.postQuantum ? generateHybridIdentity() : generateX25519Identity());
  return { identity, recipient: await identityToRecipient(identity) };
}

/** The recipient (`age1…` or `age1pq1…`) of an identity. Throws `key-invalid`. */
export async function recipientOf(identity: string): Promise<string> {
  checkIdentity(identity);
  return await identityToRecipient(identity);
}

/** What a host that only takes backups holds: it signs points, and opens what is sealed to `recipient`. */
export interface WriterKey {
  signing: SigningKey;
  /** `AGE-SECRET-KEY-1…` */
  identity: string;
  /** `age1…` */
  recipient: string;
}

/** A new writer key as text: `SALVOR-WRITER-KEY-1…`, bech32 over an Ed25519 seed and an X25519 secret, 32 bytes each. */
export function newWriterKey(): string {
  return newKey('writer');
}

/** Reads what `newWriterKey` made. Throws `key-invalid`, which never repeats the text. */
export function parseWriterKey(text: string): WriterKey {
  return parsePair(text, 'writer');
}

/** A new key of a prune job as text: `SALVOR-ADMIN-KEY-1…` over an Ed25519 seed and an X25519 secret. */
export function newPrunerKey(): string {
  return newKey('pruner');
}

/** Reads an admin key: one of a prune job, which also opens manifests, or a bare signing key. Throws `key-invalid`. */
export function parseAdminKey(text: string): Pick<WriterKey, 'signing'> & Partial<WriterKey> {
  const { length } = decode(text.trim()) ?? [];
  return length === kinds.pruner.size ? parsePair(text, 'pruner') : { signing: parseSigningKey(text, 'admin') };
}

function parsePair(text: string, kind: 'writer' | 'pruner'): WriterKey {
  const bytes = parseKey(text, [kind]);
  try {
    const secret = bytes.subarray(32);
    return {
      signing: signingKeyOf(bytes.subarray(0, 32)),
      identity: encode('age-secret-key-', secret).toUpperCase(),
      recipient: encode('age', x25519PublicKey(secret)),
    };
  } finally {
    bytes.fill(0);
  }
}

/** A new admin or root key as text: `SALVOR-ADMIN-KEY-1…`, `SALVOR-ROOT-KEY-1…`, bech32 over an Ed25519 seed. */
export function newSigningKey(kind: 'admin' | 'root'): string {
  return newKey(kind);
}

/** Reads what `newSigningKey` made, of `kind` when one is given. Throws `key-invalid`, which never repeats the text. */
export function parseSigningKey(text: string, kind?: 'admin' | 'root'): SigningKey {
  const seed = parseKey(text, kind === undefined ? ['admin', 'root'] : [kind]);
  try {
    return signingKeyOf(seed);
  } finally {
    seed.fill(0);
  }
}

function newKey(kind: keyof typeof kinds): string {
  const bytes = randomBytes(kinds[kind].size);
  try {
    return encode(kinds[kind].prefix, bytes).toUpperCase();
  } finally {
    bytes.fill(0);
  }
}

function encode(prefix: string, bytes: Uint8Array): string {
  return bech32.encode(prefix, bech32.toWords(bytes), false);
}

function x25519PublicKey(secret: Buffer): Buffer {
  const der = Buffer.concat([pkcs8Prefix, secret]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
}

function parseKey(text: string, wanted: readonly (keyof typeof kinds)[]): Buffer {
  const expected = wanted.map((kind) => `${kinds[kind].prefix.toUpperCase()}1…`).join(' or ');
  const trimmed = text.trim();
  const kind = wanted.find((name) => trimmed.startsWith(`${kinds[name].prefix.toUpperCase()}1`));
  if (kind === undefined) {
    const found = describe(trimmed);
    throw new Fault('key-invalid', `a key that begins with ${expected} was expected; this is ${found}`);
  }
  const bytes = decode(trimmed);
  if (bytes?.length !== kinds[kind].size) {
    throw new Fault('key-invalid', `the ${kind} key (${expected}) is damaged: a letter is wrong, missing or too many`);
  }
  return bytes;
}

function decode(text: string): Buffer | undefined {
  try {
    const { words } = bech32.decode(text as `${string}1${string}`, false);
    return Buffer.from(bech32.fromWords(words));
  } catch {
    return undefined;
  }
}

/** What a text is, by what it begins with, in words that hold nothing of the key. */
export function describe(text: string): string {
  if (/^AGE-SECRET-KEY-(PQ-)?1/.test(text)) return 'an age identity';
  if (/^AGE-PLUGIN-/.test(text)) return 'an identity of an age plugin';
  if (/^age1/.test(text)) return 'an age recipient';
  if (/^ssh-/.test(text)) return 'an SSH public key';
  for (const [name, { prefix }] of Object.entries(kinds)) {
    if (text.startsWith(`${prefix.toUpperCase()}1`)) return `the ${name} key of a vault`;
  }
  return text === '' ? 'empty' : 'something else';
}
