import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { armor, Decrypter, Encrypter } from 'age-encryption';
import fc from 'fast-check';
import { open, openRange, openRanges, openStream, seal, sealStream } from '../../src/age/file.ts';
import { newAgeIdentity } from '../../src/age/keys.ts';
import { isFault } from '../../src/errors.ts';
import { needs } from './programs.ts';

const edges = [0, 1, 65535, 65536, 65537, 131071, 131072, 131073];
const alice = await newAgeIdentity();
const bob = await newAgeIdentity();

async function joined(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let i = 0; at < bytes.length; i += 1) {
    const end = at + (lengths[i % lengths.length] ?? bytes.length);
    yield Buffer.from(bytes.subarray(at, end));
    at = end;
  }
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isFault(error)) return error.name;
    throw error;
  }
  return 'none';
}

for (const length of edges) {
  test(`a plaintext of ${length} bytes comes back whole, by every way of writing and of reading`, async () => {
    const plaintext = randomBytes(length);
    const files = [
      await seal([alice.recipient], plaintext),
      await seal([bob.recipient, alice.recipient], [plaintext.subarray(0, 7), plaintext.subarray(7)]),
      await joined(sealStream([alice.recipient], cut(plaintext, [65536]))),
      await joined(sealStream([alice.recipient], cut(plaintext, [1000, 70000]))),
    ];
    for (const file of files) {
      assert.deepEqual(await open([bob.identity, alice.identity], file), plaintext);
      assert.deepEqual(await joined(openStream([alice.identity], cut(file, [65552]))), plaintext);
      assert.deepEqual(await joined(openStream([alice.identity], [file])), plaintext);
      const decrypter = new Decrypter();
      decrypter.addIdentity(alice.identity);
      assert.deepEqual(Buffer.from(await decrypter.decrypt(file)), plaintext);
    }
    const encrypter = new Encrypter();
    encrypter.addRecipient(alice.recipient);
    assert.deepEqual(await open([alice.identity], Buffer.from(await encrypter.encrypt(plaintext))), plaintext);
  });
}

test('streams cut anywhere carry the same bytes', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 6 });
  const property = fc.asyncProperty(fc.integer({ min: 0, max: 300_000 }), lengths, lengths, async (size, a, b) => {
    const plaintext = randomBytes(size);
    const file = await joined(sealStream([alice.recipient], cut(plaintext, a)));
    assert.deepEqual(await joined(openStream([alice.identity], cut(file, b))), plaintext);
  });
  await fc.assert(property, { numRuns: 60 });
});

test('a stream holds no more than a few chunks while it passes', async () => {
  const piece = Buffer.alloc(100_000, 1);
  let given = 0;
  async function* source() {
    for (let i = 0; i < 300; i += 1) {
      given += piece.length;
      yield piece;
    }
  }
  let taken = 0;
  for await (const out of openStream([alice.identity], sealStream([alice.recipient], source()))) {
    taken += out.length;
    assert.ok(given - taken < 8 * 65536, `${given - taken} bytes were in between`);
  }
  assert.equal(taken, 300 * piece.length);
});

test('the source is closed when its reader stops early', async () => {
  let closed = false;
  const file = await seal([alice.recipient], randomBytes(200_000));
  async function* source() {
    try {
      yield* cut(file, [70_000]);
    } finally {
      closed = true;
    }
  }
  for await (const _ of openStream([alice.identity], source())) break;
  assert.equal(closed, true);
});

test('every changed byte of a small file is a fault', async () => {
  const file = await seal([alice.recipient], Buffer.from('a small secret'));
  const macLine = file.indexOf('\n--- ') + 1;
  for (let at = 0; at < file.length; at += 1) {
    for (const bit of [0x01, 0x80]) {
      const changed = Buffer.from(file);
      changed[at]! ^= bit;
      const fault = await faultOf(open([alice.identity], changed));
      // a changed stanza cannot be told from one for somebody else
      const allowed = at < macLine ? ['not-authentic', 'wrong-identity'] : ['not-authentic'];
      assert.ok(allowed.includes(fault), `byte ${at}, bit ${bit}: ${fault}`);
    }
  }
});

