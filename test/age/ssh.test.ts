import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { newSigningKey, parseSigningKey } from '../../src/age/keys.ts';
import { fingerprintOf, signerOf, signingKeyOf, signSsh, verifySsh } from '../../src/age/ssh.ts';
import { isFault } from '../../src/errors.ts';
import { needs } from './programs.ts';

const key = parseSigningKey(newSigningKey('admin'));
const message = Buffer.from('{"v":1}\n');
const signature = signSsh(key, 'salvor-log-v1', message);

function changedBlob(change: (blob: Buffer) => Buffer): string {
  const blob = Buffer.from(signature.split('\n').slice(1, -2).join(''), 'base64');
  const text = change(blob)
    .toString('base64')
    .match(/.{1,70}/g)!
    .join('\n');
  return `-----BEGIN SSH SIGNATURE-----\n${text}\n-----END SSH SIGNATURE-----\n`;
}

test('a signature holds for its key, namespace and message, and for no others', () => {
  const other = parseSigningKey(newSigningKey('root'));
  assert.equal(verifySsh(key.publicKey, 'salvor-log-v1', message, signature), true);
  assert.equal(verifySsh(`${key.publicKey} a comment`, 'salvor-log-v1', message, signature), true);
  assert.equal(verifySsh(other.publicKey, 'salvor-log-v1', message, signature), false);
  assert.equal(verifySsh(key.publicKey, 'salvor-log-v2', message, signature), false);
  assert.equal(verifySsh(key.publicKey, 'salvor-log-v1', Buffer.from('{"v":2}\n'), signature), false);
  assert.equal(verifySsh(key.publicKey, 'salvor-log-v1', Buffer.from('{"v":1}'), signature), false);
  assert.equal(signerOf(signature), key.publicKey);
});

test('no changed byte of a signature block verifies', () => {
  const length = Buffer.from(signature.split('\n').slice(1, -2).join(''), 'base64').length;
  for (let at = 0; at < length; at += 1) {
    const changed = changedBlob((blob) => {
      blob[at]! ^= 1;
      return blob;
    });
    assert.equal(verifySsh(key.publicKey, 'salvor-log-v1', message, changed), false, `byte ${at}`);
  }
});

test('only strict signature blocks are parsed', () => {
  assert.equal(
    changedBlob((blob) => blob),
    signature,
  );
  const loose = [
    '',
    'no signature',
    ` ${signature}`,
    `${signature}\n`,
    `${signature}x`,
    signature.replaceAll('\n', '\r\n'),
    signature.replace('SSH SIGNATURE', 'PGP SIGNATURE'),
    signature.replace('\n-----END', '\n\n-----END'),
    signature.replace('\n-----END', '=\n-----END'),
    signature.replace('-----\n', '-----\n '),
    signature.split('\n').slice(0, 2).join('\n'),
    changedBlob((blob) => Buffer.concat([blob, Buffer.from([0])])),
    changedBlob((blob) => blob.subarray(0, -1)),
    changedBlob((blob) => blob.subarray(0, 10)),
  ];
  for (const text of loose) {
    assert.equal(verifySsh(key.publicKey, 'salvor-log-v1', message, text), false, JSON.stringify(text));
    assert.throws(
      () => signerOf(text),
      (error) => isFault(error, 'signature-invalid'),
      JSON.stringify(text),
    );
  }
});

test('only Ed25519 public keys in canonical form are taken', () => {
  const wrong = [
    '',
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==',
    key.publicKey.slice(0, -2),
    `${key.publicKey}=`,
    ` ${key.publicKey}`,
  ];
  for (const text of wrong) {
    assert.throws(
      () => verifySsh(text, 'n', message, signature),
      (error) => isFault(error, 'key-invalid'),
      text,
    );
  }
});

test('signatures and fingerprints agree with ssh-keygen both ways', needs('ssh-keygen', 'openssh-client'), () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'salvor-ssh-'));
  try {
    const file = path.join(dir, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'somebody', '-f', file]);
    const publicText = readFileSync(`${file}.pub`, 'utf8').trim();
    const printed = execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' }).split(' ')[1];
    assert.equal(fingerprintOf(publicText), printed);

    const theirs = execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', file, '-n', 'salvor-log-v1'], {
      input: message,
      encoding: 'utf8',
    });
    assert.equal(verifySsh(publicText, 'salvor-log-v1', message, theirs), true);
    assert.equal(verifySsh(publicText, 'salvor-log-v2', message, theirs), false);

    // the seed stands behind the only length field of 64 in a key file without a passphrase
    const blob = Buffer.from(readFileSync(file, 'latin1').split('\n').slice(1, -2).join(''), 'base64');
    const seed = blob.indexOf(Buffer.from([0, 0, 0, 64])) + 4;
    const same = signingKeyOf(blob.subarray(seed, seed + 32));
    assert.equal(`${same.publicKey} somebody`, publicText);
    assert.equal(same.fingerprint, printed);
    assert.equal(signSsh(same, 'salvor-log-v1', message), theirs);

    writeFileSync(path.join(dir, 'allowed'), `writer ${key.publicKey}\n`);
    writeFileSync(path.join(dir, 'ours.sig'), signature);
    const verify = (namespace: string, input: Buffer) =>
      spawnSync(
        'ssh-keygen',
        [
          '-Y',
          'verify',
          '-f',
          path.join(dir, 'allowed'),
          '-I',
          'writer',
          '-n',
          namespace,
          '-s',
          path.join(dir, 'ours.sig'),
        ],
        { input },
      ).status;
    assert.equal(verify('salvor-log-v1', message), 0);
    assert.notEqual(verify('salvor-log-v2', message), 0);
    assert.notEqual(verify('salvor-log-v1', Buffer.from('other')), 0);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
