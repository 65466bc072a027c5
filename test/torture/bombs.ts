import assert from 'node:assert/strict';
import { isFault } from '../../src/errors.ts';
import { listPoints } from '../../src/operations/points.ts';
import { verify } from '../../src/operations/verify/verify.ts';
import { IdTable } from '../../src/rows/id-table.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { findRuns } from '../../src/vault/run.ts';
import { Vault } from '../../src/vault/vault.ts';
import { contextAt } from '../support/aged-vault.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { id, type SmallVault, smallVault } from '../support/small-vault.ts';
import { type Bomb, bombs as menu } from './bomb-cases.ts';
import type { Torment } from './torment.ts';
import { costOf, mebibyte } from './unpacking.ts';
import { contentsOf } from './whole.ts';

/** A document of 128 MiB, which is the largest that there is, is in memory in pieces, joined, and as text. */
const mostMemory = 512 * mebibyte;
/** Each is read some ten times. */
const mostMilliseconds = 30_000;
const now = '2026-11-23T10:00:00Z';

/** A store that knows what was read of it. */
class WatchedStore extends MemoryStore {
  readonly read = new Set<string>();

  override async get(key: string, signal?: AbortSignal, atMost?: number): Promise<Buffer> {
    this.read.add(key);
    return super.get(key, signal, atMost);
  }

  override async head(key: string, signal?: AbortSignal) {
    const found = await super.head(key, signal);
    if (found) this.read.add(key);
    return found;
  }
}

/** Somebody with the writer key, or with the bucket, hands over what would take memory and time without end. It ends with a fault of the table, soon, and the other points are as they were. */
export const bombs: Torment = {
  name: 'bombs',
  figure: 'bombs: stored and sent bytes that unpack or nest without end',
  faults: Object.keys(menu),
  short: Object.keys(menu).length,
  async prepare() {
    const made = new MemoryStore();
    const small = await smallVault(made);
    const truth = new Map<string, string>();
    const whole = await open(made, small);
    for (const entry of (await whole.state()).points) truth.set(entry.record.point!, await contentsOf(whole, entry));
    const lists = Object.entries(menu).map(([fault, list]) => list.map((bomb) => ({ fault, bomb })));
    const longest = Math.max(...lists.map(({ length }) => length));
    // One of each fault in turn, the cheap ones first: those are the short form.
    const all = Array.from({ length: longest }, (_, n) => lists.flatMap((list) => list[n] ?? [])).flat();
    const met: string[] = [];
    await readAll(new WatchedStore(made.objects), small, undefined, truth, met);
    assert.deepEqual(met, [], 'without a bomb');
    return {
      cases: all.length,
      async run(number, struck) {
        const { fault, bomb } = all[number]!;
        const store = new WatchedStore(made.objects);
        const laid = await bomb.lay(store, small);
        store.read.clear();
        const met: string[] = [];
        const cost = await costOf(() => readAll(store, small, bomb, truth, met));
        if (bomb.read || laid.some((key) => store.read.has(key))) struck(fault);
        if (bomb.fatal) assert.notDeepEqual(met, [], `${bomb.what} is taken for good`);
        // What is too much is told all the same.
        else
          assert.deepEqual(
            met.filter((name) => name !== 'verify'),
            [],
            bomb.what,
          );
        assert.ok(cost.bytes <= mostMemory, `${bomb.what} took ${Math.round(cost.bytes / mebibyte)} MiB`);
        assert.ok(cost.milliseconds <= mostMilliseconds, `${bomb.what} took ${Math.round(cost.milliseconds)} ms`);
      },
      [Symbol.asyncDispose]: async () => {},
    };
  },
};

function open(store: MemoryStore, { rootFingerprint, identity, writerKey }: SmallVault): Promise<Vault> {
  return Vault.open(store, { operation: 'read', rootFingerprint, writerKey, identities: [identity] });
}

/** Everything that reads. `met`: faults that came; anything else is thrown. */
async function readAll(
  store: MemoryStore,
  small: SmallVault,
  bomb: Bomb | undefined,
  truth: ReadonlyMap<string, string>,
  met: string[],
): Promise<void> {
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      if (!isFault(error)) throw error;
      met.push(error.name);
    }
  };
  if (bomb?.read) return attempt(bomb.read);
  const vault = await open(store, small);
  const { points, problems } = await vault.state();
  met.push(...problems.slice(0, 10).map(({ fault }) => fault.name));
  for (const entry of points) {
    const point = entry.record.point!;
    const expected = truth.get(point);
    if (expected !== undefined) assert.equal(await contentsOf(vault, entry), expected, point);
    else await attempt(() => readPoint(vault, entry, attempt));
  }
  assert.equal(points.filter(({ record }) => truth.has(record.point!)).length, truth.size, 'points that were there');
  const listed = (await listPoints(vault)).points;
  met.push(
    ...listed.filter(({ unreadable }) => unreadable !== undefined).map(({ id: point }) => `${point} unreadable`),
  );
  // The run of the small vault is for the identity itself.
  const identities = [...(await vault.manifestIdentities()), small.identity];
  const reader = { store, vault: vault.info.vault, trust: vault.trust, identities };
  const runs = await findRuns(reader, new Set(), new Date(now));
  met.push(...runs.flatMap((run) => run.problems));
  await attempt(async () => {
    const request = { points: 'all', noIdentity: false, attest: false, tool: 'test' } as const;
    if (!(await verify(contextAt(now), vault, request)).ok) met.push('verify');
  });
}

async function readPoint(
  vault: Vault,
  entry: Parameters<typeof PointReader.open>[1],
  attempt: (work: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const reader = await PointReader.open(vault, entry);
  for (const object of reader.objects()) {
    await attempt(() => reader.describe(object));
    for (const wanted of [{}, { columns: ['Id'] }, { ids: IdTable.of([id('003', 2)]) }]) {
      await attempt(async () => {
        for await (const batch of (await reader.rows(object, wanted)).batches) batch.release?.();
      });
    }
  }
  for (const number of [1, 3]) {
    await attempt(async () => {
      for await (const _ of (await reader.file('Attachment', id('00P', number), 'Body')) ?? []);
    });
  }
}
