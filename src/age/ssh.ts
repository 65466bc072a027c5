import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';
import { Fault } from '../errors.ts';

/* Ed25519 keys and signatures as OpenSSH writes them: RFC 8709, and PROTOCOL.sshsig of OpenSSH for signatures. */

const keyType = 'ssh-ed25519';
const magic = Buffer.from('SSHSIG');
const beginLine = '-----BEGIN SSH SIGNATURE-----';
const endLine = '-----END SSH SIGNATURE-----';
// what ssh-keygen wraps at
const lineLength = 70;
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** A private Ed25519 key and its public half as OpenSSH writes it. */
export interface SigningKey {
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly publicKey: string;
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** The bare Ed25519 signature, 64 bytes. */
  sign(message: Buffer): Buffer;
}

/** The signing key of an Ed25519 seed of 32 bytes. Keeps nothing of `seed`, which the caller may wipe. */
export function signingKeyOf(seed: Buffer): SigningKey {
  const der = Buffer.concat([pkcs8Prefix, seed]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const publicKey = `${keyType} ${keyBlob(spki.subarray(spkiPrefix.length)).toString('base64')}`;
  return {
    publicKey,
    fingerprint: fingerprintOf(publicKey),
    sign: (message) => signBytes(null, message, key),
  };
}

/** `SHA256:…` of a public key as text, as `ssh-keygen -l` prints it. Throws `key-invalid`. */
export function fingerprintOf(publicKey: string): string {
  const digest = createHash('sha256')
    .update(keyBlob(rawPublicKey(publicKey)))
    .digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

/** The armored signature that `ssh-keygen -Y sign -n <namespace>` makes of `message`; ends in LF. */
export function signSsh(key: SigningKey, namespace: string, message: Buffer): string {
  const signature = Buffer.concat([string(keyType), string(key.sign(signedData(namespace, message)))]);
  const blob = Buffer.concat([
    magic,
    Buffer.from([0, 0, 0, 1]),
    string(keyBlob(rawPublicKey(key.publicKey))),
    string(namespace),
    string(''),
    string('sha512'),
    string(signature),
  ]);
  const lines = blob.toString('base64').match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? [];
  return `${[beginLine, ...lines, endLine].join('\n')}\n`;
}

/**
 * True when `armored` is a signature of `message` by `publicKey` (a comment behind it is ignored) under `namespace`.
 * False for every other text, well-formed or not. Throws `key-invalid` when `publicKey` is no Ed25519 key.
 */
export function verifySsh(publicKey: string, namespace: string, message: Buffer, armored: string): boolean {
  const raw = rawPublicKey(publicKey);
  const parts = parseSignature(armored);
  if (parts === undefined || parts.namespace !== namespace || !parts.publicKey.equals(raw)) return false;
  return verifyBytes(null, signedData(namespace, message), publicKeyObject(raw), parts.signature);
}

/**
 * The public key that `armored` names as its signer, as text; nothing is proven by it.
 * Throws `signature-invalid` when the text is not an Ed25519 signature block.
 */
export function signerOf(armored: string): string {
  const parts = parseSignature(armored);
  if (parts === undefined)
    throw new Fault('signature-invalid', 'an SSH signature block of an Ed25519 key was expected');
  return `${keyType} ${keyBlob(parts.publicKey).toString('base64')}`;
}

/** The keys that were asked for last: a log of thousands of records is signed by a few, and reading a key takes as long as verifying. */
const known = new Map<string, KeyObject>();

function publicKeyObject(raw: Buffer): KeyObject {
  const text = raw.toString('base64url');
  const found = known.get(text);
  if (found) return found;
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' });
  if (known.size >= 64) known.clear();
  known.set(text, key);
  return key;
}

function signedData(namespace: string, message: Buffer): Buffer {
  const digest = createHash('sha512').update(message).digest();
  return Buffer.concat([magic, string(namespace), string(''), string('sha512'), string(digest)]);
}

function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function keyBlob(raw: Buffer): Buffer {
  return Buffer.concat([string(keyType), string(raw)]);
}

/** The fields of `bytes`, each with its length in front, or undefined unless there are exactly `count`. */
function strings(bytes: Buffer, count: number): Buffer[] | undefined {
  const found: Buffer[] = [];
  let at = 0;
  while (at + 4 <= bytes.length && found.length < count) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    found.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return found.length === count && at === bytes.length ? found : undefined;
}

/** The bytes of canonical base64 with padding, or undefined. */
function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** The 32 bytes of a key blob, or undefined when it is of another type. */
function rawKey(blob: Buffer): Buffer | undefined {
  const [type, raw] = strings(blob, 2) ?? [];
  return type?.equals(Buffer.from(keyType)) && raw?.length === 32 ? raw : undefined;
}

function rawPublicKey(text: string): Buffer {
  const [, base64 = ''] = /^ssh-ed25519 ([A-Za-z0-9+/]+=*)(?: [^\r\n]*)?$/.exec(text) ?? [];
  const raw = rawKey(strictBase64(base64) ?? Buffer.alloc(0));
  if (raw === undefined) throw new Fault('key-invalid', 'an OpenSSH public key (ssh-ed25519 AAAA…) was expected');
  return raw;
}

interface Signature {
  publicKey: Buffer;
  namespace: string;
  signature: Buffer;
}

function parseSignature(armored: string): Signature | undefined {
  const lines = armored.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.shift() !== beginLine || lines.pop() !== endLine || lines.length === 0) return undefined;
  if (lines.some((line) => line.length === 0 || line.length > 76)) return undefined;
  const blob = strictBase64(lines.join(''));
  const head = Buffer.concat([magic, Buffer.from([0, 0, 0, 1])]);
  if (blob === undefined || !blob.subarray(0, head.length).equals(head)) return undefined;
  const [key, namespace, reserved, hash, wrapped] = strings(blob.subarray(head.length), 5) ?? [];
  if (!key || !namespace || reserved?.length !== 0 || hash?.toString('latin1') !== 'sha512' || !wrapped)
    return undefined;
  const publicKey = rawKey(key);
  const [type, signature] = strings(wrapped, 2) ?? [];
  if (publicKey === undefined || !type?.equals(Buffer.from(keyType)) || signature?.length !== 64) return undefined;
  return { publicKey, namespace: namespace.toString('utf8'), signature };
}
