import assert from 'node:assert/strict';
import { isFault } from '../../src/errors.ts';
import { copyVault } from '../../src/operations/copy/copy.ts';
import { keepPoint } from '../../src/operations/prune/pins.ts';
import { prune } from '../../src/operations/prune/prune.ts';
import type { PruneRequest } from '../../src/operations/prune/request.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import type { Store } from '../../src/store/store.ts';
import { KeySet } from '../../src/vault/key-set.ts';
import { reachedBy } from '../../src/vault/reached.ts';
import { AgedVault, ClockedStore, contextAt } from '../support/aged-vault.ts';
import { eachCall } from '../support/each-call.ts';
import { InProcess } from '../support/in-process.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { spread, type Torment } from './torment.ts';
import { assertWhole, contentsOf, modelOf, now, openVault } from './whole.ts';

const days = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04'];
const ctx = contextAt(now);
const letGo: PruneRequest = {
  policy: { last: 3 },
  minPoints: 3,
  grace: 0,
  allowLarge: true,
  extendLocks: false,
  confirmed: true,
  tool: 'test',
};
const newestOnly = { ...letGo, policy: { last: 1 }, minPoints: 1 };
/** What one of two may be told that came too late. */
const late = ['point-retired', 'no-such-point', 'lease-held', 'clock-behind'] as const;

/** What is thrown by a writer of the bench that reads a page of a point that was let go. */
class TooLate extends Error {}

/** Does `work` on a store where, in front of call number `at`, `meanwhile` happens from its beginning to its end. */
async function stalled(
  store: Store,
  at: number,
  work: (store: Store) => Promise<unknown>,
  meanwhile: () => Promise<unknown>,
): Promise<{ calls: number; done: boolean }> {
  let calls = 0;
  const slow = eachCall(store, async (call) => {
    calls += 1;
    if (calls === at) await meanwhile();
    return call();
  });
  return { done: await succeeds(work(slow)), calls };
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!isFault(error, ...late) && !(error instanceof TooLate)) throw error;
    return false;
  }
}

type Scenario = (at: number) => Promise<{ calls: number; done: boolean }>;

async function agedScenarios(): Promise<Record<string, Scenario>> {
  const made = new ClockedStore();
  const vault = await AgedVault.of(made, days);
  const before = new Map(made.objects);
  const model = await modelOf(await vault.open());
  const oldest = vault.points[0]!;
  const fresh = async () => {
    const store = new ClockedStore(before);
    store.now = () => new Date(now);
    return { store, aged: await AgedVault.continued(vault, store) };
  };
  const pruned = async (store: Store) => prune(ctx, await vault.open(undefined, store), letGo);
  /** Takes a point that builds on the oldest one and lists what only that one lists. */
  const builds = async (store: Store) => {
    const source = await vault.open(undefined, new MemoryStore(before));
    const listing = (await source.root((await source.state()).points[0]!)).objects;
    const aged = await AgedVault.continued(vault, store);
    const contact = listing.filter(({ object }) => object === 'Contact');
    await aged.add('2026-11-09', { parent: oldest, listing: contact }).catch((error: unknown) => {
      if (isFault(error, 'object-missing') && error.data.key === contact[0]!.page!.key) throw new TooLate();
      throw error;
    });
  };
  const whole = (store: Store, lets = [oldest]) => assertWhole(store, vault.keys, model, lets);
  return {
    'a writer, while its parent is let go': async (at) => {
      const { store } = await fresh();
      const writing = await stalled(store, at, builds, () => pruned(store));
      const { points } = await whole(store, vault.points.slice(0, 2));
      assert.equal(points.length - points.filter((point) => model.has(point)).length, writing.done ? 1 : 0);
      return writing;
    },
    'a prune, while a point is taken on what it lets go': async (at) => {
      const { store } = await fresh();
      let taken = false;
      const pruning = await stalled(store, at, pruned, async () => {
        taken = await succeeds(builds(store));
      });
      // Of five points three stay, if the one that was taken came in time.
      const { points } = await whole(store, vault.points.slice(0, 2));
      assert.equal(points.length - points.filter((point) => model.has(point)).length, taken ? 1 : 0);
      return pruning;
    },
    'a prune, while what it lets go is pinned': async (at) => {
      const { store } = await fresh();
      let kept = false;
      const pruning = await stalled(store, at, pruned, async () => {
        const open = await vault.open(undefined, store);
        kept = await succeeds(keepPoint(ctx, open, oldest, { release: false, tool: 'test' }));
      });
      const { points } = await whole(store);
      if (kept) assert.ok(points.includes(oldest), 'a point that was pinned, and somebody was told so');
      return pruning;
    },
    'a pin, while the point is let go': async (at) => {
      const { store } = await fresh();
      const keep = async (slow: Store) =>
        keepPoint(ctx, await vault.open(undefined, slow), oldest, { release: false, tool: 'test' });
      const pinning = await stalled(store, at, keep, () => pruned(store));
      const { points } = await whole(store);
      if (pinning.done) assert.ok(points.includes(oldest), 'a point that was pinned, and somebody was told so');
      return pinning;
    },
    'a copy, while points are let go': async (at) => {
      const { store } = await fresh();
      const to = new MemoryStore();
      const copying = await stalled(
        store,
        at,
        async (slow) => copyVault(ctx, await vault.open({}, slow), to, { deleteSwept: true }),
        () => pruned(store),
      );
      const { retired } = (await (await vault.open({}, store)).state()).retention;
      const source = await vault.open({}, new MemoryStore(before));
      for (const entry of (await source.logOf(to).read()).entries) {
        if (entry.record.kind !== 'point' || retired.has(entry.record.point!)) continue;
        for await (const { key } of reachedBy(source, entry, new KeySet()))
          assert.ok(to.objects.has(key), `${key}, which a record of the copy reaches`);
      }
      await copyVault(ctx, await vault.open({}, store), to, { deleteSwept: true });
      await whole(to);
      return copying;
    },
  };
}

