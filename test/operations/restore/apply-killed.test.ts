import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Plan } from '../../../src/operations/restore/plan.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import type { Org } from '../../../src/salesforce/org.ts';
import type { OrgWriter } from '../../../src/salesforce/writing.ts';
import type { Store } from '../../../src/store/store.ts';
import { ApplyRig, planned } from '../../support/apply-rig.ts';
import { parseQuotedCsv } from '../../support/foreign-csv.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { differences, type Snapshot } from '../../support/org-snapshot.ts';

const objects = ['Account', 'Contact'];

/** What a process that is killed leaves behind: nothing more is done, and nothing is caught. */
class Killed extends Error {}

/** Counts calls down to the one at which the process dies: before it has any effect, or right after it had all of it. */
class Gallows {
  #left: number;
  readonly #when: 'before' | 'after';
  dead = false;

  constructor(calls: number, when: 'before' | 'after') {
    this.#left = calls;
    this.#when = when;
  }

  async pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.dead) throw new Killed();
    this.#left -= 1;
    if (this.#left > 0) return call();
    this.dead = true;
    if (this.#when === 'after') await call();
    throw new Killed();
  }
}

function killingStore(store: Store, gallows: Gallows): Store {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'putIfAbsent') return value.bind(target);
      return (key: string, body: Uint8Array) => {
        // Leases are let go by processes that end, which a killed one does not.
        if (gallows.dead) throw new Killed();
        return key.includes('/lease-')
          ? target.putIfAbsent(key, body)
          : gallows.pass(() => target.putIfAbsent(key, body));
      };
    },
  });
}

const writes = new Set(['insert', 'update', 'delete', 'undelete', 'create', 'upload', 'close', 'abort']);