test('every truncation of a small file and every byte behind it is a fault, whole and as a stream', async () => {
  const file = await seal([alice.recipient], Buffer.from('a small secret'));
  for (let length = 0; length < file.length; length += 1) {
    assert.equal(await faultOf(open([alice.identity], file.subarray(0, length))), 'not-authentic', `${length} bytes`);
    const stream = joined(openStream([alice.identity], cut(file.subarray(0, length), [50])));
    assert.equal(await faultOf(stream), 'not-authentic', `${length} bytes as a stream`);
  }
  const longer = Buffer.concat([file, Buffer.from('x')]);
  assert.equal(await faultOf(open([alice.identity], longer)), 'not-authentic');
  assert.equal(await faultOf(joined(openStream([alice.identity], [longer]))), 'not-authentic');
});

test('a cut, a swap or a repetition of chunks is a fault', async () => {
  const file = await seal([alice.recipient], randomBytes(3 * 65536));
  const from = file.length - 3 * 65552;
  const chunk = (n: number) => file.subarray(from + n * 65552, from + (n + 1) * 65552);
  const start = file.subarray(0, from);
  for (const chunks of [[0], [0, 1], [0, 2], [1, 0, 2], [0, 1, 1, 2], [0, 1, 2, 2], [1, 2], [2], []]) {
    const changed = Buffer.concat([start, ...chunks.map(chunk)]);
    assert.equal(await faultOf(open([alice.identity], changed)), 'not-authentic', `whole, chunks ${chunks}`);
    const stream = joined(openStream([alice.identity], [changed]));
    assert.equal(await faultOf(stream), 'not-authentic', `stream, chunks ${chunks}`);
  }
  for (const length of [from + 65552 + 1, from + 65552 + 16, from + 2 * 65552 - 1, file.length - 1]) {
    const stream = joined(openStream([alice.identity], [file.subarray(0, length)]));
    assert.equal(await faultOf(stream), 'not-authentic', `cut at ${length}`);
  }
});

test('other identities are told apart from damage', async () => {
  const file = await seal([alice.recipient], Buffer.from('x'));
  assert.equal(await faultOf(open([bob.identity], file)), 'wrong-identity');
  assert.equal(await faultOf(open([{ passphrase: 'guess' }], file)), 'wrong-identity');
  assert.equal(await faultOf(open([bob.identity], Buffer.from('no age file'))), 'not-authentic');
  assert.equal(await faultOf(open(['AGE-SECRET-KEY-1NOPE'], file)), 'key-invalid');
  assert.equal(await faultOf(seal(['age1nope'], Buffer.from('x'))), 'key-invalid');
});

test('random access equals slices of the plaintext', async () => {
  const plaintext = randomBytes(3 * 65536 + 100);
  const file = await seal([alice.recipient, bob.recipient], plaintext);
  let reads = 0;
  const readRange = async (start: number, length: number) => {
    assert.ok(start >= 0 && start + length <= file.length, 'reads stay inside the file');
    reads += 1;
    return file.subarray(start, start + length);
  };
  const reader = await openRanges([bob.identity], file.length, readRange);
  assert.equal(reader.plaintextSize, plaintext.length);
  const at = fc.integer({ min: 0, max: plaintext.length });
  const property = fc.asyncProperty(at, at, async (a, b) => {
    const [start, end] = a < b ? [a, b] : [b, a];
    assert.deepEqual(await reader.read(start, end - start), plaintext.subarray(start, end));
  });
  await fc.assert(property, {
    numRuns: 200,
    examples: edges.flatMap((edge) => [
      [edge, plaintext.length],
      [0, edge],
    ]),
  });
  reads = 0;
  assert.deepEqual(
    await openRange([bob.identity], file.length, readRange, 65530, 12),
    plaintext.subarray(65530, 65542),
  );
  assert.equal(reads, 2);
  await assert.rejects(reader.read(plaintext.length, 1), RangeError);
  await assert.rejects(reader.read(-1, 1), RangeError);
});

test('random access works at every chunk edge and in an empty file', async () => {
  for (const length of edges) {
    const plaintext = randomBytes(length);
    const file = await seal([alice.recipient], plaintext);
    const readRange = async (start: number, count: number) => file.subarray(start, start + count);
    assert.deepEqual(await openRange([alice.identity], file.length, readRange, 0, length), plaintext);
    assert.deepEqual(await openRange([alice.identity], file.length, readRange, length, 0), Buffer.alloc(0));
  }
});

