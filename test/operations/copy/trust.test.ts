import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyVault } from '../../../src/operations/copy/copy.ts';
import { addPruner } from '../../../src/operations/keys.ts';
import { prune } from '../../../src/operations/prune/prune.ts';
import { AgedVault, ClockedStore, contextAt } from '../../support/aged-vault.ts';

const at = '2026-11-10T00:00:00Z';
const ctx = contextAt(at);
const second = 'trust/0002';

/** A vault of four points and a copy of it. */
async function made() {
  const [store, to] = [new ClockedStore(), new ClockedStore()];
  for (const one of [store, to]) one.now = () => new Date(at);
  const vault = await AgedVault.of(store, ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04']);
  const copy = async () => copyVault(ctx, await vault.open({}), to, { deleteSwept: false });
  await copy();
  return { store, to, vault, copy };
}

test('keys that were added in the vault and in the copy part them: what the one signs the other does not believe', async () => {
  const { store, to, vault, copy } = await made();
  for (const place of [to, store]) await addPruner(ctx, await vault.open(undefined, place));
  const before = new Map(to.objects);
  await assert.rejects(copy(), { name: 'vaults-diverged', exit: 5, data: { key: second }, message: /keys were added/ });
  assert.deepEqual(to.objects, before);
});

test('keys that the copy alone has are told with what to do, and the copy goes on; copied over by hand, the vault knows them', async () => {
  const { store, to, vault, copy } = await made();
  const { adminKey } = await addPruner(ctx, await vault.open());
  await copy();
  const pruning = { policy: { last: 3 }, minPoints: 3, grace: 0, allowLarge: true, extendLocks: false };
  const job = await vault.open({ adminKey, writerKey: vault.keys.writerKey });
  await prune(ctx, job, { ...pruning, confirmed: true, tool: 'test' });
  store.objects.delete(second);
  const { problems } = await copy();
  assert.equal(problems[0]?.key, second);
  assert.match(problems[0]!.problem, /is in the copy and missing in the vault.*: copy it over by hand$/);
  store.objects.set(second, to.objects.get(second)!);
  assert.deepEqual((await copy()).problems, []);
});

test('a file of keys that is damaged in the copy is told, though it is as long', async () => {
  const { to, vault, copy } = await made();
  await addPruner(ctx, await vault.open());
  await copy();
  to.objects.get(second)![40]! ^= 1;
  const { problems } = await copy();
  assert.equal(problems[0]?.key, second);
  assert.match(problems[0]!.problem, /^in the copy trust\/0002: .*: copy it over by hand from the vault$/);
});

test('what a copy is opened with is told when it is damaged there, and brought when it is missing', async () => {
  const { store, to, copy } = await made();
  const good = store.objects.get('vault.json')!;
  for (const bad of [Buffer.alloc(0), Buffer.from(good.toString('latin1').replace('"v":1', '"v":2'), 'latin1')]) {
    to.objects.set('vault.json', bad);
    const { problems } = await copy();
    assert.deepEqual(problems, [
      { key: 'vault.json', problem: 'vault.json holds other bytes in the copy: copy it over by hand from the vault' },
    ]);
  }
  to.objects.delete('vault.json');
  assert.deepEqual((await copy()).problems, []);
  assert.deepEqual(to.objects.get('vault.json'), good);
});
