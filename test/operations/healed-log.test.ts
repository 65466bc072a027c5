import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verify } from '../../src/operations/verify/verify.ts';
import { logRecord } from '../../src/vault/layout.ts';
import { AgedVault } from '../support/aged-vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { recordingContext } from '../support/small-vault.ts';

test('a record that was healed after the next was written is whole, and each change of it is told', async () => {
  const store = new MemoryStore();
  const vault = await AgedVault.of(store, ['2026-11-01', '2026-11-02']);
  const key = logRecord(3);
  const good = store.objects.get(key)!;
  store.objects.set(key, Buffer.from('rubbish'));
  await vault.add('2026-11-03');
  const told = async (bytes: Buffer | undefined) => {
    if (bytes) store.objects.set(key, bytes);
    else store.objects.delete(key);
    const request = { points: 'all', noIdentity: true, attest: false, tool: 'test' } as const;
    const { log, points } = await verify(recordingContext(), await vault.open(), request);
    return [log.problems.map((one) => one.key), points.length];
  };
  assert.deepEqual(await told(Buffer.from('rubbish')), [[key], 2]);
  assert.deepEqual(await told(good), [[], 3]);
  assert.deepEqual(await told(undefined), [[key], 2]);
  for (let at = 0; at < good.length; at += 53) {
    const flipped = Buffer.from(good);
    flipped[at]! ^= 1;
    assert.deepEqual((await told(flipped))[0], [key], `byte ${at}`);
  }
  // No later record holds its bytes: the same signature in lines of another length is told by its form.
  const [line, ...armor] = good.toString('latin1').trimEnd().split('\n');
  const base64 = armor.slice(1, -1).join('');
  const rewritten = [line, armor[0], ...base64.match(/.{1,64}/g)!, armor.at(-1), ''].join('\n');
  assert.deepEqual(await told(Buffer.from(rewritten, 'latin1')), [[key], 3]);
});
