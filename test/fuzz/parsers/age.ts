import assert from 'node:assert/strict';
import { armor } from 'age-encryption';
import { isArmored } from '../../../src/age/armor.ts';
import { open, openRange, openStream, seal } from '../../../src/age/file.ts';
import { checkIdentity, checkRecipient, headerLength, openHeader } from '../../../src/age/header.ts';
import { isProtected, unwrapIdentityFile } from '../../../src/age/identity-file.ts';
import { newAgeIdentity, newWriterKey, parseAdminKey, parseSigningKey, parseWriterKey } from '../../../src/age/keys.ts';
import { fingerprintOf, signerOf, signSsh, verifySsh } from '../../../src/age/ssh.ts';
import { isFault } from '../../../src/errors.ts';
import { faults, type Parser } from '../parser.ts';

const own = await newAgeIdentity();
const other = await newAgeIdentity();
const hybrid = await newAgeIdentity({ postQuantum: true });
const file = await seal([own.recipient, other.recipient], Buffer.from('some text'));
const long = await seal([own.recipient], Buffer.alloc(66_000 - 700, 'a').subarray(0, 64_000));
const writerKey = newWriterKey();
const { signing } = parseWriterKey(writerKey);
const message = Buffer.from('{"v":1}\n');
const signature = signSsh(signing, 'salvor-log-v1', message);
const armored = armor.encode(file);
const damaged = faults('not-authentic', 'wrong-identity');
const identities = [own.identity];

/** What became of it: the plaintext, or the name of the Fault. */
async function outcome(work: () => Promise<Buffer>): Promise<string> {
  try {
    return (await work()).toString('hex');
  } catch (error) {
    if (damaged(error)) return isFault(error) ? error.name : '';
    throw error;
  }
}

async function streamed(pieces: readonly Buffer[]): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of openStream(identities, pieces)) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}

export const parser: Parser = {
  sources: ['src/age', 'node_modules/age-encryption/dist', 'node_modules/@scure/base'],
  words: [
    ...[
      'age-encryption.org/v1\n',
      '-> ',
      '-> X25519 ',
      '-> scrypt ',
      '-> ssh-ed25519 ',
      '\n--- ',
      '---',
      '\n',
      ' ',
      '=',
      'AAAA',
    ],
    ...[
      '-----BEGIN AGE ENCRYPTED FILE-----\n',
      '-----END AGE ENCRYPTED FILE-----\n',
      'AGE-SECRET-KEY-1',
      'AGE-SECRET-KEY-PQ-1',
    ],
    ...[
      'SALVOR-WRITER-KEY-1',
      'SALVOR-ADMIN-KEY-1',
      'age1',
      'ssh-ed25519 AAAA',
      '# ',
      '\r\n',
      '\u0000',
      ' 99',
      ' 18\n',
      ' 30\n',
    ],
    ...['-----BEGIN SSH SIGNATURE-----\n', '-----END SSH SIGNATURE-----\n', own.identity],
  ],
  ways: {
    file: {
      seeds: [file, armored, file.subarray(0, 200)],
      async run(bytes) {
        const whole = await outcome(() => open(identities, bytes));
        assert.equal(await outcome(() => streamed([bytes.subarray(0, 100), bytes.subarray(100)])), whole);
        return whole.length;
      },
      foreseen: () => false,
    },
    long: {
      seeds: [long],
      run: async (bytes) => (await open(identities, bytes)).length > 0,
      foreseen: damaged,
    },
    range: {
      seeds: [file],
      async run(bytes) {
        const readRange = async (start: number, length: number) => bytes.subarray(start, start + length);
        return (await openRange(identities, bytes.length, readRange, 0, 4)).length;
      },
      foreseen: (error) => damaged(error) || error instanceof RangeError,
    },
    header: {
      seeds: [
        file.subarray(0, file.indexOf('\n---') + 48),
        'age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 18\nZ\n--- AAAA\n',
        'age-encryption.org/v1\n-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\nEmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U\n--- AAAA\n',
      ],
      async run(bytes) {
        headerLength(bytes);
        // A passphrase of a file costs what it says, up to a limit; it is asked for in a way of its own.
        return (await openHeader([own.identity, hybrid.identity], bytes)).headerLength > 0;
      },
      foreseen: damaged,
    },
    armor: {
      seeds: [armored, ` \n${armored}`],
      async run(bytes) {
        isProtected(bytes);
        return `${isArmored(bytes)} ${(await open(identities, bytes)).length}`;
      },
      foreseen: damaged,
    },
    'identity-file': {
      seeds: [`# created\n${own.identity}\n\n${hybrid.identity}\n`, 'AGE-PLUGIN-YUBIKEY-1Q\n'],
      run: async (bytes) => (await unwrapIdentityFile(bytes)).length,
      foreseen: faults('no-identity', 'key-invalid'),
    },
    keys: {
      seeds: [own.identity, own.recipient, hybrid.recipient.slice(0, 200), writerKey],
      run(bytes) {
        const text = bytes.toString();
        const read = [checkIdentity, checkRecipient, parseWriterKey, parseAdminKey, parseSigningKey];
        return read
          .map((one) => {
            try {
              one(text);
              return 'yes';
            } catch (error) {
              if (isFault(error, 'key-invalid')) return 'no';
              throw error;
            }
          })
          .join();
      },
      foreseen: () => false,
    },
    signature: {
      seeds: [signature],
      run(bytes) {
        const armoredSignature = bytes.toString('latin1');
        const holds = verifySsh(signing.publicKey, 'salvor-log-v1', message, armoredSignature);
        return `${holds} ${signerOf(armoredSignature).length}`;
      },
      foreseen: faults('signature-invalid'),
    },
    'public-key': {
      seeds: [signing.publicKey, `${signing.publicKey} a comment`],
      run: (bytes) => fingerprintOf(bytes.toString()).length,
      foreseen: faults('key-invalid'),
    },
  },
};
