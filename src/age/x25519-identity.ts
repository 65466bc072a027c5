import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { base64nopad, bech32 } from '@scure/base';
import type { Stanza, Identity as Unwrapper } from 'age-encryption';

/*
 * X25519 identities (C2SP age.md, "The X25519 recipient type") by node:crypto. The package derives the public key anew for each file, by WebCrypto; who lists a
 * thousand points opens a thousand headers with one key.
 */

/** What stands in front of an X25519 secret in PKCS #8, and of a public key in SPKI (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex');
const label = 'age-encryption.org/v1/X25519';
const fileKeySize = 16;
const tagSize = 16;

/** Key pairs that were asked for last, by the identity's text. */
const known = new Map<string, { secret: KeyObject; recipient: Buffer }>();
const most = 16;

/** The reader of stanzas for an identity `AGE-SECRET-KEY-1…`. Throws when the text is not one. What it throws at a stanza means that the header is malformed. */
export function x25519Identity(text: string): Unwrapper {
  const { secret, recipient } = pairOf(text);
  return {
    unwrapFileKey(stanzas) {
      for (const stanza of stanzas) {
        const fileKey = stanza.args[0] === 'X25519' ? unwrap(stanza, secret, recipient) : null;
        if (fileKey !== null) return fileKey;
      }
      return null;
    },
  };
}

function pairOf(text: string): { secret: KeyObject; recipient: Buffer } {
  const found = known.get(text);
  if (found) return found;
  const { prefix, bytes } = bech32.decodeToBytes(text);
  if (prefix.toUpperCase() !== 'AGE-SECRET-KEY-' || bytes.length !== 32) throw new Error('not an X25519 identity');
  const der = Buffer.concat([pkcs8Prefix, bytes]);
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  bytes.fill(0);
  const recipient = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32);
  const pair = { secret, recipient };
  known.set(text, pair);
  for (const oldest of known.keys()) if (known.size > most) known.delete(oldest);
  return pair;
}

/** The file key; null when the stanza is for somebody else. */
function unwrap({ args, body }: Stanza, secret: KeyObject, recipient: Buffer): Uint8Array | null {
  const share = args.length === 2 ? base64nopad.decode(args[1]!) : undefined;
  if (share?.length !== 32 || body.length !== fileKeySize + tagSize) throw new Error('an X25519 stanza is malformed');
  const peer = createPublicKey({ key: Buffer.concat([spkiPrefix, share]), format: 'der', type: 'spki' });
  // It refuses a point of low order, whose secret everybody knows.
  const shared = createSecretKey(diffieHellman({ privateKey: secret, publicKey: peer }));
  const key = Buffer.from(hkdfSync('sha256', shared, Buffer.concat([share, recipient]), label, 32));
  const cipher = createDecipheriv('chacha20-poly1305', createSecretKey(key), Buffer.alloc(12), {
    authTagLength: tagSize,
  });
  cipher.setAuthTag(body.subarray(fileKeySize));
  try {
    return Buffer.concat([cipher.update(body.subarray(0, fileKeySize)), cipher.final()]);
  } catch {
    return null;
  }
}