async function backupScenario(org: InProcess): Promise<Scenario> {
  const request = { policy: { objects: ['Account', 'Contact'], exclude: [] } };
  await org.backup({ request });
  await new OrgRequests(org.org).create('Account', [{ Name: 'New' }]);
  const before = new Map((org.store as MemoryStore).objects);
  const model = await modelOf(await org.openVault());
  const lets = [...model.keys()];
  const other = new MemoryStore(before);
  org.store = other;
  await org.backup({ request });
  const vault = await org.openVault();
  const truth = await contentsOf(vault, (await vault.state()).points.at(-1)!);
  return async (at) => {
    const store = new ClockedStore(before);
    store.now = () => new Date();
    const taken = async (on: Store) => {
      org.store = on;
      await org.backup({ request });
    };
    const backing = await stalled(store, at, taken, async () => {
      await taken(store);
      await prune(contextAt(new Date().toISOString()), await openVault(store, org.keys), newestOnly);
    });
    const { vault: left } = await assertWhole(store, org.keys, model, lets);
    const points = (await left.state()).points.filter(({ record }) => !model.has(record.point!));
    const [other, own] = [backing.calls >= at ? 1 : 0, backing.done ? 1 : 0];
    // Behind its record the point of the one that stalled is not the newest any more, and may go.
    assert.ok(points.length >= Math.max(other, own) && points.length <= other + own, `${points.length} points`);
    for (const entry of points) assert.equal(await contentsOf(left, entry), truth);
    return backing;
  };
}

const names = [
  'a writer, while its parent is let go',
  'a prune, while a point is taken on what it lets go',
  'a prune, while what it lets go is pinned',
  'a pin, while the point is let go',
  'a copy, while points are let go',
  'a backup, while another takes a point and its parent is let go',
];

/** One of two stands still in front of any of its calls, while the other does all that it has to do. */
export const stalledWriter: Torment = {
  name: 'stalled-writer',
  figure: 'somebody stalled at any call while another prunes, pins, copies or writes',
  faults: names,
  short: 6,
  async prepare() {
    const org = await InProcess.start(sampleDatabase({ scale: { Account: 3, Contact: 3 } }));
    const scenarios = { ...(await agedScenarios()), [names.at(-1)!]: await backupScenario(org) };
    assert.deepEqual(Object.keys(scenarios), names);
    const lists: { name: string; at: number; scenario: Scenario }[][] = [];
    for (const [name, scenario] of Object.entries(scenarios)) {
      const { calls } = await scenario(Number.POSITIVE_INFINITY);
      lists.push(Array.from({ length: calls }, (_, n) => ({ name, at: n + 1, scenario })));
    }
    const all = spread(lists);
    return {
      cases: all.length,
      async run(number, struck) {
        const { name, at, scenario } = all[number]!;
        try {
          const { calls } = await scenario(at);
          if (calls >= at) struck(name);
        } catch (error) {
          throw new Error(`${name}, in front of call ${at}`, { cause: error });
        }
      },
      [Symbol.asyncDispose]: async () => org[Symbol.asyncDispose](),
    };
  },
};
