import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../../src/errors.ts';
import { compressFrame, decompressFrame, decompressFrames, frames } from '../../src/vault/zstd.ts';

const hasZstd = spawnSync('zstd', ['--version']).status === 0;
const skip = hasZstd || process.env.CI ? false : 'the zstd program is missing';

function zstd(input: Buffer, ...args: string[]): Buffer {
  const result = spawnSync('zstd', ['-q', '-c', ...args], { input, maxBuffer: 1 << 30 });
  assert.equal(result.status, 0, String(result.stderr));
  return result.stdout;
}

async function unpacked(stored: Buffer): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  for await (const part of decompressFrames(stored)) parts.push(part);
  return parts;
}

const invalid = (error: unknown) => isFault(error, 'segment-invalid');

test('all frames of a stream come back, one buffer each, and zstd -d reads the same', { skip }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.nat(5000).map((n) => new Uint8Array(n).fill(n)),
        ),
        {
          minLength: 1,
          maxLength: 5,
        },
      ),
      async (parts) => {
        const stored = Buffer.concat(await Promise.all(parts.map((part) => compressFrame(part))));
        assert.deepEqual(
          await unpacked(stored),
          parts.map((part) => Buffer.from(part)),
        );
        assert.equal([...frames(stored)].length, parts.length);
        assert.ok(zstd(stored, '-d').equals(Buffer.concat(parts)));
      },
    ),
    { numRuns: 30 },
  );
});

test('frames of the zstd program are walked, whatever their header says', { skip }, async () => {
  const inputs = [Buffer.alloc(0), Buffer.from('x'), randomBytes(300_000), Buffer.alloc(3_000_000, 'salvor ')];
  for (const input of inputs) {
    for (const args of [['-1'], ['-19'], ['--no-check'], ['--no-content-size'], ['--fast=5']]) {
      const frame = zstd(input, ...args);
      assert.deepEqual([...frames(frame)], [{ offset: 0, length: frame.length }]);
      assert.ok(Buffer.concat(await unpacked(Buffer.concat([frame, frame]))).equals(Buffer.concat([input, input])));
    }
  }
});

test('a stream cut anywhere, with anything behind it or with any byte changed is refused', async () => {
  const one = await compressFrame(Buffer.from('a few rows, a few rows'));
  const stored = Buffer.concat([one, await compressFrame(Buffer.from('and more of them'))]);
  for (let length = 0; length < stored.length; length++) {
    if (length !== one.length) await assert.rejects(unpacked(stored.subarray(0, length)), invalid, `cut at ${length}`);
  }
  for (const rubbish of ['\0', 'x', 'rubbish', '"Id"\n']) {
    await assert.rejects(unpacked(Buffer.concat([stored, Buffer.from(rubbish)])), invalid);
  }
  for (let at = 0; at < stored.length; at++) {
    const changed = Buffer.from(stored);
    changed[at]! ^= 0x55;
    await assert.rejects(unpacked(changed), invalid, `changed at ${at}`);
  }
});

test('skippable frames and dictionaries are refused', async () => {
  const frame = await compressFrame(Buffer.from('rows'));
  const skippable = Buffer.from('502a4d180100000000', 'hex');
  await assert.rejects(unpacked(Buffer.concat([skippable, frame])), invalid);
  await assert.rejects(unpacked(Buffer.concat([frame, skippable])), invalid);
  const dictionary = Buffer.from(frame);
  dictionary[4]! |= 1;
  await assert.rejects(unpacked(dictionary), invalid);
  await assert.rejects(decompressFrame(Buffer.concat([frame, frame])), invalid);
});

test('a frame that unpacks to more than any block is refused before it fills the memory', async () => {
  const bomb = await compressFrame(Buffer.alloc(129 * 1024 * 1024));
  await assert.rejects(unpacked(bomb), invalid);
});
