import assert from 'node:assert/strict';
import { isFault } from '../../src/errors.ts';
import { ClockedStore } from '../support/aged-vault.ts';
import { Gallows, Killed, killingOrg, killingStore, type Moment } from '../support/gallows.ts';
import { KilledRestores } from '../support/killed-restores.ts';
import { type Reference, references } from './references.ts';
import { type Prepared, spread, type Torment } from './torment.ts';
import { assertWhole, now } from './whole.ts';

export const figure = 'crash points of backup, compact, prune, copy, keys, restore and undo';

/** One call at which a process dies. */
interface CrashPoint {
  readonly name: string;
  readonly call: number;
  readonly when: Moment;
  run(gallows: Gallows): Promise<void>;
}

/** Calls of an operation may be more in another run, where what is under way at a time comes in another order. */
const more = 2;

/** Both moments of every call. */
function pointsOf(name: string, calls: number, run: CrashPoint['run']): CrashPoint[][] {
  const all = Array.from({ length: calls }, (_, n) => n + 1);
  return (['before', 'after'] as const).map((when) => all.map((call) => ({ name, call, when, run })));
}

function prepared(lists: readonly CrashPoint[][], dispose: () => Promise<void>): Prepared {
  const points = spread(lists);
  return {
    cases: points.length,
    async run(number, struck) {
      const { name, call, when, run } = points[number]!;
      const gallows = new Gallows(call, when);
      try {
        await run(gallows);
      } catch (error) {
        throw new Error(`${name}, killed ${when} call ${call}`, { cause: error });
      }
      if (gallows.dead) struck(`${name}, ${when}`);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

const names = [
  ...['full backup', 'incremental backup', 'compact', 'prune: retire', 'prune: let go'],
  ...['copy', 'copy that deletes what was let go'],
  ...['keys rotate', 'keys add', 'keys add-writer', 'keys add-pruner'],
];
const bothMoments = (all: readonly string[]) => all.flatMap((name) => [`${name}, before`, `${name}, after`]);

/** A process dies at each call to the store; what it leaves is whole, and the next does what it did not come to. */
export const crashPoints: Torment = {
  name: 'crash-points',
  figure,
  faults: bothMoments(names),
  short: 22,
  share: 4,
  async prepare() {
    const world = await references();
    assert.deepEqual(
      world.all.map(({ name }) => name),
      names,
    );
    const points: CrashPoint[][] = [];
    for (const reference of world.all) {
      const { calls } = await disturbed(reference, new Gallows(Number.POSITIVE_INFINITY, 'before'));
      points.push(
        ...pointsOf(reference.name, calls + more, async (gallows) => void (await disturbed(reference, gallows))),
      );
    }
    return prepared(points, async () => world[Symbol.asyncDispose]());
  },
};

/** Does it on a store that dies, looks, does it again on one that lives, and looks again. */
async function disturbed(reference: Reference, gallows: Gallows): Promise<Gallows> {
  const store = new ClockedStore(reference.before);
  store.now = () => new Date(now);
  const { keys, model, lets } = reference;
  const whole = () => reference.whole?.(store) ?? assertWhole(store, keys, model, lets);
  try {
    await reference.act(killingStore(store, gallows));
  } catch (error) {
    if (!gallows.dead) throw error;
    assert.ok(error instanceof Killed || isFault(error), `a killed process ends as ${error}`);
  }
  await whole();
  if (gallows.dead) await reference.act(store);
  await whole();
  await reference.done(store);
  return gallows;
}

const restoreNames = ['restore, store', 'restore, org', 'undo, store'];

/** The same of restores, whose journal is in the store and whose work is in the org. */
export const crashPointsOfRestores: Torment = {
  name: 'crash-points-of-restores',
  figure,
  faults: bothMoments(restoreNames),
  short: 6,
  share: 3,
  async prepare() {
    const restores = await KilledRestores.start();
    const ways: Record<string, (gallows: Gallows) => Promise<unknown>> = {
      'restore, store': (gallows) =>
        restores.kill(gallows, { store: (store) => killingStore(store, gallows) }, 'restore, store'),
      'restore, org': (gallows) => restores.kill(gallows, { org: (org) => killingOrg(org, gallows) }, 'restore, org'),
      'undo, store': (gallows) =>
        restores.killUndo(gallows, { store: (store) => killingStore(store, gallows) }, 'undo, store'),
    };
    const points: CrashPoint[][] = [];
    for (const name of restoreNames) {
      const gallows = new Gallows(Number.POSITIVE_INFINITY, 'before');
      await ways[name]!(gallows);
      points.push(...pointsOf(name, gallows.calls, async (one) => void (await ways[name]!(one))));
    }
    return prepared(points, () => restores[Symbol.asyncDispose]());
  },
};
