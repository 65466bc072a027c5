import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bech32 } from '@scure/base';
import { identityToRecipient } from 'age-encryption';
import { open, seal } from '../../src/age/file.ts';
import {
  newAgeIdentity,
  newSigningKey,
  newWriterKey,
  parseSigningKey,
  parseWriterKey,
  recipientOf,
} from '../../src/age/keys.ts';
import { signSsh, verifySsh } from '../../src/age/ssh.ts';
import { Fault } from '../../src/errors.ts';

function fault(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Fault);
    return error;
  }
  assert.fail('nothing was thrown');
}

test('a writer key signs and opens what is sealed to its recipient', async () => {
  const text = newWriterKey();
  assert.match(text, /^SALVOR-WRITER-KEY-1[02-9AC-HJ-NP-Z]{109}$/);
  const writer = parseWriterKey(`${text}\n`);
  assert.equal(writer.recipient, await identityToRecipient(writer.identity));
  assert.equal(String(await open([writer.identity], await seal([writer.recipient], Buffer.from('x')))), 'x');
  const signature = signSsh(writer.signing, 'n', Buffer.from('m'));
  assert.equal(verifySsh(parseWriterKey(text).signing.publicKey, 'n', Buffer.from('m'), signature), true);
});

test('the text of a key stands for the same key for ever', () => {
  // seed and public key of RFC 8032, 7.1, test 1
  const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
  const text = bech32.encode('salvor-root-key-', bech32.toWords(seed), false).toUpperCase();
  assert.equal(text, 'SALVOR-ROOT-KEY-1N4SMR800L4DXPW5YFT6F9MPVC3ZYN3TF0VEXJXTS8WKQX89W0ASQK5MWMS');
  const blob = Buffer.from(parseSigningKey(text).publicKey.split(' ')[1]!, 'base64');
  const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
  assert.equal(blob.subarray(-32).toString('hex'), publicKey);
});

test('admin and root keys sign, and are told apart when one kind is asked for', () => {
  const admin = newSigningKey('admin');
  const root = newSigningKey('root');
  assert.match(admin, /^SALVOR-ADMIN-KEY-1/);
  assert.match(root, /^SALVOR-ROOT-KEY-1/);
  assert.match(parseSigningKey(admin).fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
  assert.equal(parseSigningKey(root, 'root').publicKey, parseSigningKey(root).publicKey);
  assert.equal(
    fault(() => parseSigningKey(root, 'admin')).message,
    'a key that begins with SALVOR-ADMIN-KEY-1… was expected; this is the root key of a vault',
  );
});

test('another kind of key is named, and no key is repeated', async () => {
  const { identity, recipient } = await newAgeIdentity();
  const root = newSigningKey('root');
  for (const [text, found] of [
    [identity, 'an age identity'],
    [recipient, 'an age recipient'],
    [root, 'the root key of a vault'],
    ['', 'empty'],
    ['my secret', 'something else'],
  ] as const) {
    const { name, message, cause } = fault(() => parseWriterKey(text));
    assert.equal(name, 'key-invalid');
    assert.equal(message, `a key that begins with SALVOR-WRITER-KEY-1… was expected; this is ${found}`);
    assert.equal(cause, undefined);
  }
});

test('every damaged letter of a writer key is noticed, and the key is not in the message', () => {
  const text = newWriterKey();
  for (let at = 'SALVOR-WRITER-KEY-1'.length; at < text.length; at += 1) {
    const damaged = text.slice(0, at) + (text[at] === 'Q' ? 'P' : 'Q') + text.slice(at + 1);
    const { name, message, cause } = fault(() => parseWriterKey(damaged));
    assert.equal(name, 'key-invalid');
    assert.ok(message.includes('damaged') && !message.includes(text.slice(20, 28)));
    assert.equal(cause, undefined);
  }
  assert.equal(fault(() => parseWriterKey(text.slice(0, -1))).name, 'key-invalid');
  assert.equal(fault(() => parseWriterKey(`${text}Q`)).name, 'key-invalid');
  assert.equal(fault(() => parseWriterKey(text.toLowerCase())).name, 'key-invalid');
});

test('identities are X25519 or post-quantum, and a recipient follows from each', async () => {
  for (const postQuantum of [false, true]) {
    const { identity, recipient } = await newAgeIdentity({ postQuantum });
    assert.match(identity, postQuantum ? /^AGE-SECRET-KEY-PQ-1/ : /^AGE-SECRET-KEY-1/);
    assert.match(recipient, postQuantum ? /^age1pq1/ : /^age1/);
    assert.equal(await recipientOf(identity), recipient);
  }
  await assert.rejects(recipientOf('AGE-SECRET-KEY-1SECRETSECRET'), (error) => {
    assert.ok(error instanceof Fault && error.name === 'key-invalid');
    assert.ok(!error.message.includes('SECRETSECRET') && error.cause === undefined);
    return true;
  });
});
