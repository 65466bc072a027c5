import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { prune } from '../../src/operations/prune/prune.ts';
import { Random } from '../../src/practice-org/random.ts';
import { openFolder } from '../../src/store/folder.ts';
import type { Store } from '../../src/store/store.ts';
import { AgedVault, contextAt } from '../support/aged-vault.ts';
import { eachCall } from '../support/each-call.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { DiskTrace, diskAfter, type Effect } from './disk.ts';
import { strideOf, type Torment } from './torment.ts';
import { assertWhole, dayBefore, modelOf } from './whole.ts';

const ways = ['nothing that was not flushed', 'some of it', 'all of it'];

/** The power goes behind any effect on a folder: what was told to be done stands, whole, and what stands is whole. */
export const powerCut: Torment = {
  name: 'power-cut',
  figure: 'power cuts of a folder: prefixes of its trace, with any of what was not flushed lost',
  faults: ways,
  short: 60,
  share: 2,
  async prepare() {
    const folder = await mkdtemp(path.join(tmpdir(), 'salvor-power-'));
    const root = path.join(folder, 'vault');
    const trace = new DiskTrace(root);
    const bodies = new Map<string, Buffer>();
    /** Told: a put or a deletion that resolved. */
    const told = (store: Store): Store =>
      eachCall(store, async (call, verb, key) => {
        const outcome = await call();
        if (verb === 'putIfAbsent') {
          bodies.set(key, await store.get(key));
          trace.tell(`put ${key}`);
        }
        if (verb === 'delete') trace.tell(`delete ${key}`);
        return outcome;
      });
    const vault = await trace.during(async () => {
      const aged = await AgedVault.of(told(openFolder(root)), []);
      for (const day of [4, 3, 2].map(dayBefore)) trace.tell(`point ${await aged.add(day)}`);
      const request = { minPoints: 2, grace: 0, allowLarge: true, extendLocks: false, confirmed: true, tool: 'test' };
      await prune(contextAt(new Date().toISOString()), await aged.open(), { policy: { last: 2 }, ...request });
      return aged;
    });
    const model = await modelOf(await vault.open());
    const { effects } = trace;
    const total = effects.length + 1;
    return {
      async run(number, struck) {
        const end = (number * strideOf(total)) % total;
        const round = Math.floor(number / total);
        const random = new Random(number);
        // Each prefix first with nothing, then with everything, then with any of what was not flushed.
        const way = number > 0 && number < 3 ? number : round === 0 ? 0 : round === 1 ? 2 : 1;
        const percent = random.pick([10, 50, 90]);
        const kept = new Map(effects.map((_, at) => [at, way === 2 || (way === 1 && random.chance(percent))]));
        struck(ways[way]!);
        await holds(
          effects.slice(0, end),
          diskAfter(root, effects, end, (at) => kept.get(at)!),
        );
      },
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    };

    function keyOf({ folder: within, name }: { folder: string; name: string }): string {
      return path.relative(root, path.join(within, name)).split(path.sep).join('/');
    }

    async function holds(done: readonly Effect[], disk: ReadonlyMap<string, Buffer>): Promise<void> {
      const acknowledged = done.flatMap((one) => (one.kind === 'told' ? [one.what] : []));
      const standing = new Set<string>();
      for (const what of acknowledged) {
        const [verb, key] = what.split(' ') as [string, string];
        if (verb === 'put') standing.add(key);
        if (verb === 'delete') standing.delete(key);
      }
      // A deletion that was asked for may be on the disk before anybody was told.
      const going = new Set(done.flatMap((one) => (one.kind === 'name' && one.file === undefined ? [keyOf(one)] : [])));
      for (const key of standing) assert.ok(disk.has(key) || going.has(key), `${key}, which was put, has gone`);
      for (const [key, body] of disk) {
        const expected = bodies.get(key);
        assert.ok(!expected || body.equals(expected), `${key} has ${body.length} of ${expected?.length} bytes`);
      }
      const points = acknowledged.flatMap((what) => (what.startsWith('point ') ? [what.slice(6)] : []));
      if (points.length === 0) return;
      const known = new Map([...model].filter(([point]) => points.includes(point)));
      await assertWhole(new MemoryStore(disk), vault.keys, known, vault.points.slice(0, 1));
    }
  },
};
