import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tableRows } from '../../../src/operations/restore/apply/tables.ts';
import { nowPrint } from '../../../src/operations/restore/now-print.ts';
import type { PlannedRow } from '../../../src/operations/restore/plan.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { readRestore } from '../../../src/vault/restores.ts';
import { ApplyRig, planned } from '../../support/apply-rig.ts';
import { differences, type OrgRequests } from '../../support/org-snapshot.ts';

const objects = ['Account', 'Contact'];
const database = sampleDatabase({ scale: { Account: 5, Contact: 5 } });

async function make(requests: OrgRequests) {
  const accounts = await requests.create('Account', [{ Name: 'A', Phone: '1', Site: 'here' }, { Name: 'B' }]);
  const contacts = await requests.create(
    'Contact',
    ['C', 'D', 'E'].map((LastName) => ({ LastName, AccountId: accounts[0]! })),
  );
  return { accounts, contacts };
}
type Made = Awaited<ReturnType<typeof make>>;

async function withOrg(work: (rig: ApplyRig, made: Made) => Promise<void>): Promise<void> {
  let made: Made | undefined;
  await using rig = await ApplyRig.start(database, objects, {
    prepare: async (requests) => {
      made = await make(requests);
    },
  });
  await work(rig, made!);
}

async function rowsOf(rows: AsyncIterable<string[]>): Promise<string[][]> {
  const found: string[][] = [];
  for await (const row of rows) found.push(row);
  return found;
}

/** An update of these fields, bound to what stands in the org now. */
async function update(
  rig: ApplyRig,
  object: string,
  id: string,
  fields: readonly string[],
  more: Partial<PlannedRow> = {},
) {
  const org = await rig.connect();
  const described = (await org.describe([object])).get(object)!;
  await org.close();
  assert.ok(!('reason' in described));
  const [record] = await rig.requests.query(`SELECT ${fields} FROM ${object} WHERE Id = '${id}'`);
  const values = fields.map((name) => {
    const field = described.fields.find((one) => one.name === name)!;
    return [field, String(record![name] ?? '')] as const;
  });
  return planned(id, { action: 'update', fields, now: nowPrint('salt', values), ...more });
}

describe('undeletes', () => {
  test('bring a root back with its Id, and count what came along as done', async () => {
    await withOrg(async (rig, { accounts, contacts }) => {
      const before = await rig.requests.snapshot(objects);
      await rig.requests.delete([accounts[0]!]);
      const plan = await rig.plan({
        Account: [planned(accounts[0]!, { action: 'undelete' })],
        Contact: contacts.map((id) => planned(id, { action: 'undelete' })),
      });
      const result = await rig.apply(plan);
      assert.deepEqual([result.failed, result.stopped, result.idMapFile], [[], undefined, undefined]);
      assert.deepEqual([result.done.Account?.undeleted, result.done.Contact?.undeleted], [1, 3]);
      assert.deepEqual(differences(before, await rig.requests.snapshot(objects)), []);
    });
  });

  test('of rows that left the bin meanwhile make them anew, in their place', async () => {
    await withOrg(async (rig, { accounts, contacts }) => {
      const before = await rig.requests.snapshot(objects);
      await rig.requests.delete([accounts[0]!]);
      const plan = await rig.plan({
        Account: [planned(accounts[0]!, { action: 'undelete' })],
        Contact: contacts.map((id) => planned(id, { action: 'undelete' })),
      });
      await rig.requests.emptyRecycleBin([accounts[0]!]);
      const result = await rig.apply(plan, { options: { folder: rig.folder } });
      assert.deepEqual([result.failed, result.stopped], [[], undefined]);
      assert.deepEqual([result.done.Account?.inserted, result.done.Contact?.inserted], [1, 3]);
      const now = await rig.requests.snapshot(objects);
      const named = (snapshot: typeof now, object: string, field: string) =>
        new Map([...snapshot.rows.get(object)!].map(([id, record]) => [record[field], id]));
      const ids = new Map([
        [accounts[0]!, named(now, 'Account', 'Name').get('A')!],
        ...contacts.map((id) => {
          const name = before.rows.get('Contact')!.get(id)!.LastName;
          return [id, named(now, 'Contact', 'LastName').get(name!)!] as const;
        }),
      ]);
      assert.deepEqual(differences(before, now, ids), []);
    });
  });

  test('put back fields that differ afterwards', async () => {
    await withOrg(async (rig, { accounts }) => {
      const before = await rig.requests.snapshot(objects);
      await rig.requests.update('Account', [{ Id: accounts[1]!, Name: 'spoiled' }]);
      await rig.requests.delete([accounts[1]!]);
      const plan = await rig.plan({ Account: [planned(accounts[1]!, { action: 'undelete', fields: ['Name'] })] });
      const result = await rig.apply(plan);
      assert.deepEqual([result.failed, result.done.Account?.undeleted], [[], 1]);
      assert.deepEqual(differences(before, await rig.requests.snapshot(objects)), []);
    });
  });
});

