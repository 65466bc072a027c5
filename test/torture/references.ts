import assert from 'node:assert/strict';
import { newAgeIdentity } from '../../src/age/keys.ts';
import { isFault } from '../../src/errors.ts';
import { compact } from '../../src/operations/compact.ts';
import { copyVault } from '../../src/operations/copy/copy.ts';
import { addPruner, addRecipient, addWriter, rotate } from '../../src/operations/keys.ts';
import { prune } from '../../src/operations/prune/prune.ts';
import type { PruneRequest } from '../../src/operations/prune/request.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import type { Store } from '../../src/store/store.ts';
import { KeySet } from '../../src/vault/key-set.ts';
import { layersOf } from '../../src/vault/layers.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { reachedBy } from '../../src/vault/reached.ts';
import { isPrunable } from '../../src/vault/retention.ts';
import { Vault } from '../../src/vault/vault.ts';
import { AgedVault, ClockedStore, contextAt } from '../support/aged-vault.ts';
import { InProcess, type VaultKeys } from '../support/in-process.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { assertWhole, contentsOf, type Model, modelOf, now, openVault } from './whole.ts';

/** An operation that is disturbed: what there was before it, how to do it, and how to tell that it was done. */
export interface Reference {
  readonly name: string;
  /** The vault before; each case works on a copy. */
  readonly before: ReadonlyMap<string, Buffer>;
  readonly keys: VaultKeys;
  /** Points that are acknowledged before. */
  readonly model: Model;
  /** Points that the operation may let go. */
  readonly lets?: readonly string[];
  /** Does it, as a new process would. */
  act(store: Store): Promise<void>;
  /** Holds what it left to what an undisturbed one leaves. */
  done(store: MemoryStore): Promise<void>;
  /** In place of the invariants of the vault that was worked on. */
  whole?(store: MemoryStore): Promise<void>;
}

export interface References extends AsyncDisposable {
  readonly all: readonly Reference[];
}

const objects = ['Account', 'Attachment', 'Contact'];
const request = { policy: { objects, exclude: [] } };
const ctx = contextAt(now);
const days = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04'];
const behindGrace = '2026-11-28T10:00:00Z';
const pruning: PruneRequest = {
  policy: { last: 3 },
  minPoints: 3,
  grace: 86_400_000,
  allowLarge: false,
  extendLocks: false,
  confirmed: true,
  tool: 'test',
};

/** Every reference operation, on vaults of a few dozen objects. */
export async function references(): Promise<References> {
  const scale = { Account: 4, Contact: 6, Attachment: 3 };
  const org = await InProcess.start(sampleDatabase({ scale }), { bulkPollsQueued: 0, bulkPollsInProgress: 0 });
  const all = [...(await ofBackups(org)), ...(await ofRetention()), ...(await ofKeys())];
  return { all, [Symbol.asyncDispose]: () => org[Symbol.asyncDispose]() };
}

async function ofBackups(org: InProcess): Promise<Reference[]> {
  const { keys } = org;
  const requests = new OrgRequests(org.org);
  const store = org.store as MemoryStore;
  const empty = new Map(store.objects);
  await org.backup({ request });
  const one = new Map(store.objects);
  const oneModel = await modelOf(await org.openVault());
  const [account] = await requests.create('Account', [{ Name: 'New' }]);
  await requests.create('Contact', [{ LastName: 'New', AccountId: account! }]);
  const [old] = await requests.query('SELECT Id FROM Contact');
  await requests.update('Contact', [{ Id: String(old!.Id), LastName: 'Changed' }]);
  const gone = await requests.query('SELECT Id, LastName FROM Contact');
  await requests.delete([String(gone.findLast(({ LastName }) => LastName !== 'New')!.Id)]);
  await org.backup({ request });
  const two = new Map(store.objects);
  const twoModel = await modelOf(await org.openVault());
  const truth = [...twoModel.values()].at(-1)!;

  /** The newest point holds what the org holds; so does every other that the operation left. */
  const done = (model: Model) => async (at: MemoryStore) => {
    const { points, vault } = await assertWhole(at, keys, model);
    assert.ok(points.length > model.size, 'there is a point more');
    // A run that was killed behind its record left its point, and nobody was told.
    assert.ok(points.length <= model.size + 2, `${points.length - model.size} points more`);
    for (const entry of (await vault.state()).points)
      if (!model.has(entry.record.point!)) assert.equal(await contentsOf(vault, entry), truth);
  };
  const act = async (at: Store) => {
    org.store = at;
    await org.backup({ request });
  };
  const compacting: Reference = {
    name: 'compact',
    before: two,
    keys,
    model: twoModel,
    async act(at) {
      // Points that were just taken are older by their names, too.
      const tomorrow = contextAt(new Date(Date.now() + 86_400_000).toISOString());
      await compact(tomorrow, await openVault(at, keys), { objects: [], tool: 'test' });
    },
    async done(at) {
      await done(twoModel)(at);
      const vault = await openVault(at, keys);
      const reader = await PointReader.open(vault, (await vault.state()).points.at(-1)!);
      for (const object of reader.objects()) assert.deepEqual(layersOf(await reader.map(object)), [], object);
    },
  };
  return [
    { name: 'full backup', before: empty, keys, model: new Map(), act, done: done(new Map()) },
    { name: 'incremental backup', before: one, keys, model: oneModel, act, done: done(oneModel) },
    compacting,
  ];
}

