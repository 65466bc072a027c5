import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../src/errors.ts';
import { addPruner } from '../../../src/operations/keys.ts';
import { findPoint, listPoints } from '../../../src/operations/points.ts';
import { holdPruning, keepPoint } from '../../../src/operations/prune/pins.ts';
import { prune } from '../../../src/operations/prune/prune.ts';
import type { PruneRequest, PruneResult } from '../../../src/operations/prune/request.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { attest } from '../../../src/vault/attest.ts';
import { logRecord } from '../../../src/vault/layout.ts';
import { isPrunable } from '../../../src/vault/retention.ts';
import { AgedVault, ClockedStore, contextAt } from '../../support/aged-vault.ts';

const day = 86_400_000;
const request: PruneRequest = {
  policy: { last: 3 },
  minPoints: 3,
  grace: 7 * day,
  allowLarge: false,
  extendLocks: false,
  confirmed: true,
  tool: 'test',
};
const days = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04'];
const later = '2026-11-10T00:00:00Z';
const behindGrace = '2026-11-18T00:00:00Z';

async function made(at = later, taken = days) {
  const store = new ClockedStore();
  const vault = await AgedVault.of(store, taken);
  const ctx = { ...contextAt(at), now: () => store.now() };
  store.now = () => new Date(at);
  const run = async (more: Partial<PruneRequest> = {}) => prune(ctx, await vault.open(), { ...request, ...more });
  /** Every point in use is whole, to the last row. */
  const assertWhole = async (points: readonly string[]) => {
    const result = await verify(ctx, await vault.open(), {
      points: 'all',
      noIdentity: false,
      attest: false,
      tool: 'test',
    });
    assert.deepEqual(
      result.points.map(({ id, ok }) => [id, ok]),
      points.map((id) => [id, true]),
    );
    assert.ok(result.log.ok);
  };
  return { store, vault, ctx, run, assertWhole };
}

const retired = ({ points }: PruneResult) => points.filter(({ retire }) => retire).map(({ id }) => id);
const bodies = (store: ClockedStore) => [...store.objects.keys()].sort();

test('rules 1 and 11: a dry run writes nothing; confirmed, a point is retired, can come back until its grace is over, and then goes', async () => {
  const { store, vault, ctx, run, assertWhole } = await made();
  const [first, ...rest] = vault.points;
  const before = bodies(store);
  const dry = await run({ confirmed: false });
  assert.deepEqual([retired(dry), dry.dryRun, dry.obstacles], [[first], true, []]);
  assert.ok(dry.frees.objects > 5 && dry.frees.bytes > 0);
  assert.deepEqual(bodies(store), before);

  await run();
  assert.deepEqual(
    bodies(store).filter((key) => !before.includes(key)),
    ['log/00000000000000000006'],
  );
  await assertWhole(rest);
  const verified = await verify(ctx, await vault.open(), { noIdentity: true, attest: false, tool: 'test' });
  assert.deepEqual(verified.notCovered, ['README.txt']);
  const { points } = await listPoints(await vault.open());
  assert.deepEqual(
    points.map(({ retired }) => retired),
    [null, null, null, '2026-11-17T00:00:00.000Z'],
  );
  // Within its grace a run lets nothing go.
  assert.deepEqual(
    (await run()).inGrace.map(({ id }) => id),
    [first],
  );

  store.now = () => new Date(behindGrace);
  const done = await run();
  assert.deepEqual([done.due, done.deleted], [[first], dry.frees]);
  assert.deepEqual(done.refused.objects + done.spared.objects, 0);
  await assertWhole(rest);
  const gone = before.filter((key) => !store.objects.has(key));
  assert.equal(gone.length, dry.frees.objects);
  assert.ok(gone.every(isPrunable));
  const records = (await (await vault.open()).state()).entries.map(({ record }) => record.kind);
  assert.deepEqual(records.slice(-3), ['retire', 'sweep', 'swept']);
  assert.equal((await run()).deleted.objects, 0);
});

test('a retired point comes back with keep and stays; one that was let go does not', async () => {
  const { store, vault, ctx, run, assertWhole } = await made();
  await run();
  assert.equal(
    (await keepPoint(ctx, await vault.open(), vault.points[0]!, { release: false, tool: 'test' })).revived,
    true,
  );
  await assertWhole(vault.points);
  store.now = () => new Date(behindGrace);
  assert.deepEqual(retired(await run()), []);
  await keepPoint(ctx, await vault.open(), vault.points[0]!, { release: true, tool: 'test' });
  await run({ grace: 0 });
  await assertWhole(vault.points.slice(1));
  const again = keepPoint(ctx, await vault.open(), vault.points[0]!, { release: false, tool: 'test' });
  await assert.rejects(again, { name: 'no-such-point' });
});

