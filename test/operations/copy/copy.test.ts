import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../src/errors.ts';
import { copyVault } from '../../../src/operations/copy/copy.ts';
import { repair } from '../../../src/operations/copy/repair.ts';
import { prune } from '../../../src/operations/prune/prune.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { KeySet } from '../../../src/vault/key-set.ts';
import { reachedBy } from '../../../src/vault/reached.ts';
import { AgedVault, ClockedStore, contextAt } from '../../support/aged-vault.ts';
import { MemoryStore } from '../../support/memory-store.ts';

const at = '2026-11-10T00:00:00Z';
const ctx = contextAt(at);
const days = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04'];

async function made() {
  const store = new ClockedStore();
  store.now = () => new Date(at);
  const vault = await AgedVault.of(store, days);
  const copy = async (to: MemoryStore, deleteSwept = false) =>
    copyVault(ctx, await vault.open({}), to, { deleteSwept });
  const assertWhole = async (at: MemoryStore, points: number) => {
    const result = await verify(ctx, await vault.open(undefined, at), {
      points: 'all',
      noIdentity: false,
      attest: false,
      tool: 'test',
    });
    assert.deepEqual([result.ok, result.points.length], [true, points]);
  };
  return { store, vault, copy, assertWhole };
}

const without = ({ objects }: MemoryStore, pattern: RegExp) =>
  new Map([...objects].filter(([key]) => !pattern.test(key)).sort());

