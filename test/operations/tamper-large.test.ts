import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { verify } from '../../src/operations/verify/verify.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { recordingContext } from '../support/small-vault.ts';

const golden = path.resolve(import.meta.dirname, '../golden/format-1');
const { rootFingerprint } = JSON.parse(readFileSync(path.join(golden, 'expected.json'), 'utf8'));
const writerKey = readFileSync(path.join(golden, 'writer.key'), 'utf8').trim();
const seed = 20261123;
const positions = 12;

/** Seeded, so that a failure can be had again (mulberry32). */
function numbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

describe(`objects of more than 4 KiB, changed at ${positions} positions each (seed ${seed})`, () => {
  const store = new MemoryStore();
  let large: (readonly [string, Buffer])[];

  before(() => {
    const vault = path.join(golden, 'vault');
    for (const entry of readdirSync(vault, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      store.objects.set(path.relative(vault, file).split(path.sep).join('/'), readFileSync(file));
    }
    large = [...store.objects].filter(([, bytes]) => bytes.length > 4096);
  });

  async function look(): Promise<{ ok: boolean; named: string[] }> {
    const vault = await Vault.open(store, { operation: 'verify', rootFingerprint, writerKey });
    const { points } = await vault.state();
    const result = await verify(recordingContext(), vault, { points, noIdentity: true, attest: false, tool: 'test' });
    const rungs = result.points.flatMap((point) => point.rungs);
    return { ok: result.ok, named: rungs.flatMap(({ problems }) => problems.map(({ key }) => key)) };
  }

  test('are whole before', async () => {
    assert.deepEqual(await look(), { ok: true, named: [] });
    assert.ok(large.length >= 10, `${large.length} objects`);
  });

  test('are reported by name at each position', async () => {
    const next = numbers(seed);
    for (let round = 0; round < positions; round++) {
      for (const [key, bytes] of large) {
        const copy = Buffer.from(bytes);
        copy[Math.floor(next() * copy.length)]! ^= 1 << Math.floor(next() * 8);
        store.objects.set(key, copy);
      }
      const { ok, named } = await look();
      assert.equal(ok, false);
      for (const [key] of large) assert.ok(named.includes(key), `round ${round}: ${key} was not named`);
      for (const [key, bytes] of large) store.objects.set(key, bytes);
    }
  });
});