/** What each guard says, by name; nothing is written when it does. */
test('rules 8 to 10: too many points, a damaged point that stays, clocks, a log that was rolled back, a hold', async () => {
  const refusals: [string, (rig: Awaited<ReturnType<typeof made>>) => Promise<Partial<PruneRequest>>][] = [
    ['prune-too-large', async () => ({ policy: { last: 1 }, minPoints: 1 })],
    [
      'object-missing',
      async ({ store, vault }) => {
        store.objects.delete([...store.objects.keys()].find((key) => key.startsWith(`data/${vault.points[2]}/`))!);
        return {};
      },
    ],
    [
      'digest-mismatch',
      async ({ store }) => {
        const list = store.objects.get(
          [...store.objects.keys()].findLast((key) => /^pages\/.*\.refs\.zst$/.test(key))!,
        )!;
        list[list.length - 1]! ^= 1;
        return {};
      },
    ],
    [
      'clock-drift',
      async ({ store, ctx }) => {
        const behind = ctx.now().getTime();
        store.now = () => new Date(behind);
        ctx.now = () => new Date(behind + 6 * 60_000);
        return {};
      },
    ],
    ['head-mismatch', async () => ({ expectHead: { seq: 9, digest: 'ab'.repeat(32) } })],
    [
      'prune-held',
      async ({ ctx, vault }) => {
        await holdPruning(ctx, await vault.open(), { release: false, tool: 'test' });
        return {};
      },
    ],
  ];
  for (const [name, prepare] of refusals) {
    const rig = await made();
    const more = await prepare(rig);
    const before = bodies(rig.store);
    await assert.rejects(rig.run(more), { name }, name);
    assert.deepEqual(bodies(rig.store), before, name);
    if (name === 'clock-drift') continue;
    assert.deepEqual(
      (await rig.run({ ...more, confirmed: false })).obstacles.map((one) => one.name),
      [name],
    );
  }
  const { run, vault } = await made();
  assert.equal(
    retired(await run({ policy: { last: 1 }, minPoints: 1, allowLarge: true })).length,
    vault.points.length - 1,
  );
});

test('a suspect point holds pruning until somebody has looked at it; then it counts', async () => {
  const { vault, ctx, run } = await made();
  const suspect = await vault.add('2026-11-05', { root: { suspect: true } });
  await assert.rejects(run(), { name: 'prune-held', exit: 5 });
  const { acknowledged } = await holdPruning(ctx, await vault.open(), { release: true, tool: 'test' });
  assert.deepEqual(acknowledged, [suspect]);
  assert.deepEqual(retired(await run({ allowLarge: true })), vault.points.slice(0, 2).reverse());
  await run({ policy: { last: 1 }, minPoints: 1, allowLarge: true });
  const latest = await findPoint(ctx, await vault.open(), 'latest');
  assert.equal(latest.record.point, vault.points[3], 'the newest that `latest` takes stays');
});

test('a record of the log that does not read holds pruning: its point could be healed as long as its objects are there', async () => {
  const { store, vault, ctx, run } = await made();
  const key = [...store.objects.keys()]
    .filter((one) => one.startsWith('log/'))
    .sort()
    .at(-1)!;
  const flip = () => {
    store.objects.get(key)![40]! ^= 1;
  };
  flip();
  await vault.add('2026-11-05');
  await assert.rejects(run(), { name: 'signature-invalid', message: /it may be that of a point that can be healed$/ });
  flip();
  assert.deepEqual((await run({ confirmed: false, allowLarge: true })).obstacles, []);
  flip();
  const { unread } = await holdPruning(ctx, await vault.open(), { release: true, tool: 'test' });
  assert.deepEqual(unread, [key]);
  assert.equal(retired(await run({ allowLarge: true })).length, 1);
});