function killingOrg(org: Org, gallows: Gallows): Org {
  const killing = <T extends object>(of: T): T =>
    new Proxy(of, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (name === 'ingest') return killing(value as object);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const call = () => Reflect.apply(value, target, args) as Promise<unknown>;
          return writes.has(String(name)) ? gallows.pass(call) : call();
        };
      },
    });
  return new Proxy(org, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name === 'writer') return killing(value as OrgWriter);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a restore that is killed goes on: no row twice, none lost', () => {
  let rig: ApplyRig;
  let was: Snapshot;
  let vault: Store;
  let made: { gone: string[]; binned: string; spoiled: string; contacts: string[] };

  before(async () => {
    rig = await ApplyRig.start(sampleDatabase({ scale: { Account: 3, Contact: 3 } }), objects, {
      settings: { bulkPollsQueued: 0, bulkPollsInProgress: 0 },
      prepare: async (requests) => {
        const gone = await requests.create('Account', [{ Name: 'Same' }, { Name: 'Same' }, { Name: 'Other' }]);
        const [binned, spoiled] = await requests.create('Account', [{ Name: 'Binned' }, { Name: 'Kept', Phone: '1' }]);
        const contacts = await requests.create('Contact', [
          { LastName: 'C', AccountId: gone[0]! },
          { LastName: 'D', AccountId: gone[2]!, Description: 'two\r\nlines' },
        ]);
        made = { gone, binned: binned!, spoiled: spoiled!, contacts };
      },
    });
    // One of two alike is refused by Bulk and goes by Collections, where a lost answer leaves nobody knowing.
    rig.process.org.settings.rules = [{ kind: 'duplicate', object: 'Account', fields: ['Name'], action: 'alert' }];
    was = await rig.requests.snapshot(objects);
    vault = rig.process.store;
  });
  after(() => rig[Symbol.asyncDispose]());

  /** Damages the org, as it stands after a restore or at first. `ids`: where rows of the point stand now. */
  async function damage(ids: ReadonlyMap<string, string>): Promise<void> {
    const at = (id: string) => ids.get(id) ?? id;
    const { gone, binned, spoiled, contacts } = made;
    const lost = [...contacts, ...gone].map(at);
    await rig.requests.delete(lost);
    await rig.requests.emptyRecycleBin(lost);
    await rig.requests.delete([binned]);
    await rig.requests.update('Account', [{ Id: spoiled, Name: 'spoiled', Phone: null }]);
    await rig.requests.create('Account', [{ Name: 'New' }]);
  }

  async function plan(): Promise<Plan> {
    const { gone, binned, spoiled, contacts } = made;
    const created = await rig.requests.query("SELECT Id FROM Account WHERE Name = 'New'");
    return rig.plan({
      Account: [
        ...gone.map((id) => planned(id)),
        planned(binned, { action: 'undelete' }),
        planned(spoiled, { action: 'update', fields: ['Name', 'Phone'] }),
        ...created.map(({ Id }) => planned(String(Id), { action: 'delete' })),
      ],
      Contact: contacts.map((id, n) => planned(id, n === 0 ? { later: ['AccountId'] } : {})),
    });
  }

  /** Slices of one row: behind the first, two are under way at a time. */
  const options = () => ({ folder: rig.folder, slices: { first: [1], rows: 1 } });

  let standing: ReadonlyMap<string, string> = new Map();

  /** Kills a restore at a call, goes on, and compares the org with what it was. False: it ended before that call. */
  async function kill(calls: number, when: 'before' | 'after', at: 'store' | 'org'): Promise<boolean> {
    rig.process.store = await MemoryStore.copyOf(vault);
    await damage(standing);
    const gallows = new Gallows(calls, when);
    const store = at === 'store' ? killingStore(rig.process.store, gallows) : rig.process.store;
    const org = await rig.connect();
    let restore = '';
    try {
      const first = await rig.apply(await plan(), {
        store,
        org: at === 'org' ? killingOrg(org, gallows) : org,
        onBegun: (id) => {
          restore = id;
        },
        options: options(),
      });
      assert.equal(gallows.dead, false, 'a killed process reports nothing');
      await compare(first.idMapFile);
      return false;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    } finally {
      await org.close();
    }
    if (restore === '') {
      // Nothing had begun: the same plan is a new restore.
      const result = await rig.apply(await plan(), { options: options() });
      assert.deepEqual([result.failed, result.stopped], [[], undefined]);
      await compare(result.idMapFile);
      return true;
    }
    const ended = await rig.ended(restore);
    if (ended) await compare(await rig.idMapOf(restore));
    else {
      const result = await rig.resume(restore, { options: options() });
      assert.deepEqual(
        [result.failed, result.stopped, result.conflicts],
        [[], undefined, []],
        `${at} ${when} ${calls}`,
      );
      await compare(result.idMapFile);
    }
    return true;
  }

  async function compare(idMapFile: string | undefined): Promise<void> {
    const [, ...rows] = parseQuotedCsv(await readFile(idMapFile!, 'utf8'));
    standing = new Map(rows.map(([, id, target]) => [id!, target!]));
    assert.equal(standing.size, 5);
    assert.deepEqual(differences(was, await rig.requests.snapshot(objects), standing), []);
  }

  const moments = [
    ['before', 'store', 'before any object that it puts into the vault'],
    ['before', 'org', 'before any request that writes'],
    ['after', 'org', 'after any request that writes, its answer lost'],
  ] as const;
  for (const [when, at, title] of moments) {
    test(title, async () => {
      let calls = 1;
      while (await kill(calls, when, at)) calls += 1;
      assert.ok(calls > 10, String(calls));
    });
  }

  test('fields that were not written are counted once, however often it goes on', async () => {
    // The accounts cannot come back, so their contacts come without them.
    const { gone, contacts } = made;
    const only = {
      Account: [gone[0]!, gone[2]!].map((id) => planned(id)),
      Contact: contacts.map((id) => planned(id)),
    };
    rig.process.store = await MemoryStore.copyOf(vault);
    await damage(standing);
    rig.process.org.settings.rules = ['Same', 'Other'].map((equals) => {
      return { kind: 'validation', object: 'Account', when: { field: 'Name', equals }, message: 'not this one' };
    });
    let counted = 0;
    for (let calls = 1; ; calls++) {
      rig.process.store = await MemoryStore.copyOf(vault);
      await rig.requests.delete(
        (await rig.requests.query("SELECT Id FROM Contact WHERE LastName IN ('C', 'D')")).map(idOf),
      );
      const gallows = new Gallows(calls, 'after');
      let restore = '';
      const onBegun = (id: string) => {
        restore = id;
      };
      const plan = await rig.plan(only);
      const killed = await rig
        .apply(plan, { onBegun, options: options(), store: killingStore(rig.process.store, gallows) })
        .then(() => false)
        .catch((error: unknown) => {
          if (error instanceof Killed) return true;
          throw error;
        });
      if (!killed) break;
      if (restore === '' || (await rig.ended(restore))) continue;
      const result = await rig.resume(restore, { options: options() });
      assert.deepEqual([result.leftOut, result.failed.length], [{ 'Contact.AccountId': 2 }, 2], String(calls));
      counted += 1;
    }
    assert.ok(counted > 3, String(counted));
  });
});

function idOf({ Id }: Readonly<Record<string, unknown>>): string {
  return String(Id);
}
