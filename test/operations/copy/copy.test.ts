import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../src/errors.ts';
import { copyVault } from '../../../src/operations/copy/copy.ts';
import { repair } from '../../../src/operations/copy/repair.ts';
import { holdPruning } from '../../../src/operations/prune/pins.ts';
import { prune } from '../../../src/operations/prune/prune.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { KeySet } from '../../../src/vault/key-set.ts';
import { reachedBy } from '../../../src/vault/reached.ts';
import { AgedVault, ClockedStore, contextAt } from '../../support/aged-vault.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { recordingContext } from '../../support/small-vault.ts';

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

/** Lets go of the oldest of the four. */
const pruning = {
  policy: { last: 3 },
  minPoints: 3,
  grace: 0,
  allowLarge: false,
  extendLocks: false,
  confirmed: true,
  tool: 'test',
};

/** Segments that the run of a point wrote. */
const ownData = (store: MemoryStore, point: string) =>
  [...store.objects.keys()].filter((key) => key.startsWith(`data/${point}/`));

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
  await cutShort(vault, copy, new Set());
});

test('cut short where an object of an old point is missing, it lacks that object and no other', async () => {
  const { store, copy, vault } = await made();
  const [lost] = ownData(store, vault.points[1]!);
  store.objects.delete(lost!);
  await cutShort(vault, copy, new Set([lost!]));
});

async function cutShort(vault: AgedVault, copy: (to: MemoryStore) => Promise<unknown>, lost: ReadonlySet<string>) {
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
        assert.equal(to.objects.has(key), !lost.has(key), `${key} after ${stopAt}`);
    if (cut) assert.ok(!to.objects.has('vault.json'));
    to.beforeWrite = () => {};
    await copy(to);
    assert.equal((await (await vault.open({}, to)).state()).points.length, 4);
  }
}

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

