import { Fault, isFault } from '../errors.ts';
import { isArmored } from './armor.ts';
import { open } from './file.ts';
import { checkIdentity } from './header.ts';
import { describe } from './keys.ts';

/** True when the bytes are an age file (armored or not), so that `unwrapIdentityFile` needs a passphrase. */
export function isProtected(bytes: Buffer): boolean {
  return isArmored(bytes) === true || bytes.subarray(0, 18).toString('latin1') === 'age-encryption.org';
}

/**
 * The identities of an identity file, as `age-keygen` writes it: one a line, empty lines and `#` comments between.
 * The file may itself be an age file protected with a passphrase. Throws `no-identity` when a passphrase is needed and
 * not given or no identity stands in the file, `wrong-identity` for a wrong passphrase, `not-authentic` for a damaged
 * age file, `key-invalid` with the line's number for a line that is no identity.
 */
export async function unwrapIdentityFile(bytes: Buffer, passphrase?: string): Promise<string[]> {
  if (!isProtected(bytes)) return identitiesIn(bytes);
  if (passphrase === undefined) {
    throw new Fault('no-identity', 'the identity file is protected with a passphrase, and none was given');
  }
  const plaintext = await open([{ passphrase }], bytes).catch((error: unknown) => {
    if (!isFault(error, 'wrong-identity')) throw error;
    throw new Fault('wrong-identity', 'the passphrase does not open the identity file', { actions: ['type it again'] });
  });
  try {
    return identitiesIn(plaintext);
  } finally {
    plaintext.fill(0);
  }
}

function identitiesIn(bytes: Buffer): string[] {
  const identities: string[] = [];
  for (const [index, line] of bytes.toString('utf8').split('\n').entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const found = describe(text);
    if (found !== 'an age identity') {
      throw new Fault(
        'key-invalid',
        `line ${index + 1} of the identity file: an age identity was expected, not ${found}`,
      );
    }
    try {
      checkIdentity(text);
    } catch {
      throw new Fault('key-invalid', `line ${index + 1} of the identity file: the identity is damaged`);
    }
    identities.push(text);
  }
  if (identities.length === 0) throw new Fault('no-identity', 'no identity stands in the identity file');
  return identities;
}
