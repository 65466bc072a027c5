import assert from 'node:assert/strict';
import { isFault } from '../../src/errors.ts';
import { compact } from '../../src/operations/compact.ts';
import { addWriter } from '../../src/operations/keys.ts';
import { keepPoint } from '../../src/operations/prune/pins.ts';
import { prune } from '../../src/operations/prune/prune.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { Random } from '../../src/practice-org/random.ts';
import type { Store } from '../../src/store/store.ts';
import { AgedVault, ClockedStore, contextAt } from '../support/aged-vault.ts';
import { eachCall } from '../support/each-call.ts';
import { Scheduler } from './scheduler.ts';
import type { Torment } from './torment.ts';
import { assertWhole, contentsOf, modelOf, now } from './whole.ts';

const days = ['2026-11-01', '2026-11-02', '2026-11-03'];
const ctx = contextAt(now);
const actors = ['writer', 'prune', 'verify', 'reader', 'compact', 'pin', 'keys'] as const;
type Actor = (typeof actors)[number];

/** How each may end besides well: it came too late, or makes way. */
const ends: Readonly<Record<Actor, readonly string[]>> = {
  writer: ['lease-held'],
  prune: ['lease-held', 'prune-too-large'],
  verify: [],
  // What it reads may be let go, with no grace, under its hands.
  reader: ['object-missing'],
  compact: ['lease-held', 'point-retired', 'object-missing'],
  pin: ['no-such-point', 'lease-held'],
  keys: ['lease-held'],
};

/** Two to five at work on one vault; a seed decides who makes the next call. */
export const schedules: Torment = {
  name: 'schedules',
  figure: 'schedules of writers, prune, verify, readers, compact, pins and keys on one vault',
  faults: actors,
  short: 24,
  share: 5,
  async prepare() {
    const made = new ClockedStore();
    const vault = await AgedVault.of(made, days);
    const before = new Map(made.objects);
    const model = await modelOf(await vault.open());
    const work: Record<Actor, (store: Store, number: number) => Promise<unknown>> = {
      async writer(store, number) {
        const aged = await AgedVault.continued(vault, store);
        aged.points.push(...Array.from({ length: number }, () => ''));
        return aged.add('2026-11-09');
      },
      async prune(store) {
        await prune(ctx, await vault.open(undefined, store), {
          policy: { last: 2 },
          minPoints: 2,
          grace: 0,
          allowLarge: true,
          extendLocks: false,
          confirmed: true,
          tool: 'test',
        });
      },
      async verify(store) {
        const request = { points: 'all', noIdentity: false, attest: false, tool: 'test' } as const;
        const result = await verify(ctx, await vault.open(undefined, store), request);
        const found = [result.log, ...result.points.flatMap(({ rungs }) => rungs)].flatMap(({ problems }) => problems);
        // What is let go meanwhile is missing; nothing is ever damaged.
        const damage = found.filter(({ problem }) => !/missing|is not (in|there)|let go/.test(problem));
        assert.deepEqual(damage, []);
      },
      async reader(store, number) {
        const open = await vault.open(undefined, store);
        const { points } = await open.state();
        const entry = points[number % points.length]!;
        const expected = model.get(entry.record.point!);
        const contents = await contentsOf(open, entry);
        if (expected !== undefined) assert.equal(contents, expected, 'a reader is shown other rows');
      },
      async compact(store) {
        await compact(
          ctx,
          await vault.open({ identities: [vault.keys.identity], writerKey: vault.keys.writerKey }, store),
          { objects: [], tool: 'test' },
        );
      },
      async pin(store, number) {
        const point = vault.points[number % vault.points.length]!;
        await keepPoint(ctx, await vault.open(undefined, store), point, { release: false, tool: 'test' });
        return point;
      },
      async keys(store) {
        await addWriter(ctx, await vault.open(undefined, store));
      },
    };
    return {
      async run(number, struck) {
        const random = new Random(number);
        const chosen: Actor[] = ['writer', actors[number % actors.length]!];
        while (chosen.length < 5 && random.chance(60)) chosen.push(random.pick(actors));
        const store = new ClockedStore(before);
        store.now = () => new Date(now);
        const created = new Set<string>();
        /** The store itself, which sees two winners of one name. */
        const judged = eachCall(store, async (call, verb, key) => {
          const outcome = await call();
          if (verb === 'putIfAbsent' && outcome === 'created') {
            assert.ok(!created.has(key), `two created ${key}`);
            created.add(key);
          }
          return outcome;
        });
        const scheduler = new Scheduler(random);
        const settled = await scheduler.run(
          judged,
          chosen.map((actor, at) => (own) => work[actor](own, at + number)),
        );
        const written: string[] = [];
        const pinned: string[] = [];
        for (const [at, outcome] of settled.entries()) {
          const actor = chosen[at]!;
          struck(actor);
          if (outcome.status === 'rejected') {
            const { reason } = outcome;
            if (!isFault(reason) || !ends[actor].includes(reason.name))
              throw new Error(`${actor} of ${chosen.join(', ')}`, { cause: reason });
          } else if (actor === 'writer') written.push(outcome.value as string);
          else if (actor === 'pin') pinned.push(outcome.value as string);
        }
        const lets = [...model.keys(), ...written];
        const { points, vault: left } = await assertWhole(store, vault.keys, model, lets);
        const { entries, retention } = await left.state();
        const sealed = entries.flatMap(({ record }) => (record.kind === 'point' ? [record.point!] : []));
        for (const point of [...model.keys(), ...written]) {
          assert.ok(sealed.includes(point), `${point}, which was acknowledged, has a record`);
          assert.ok(points.includes(point) || retention.retired.has(point), `${point} is there, or a record let it go`);
        }
        for (const point of pinned) assert.ok(points.includes(point), `${point}, which was pinned, is there`);
        assert.ok(points.length >= 2, 'prune left what the policy keeps');
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