test('random access faults on a changed chunk, a short read and a cut file', async () => {
  const file = await seal([alice.recipient], randomBytes(200_000));
  const changed = Buffer.from(file);
  changed[file.length - 100]! ^= 1;
  const of = (bytes: Buffer) => async (start: number, length: number) => bytes.subarray(start, start + length);
  const read = (bytes: Buffer, size: number, start: number) =>
    faultOf(openRange([alice.identity], size, of(bytes), start, 10));
  assert.equal(await read(changed, file.length, 199_000), 'not-authentic');
  assert.equal(await read(changed, file.length, 0), 'none');
  assert.equal(await read(file.subarray(0, 150_000), file.length, 199_000), 'not-authentic');
  assert.equal(await read(file.subarray(0, 100), 100, 0), 'not-authentic');
  // the lie about the size shows where the last chunk is read
  assert.equal(await read(file, file.length - 50, 199_000), 'not-authentic');
});

test('a header with twenty post-quantum recipients is read in random access too', async () => {
  const quantum = await newAgeIdentity({ postQuantum: true });
  const others = Array.from({ length: 20 }, () => quantum.recipient);
  const last = await newAgeIdentity({ postQuantum: true });
  const file = await seal([...others, last.recipient], Buffer.from('far behind'));
  const readRange = async (start: number, length: number) => file.subarray(start, start + length);
  assert.equal(String(await openRange([last.identity], file.length, readRange, 4, 6)), 'behind');
});

test('a header that never ends is refused after a megabyte, however the file is read', async () => {
  const endless = Buffer.from(`age-encryption.org/v1\n${'-> x y\n\n'.repeat(200_000)}`);
  assert.equal(await faultOf(open([alice.identity], endless)), 'not-authentic');
  assert.equal(await faultOf(joined(openStream([alice.identity], cut(endless, [65536])))), 'not-authentic');
  const readRange = async (start: number, length: number) => endless.subarray(start, start + length);
  assert.equal(await faultOf(openRange([alice.identity], endless.length, readRange, 0, 1)), 'not-authentic');
});

test('armored files are opened, whole and as a stream, with space around them and CRLF', async () => {
  const file = await seal([alice.recipient], randomBytes(100_000));
  const plaintext = await open([alice.identity], file);
  const text = armor.encode(file);
  for (const variant of [text, `\n  ${text}\n\n`, text.replaceAll('\n', '\r\n')]) {
    assert.deepEqual(await open([alice.identity], Buffer.from(variant)), plaintext);
    assert.deepEqual(await joined(openStream([alice.identity], cut(Buffer.from(variant), [5]))), plaintext);
  }
  assert.equal(await faultOf(open([alice.identity], Buffer.from(text.replace('\n', '\nx')))), 'not-authentic');
});

test('a passphrase seals and opens', async () => {
  const file = await seal([{ passphrase: 'correct horse' }], Buffer.from('x'));
  assert.equal(String(await open([{ passphrase: 'correct horse' }], file)), 'x');
  assert.equal(await faultOf(open([{ passphrase: 'wrong' }], file)), 'wrong-identity');
  await assert.rejects(seal([{ passphrase: 'p' }, alice.recipient], Buffer.from('x')), /stands alone/);
});

test('the age program reads what is sealed here, and what it writes is opened here', needs('age', 'age'), async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'salvor-age-'));
  try {
    const identity = path.join(dir, 'identity.txt');
    writeFileSync(identity, `${alice.identity}\n`);
    for (const length of edges) {
      const plaintext = randomBytes(length);
      const input = await seal([bob.recipient, alice.recipient], plaintext);
      const read = spawnSync('age', ['-d', '-i', identity], { input, maxBuffer: 1 << 30 });
      assert.equal(String(read.stderr), '');
      assert.deepEqual(read.stdout, plaintext);
      for (const flags of [[], ['--armor']]) {
        const args = [...flags, '-r', bob.recipient, '-r', alice.recipient];
        const written = spawnSync('age', args, { input: plaintext, maxBuffer: 1 << 30 });
        assert.equal(written.status, 0, String(written.stderr));
        assert.deepEqual(await open([alice.identity], written.stdout), plaintext);
        assert.deepEqual(await joined(openStream([bob.identity], cut(written.stdout, [4096]))), plaintext);
      }
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});
