import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { isFault } from '../../src/errors.ts';
import type { BackupResult } from '../../src/operations/backup/backup.ts';
import type { RowSource } from '../../src/practice-org/database.ts';
import { faultNames } from '../../src/practice-org/faults.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import type { PracticeOrg } from '../../src/practice-org/server.ts';
import { defaultSettings, type Settings } from '../../src/practice-org/settings.ts';
import type { Login } from '../../src/salesforce/connect.ts';
import { contentsOf, type Held, InProcess, liveIds } from '../support/in-process.ts';
import { attacks, cleanEnds, pendingFaults, type Strike, strikesOf } from '../support/org-attacks.ts';

/** Read by REST in pages, by Bulk in pages, and with files. */
const various = ['Milestone__c', 'CaseComment', 'Attachment'];
const database = sampleDatabase({ scale: { CaseComment: 2050, Attachment: 5 } });
const settings = { queryPageSize: 100, bulkPageBytes: 150_000 };
const { permissions } = defaultSettings();
/** Links between files are then read in slices, by document; the org hides some of them. */
const sliced = { ...settings, permissions: { ...permissions, queryAllFiles: false } };

test('the table holds every fault of the menu', () => {
  assert.deepEqual(Object.keys(attacks).sort(), [...faultNames].sort());
});

for (const { title, changes, objects } of [
  { title: 'a user who sees everything', changes: settings, objects: various },
  { title: 'a user without Query All Files', changes: sliced, objects: ['ContentDocumentLink'] },
]) {
  describe(`with ${title}, a backup ends in the whole truth or in a clean failure`, () => {
    const only = changes === sliced;
    const request = { policy: { objects, exclude: [] } };
    let at: InProcess;
    let truth: Map<string, Held>;
    let leftOut: readonly string[];

    before(async () => {
      at = await InProcess.start(database, changes);
      const { point } = await at.backup({ request });
      truth = await contents(at);
      leftOut = point.notCovered.map(nameOf);
      const ways = point.objects.map(({ object, path }) => `${object} by ${path}`);
      if (only) {
        assert.deepEqual(ways, ['ContentDocumentLink by sliced']);
        return;
      }
      for (const name of objects) assert.deepEqual(truth.get(name)?.ids, liveIds(database, name));
      assert.deepEqual(ways, ['Attachment by rest', 'CaseComment by bulk', 'Milestone__c by rest']);
      const pages = at.org.requests.entries.filter(({ endpoint }) => endpoint === 'bulk.results').length;
      assert.ok(pages >= 3, `Bulk gives ${pages} pages`);
    });
    after(() => at[Symbol.asyncDispose]());

    for (const [name, list] of Object.entries(attacks)) {
      const strikes = list.flatMap((attack) => strikesOf(attack, only));
      if (strikes.length === 0) continue;
      test(`whatever ${name} does`, async () => {
        for (const one of strikes) await strike(one);
      });
    }

    async function strike(rule: Strike): Promise<void> {
      const { endpoint, fault, times } = rule;
      const what = JSON.stringify(rule);
      await at.renewVault();
      at.org.clearFaults();
      at.org.failNext(endpoint, fault, rule);
      if (fault.name === 'refresh-dead') at.org.failNext('queryMore', { name: 'session-expired' });
      const login = fault.name === 'refresh-dead' || fault.name.startsWith('session') ? refreshing(at) : {};
      let result: BackupResult | undefined;
      try {
        result = await at.backup({ request, ...login });
      } catch (error) {
        if (!isFault(error)) throw new Error(`${what} ended as a bug`, { cause: error });
        assert.ok(cleanEnds.includes(error.exit), `${what} ended as ${error.name}, ${error.exit}: ${error.message}`);
        assert.ok(error.actions.length > 0 && error.message.length > 10, what);
        assert.equal((await (await at.openVault()).state()).points.length, 0, `${what} left a point behind`);
      }
      assert.ok((await pendingFaults(at.org)) < times, `${what} never struck`);
      if (result) await assertTrue(result, what);
    }

    /** Every object is whole or named as not whole, and no object or field has gone without a word. */
    async function assertTrue({ point }: BackupResult, what: string): Promise<void> {
      const held = await contents(at);
      const broken = point.objects.filter(({ complete }) => !complete).map(({ object }) => object);
      const silent = objects.filter((name) => !held.has(name));
      assert.deepEqual(silent, [], `${what}: not in the point; ${JSON.stringify(point.notCovered.slice(0, 3))}`);
      for (const [name, { complete, digest, reason }] of held) {
        if (complete) assert.equal(digest, truth.get(name)!.digest, `${what}: ${name} is listed as complete`);
        else assert.ok((reason ?? '').length > 10, `${what}: ${name} is not complete for no reason`);
      }
      assert.equal(point.status, broken.length === 0 ? 'complete' : 'partial', what);
      const said = point.notCovered.map(nameOf);
      assert.deepEqual(
        leftOut.filter((one) => !said.includes(one)),
        [],
        `${what}: not covered, and not said`,
      );
    }
  });
}

