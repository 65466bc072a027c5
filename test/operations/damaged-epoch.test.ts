import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotate } from '../../src/operations/keys.ts';
import { findPoint } from '../../src/operations/points.ts';
import { logRecord } from '../../src/vault/layout.ts';
import { AgedVault } from '../support/aged-vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { recordingContext } from '../support/small-vault.ts';

test('a point of an epoch whose record is damaged is damaged, and not for another identity: latest takes the one before it', async () => {
  const store = new MemoryStore();
  const vault = await AgedVault.of(store, ['2026-11-01']);
  const open = await vault.open();
  await rotate(recordingContext(), open, open.trust.recipients, 'test');
  const point = await vault.add('2026-11-02');
  store.objects.set(logRecord(3), Buffer.from('rubbish'));
  const ctx = recordingContext();
  const damaged = {
    name: 'chain-broken',
    exit: 4,
    message: /the record of epoch 2 does not read, with which .* is opened$/,
  };
  await assert.rejects(
    findPoint(ctx, await vault.open(), `${point}`).then(async (entry) => (await vault.open()).root(entry)),
    damaged,
  );
  assert.equal((await findPoint(ctx, await vault.open(), 'latest')).record.point, vault.points[0]);
  // Who has no identity of the vault is told so.
  const stranger = await AgedVault.of(new MemoryStore(), []);
  const other = await vault.open({ identities: [stranger.keys.identity] });
  await assert.rejects(findPoint(ctx, other, 'latest'), { name: 'wrong-identity' });
});