test('what is damaged or missing is not copied, its point is told to lack it, later points are whole, and a healed vault completes the copy', async () => {
  const ofPoint = [/^data\//, /^points\/.*root/, /^points\/.*refs/, /^pages\/.*map/, /^pages\/.*refs/];
  for (const pattern of ofPoint) {
    for (const isMissing of [true, false]) {
      const { store, vault, copy, assertWhole } = await made();
      const open = await vault.open({});
      const [, second] = (await open.state()).points;
      const others = new Set<string>();
      for (const entry of (await open.state()).points)
        if (entry !== second) for await (const { key } of reachedBy(open, entry, new KeySet())) others.add(key);
      let lost: string | undefined;
      for await (const { key } of reachedBy(open, second!, new KeySet()))
        if (pattern.test(key) && !others.has(key)) lost ??= key;
      const key = lost!;
      const good = Buffer.from(store.objects.get(key)!);
      if (isMissing) store.objects.delete(key);
      else store.objects.get(key)![9]! ^= 1;
      const to = new MemoryStore();
      for (const records of [5, 0]) {
        const result = await copy(to);
        assert.deepEqual(
          [result.problems.map((one) => one.key), result.notWhole, result.points, result.records],
          [[key], [vault.points[1]], 4, records],
          `${key}, missing: ${isMissing}`,
        );
        assert.ok(!to.objects.has(key));
      }
      const proven = await verify(ctx, await vault.open(undefined, to), {
        points: 'all',
        noIdentity: false,
        attest: false,
        tool: 'test',
      });
      assert.deepEqual(
        proven.points.map(({ id, ok }) => [id, ok]),
        vault.points.map((point) => [point, point !== vault.points[1]]),
      );
      await vault.add('2026-11-05');
      assert.deepEqual((await copy(to)).points, 5, 'a later point arrives');
      store.objects.set(key, good);
      const healed = await copy(to);
      assert.deepEqual([healed.problems, healed.notWhole], [[], []]);
      await assertWhole(to, 5);
    }
  }
});

test('every point that shares what is damaged is told not to be whole', async () => {
  const { store, vault, copy } = await made();
  const shared = ownData(store, vault.points[0]!).find((key) => !key.includes('/00002-'))!;
  store.objects.delete(shared);
  const { problems, notWhole } = await copy(new MemoryStore());
  assert.deepEqual([problems.map(({ key }) => key), notWhole], [[shared], vault.points]);
});

test('what the vault lost and the copy has is told, and the point is whole in the copy', async () => {
  const { store, vault, copy, assertWhole } = await made();
  const to = new MemoryStore();
  await copy(to);
  const [lost] = ownData(store, vault.points[1]!);
  for (const key of [lost!, `points/${vault.points[2]}/refs.zst`]) {
    store.objects.delete(key);
    const { problems, notWhole } = await copy(to);
    assert.deepEqual(
      problems.find((one) => one.key === key)?.problem,
      `${key} is in the copy and missing in the vault`,
    );
    assert.deepEqual(notWhole, []);
  }
  await assertWhole(to, 4);
});

test('a root that an earlier copy put with other bytes is told when its record is copied', async () => {
  const { store, vault, copy } = await made();
  const root = `points/${vault.points[1]}/root.json.zst.age`;
  const other = Buffer.from(store.objects.get(root)!);
  other[9]! ^= 1;
  const trust = ['trust/0001', store.objects.get('trust/0001')!] as const;
  const { problems, notWhole } = await copy(new MemoryStore([trust, [root, other]]));
  assert.deepEqual(problems, [{ key: root, problem: `${root} holds other bytes in the copy` }]);
  assert.deepEqual(notWhole, [vault.points[1]]);
});

test('a point that is let go of while it is copied is no damage: its record waits for the one that lets go of it', async () => {
  const { vault, copy, assertWhole } = await made();
  const to = new ClockedStore();
  to.beforeWrite = async (key) => {
    if (key === 'trust/0001') await prune(ctx, await vault.open(), pruning);
  };
  await assert.rejects(copy(to), { name: 'point-retired', exit: 69, data: { point: vault.points[0] } });
  assert.ok(!to.objects.has('log/00000000000000000002'));
  to.beforeWrite = () => {};
  assert.deepEqual((await copy(to)).problems, []);
  await assertWhole(to, 3);
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

test('where something is lost, nothing that pruning let go is deleted in the copy', async () => {
  const { store, vault, copy } = await made();
  const to = new ClockedStore();
  await copy(to);
  await prune(ctx, await vault.open(), pruning);
  for (const key of [...ownData(store, vault.points[2]!), `points/${vault.points[1]}/refs.zst`]) {
    const good = store.objects.get(key)!;
    store.objects.delete(key);
    assert.deepEqual((await copy(to, true)).deleted.objects, 0, key);
    store.objects.set(key, good);
  }
  assert.ok((await copy(to, true)).deleted.objects > 0);
});

test('while pruning is held nothing is deleted in the copy, and a warning says so', async () => {
  const { store, vault, copy } = await made();
  const to = new ClockedStore();
  await copy(to);
  await prune(ctx, await vault.open(), pruning);
  const hold = async (release: boolean) => holdPruning(ctx, await vault.open(), { release, tool: 'test' });
  await hold(false);
  const before = [...to.objects.keys()];
  const told = recordingContext();
  const { deleted } = await copyVault(told, await vault.open({}), to, { deleteSwept: true });
  assert.equal(deleted.objects, 0);
  assert.ok(before.every((key) => to.objects.has(key)));
  const warnings = told.events.flatMap((event) => (event.type === 'warning' ? [[event.name, event.message]] : []));
  assert.deepEqual(warnings, [
    ['prune-held', `nothing is deleted in the copy: pruning is held since ${at.replace('Z', '.000Z')}`],
  ]);
  await hold(true);
  assert.ok((await copy(to, true)).deleted.objects > 0);
  assert.deepEqual(without(to, /^$/), without(store, /^$/));
});

test('what pruning let go goes in the copy too, when it is asked for', async () => {
  const { store, vault, copy, assertWhole } = await made();
  const to = new ClockedStore();
  await copy(to);
  const { deleted } = await prune(ctx, await vault.open(), pruning);
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