function nameOf({ object, field }: { object: string; field?: string }): string {
  return field === undefined ? object : `${object}.${field}`;
}

function refreshing({ org }: InProcess): { login: Login } {
  const { clientId, clientSecret, refreshToken, url } = org;
  return { login: { kind: 'refresh', clientId, clientSecret, refreshToken, instanceUrl: url } };
}

async function contents(at: InProcess): Promise<Map<string, Held>> {
  const vault = await at.openVault();
  return contentsOf(vault, (await vault.state()).points.at(-1)!);
}

describe('rows that come and go while an object is read', () => {
  const name = 'Milestone__c';
  const table = database.tables.get(name)!;
  const { size } = table.source;
  const fewer = size - 9;
  /** Rows that the org has at the moment. */
  let shown: number;
  let onRow: (number: number) => void;
  const source: RowSource = {
    get size() {
      return shown;
    },
    row(number) {
      onRow(number);
      return table.source.row(number);
    },
    find: (id) => table.source.find(id),
  };
  const moving = { ...database, tables: new Map([...database.tables, [name, { ...table, source }]]) };

  beforeEach(() => {
    shown = size;
    onRow = () => undefined;
  });

  async function taken(given: {
    onStart?: () => void;
    changes?: Partial<Settings>;
    faults?: (org: PracticeOrg) => void;
  }) {
    await using at = await InProcess.start(moving, { ...settings, ...given.changes });
    at.onEvent = ({ type }) => {
      if (type === 'object-started') given.onStart?.();
    };
    given.faults?.(at.org);
    const { point } = await at.backup({ request: { policy: { objects: [name], exclude: [] } } });
    const retries = at.events.filter(({ type }) => type === 'retry').length;
    onRow = () => undefined;
    return { point, retries, ids: (await contents(at)).get(name)!.ids, live: liveIds(moving, name) };
  }

  test('belong to the point when they came after the count', async () => {
    shown = fewer;
    const { point, ids, live, retries } = await taken({
      onStart: () => {
        shown = size;
      },
    });
    assert.equal(point.status, 'complete');
    assert.deepEqual(ids, live);
    assert.equal(retries, 0);
  });

  test('are not missed when they went after the count', async () => {
    const { point, ids, live } = await taken({
      onStart: () => {
        shown = fewer;
      },
    });
    assert.equal(point.status, 'complete');
    assert.deepEqual(ids, live);
  });

  test('are read once more when they came after one count and went before the other', async () => {
    shown = fewer;
    onRow = (number) => {
      if (number === size - 1) shown = fewer;
    };
    const { point, ids, live, retries } = await taken({
      onStart: () => {
        shown = size;
      },
    });
    assert.equal(point.status, 'complete');
    assert.deepEqual(ids, live);
    assert.ok(retries > 0);
  });

  test('make the point partial, by name, when counts and rows do not come to agree', async () => {
    const { point, ids, live } = await taken({
      // the counts before and after both reads, and not those of the changes
      faults: (org) => {
        org.failNext('queryAll', { name: 'count-off', by: 3 }, { object: name, times: 2 });
        org.failNext('queryAll', { name: 'count-off', by: 3 }, { object: name, times: 2, skip: 1 });
      },
    });
    assert.equal(point.status, 'partial');
    assert.match(point.objects[0]!.reason!, /rows were read and the org counts \d+/);
    assert.deepEqual(ids, live);
  });

  for (const days of [-9, 9]) {
    test(`are read alike by a clock that is ${Math.abs(days)} days ${days < 0 ? 'behind' : 'ahead'}`, async () => {
      const { point, ids, live } = await taken({ changes: { clockSkew: days * 86_400_000 } });
      assert.equal(point.status, 'complete');
      assert.deepEqual(ids, live);
    });
  }
});