test('a record that was damaged or lost behind later ones holds pruning too, until somebody has looked at it; one that rots later holds it again', async () => {
  for (const isMissing of [true, false]) {
    const { store, vault, ctx, run } = await made();
    const damage = (seq: number) => {
      if (isMissing) store.objects.delete(logRecord(seq));
      else store.objects.get(logRecord(seq))![40]! ^= 1;
    };
    damage(3);
    const refused = { name: isMissing ? 'chain-broken' : 'signature-invalid', message: /point that can be healed$/ };
    await assert.rejects(run({ allowLarge: true }), refused);
    const { unread } = await holdPruning(ctx, await vault.open(), { release: true, tool: 'test' });
    assert.deepEqual(unread, [logRecord(3), logRecord(4)]);
    const { obstacles } = await run({ allowLarge: true, confirmed: false });
    assert.deepEqual(obstacles, []);
    damage(5);
    await assert.rejects(run({ allowLarge: true }), refused);
  }
});

test('a point that was let go stays so when the record that retired it is damaged, and holds no later pruning', async () => {
  const { store, vault, ctx, run } = await made();
  await run({ grace: 0 });
  const { entries } = await (await vault.open({})).state();
  const { key } = entries.find(({ record }) => record.kind === 'retire')!;
  store.objects.get(key)![40]! ^= 1;
  const inUse = async () => (await (await vault.open({})).state()).points.map(({ record }) => record.point);
  assert.deepEqual(await inUse(), vault.points.slice(1));
  await holdPruning(ctx, await vault.open(), { release: true, tool: 'test' });
  await vault.add('2026-11-05');
  assert.deepEqual(retired(await run({ grace: 0, allowLarge: true })), [vault.points[1]]);
  assert.deepEqual(await inUse(), vault.points.slice(2));
});

test('rule 3: a verification that is kept in the vault keeps its point', async () => {
  const { vault, ctx, run } = await made();
  const open = await vault.open({ writerKey: vault.keys.writerKey });
  const points = [{ point: vault.points[0]!, rung: 'references', ok: true, problems: 0 }];
  await attest(open, open.keyring.writerSigner(), { points, tool: 'test' }, ctx.now());
  assert.deepEqual((await run()).points.at(-1)!.keep, ['newest verified']);
});

test('rule 12: what the store refuses to delete is counted, and tried again', async () => {
  const { store, vault, run, assertWhole } = await made();
  store.locked = (key) => key.startsWith('data/');
  const locked = await run({ grace: 0 });
  assert.ok(locked.refused.objects > 0 && locked.deleted.objects > locked.refused.objects);
  await assertWhole(vault.points.slice(1));
  store.locked = () => false;
  assert.ok((await run()).deleted.objects >= locked.refused.objects);
  assert.equal((await (await vault.open()).state()).retention.unfinished.length, 0);
});

test('a crash at any write or deletion: the next run goes on, and what stays is whole at every moment', async () => {
  const { vault, run, store } = await made();
  const before = new Map(store.objects);
  await run({ grace: 0 });
  const ended = bodies(store).filter(isPrunable);
  for (let stopAt = 1, crashed = true; crashed; stopAt += 5) {
    const rig = new ClockedStore(before);
    rig.now = store.now;
    let calls = 0;
    rig.beforeWrite = (key) => {
      if (!key.startsWith('probe/') && ++calls >= stopAt) throw new Fault('store-unreachable', 'killed');
    };
    const attempt = async () =>
      prune(contextAt(later), await vault.open(undefined, rig), { ...request, grace: 0 }).catch(
        (error: Error) => error,
      );
    crashed = (await attempt()) instanceof Fault;
    const stays = { points: 'all', noIdentity: true, attest: false, tool: 'test' } as const;
    assert.ok((await verify(contextAt(later), await vault.open(undefined, rig), stays)).ok, `stopped at ${stopAt}`);
    rig.beforeWrite = () => {};
    await attempt();
    assert.deepEqual(bodies(rig).filter(isPrunable), ended, `stopped at ${stopAt}`);
  }
});

test('what a point builds on is not taken away: it is refused before its record stands, or spared when it stands', async () => {
  const { store, vault, run, assertWhole } = await made();
  const open = await vault.open();
  const first = await open.root((await open.state()).points[0]!);
  const listing = first.objects.filter(({ object }) => object === 'Contact');
  store.beforeWrite = (key) => {
    if (isPrunable(key)) throw new Fault('store-unreachable', 'killed at the first deletion');
  };
  await assert.rejects(run({ grace: 0 }), { name: 'store-unreachable' });
  store.beforeWrite = () => {};
  await assert.rejects(vault.add('2026-11-09', { parent: vault.points[0]! }), { name: 'point-retired', exit: 69 });
  // A program that does not ask.
  await vault.add('2026-11-09', { listing });
  const { spared } = await run();
  assert.ok(spared.objects >= 5);
  await assertWhole(vault.points.slice(2));
});