async function ofRetention(): Promise<Reference[]> {
  const made = new ClockedStore();
  const vault = await AgedVault.of(made, days);
  made.now = () => new Date(now);
  const { keys } = vault;
  const before = new Map(made.objects);
  const model = await modelOf(await vault.open());
  const retiring = (more: Partial<PruneRequest>) => async (store: Store) => {
    await prune(ctx, await vault.open(undefined, store), { ...pruning, ...more });
  };
  await retiring({})(made);
  const retired = new Map(made.objects);
  const rested = new ClockedStore(retired);
  rested.now = () => new Date(behindGrace);
  await prune(contextAt(behindGrace), await vault.open(undefined, rested), pruning);
  const swept = prunable(rested);
  const lets = vault.points.slice(0, 1);
  const atRest = (keep: readonly string[]) => async (store: MemoryStore) => {
    const { points } = await assertWhole(store, keys, model, lets);
    assert.deepEqual(points, vault.points.slice(1), 'what stays');
    assert.deepEqual(prunable(store), keep, 'objects that points reach');
    assert.deepEqual((await (await vault.open(undefined, store)).state()).retention.unfinished, []);
  };
  const all = prunable(new MemoryStore(before));
  const copying = async (store: Store) => {
    const source = await vault.open({}, new MemoryStore(before));
    const { problems } = await copyVault(ctx, source, store, { deleteSwept: true });
    assert.deepEqual(problems, []);
  };
  const pruned = await vault.open({}, rested);
  const copyOf = {
    keys,
    model: new Map(),
    /** Until it is whole a copy is no vault; every record in it has all that it reaches. */
    async whole(store: MemoryStore) {
      const source = await vault.open({}, new MemoryStore(before));
      for (const entry of (await source.logOf(store).read()).entries) {
        if (entry.record.kind !== 'point') continue;
        for await (const { key } of reachedBy(source, entry, new KeySet()))
          assert.ok(store.objects.has(key), `${key}, which a record of the copy reaches`);
      }
      if (store.objects.has('vault.json')) await assertWhole(store, keys, model);
    },
  };
  return [
    { name: 'prune: retire', before, keys, model, lets, act: retiring({}), done: atRest(all) },
    { name: 'prune: let go', before, keys, model, lets, act: retiring({ grace: 0 }), done: atRest(swept) },
    {
      ...copyOf,
      name: 'copy',
      before: new Map(),
      act: copying,
      async done(store) {
        assert.deepEqual(new Map([...store.objects].sort()), new Map([...before].sort()));
      },
    },
    {
      ...copyOf,
      name: 'copy that deletes what was let go',
      before: retired,
      // Every point that the copy lists before may go, and what stays is whole.
      whole: async (store) => void (await assertWhole(store, keys, model, lets)),
      async act(store) {
        await copyVault(ctx, pruned, store, { deleteSwept: true });
      },
      async done(store) {
        assert.deepEqual(prunable(store), swept);
        await assertWhole(store, keys, model, lets);
      },
    },
  ];
}

async function ofKeys(): Promise<Reference[]> {
  const made = new MemoryStore();
  const vault = await AgedVault.of(made, days.slice(0, 2));
  const { keys } = vault;
  const before = new Map(made.objects);
  const model = await modelOf(await vault.open());
  const second = await newAgeIdentity();
  const base = { before, keys, model };
  /** A point is taken with the writer's key, and each of these identities reads it and the earlier ones. */
  const serves = async (store: MemoryStore, ...identities: string[]) => {
    const going = await AgedVault.continued(vault, store);
    await going.add('2026-11-09');
    for (const identity of identities) {
      const { points } = await assertWhole(store, { ...keys, identity }, model);
      assert.equal(points.length, model.size + 1);
    }
  };
  const opened = (store: Store) => vault.open(undefined, store);
  return [
    {
      ...base,
      name: 'keys rotate',
      async act(store) {
        await rotate(ctx, await opened(store), [second.recipient, await recipientOf(vault)], 'test');
      },
      async done(store) {
        assert.ok((await (await opened(store)).epoch()).epoch >= 2);
        await serves(store, keys.identity);
        const later = await Vault.open(store, { ...keys, operation: 'read', identities: [second.identity] });
        assert.ok((await later.rowIdentities()).length >= 1);
      },
    },
    {
      ...base,
      name: 'keys add',
      async act(store) {
        const adding = addRecipient(ctx, await opened(store), second.recipient, 'test');
        // One that was killed behind its last write has added it.
        await adding.catch((error: unknown) => {
          if (!isFault(error, 'usage')) throw error;
        });
      },
      async done(store) {
        await serves(store, second.identity, keys.identity);
      },
    },
    ...[addWriter, addPruner].map(
      (add): Reference => ({
        ...base,
        name: add === addWriter ? 'keys add-writer' : 'keys add-pruner',
        async act(store) {
          await add(ctx, await opened(store));
        },
        async done(store) {
          const { trust } = await opened(store);
          const before = (await opened(new MemoryStore(base.before))).trust.keys.length;
          assert.ok(trust.keys.length > before && trust.keys.length <= before + 2);
          await serves(store, keys.identity);
        },
      }),
    ),
  ];
}

async function recipientOf(vault: AgedVault): Promise<string> {
  return (await vault.open()).trust.recipients[0]!;
}

function prunable({ objects }: MemoryStore): string[] {
  return [...objects.keys()].filter(isPrunable).sort();
}
