import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { describe, test } from 'node:test';
import type { Rule } from '../../../src/practice-org/dml/rule.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import type { Settings } from '../../../src/practice-org/settings.ts';
import { ApplyRig, planned } from '../../support/apply-rig.ts';
import { parseQuotedCsv } from '../../support/foreign-csv.ts';
import { differences, type OrgRequests, type Snapshot } from '../../support/org-snapshot.ts';

const objects = ['Account', 'Contact'];
const database = sampleDatabase({ scale: { Account: 5, Contact: 5 } });

/** Accounts in a tree three deep, and contacts of each, the first of which reports to the second. */
async function family(requests: OrgRequests) {
  const roots = await requests.create('Account', [{ Name: 'Root A', AnnualRevenue: 1200 }, { Name: 'Root B' }]);
  const middle = await requests.create('Account', [
    { Name: 'Middle A', ParentId: roots[0]! },
    { Name: 'Middle B', ParentId: roots[1]! },
  ]);
  const leaves = await requests.create('Account', [
    { Name: 'Leaf', ParentId: middle[0]!, Description: 'one "two"\nthree' },
  ]);
  const accounts = [...roots, ...middle, ...leaves];
  const contacts = await requests.create(
    'Contact',
    accounts.map((AccountId, n) => ({ LastName: `Contact ${n}`, AccountId, Email: `c${n}@example.com` })),
  );
  await requests.update('Contact', [{ Id: contacts[0]!, ReportsToId: contacts[1]! }]);
  return { roots, middle, leaves, accounts, contacts };
}
type Family = Awaited<ReturnType<typeof family>>;

async function withFamily(
  work: (rig: ApplyRig, made: Family, before: Snapshot) => Promise<void>,
  settings: Partial<Settings> = {},
): Promise<void> {
  let made: Family | undefined;
  await using rig = await ApplyRig.start(database, objects, {
    settings,
    prepare: async (requests) => {
      made = await family(requests);
    },
  });
  await work(rig, made!, await rig.requests.snapshot(objects));
}

/** Everything is gone for good. */
async function lose(rig: ApplyRig, { accounts, contacts }: Family): Promise<void> {
  await rig.requests.delete(contacts);
  await rig.requests.delete(accounts.toReversed());
  await rig.requests.emptyRecycleBin([...contacts, ...accounts]);
}

const familyPlan = (rig: ApplyRig, { roots, middle, leaves, contacts }: Family) =>
  rig.plan({
    Account: [
      ...roots.map((id) => planned(id)),
      ...middle.map((id) => planned(id, { level: 1 })),
      ...leaves.map((id) => planned(id, { level: 2 })),
    ],
    Contact: contacts.map((id, n) => planned(id, n === 0 ? { later: ['ReportsToId'] } : {})),
  });

async function idsOf(file: string | undefined): Promise<Map<string, string>> {
  const [columns, ...rows] = parseQuotedCsv(await readFile(file!, 'utf8'));
  assert.deepEqual(columns, ['Object', 'Id', 'Target']);
  return new Map(rows.map(([, id, target]) => [id!, target!]));
}