test('points that are taken while it decides neither stop it nor lose anything; a pin does', async () => {
  const { store, vault, ctx, run, assertWhole } = await made();
  const open = await vault.open();
  const first = await open.root((await open.state()).points[0]!);
  const listing = first.objects.filter(({ object }) => object === 'Contact');
  const steps: [RegExp, () => Promise<unknown>][] = [
    [/^probe\//, () => vault.add('2026-11-05')],
    [/^sweeps\//, () => vault.add('2026-11-06', { listing })],
  ];
  store.beforeWrite = async (key) => {
    if (steps[0]?.[0].test(key)) await steps.shift()![1]();
  };
  const { deleted, spared } = await run({ grace: 0 });
  assert.deepEqual([steps.length, spared.objects], [0, 0]);
  assert.ok(deleted.objects > 0);
  await assertWhole(vault.points.slice(1));
  store.beforeWrite = async (key) => {
    if (!key.startsWith('probe/')) return;
    store.beforeWrite = () => {};
    await keepPoint(ctx, await vault.open(), vault.points[1]!, { release: false, tool: 'test' });
  };
  await assert.rejects(run({ allowLarge: true }), { name: 'lease-held', exit: 69 });
});

test('the key of a prune job alone prunes what was taken since it was made, begins no epoch and opens no row', async () => {
  const { vault, ctx, assertWhole } = await made();
  const { adminKey } = await addPruner(ctx, await vault.open());
  const old = await prune(ctx, await vault.open({ adminKey }), { ...request, policy: { last: 1 }, minPoints: 1 });
  assert.deepEqual(retired(old), []);
  for (const next of ['2026-11-05', '2026-11-06', '2026-11-07', '2026-11-08']) await vault.add(next);
  const job = await vault.open({ adminKey });
  const result = await prune(ctx, job, { ...request, grace: 0 });
  assert.deepEqual(retired(result), [vault.points[4]]);
  await assertWhole([...vault.points.slice(0, 4), ...vault.points.slice(5)]);
  await assert.rejects(job.rowIdentities(), { name: 'no-identity' });
  const signer = await job.keyring.adminSigner([]);
  const at = ctx.now().toISOString();
  await job.log.append(signer, {
    kind: 'epoch',
    epoch: 2,
    recipient: 'age1thief',
    started: at,
    ended: at,
    tool: 'test',
  });
  assert.equal((await job.state(true)).epochs.length, 1);
  await assert.rejects(prune(ctx, await vault.open({ writerKey: vault.keys.writerKey }), request), {
    name: 'no-admin-key',
  });
});

test('locks are lengthened of all that points in use or in grace reach, and of what is never deleted; of nothing else', async () => {
  const { store, vault, run } = await made();
  await assert.rejects(run({ extendLocks: true }), { name: 'usage', message: /locks nothing/ });
  await run();
  store.now = () => new Date(behindGrace);
  await run();
  const asked: string[] = [];
  const isOld = (key: string) => !key.startsWith('log/');
  const refused = 'trust/0001';
  Object.assign(store, {
    extendLock: async ({ key }: { key: string }) => {
      asked.push(key);
      if (key === refused) throw new Fault('store-denied', 'it is locked in another mode');
      return isOld(key);
    },
  });
  await store.putIfAbsent('data/20261101T080000Z-ffffff/00001-left-behind', Buffer.from('of no point'));
  const dry = await run({ extendLocks: true, confirmed: false });
  assert.deepEqual([dry.locks, asked], [undefined, []]);
  // The second of the four points is in its grace, the first is gone, and so is what only it reached.
  const { locks, points } = await run({ extendLocks: true, policy: { last: 2 }, minPoints: 2, allowLarge: true });
  assert.deepEqual(
    points.map(({ id, retire }) => [id, retire]),
    vault.points
      .slice(1)
      .reverse()
      .map((id, n) => [id, n === 2]),
  );
  const kept = bodies(store).filter((key) => !/left-behind|^sweeps\//.test(key));
  const roots = (point: string) => kept.filter((key) => key.startsWith(`points/${point}/`)).length;
  assert.deepEqual(vault.points.map(roots), [0, 2, 2, 2]);
  assert.deepEqual(asked, kept);
  const extended = kept.filter((key) => isOld(key) && key !== refused).length;
  assert.deepEqual(locks, { looked: kept.length, extended, refused: 1 });
});
