import { createCipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { Decrypter, Encrypter, Stanza, type Recipient as Wrapper } from 'age-encryption';
import { Fault } from '../errors.ts';
import { x25519Identity } from './x25519-identity.ts';

/** Who can open a file: a recipient as text (`age1…`, `age1pq1…`, `age1tag1…`), or a passphrase, which stands alone. */
export type Recipient = string | { passphrase: string };

/** What opens a file: an identity as text (`AGE-SECRET-KEY-1…`, `AGE-SECRET-KEY-PQ-1…`) or a passphrase. */
export type Identity = string | { passphrase: string };

/** The longest header that is read, in bytes; thirty post-quantum recipients take less than a tenth of it. */
export const longestHeader = 1024 * 1024;

const intro = Buffer.from('age-encryption.org/v1\n');
const lineFeed = 0x0a;
const scryptWorkFactor = 18;

/** Wraps a file key to a passphrase (C2SP age.md, "The scrypt recipient type"), off the main thread. */
function passphraseWrapper(passphrase: string): Wrapper {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16);
      const labelled = Buffer.concat([Buffer.from('age-encryption.org/v1/scrypt'), salt]);
      const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);
      const N = 2 ** scryptWorkFactor;
      const key = await derive(passphrase, labelled, 32, { N, r: 8, p: 1, maxmem: 2 * 128 * 8 * N });
      const cipher = createCipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: 16 });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      key.fill(0);
      return [new Stanza(['scrypt', salt.toString('base64').replace(/=+$/, ''), `${scryptWorkFactor}`], body)];
    },
  };
}

function encrypterTo(recipients: readonly Recipient[]): Encrypter {
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    if (typeof recipient !== 'string') {
      if (recipients.length > 1) throw new Error('a passphrase stands alone in an age header');
      encrypter.addRecipient(passphraseWrapper(recipient.passphrase));
      continue;
    }
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw new Fault('key-invalid', 'an age recipient (age1…) was expected; the text is damaged or something else');
    }
  }
  return encrypter;
}

function decrypterWith(identities: readonly Identity[]): Decrypter {
  const decrypter = new Decrypter();
  for (const identity of identities) {
    if (typeof identity !== 'string') {
      decrypter.addPassphrase(identity.passphrase);
      continue;
    }
    try {
      decrypter.addIdentity(identity.startsWith('AGE-SECRET-KEY-1') ? x25519Identity(identity) : identity);
    } catch {
      // the package's message is not kept as the cause: nothing that has seen the key may repeat it
      throw new Fault('key-invalid', 'an age identity (AGE-SECRET-KEY-1…) was expected; it is damaged or another kind');
    }
  }
  return decrypter;
}

/** Throws `key-invalid`, without repeating `text`, when it is not a recipient. */
export function checkRecipient(text: string): void {
  encrypterTo([text]);
}

/** Throws `key-invalid`, without repeating `text`, when it is not an identity. */
export function checkIdentity(text: string): void {
  decrypterWith([text]);
}

/**
 * A header for one new file and the file key that it wraps: for that file only, and the caller's to wipe.
 * Throws `key-invalid` for a recipient that is none.
 */
export async function makeHeader(recipients: readonly Recipient[]): Promise<{ header: Buffer; fileKey: Buffer }> {
  if (recipients.length === 0) throw new Error('an age file needs a recipient');
  const encrypter = encrypterTo(recipients);
  let fileKey: Buffer | undefined;
  // a recipient that writes no stanza: it only learns the key that the others wrap
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Buffer.from(key);
      return [];
    },
  });
  const file = await encrypter.encrypt(new Uint8Array(0));
  const length = headerLength(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
  return { header: Buffer.from(file.subarray(0, length ?? 0)), fileKey: fileKey! };
}

/**
 * The length of the header that `start` begins with, or undefined when more bytes are needed to tell.
 * Throws `not-authentic` when no age v1 header begins like this.
 */
export function headerLength(start: Buffer): number | undefined {
  const known = Math.min(start.length, intro.length);
  if (start.compare(intro, 0, known, 0, known) !== 0) {
    throw new Fault('not-authentic', 'an age v1 file was expected; the bytes begin otherwise');
  }
  // only the last line of a header can begin with dashes
  const head = start.subarray(0, longestHeader);
  const mac = head.indexOf('\n---', intro.length - 1, 'latin1');
  const end = mac < 0 ? -1 : head.indexOf(lineFeed, mac + 1);
  if (end >= 0) return end + 1;
  if (start.length >= longestHeader) throw new Fault('not-authentic', 'the header of an age file does not end');
  return undefined;
}

/**
 * The file key and the length of the header that `start` (the beginning of a file, as much as there is) begins with.
 * Throws `wrong-identity` when no stanza is for any of `identities`, `not-authentic` when the header is cut, malformed
 * or changed, `key-invalid` for an identity that is none. The file key is the caller's to wipe.
 */
export async function openHeader(
  identities: readonly Identity[],
  start: Buffer,
): Promise<{ fileKey: Buffer; headerLength: number }> {
  const decrypter = decrypterWith(identities);
  const length = headerLength(start);
  if (length === undefined) throw new Fault('not-authentic', 'the header of an age file is cut');
  let unmatched = false;
  // asked last, so it is reached only when none of the others has the key
  decrypter.addIdentity({
    unwrapFileKey() {
      unmatched = true;
      return null;
    },
  });
  try {
    const fileKey = await decrypter.decryptHeader(start.subarray(0, length));
    return { fileKey: Buffer.from(fileKey.buffer, fileKey.byteOffset, fileKey.byteLength), headerLength: length };
  } catch (cause) {
    if (unmatched) throw new Fault('wrong-identity', 'the file is not encrypted to any of the identities given');
    throw new Fault('not-authentic', 'the header of an age file is malformed or was changed', { cause });
  }
}
