import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePaint } from '../../src/cli/output/paint.ts';
import { pointsText } from '../../src/cli/output/point.ts';
import type { Context } from '../../src/context.ts';
import type { Fault } from '../../src/errors.ts';
import { compact } from '../../src/operations/compact.ts';
import { addWriter } from '../../src/operations/keys.ts';
import { listPoints } from '../../src/operations/points.ts';
import { attest } from '../../src/vault/attest.ts';
import { pointRoot } from '../../src/vault/layout.ts';
import { Vault } from '../../src/vault/vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { type SmallVault, smallVault } from '../support/small-vault.ts';

const ctx: Context = {
  signal: new AbortController().signal,
  report: () => {},
  now: () => new Date(),
  tempDir: '/nowhere',
};

async function newVault() {
  const store = new MemoryStore();
  return { store, made: await smallVault(store) };
}

function openWith(store: MemoryStore, made: SmallVault, keys: { writerKey?: string; identities?: string[] }) {
  return Vault.open(store, { operation: 'read', rootFingerprint: made.rootFingerprint, ...keys });
}

function damage(store: MemoryStore, key: string): void {
  const body = store.objects.get(key)!;
  body[body.length - 1]! ^= 1;
}

test('a damaged table of contents hides no other point', async () => {
  const { store, made } = await newVault();
  damage(store, pointRoot(made.points[1]!));
  const { points, problems } = await listPoints(await openWith(store, made, { writerKey: made.writerKey }));
  assert.deepEqual(
    points.map(({ id, status, rows }) => [id, status, rows]),
    [
      [made.points[1], 'unreadable', 0],
      [made.points[0], 'complete', 11],
    ],
  );
  assert.deepEqual(
    problems.map(({ name, data }) => [name, data.key]),
    [['digest-mismatch', pointRoot(made.points[1]!)]],
  );
  const paint = makePaint(false);
  assert.match(pointsText(points, paint), new RegExp(`next: +salvor show ${made.points[0]} `));
  assert.match(pointsText(points.slice(0, 1), paint), new RegExp(`next: +salvor verify ${made.points[1]} `));
});

test('a point behind the newest one is not merged, although that one is damaged', async () => {
  const { store, made } = await newVault();
  damage(store, pointRoot(made.points[1]!));
  const { identity, rootFingerprint } = made;
  const vault = await Vault.open(store, { operation: 'write', rootFingerprint, identities: [identity] });
  const before = store.objects.size;
  await assert.rejects(compact(ctx, vault, { objects: [], tool: 'test' }), (error: Fault) => {
    assert.deepEqual([error.name, error.data.point], ['digest-mismatch', made.points[1]]);
    assert.match(error.actions[0]!, /^run `salvor backup`/);
    return true;
  });
  assert.equal(store.objects.size, before);
});

test('an attestation that is gone hides no point', async () => {
  const { store, made } = await newVault();
  const vault = await openWith(store, made, { writerKey: made.writerKey });
  const result = { point: made.points[0]!, rung: 'counts', ok: true, problems: 0 };
  await attest(vault, vault.keyring.writerSigner(), { points: [result], tool: 'test' }, new Date());
  const kept = await listPoints(await openWith(store, made, { writerKey: made.writerKey }));
  assert.equal(kept.points[1]!.verified?.rung, 'counts');
  for (const key of store.objects.keys()) if (key.startsWith('attest/')) store.objects.delete(key);
  const { points, problems } = await listPoints(await openWith(store, made, { writerKey: made.writerKey }));
  assert.deepEqual(
    points.map(({ status, verified }) => [status, verified]),
    [
      ['complete', null],
      ['complete', null],
    ],
  );
  assert.deepEqual(
    problems.map(({ name }) => name),
    ['object-missing'],
  );
});

test('a writer who was added later lists the points from before, and cannot read them', async () => {
  const { store, made } = await newVault();
  const admin = await openWith(store, made, { identities: [made.identity] });
  const { writerKey } = await addWriter(ctx, admin);
  const { points } = await listPoints(await openWith(store, made, { writerKey }));
  assert.deepEqual(
    points.map(({ id, status }) => [id, status]),
    [
      [made.points[1], 'unreadable'],
      [made.points[0], 'unreadable'],
    ],
  );
});

test('a key of another vault lists nothing', async () => {
  const { store, made } = await newVault();
  const other = await newVault();
  await assert.rejects(listPoints(await openWith(store, made, { writerKey: other.made.writerKey })), {
    name: 'wrong-identity',
  });
  await assert.rejects(listPoints(await openWith(store, made, { identities: [other.made.identity] })), {
    name: 'wrong-identity',
  });
});
