import assert from 'node:assert/strict';
import { test } from 'node:test';
import { armor } from 'age-encryption';
import { seal } from '../../src/age/file.ts';
import { isProtected, unwrapIdentityFile } from '../../src/age/identity-file.ts';
import { newAgeIdentity, newWriterKey } from '../../src/age/keys.ts';
import { type Fault, type FaultName, isFault } from '../../src/errors.ts';

const first = await newAgeIdentity();
const second = await newAgeIdentity({ postQuantum: true });
const text = `# created: 2026-01-01T00:00:00Z\n# public key: ${first.recipient}\n${first.identity}\r\n\n  ${second.identity}\n`;

function faulty(name: FaultName, message: string) {
  return (error: unknown) => {
    assert.ok(isFault(error, name));
    assert.equal((error as Fault).message, message);
    return true;
  };
}

test('an identity file has comments, empty lines and any number of identities', async () => {
  assert.equal(isProtected(Buffer.from(text)), false);
  assert.deepEqual(await unwrapIdentityFile(Buffer.from(text)), [first.identity, second.identity]);
});

test('an identity file protected with a passphrase is opened, armored or not', async () => {
  const file = await seal([{ passphrase: 'correct horse' }], Buffer.from(text));
  for (const bytes of [file, Buffer.from(armor.encode(file))]) {
    assert.equal(isProtected(bytes), true);
    assert.deepEqual(await unwrapIdentityFile(bytes, 'correct horse'), [first.identity, second.identity]);
  }
  const missing = 'the identity file is protected with a passphrase, and none was given';
  await assert.rejects(unwrapIdentityFile(file), faulty('no-identity', missing));
  const wrong = 'the passphrase does not open the identity file';
  await assert.rejects(unwrapIdentityFile(file, 'wrong'), faulty('wrong-identity', wrong));
});

test('a line that is no identity is named by its number and kind, never by its text', async () => {
  const cases: [string, FaultName, string][] = [
    ['# nothing\n', 'no-identity', 'no identity stands in the identity file'],
    [
      `\n${newWriterKey()}\n`,
      'key-invalid',
      'line 2 of the identity file: an age identity was expected, not the writer key of a vault',
    ],
    [
      'AGE-PLUGIN-YUBIKEY-1QQQQ',
      'key-invalid',
      'line 1 of the identity file: an age identity was expected, not an identity of an age plugin',
    ],
    [`${first.identity.slice(0, -1)}`, 'key-invalid', 'line 1 of the identity file: the identity is damaged'],
  ];
  for (const [content, name, message] of cases) {
    await assert.rejects(unwrapIdentityFile(Buffer.from(content)), faulty(name, message));
  }
});