describe('updates', () => {
  test('write the fields of the plan and no others, and clear what was empty', async () => {
    await withOrg(async (rig, { accounts, contacts }) => {
      const [a, b] = accounts as [string, string];
      await rig.requests.update('Account', [
        { Id: a, Name: 'spoiled', Phone: null, Site: 'elsewhere' },
        { Id: b, Phone: 'spoiled' },
      ]);
      await rig.requests.update('Contact', [{ Id: contacts[0]!, AccountId: null }]);
      const plan = await rig.plan({
        Account: [await update(rig, 'Account', a, ['Name', 'Phone']), await update(rig, 'Account', b, ['Phone'])],
        Contact: [await update(rig, 'Contact', contacts[0]!, ['AccountId'], { action: 'relink' })],
      });
      const result = await rig.apply(plan);
      assert.deepEqual([result.failed, result.conflicts], [[], []]);
      assert.deepEqual([result.done.Account?.updated, result.done.Contact?.relinked], [2, 1]);
      const [first, second] = await rig.requests.query(
        `SELECT Name, Phone, Site FROM Account WHERE Id IN ('${a}', '${b}') ORDER BY Name`,
      );
      assert.deepEqual(
        [first, second],
        [
          { Name: 'A', Phone: '1', Site: 'elsewhere' },
          { Name: 'B', Phone: null, Site: null },
        ],
      );
      const [contact] = await rig.requests.query(`SELECT AccountId FROM Contact WHERE Id = '${contacts[0]}'`);
      assert.equal(contact?.AccountId, a);
    });
  });

  test('keep a row that somebody changed since the plan was made', async () => {
    await withOrg(async (rig, { accounts }) => {
      const [a] = accounts as [string];
      await rig.requests.update('Account', [{ Id: a, Name: 'spoiled' }]);
      const plan = await rig.plan({ Account: [await update(rig, 'Account', a, ['Name'])] });
      await rig.requests.update('Account', [{ Id: a, Name: 'by hand' }]);
      const result = await rig.apply(plan);
      assert.deepEqual(result.conflicts, [
        { object: 'Account', id: a, fields: ['Name'], reason: 'it was changed since the plan was made' },
      ]);
      assert.equal(result.done.Account?.updated, 0);
      const [now] = await rig.requests.query(`SELECT Name FROM Account WHERE Id = '${a}'`);
      assert.equal(now?.Name, 'by hand');
    });
  });

  test('keep in the vault, before anything is written, what they replace, and what they write', async () => {
    await withOrg(async (rig, { accounts }) => {
      const [a] = accounts as [string];
      await rig.requests.update('Account', [{ Id: a, Name: 'spoiled' }]);
      const result = await rig.apply(await rig.plan({ Account: [await update(rig, 'Account', a, ['Name'])] }));
      const place = await rig.place();
      const { entries } = await readRestore(place, result.restoreId, new Date());
      const types = entries.map(({ entry }) => entry.type);
      assert.deepEqual(types, ['begin', 'before', 'planned', 'results', 'end']);
      const cells = async (entry: number, name: string) => {
        const table = entries[entry]!.tables.find((one) => one.name === name)!;
        return rowsOf(tableRows(place, table, ['Id', 'Name']));
      };
      assert.deepEqual(await cells(1, 'before'), [[a, 'spoiled']]);
      assert.deepEqual(await cells(2, 'after'), [[a, 'A']]);
    });
  });

  test('of many rows go by Bulk, which clears too', async () => {
    let ids: string[] = [];
    await using rig = await ApplyRig.start(database, ['Account'], {
      prepare: async (requests) => {
        ids = await requests.create(
          'Account',
          Array.from({ length: 2100 }, (_, n) => ({ Name: `N${n}`, Site: n % 2 ? 'odd' : null })),
        );
      },
    });
    const before = await rig.requests.snapshot(['Account']);
    await rig.requests.update(
      'Account',
      ids.map((Id) => ({ Id, Name: 'spoiled', Site: 'spoiled' })),
    );
    const plan = await rig.plan({
      Account: ids.map((id) => planned(id, { action: 'update', fields: ['Name', 'Site'] })),
    });
    const result = await rig.apply(plan);
    assert.deepEqual([result.failed, result.done.Account?.updated], [[], 2100]);
    assert.deepEqual(differences(before, await rig.requests.snapshot(['Account'])), []);
    assert.ok((rig.process.org.requests.counts['ingest.create'] ?? 0) >= 4);
  });
});

describe('deletes', () => {
  test('take what came after the point, children first, with a before-image of all fields', async () => {
    await withOrg(async (rig) => {
      const before = await rig.requests.snapshot(objects);
      const [account] = await rig.requests.create('Account', [{ Name: 'New' }]);
      const contacts = await rig.requests.create('Contact', [{ LastName: 'New', AccountId: account! }]);
      const result = await rig.apply(
        await rig.plan({
          Account: [await update(rig, 'Account', account!, ['SystemModstamp'], { action: 'delete' })],
          Contact: contacts.map((id) => planned(id, { action: 'delete' })),
        }),
      );
      assert.deepEqual([result.failed, result.done.Account?.deleted, result.done.Contact?.deleted], [[], 1, 1]);
      assert.deepEqual(differences(before, await rig.requests.snapshot(objects)), []);
      const place = await rig.place();
      const { entries } = await readRestore(place, result.restoreId, new Date());
      const table = entries.find(({ entry }) => entry.type === 'before' && entry.object === 'Contact')!.tables[0]!;
      assert.deepEqual(await rowsOf(tableRows(place, table, ['Id', 'LastName', 'AccountId'])), [
        [contacts[0], 'New', account],
      ]);
    });
  });

  test('of rows that are gone already are nothing to do', async () => {
    await withOrg(async (rig) => {
      const [account] = await rig.requests.create('Account', [{ Name: 'New' }]);
      const plan = await rig.plan({ Account: [planned(account!, { action: 'delete' })] });
      await rig.requests.delete([account!]);
      const result = await rig.apply(plan);
      assert.deepEqual([result.failed, result.done.Account?.skipped], [[], 1]);
    });
  });
});
