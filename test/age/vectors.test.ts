import assert from 'node:assert/strict';
import { createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import * as vectors from 'cctv-age';
import { open, openRanges, openStream } from '../../src/age/file.ts';
import type { Identity } from '../../src/age/header.ts';
import { isFault } from '../../src/errors.ts';
import { project } from '../cli/run.ts';

interface Vector {
  name: string;
  expect: string;
  payload: string | undefined;
  identities: Identity[];
  armored: boolean;
  fileKey: Buffer;
  file: Buffer;
}

function read(name: string, bytes: Uint8Array): Vector {
  const all = Buffer.from(bytes);
  const end = all.indexOf('\n\n');
  const fields = all
    .subarray(0, end)
    .toString()
    .split('\n')
    .map((line) => line.split(': ') as [string, string]);
  const known = ['expect', 'payload', 'file key', 'identity', 'passphrase', 'armored', 'compressed', 'comment'];
  for (const [key] of fields) assert.ok(known.includes(key), `${name}: unknown key ${key}`);
  const values = (key: string) => fields.filter(([name]) => name === key).map(([, value]) => value);
  const body = all.subarray(end + 2);
  return {
    name,
    expect: values('expect')[0]!,
    payload: values('payload')[0],
    identities: [...values('identity'), ...values('passphrase').map((passphrase) => ({ passphrase }))],
    armored: values('armored')[0] === 'yes',
    fileKey: Buffer.from(values('file key')[0]!, 'hex'),
    file: values('compressed')[0] === 'zlib' ? inflateSync(body) : body,
  };
}

const all = Object.entries(vectors)
  .filter(([name]) => name !== 'default')
  .map(([name, bytes]) => read(name, bytes));

const faultOf: Record<string, string | undefined> = {
  success: undefined,
  'no match': 'wrong-identity',
  'HMAC failure': 'not-authentic',
  'header failure': 'not-authentic',
  'payload failure': 'not-authentic',
  'armor failure': 'not-authentic',
};

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function faultFrom(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isFault(error)) return error.name;
    throw error;
  }
}

/** The chunks of a payload in order up to the last, as a reader releases them that tries both flags. */
function released(vector: Vector): Buffer {
  const mac = vector.file.indexOf('\n--- ');
  const from = vector.file.indexOf('\n', mac + 1) + 1;
  const key = Buffer.from(hkdfSync('sha256', vector.fileKey, vector.file.subarray(from, from + 16), 'payload', 32));
  const chunks: Buffer[] = [];
  for (let at = from + 16; at < vector.file.length; at += 65552) {
    const sealed = vector.file.subarray(at, at + 65552);
    const whole = sealed.length === 65552 ? openedChunk(key, chunks.length, 0, sealed) : undefined;
    const chunk = whole ?? openedChunk(key, chunks.length, 1, sealed);
    if (chunk && (chunk.length > 0 || chunks.length === 0)) chunks.push(chunk);
    if (!whole) break;
  }
  return Buffer.concat(chunks);
}

function openedChunk(key: Buffer, counter: number, flag: number, sealed: Buffer): Buffer | undefined {
  if (sealed.length < 16) return undefined;
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(counter, 7);
  nonce[11] = flag;
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAuthTag(sealed.subarray(-16));
  const plaintext = decipher.update(sealed.subarray(0, -16));
  try {
    decipher.final();
    return plaintext;
  } catch {
    return undefined;
  }
}

test('all 143 vectors of C2SP/CCTV are there, as README says', () => {
  assert.equal(all.length, 143);
  assert.match(readFileSync(path.join(project, 'README.md'), 'utf8'), /\ball 143 test vectors of age\b/);
});

for (const vector of all) {
  test(`a whole file: ${vector.name} is ${vector.expect}`, async () => {
    let plaintext: Buffer | undefined;
    const fault = await faultFrom(async () => {
      plaintext = await open(vector.identities, vector.file);
    });
    assert.equal(fault, faultOf[vector.expect]);
    if (fault === undefined) assert.equal(sha256(plaintext!), vector.payload);
  });

  test(`a stream: ${vector.name} is ${vector.expect} and releases nothing that is not authentic`, async () => {
    const pieces: Buffer[] = [];
    async function* source() {
      for (let at = 0; at < vector.file.length; at += 997) yield vector.file.subarray(at, at + 997);
    }
    const fault = await faultFrom(async () => {
      for await (const piece of openStream(vector.identities, source())) pieces.push(piece);
    });
    assert.equal(fault, faultOf[vector.expect]);
    const plaintext = Buffer.concat(pieces);
    if (fault === undefined) assert.equal(sha256(plaintext), vector.payload);
    else if (vector.expect !== 'payload failure' || vector.armored) assert.equal(plaintext.length, 0);
    else {
      // the vector's digest is of all that a reader may release; ours holds a full chunk back until it knows its flag
      const most = released(vector);
      assert.equal(sha256(most), vector.payload);
      assert.ok(plaintext.equals(most.subarray(0, plaintext.length)));
      assert.ok(most.length - plaintext.length <= 65536);
    }
  });
}

test('random access opens every unarmored vector that is whole', async () => {
  let opened = 0;
  for (const vector of all.filter(({ expect, armored }) => expect === 'success' && !armored)) {
    const readRange = async (start: number, length: number) => vector.file.subarray(start, start + length);
    const reader = await openRanges(vector.identities, vector.file.length, readRange);
    assert.equal(sha256(await reader.read(0, reader.plaintextSize)), vector.payload);
    reader.close();
    opened += 1;
  }
  assert.ok(opened >= 15);
});