test('a copy is the same byte for byte, without keys, and the next run brings what is new', async () => {
  const { store, vault, copy, assertWhole } = await made();
  await store.putIfAbsent('runs/20261105T080000Z-00000c/00001-x', Buffer.from('of a run at work'));
  const to = new MemoryStore();
  const first = await copy(to);
  assert.deepEqual(without(to, /^$/), without(store, /^runs\//));
  assert.deepEqual([first.points, first.problems, first.there.objects], [4, [], 0]);
  assert.deepEqual((await copy(to)).copied.objects, 0);
  await vault.add('2026-11-05');
  const second = await copy(to);
  assert.ok(second.copied.objects > 5 && second.copied.objects < first.copied.objects / 2);
  assert.equal(second.records, 1);
  await assertWhole(to, 5);
});

test('cut short anywhere, the copy holds no point without all that it reaches, and goes on', async () => {
  const { copy, vault } = await made();
  for (let stopAt = 5, cut = true; cut; stopAt += 17) {
    let writes = 0;
    const to = new ClockedStore();
    to.beforeWrite = () => {
      if (++writes > stopAt) throw new Fault('store-unreachable', 'killed');
    };
    cut = await copy(to).then(
      () => false,
      () => true,
    );
    const open = await vault.open({});
    for (const entry of (await open.logOf(to).read()).entries.filter(({ record }) => record.kind === 'point'))
      for await (const { key } of reachedBy(open, entry, new KeySet()))
        assert.ok(to.objects.has(key), `${key} after ${stopAt}`);
    if (cut) assert.ok(!to.objects.has('vault.json'));
    to.beforeWrite = () => {};
    await copy(to);
    assert.equal((await (await vault.open({}, to)).state()).points.length, 4);
  }
});

test('failover and failback: points that were taken in the copy come home; two ways are refused', async () => {
  const { store, vault, copy, assertWhole } = await made();
  const away = new ClockedStore();
  await copy(away);
  // The vault is away: the work goes on in the copy.
  const there = await AgedVault.continued(vault, away);
  await there.add('2026-11-06');
  await assertWhole(away, 5);
  await assert.rejects(copy(away), { name: 'copy-ahead', exit: 5 });
  const home = (to: MemoryStore) => there.open({}).then((open) => copyVault(ctx, open, to, { deleteSwept: false }));
  const lost = new MemoryStore();
  for (const place of [store, lost]) {
    await home(place);
    await assertWhole(place, 5);
  }
  await vault.add('2026-11-07');
  await there.add('2026-11-08');
  const before = new Map(store.objects);
  const refused = await home(store).catch((error: unknown) => error);
  assert.ok(refused instanceof Fault && refused.name === 'vaults-diverged');
  assert.deepEqual(refused.data.seq, 7);
  assert.deepEqual(store.objects, before);
  await assert.rejects(copy(away), { name: 'vaults-diverged' });
});

test('another vault, and a place that holds anything of one, is refused and left as it is', async () => {
  const { copy } = await made();
  const other = (await made()).store;
  const before = new Map(other.objects);
  await assert.rejects(copy(other), { name: 'foreign-vault', exit: 5 });
  assert.deepEqual(other.objects, before);
  for (const key of ['points/x', 'files/x', 'notes.txt']) {
    const strangers = new MemoryStore([[key, Buffer.from('x')]]);
    await assert.rejects(copy(strangers), {
      name: 'foreign-vault',
      message: new RegExp(`holds ${key}, and not a copy`),
    });
    assert.deepEqual([...strangers.objects.keys()], [key]);
  }
  // Left by a probe of the store, which `doctor` makes before the first copy.
  await copy(new MemoryStore([['probe/x/created', Buffer.from('x')]]));
});

test('a copy begins with what it is known by: one that was cut short behind any object is gone on with', async () => {
  const { copy, assertWhole } = await made();
  for (const stopAt of [1, 2, 3, 4]) {
    let writes = 0;
    const to = new ClockedStore();
    to.beforeWrite = () => {
      if (++writes > stopAt) throw new Fault('store-unreachable', 'killed');
    };
    await assert.rejects(copy(to), { name: 'store-unreachable' });
    assert.ok(to.objects.has('trust/0001'));
    to.beforeWrite = () => {};
    await copy(to);
    await assertWhole(to, 4);
  }
});

test('what is damaged is not copied, and neither is the record of its point', async () => {
  for (const pattern of [/^data\//, /^points\/.*root/, /^pages\/.*map/]) {
    const { store, vault, copy, assertWhole } = await made();
    const key = [...store.objects.keys()].findLast(
      (one) => pattern.test(one) && (one.includes(vault.points[3]!) || one.startsWith('pages')),
    )!;
    const good = Buffer.from(store.objects.get(key)!);
    store.objects.get(key)![9]! ^= 1;
    const to = new MemoryStore();
    const { problems, points } = await copy(to);
    assert.deepEqual([problems.some((one) => one.key === key), points], [true, 3], key);
    assert.ok(!to.objects.has('log/00000000000000000005'));
    store.objects.set(key, good);
    if (/\/root\.json/.test(key)) to.objects.delete(key);
    await copy(to);
    await assertWhole(to, 4);
  }
});

test('a hole in the log, and a record that does not verify, are told; the points behind them are copied', async () => {
  const third = 'log/00000000000000000003';
  for (const missing of [true, false]) {
    const { store, vault, copy } = await made();
    if (missing) store.objects.delete(third);
    else store.objects.get(third)![9]! ^= 1;
    const to = new MemoryStore();
    const { problems, points } = await copy(to);
    assert.deepEqual([problems[0]?.key, points], [third, 3]);
    assert.equal((await (await vault.open({}, to)).state()).points.length, 3);
  }
});

test('what pruning let go goes in the copy too, when it is asked for', async () => {
  const { store, vault, copy, assertWhole } = await made();
  const to = new ClockedStore();
  await copy(to);
  const request = {
    policy: { last: 3 },
    minPoints: 3,
    grace: 0,
    allowLarge: false,
    extendLocks: false,
    confirmed: true,
    tool: 'test',
  };
  const { deleted } = await prune(ctx, await vault.open(), request);
  assert.equal((await copy(to)).deleted.objects, 0);
  assert.deepEqual((await copy(to, true)).deleted, deleted);
  assert.deepEqual(without(to, /^$/), without(store, /^$/));
  await assertWhole(to, 3);
});

test('repair takes from a copy what is missing or damaged, proven by what is signed, and says what it could not heal', async () => {
  const { store, vault, copy, assertWhole } = await made();
  const to = new MemoryStore();
  await copy(to);
  const whole = new Map([...store.objects].map(([key, body]) => [key, Buffer.from(body)] as const));
  const some = (pattern: RegExp) => [...store.objects.keys()].find((key) => pattern.test(key))!;
  const missing = [some(/^data\//), some(/^pages\/.*refs/), 'log/00000000000000000003'];
  const damaged = [some(/^index\//), some(/^points\/.*refs/), some(/^keys\//), 'log/00000000000000000005'];
  for (const key of missing) store.objects.delete(key);
  for (const key of damaged) store.objects.get(key)![9]! ^= 1;
  const dry = await repair(ctx, await vault.open({}), to, true);
  assert.ok(dry.healed.length >= 5);
  const done = await repair(ctx, await vault.open({}), to, false);
  assert.deepEqual([done.healed.map(({ key }) => key).sort(), done.unhealed], [[...missing, ...damaged].sort(), []]);
  assert.deepEqual(without(store, /^$/), new Map([...whole].sort()));
  await assertWhole(store, 4);

  // A copy that is damaged in the same place heals nothing and harms nothing.
  const key = damaged[0]!;
  store.objects.get(key)![9]! ^= 1;
  to.objects.get(key)![9]! ^= 2;
  const before = Buffer.from(store.objects.get(key)!);
  const { unhealed } = await repair(ctx, await vault.open({}), to, false);
  assert.deepEqual(
    unhealed.map((one) => [one.key, one.why]),
    [[key, 'it is damaged in the copy too']],
  );
  assert.deepEqual(store.objects.get(key), before);
  await assert.rejects(repair(ctx, await vault.open({}), new MemoryStore(), false), { name: 'no-vault' });
});
