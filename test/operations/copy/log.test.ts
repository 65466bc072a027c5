import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyVault } from '../../../src/operations/copy/copy.ts';
import { repair } from '../../../src/operations/copy/repair.ts';
import { verify } from '../../../src/operations/verify/verify.ts';
import { logRecord } from '../../../src/vault/layout.ts';
import { AgedVault, contextAt } from '../../support/aged-vault.ts';
import { MemoryStore } from '../../support/memory-store.ts';

const ctx = contextAt('2026-11-10T00:00:00Z');
type Damage = 'flipped' | 'missing';
const damages: readonly Damage[] = ['flipped', 'missing'];

class Place extends MemoryStore {
  override readonly url: string;

  constructor(url: string, objects: Iterable<readonly [string, Buffer]> = []) {
    super(objects);
    this.url = url;
  }

  damage(seq: number, how: Damage): void {
    const body = Buffer.from(this.objects.get(logRecord(seq))!);
    body[9]! ^= 1;
    if (how === 'missing') this.objects.delete(logRecord(seq));
    else this.objects.set(logRecord(seq), body);
  }
}

/** A vault of three points, records 2 to 4, and a copy of it as it was then. */
async function made() {
  const store = new Place('memory://vault');
  const vault = await AgedVault.of(store, ['2026-11-01', '2026-11-02', '2026-11-03']);
  const open = (at: MemoryStore) => vault.open(undefined, at);
  const copy = async (to: MemoryStore, from: MemoryStore = store) =>
    copyVault(ctx, await open(from), to, { deleteSwept: false });
  const heal = async (at: MemoryStore, from: MemoryStore) => {
    const { healed, unhealed } = await repair(ctx, await open(at), from, false);
    return [...healed, ...unhealed].map((one) => ('why' in one ? one.why : one.key));
  };
  const assertWhole = async (at: MemoryStore, points: number) => {
    const request = { points: 'all', noIdentity: true, attest: false, tool: 'test' } as const;
    const result = await verify(ctx, await open(at), request);
    assert.deepEqual([result.log.problems, result.ok, result.points.length], [[], true, points]);
  };
  const whole = new Place('memory://whole');
  await copy(whole);
  return { store, vault, open, copy, heal, assertWhole, whole };
}

test('a record that is damaged or missing is left out of the copy and named; the copy after the healing brings it', async () => {
  for (const how of damages) {
    // The newest that is missing leaves no trace in the log.
    for (const seq of how === 'missing' ? [3] : [3, 4]) {
      const { store, open, copy, heal, assertWhole, whole } = await made();
      store.damage(seq, how);
      const to = new Place('memory://copy');
      for (const records of [3, 0]) {
        const result = await copy(to);
        assert.deepEqual(
          [result.problems[0]?.key, result.lostRecords, result.points, result.records],
          [logRecord(seq), [logRecord(seq)], 2, records],
        );
        assert.match(result.problems[0]!.problem, /the copy has no such record either/);
      }
      assert.ok(!to.objects.has(logRecord(seq)));
      assert.equal((await (await open(to)).state()).points.length, 2);
      assert.deepEqual(await heal(store, whole), [logRecord(seq)]);
      const { problems, lostRecords, points: all, records } = await copy(to);
      assert.deepEqual([problems, lostRecords, all, records], [[], [], 3, 1]);
      await assertWhole(to, 3);
    }
  }
});

test('a record that is damaged in the copy alone is named with its point, and later points arrive', async () => {
  const { store, vault, copy, heal, assertWhole, whole } = await made();
  whole.damage(3, 'flipped');
  whole.damage(4, 'flipped');
  await vault.add('2026-11-04');
  const { problems, notWhole, points, records } = await copy(whole);
  assert.deepEqual([notWhole, points, records], [[vault.points[1], vault.points[2]], 2, 1]);
  assert.deepEqual(
    problems.map(({ key }) => key),
    [logRecord(3), logRecord(4)],
  );
  assert.match(problems[0]!.problem, /`salvor repair --vault memory:\/\/whole --from memory:\/\/vault` heals it/);
  assert.deepEqual(await heal(whole, store), [logRecord(3), logRecord(4)]);
  assert.deepEqual((await copy(whole)).problems, []);
  await assertWhole(whole, 4);
});

test('a record that is damaged in the vault and good in the copy is named with what heals it; both go on', async () => {
  for (const seq of [3, 4]) {
    const { store, vault, copy, heal, assertWhole, whole } = await made();
    store.damage(seq, 'flipped');
    await vault.add('2026-11-04');
    const { problems, lostRecords, points, records } = await copy(whole);
    assert.deepEqual([lostRecords, points, records], [[], 4, 1]);
    assert.equal(problems[0]?.key, logRecord(seq));
    assert.match(
      problems[0]!.problem,
      /the copy has it: `salvor repair --vault memory:\/\/vault --from memory:\/\/whole`/,
    );
    assert.deepEqual(await heal(store, whole), [logRecord(seq)]);
    assert.deepEqual((await copy(whole)).problems, []);
    for (const place of [store, whole]) await assertWhole(place, 4);
  }
});

test('where work went on in the copy, a vault that lost its newest record gets it and the later ones back', async () => {
  for (const how of damages) {
    const { store, vault, copy, heal, assertWhole, whole } = await made();
    store.damage(4, how);
    await (await AgedVault.continued(vault, whole)).add('2026-11-04');
    const ahead = await copy(whole).catch((error: unknown) => error);
    assert.ok(ahead instanceof Error && 'actions' in ahead && ahead.name === 'copy-ahead');
    assert.equal(/salvor repair --vault memory:\/\/vault/.test(String(ahead.actions)), how === 'flipped');
    const home = await copy(store, whole);
    assert.deepEqual(home.notWhole, how === 'flipped' ? [vault.points[2]] : []);
    if (how === 'flipped') assert.deepEqual(await heal(store, whole), [logRecord(4)]);
    await assertWhole(store, 4);
  }
});

test('two logs that went different ways are told also where the record in question is damaged in one of them, and none heals the other', async () => {
  const { store, vault, copy, heal, whole } = await made();
  const away = await AgedVault.continued(vault, whole);
  for (const day of ['2026-11-04', '2026-11-05']) await vault.add(day);
  for (const day of ['2026-11-06', '2026-11-07']) await away.add(day);
  const parted = { name: 'vaults-diverged', data: { seq: 5, points: away.points.slice(3) } };
  await assert.rejects(copy(whole), parted);
  store.damage(3, 'flipped');
  store.damage(5, 'flipped');
  await assert.rejects(copy(whole), parted);
  assert.deepEqual(await heal(store, whole), [logRecord(3), `the copy went another way from ${logRecord(5)} on`]);
});