describe('inserts', () => {
  test('bring back trees, children and circles with every value, under new Ids that a file tells', async () => {
    await withFamily(async (rig, made, before) => {
      await lose(rig, made);
      const result = await rig.apply(await familyPlan(rig, made), { options: { folder: rig.folder } });
      assert.deepEqual([result.stopped, result.failed, result.conflicts], [undefined, [], []]);
      assert.equal(result.done.Account?.inserted, 5);
      assert.equal(result.done.Contact?.inserted, 5);
      const ids = await idsOf(result.idMapFile);
      assert.equal(ids.size, 10);
      assert.deepEqual(differences(before, await rig.requests.snapshot(objects), ids), []);
      if (process.platform !== 'win32') assert.equal((await stat(result.idMapFile!)).mode & 0o777, 0o600);
    });
  });

  test('write what Bulk cannot carry right afterwards: long cells, "#N/A", carriage returns', async () => {
    const texts = ['a\r\nb\rc', '#N/A', 'x'.repeat(31_999), 'plain'];
    let ids: string[] = [];
    await using rig = await ApplyRig.start(database, ['Account'], {
      settings: { ingestCellCharacters: 20_000 },
      prepare: async (requests) => {
        ids = await requests.create(
          'Account',
          texts.map((Description, n) => ({ Name: `A${n}`, Site: '#N/A', Description })),
        );
      },
    });
    const before = await rig.requests.snapshot(['Account']);
    await rig.requests.delete(ids);
    await rig.requests.emptyRecycleBin(ids);
    rig.process.org.settings.ingestCellCharacters = 32_000;
    const result = await rig.apply(await rig.plan({ Account: ids.map((id) => planned(id)) }), {
      options: { folder: rig.folder },
    });
    assert.deepEqual([result.failed, result.done.Account?.inserted], [[], 4]);
    assert.deepEqual(differences(before, await rig.requests.snapshot(['Account']), await idsOf(result.idMapFile)), []);
  });

  test('a parent that fails takes along who needs it; who does not comes back without', async () => {
    const rules: Rule[] = [
      { kind: 'validation', object: 'Account', when: { field: 'Name', equals: 'Root A' }, message: 'no such root' },
    ];
    await withFamily(async (rig, made) => {
      await lose(rig, made);
      rig.process.org.settings.rules = rules;
      const result = await rig.apply(await familyPlan(rig, made), { options: { folder: rig.folder } });
      assert.deepEqual(
        result.failed.map(({ id, code }) => [id, code]),
        [[made.roots[0], 'FIELD_CUSTOM_VALIDATION_EXCEPTION']],
      );
      assert.deepEqual(result.leftOut, { 'Account.ParentId': 1, 'Contact.AccountId': 1 });
      assert.equal(result.done.Account?.inserted, 4);
      const [columns, row] = parseQuotedCsv(await readFile(result.failedFile!, 'utf8'));
      assert.deepEqual(columns, ['Id', 'Object', 'Step', 'Code', 'Reason', 'Advice']);
      assert.deepEqual(row?.slice(0, 4), [made.roots[0], 'Account', 'insert', 'FIELD_CUSTOM_VALIDATION_EXCEPTION']);
      assert.match(row![4]!, /no such root/);
    });
  });

  test('a rule that is satisfied by what comes later is passed at the second try', async () => {
    // A leaf is only taken while its middle account has no description, which is written after it was made.
    await withFamily(async (rig, made) => {
      await lose(rig, made);
      let seen = 0;
      const { org } = rig.process;
      const rule: Rule = {
        kind: 'validation',
        object: 'Account',
        when: { field: 'Name', equals: 'Leaf' },
        message: 'wait',
      };
      org.settings.rules = [rule];
      const result = await rig.apply(await familyPlan(rig, made), {
        options: {
          folder: rig.folder,
          wait: async () => {},
        },
        onEvent: (event) => {
          if (event.type === 'stage' && event.stage === 'Trying again what failed') {
            seen += 1;
            org.settings.rules = [];
          }
        },
      });
      assert.equal(seen, 1);
      assert.deepEqual([result.failed, result.done.Account?.inserted], [[], 5]);
    });
  });

  test('locked rows are tried again after a while, and pass', async () => {
    await withFamily(async (rig, made, before) => {
      await lose(rig, made);
      const [spare] = [...before.rows.get('Account')!.keys()].filter((id) => !made.accounts.includes(id));
      rig.process.org.settings.rules = [{ kind: 'lock', parent: spare!, times: 3 }];
      const waits: number[] = [];
      const plan = await rig.plan(
        { Contact: made.contacts.map((id) => planned(id, { without: ['ReportsToId'] })) },
        {
          references: Object.fromEntries(made.accounts.map((id) => [id, spare!])),
        },
      );
      const result = await rig.apply(plan, { options: { wait: async (ms) => void waits.push(ms) } });
      assert.deepEqual([result.failed, result.done.Contact?.inserted], [[], 5]);
      assert.ok(waits.length > 0 && waits.every((ms) => ms >= 500), String(waits));
    });
  });

  test('records that a trigger refuses, until the org gives up the whole chunk, do not take the others along', async () => {
    // Each pass of the save loses one; behind the third the org gives up (restore 1.3).
    const bad = [11, 12, 13];
    const names = Array.from({ length: 120 }, (_, n) => ({ Name: bad.includes(n) ? 'Bad' : `Good ${n}` }));
    let ids: string[] = [];
    await using rig = await ApplyRig.start(database, ['Account'], {
      prepare: async (requests) => {
        ids = await requests.create('Account', names);
      },
    });
    await rig.requests.delete(ids);
    await rig.requests.emptyRecycleBin(ids);
    rig.process.org.settings.rules = [
      {
        kind: 'trigger',
        object: 'Account',
        name: 'T',
        message: 'System.LimitException',
        when: { field: 'Name', equals: 'Bad' },
        fails: 'chunk',
      },
    ];
    const result = await rig.apply(await rig.plan({ Account: ids.map((id) => planned(id)) }));
    assert.deepEqual(
      result.failed.map(({ id, code }) => [id, code]),
      bad.map((n) => [ids[n], 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY']),
    );
    assert.equal(result.done.Account?.inserted, 117);
  });

  test('a duplicate rule that only warns is passed', async () => {
    await withFamily(async (rig, made) => {
      await lose(rig, made);
      await rig.requests.create('Account', [{ Name: 'Root A' }]);
      rig.process.org.settings.rules = [{ kind: 'duplicate', object: 'Account', fields: ['Name'], action: 'alert' }];
      const result = await rig.apply(await familyPlan(rig, made));
      assert.deepEqual([result.failed, result.done.Account?.inserted], [[], 5]);
    });
  });

  test('a unique value that another record has: the same record is matched, a different one is reported', async () => {
    let ids: string[] = [];
    await using rig = await ApplyRig.start(database, ['Account'], {
      prepare: async (requests) => {
        ids = await requests.create('Account', [
          { Name: 'Same', External_Key__c: 'same' },
          { Name: 'Other', External_Key__c: 'other' },
        ]);
      },
    });
    await rig.requests.delete(ids);
    await rig.requests.emptyRecycleBin(ids);
    const [same] = await rig.requests.create('Account', [
      { Name: 'Same', External_Key__c: 'same' },
      { Name: 'Changed', External_Key__c: 'other' },
    ]);
    const result = await rig.apply(await rig.plan({ Account: ids.map((id) => planned(id)) }), {
      options: { folder: rig.folder },
    });
    assert.deepEqual(
      result.failed.map(({ id, code }) => [id, code]),
      [[ids[1], 'DUPLICATE_DIFFERS']],
    );
    assert.deepEqual([...(await idsOf(result.idMapFile))], [[ids[0], same]]);
    assert.deepEqual([result.done.Account?.skipped, result.done.Account?.inserted], [1, 0]);
  });

  test('what fails for all rows fails for few: the rest is left alone, and the same restore goes on', async () => {
    let ids: string[] = [];
    await using rig = await ApplyRig.start(database, ['Account'], {
      prepare: async (requests) => {
        ids = await requests.create(
          'Account',
          Array.from({ length: 300 }, (_, n) => ({ Name: `A${n}` })),
        );
      },
    });
    const before = await rig.requests.snapshot(['Account']);
    await rig.requests.delete(ids);
    await rig.requests.emptyRecycleBin(ids);
    rig.process.org.settings.rules = [
      {
        kind: 'validation',
        object: 'Account',
        when: { field: 'Name', is: 'set' },
        message: 'no',
        code: 'INSUFFICIENT_ACCESS_OR_READONLY',
      },
    ];
    const stopped = await rig.apply(await rig.plan({ Account: ids.map((id) => planned(id)) }));
    assert.deepEqual([stopped.stopped?.name, stopped.stopped?.exit], ['too-many-errors', 3]);
    assert.deepEqual([stopped.failed.length, stopped.done.Account?.inserted], [11, 0]);

    rig.process.org.settings.rules = [];
    const result = await rig.resume(stopped.restoreId, { options: { maxErrors: 100, folder: rig.folder } });
    assert.deepEqual([result.stopped, result.done.Account?.inserted, result.failed.length], [undefined, 289, 11]);
    const found = differences(before, await rig.requests.snapshot(['Account']), await idsOf(result.idMapFile));
    assert.deepEqual(
      found.filter((one) => !one.endsWith('is missing')),
      [],
    );
    assert.equal(found.length, 11);
  });

  test('a full org stops the restore, which goes on when there is room again', async () => {
    await withFamily(async (rig, made, before) => {
      await lose(rig, made);
      rig.process.org.settings.rules = [
        {
          kind: 'validation',
          object: 'Contact',
          when: { field: 'LastName', equals: 'Contact 4' },
          message: 'full',
          code: 'STORAGE_LIMIT_EXCEEDED',
        },
      ];
      const stopped = await rig.apply(await familyPlan(rig, made));
      assert.deepEqual([stopped.stopped?.name, stopped.stopped?.exit], ['org-full', 75]);
      rig.process.org.settings.rules = [];
      const result = await rig.resume(stopped.restoreId, { options: { folder: rig.folder } });
      assert.equal(result.stopped, undefined);
      assert.deepEqual(differences(before, await rig.requests.snapshot(objects), await idsOf(result.idMapFile)), []);
    });
  });
});
