import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import type { OrgRequests } from '../support/org-snapshot.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

const objects = [
  ...[
    'Account',
    'Contact',
    'AccountContactRelation',
    'Lead',
    'Task',
    'Opportunity',
    'Case',
    'Campaign',
    'CampaignMember',
  ],
  ...['Project__c', 'Milestone__c', 'Assignment__c', 'Invoice__c', 'Payment__c'],
];

/** The sample org with a lookup from Account back to Contact. */
function withKeyContact(): Database {
  const { facts, tables } = sampleDatabase();
  const account = tables.get('Account')!;
  const contact = tables.get('Contact')!;
  const lookup = tables.get('Project__c')!.describe.fields.find(({ name }) => name === 'Lead_Contact__c')!;
  const field = { ...lookup, name: 'Key_Contact__c', label: 'Key Contact', relationshipName: 'Key_Contact__r' };
  const children = contact.describe.childRelationships as { childSObject: string }[];
  const child = children.find(({ childSObject }) => childSObject === 'Project__c');
  const relationship = {
    ...child,
    childSObject: 'Account',
    field: 'Key_Contact__c',
    relationshipName: 'Key_Accounts__r',
  };
  const { source } = account;
  const changed = new Map(tables);
  changed.set('Account', {
    ...account,
    describe: { ...account.describe, fields: [...account.describe.fields, field] },
    source: {
      size: source.size,
      row: (number) => ({ ...source.row(number), Key_Contact__c: null }),
      find: (id) => source.find(id),
    },
  });
  changed.set('Contact', {
    ...contact,
    describe: { ...contact.describe, childRelationships: [...children, relationship] },
  });
  return { facts, tables: changed };
}

describe('records that refer to each other', () => {
  let rig: Rig;
  let restores: Restores;
  /** Ids of what was made for these tests, before the point was taken. */
  const made = {
    boss: '',
    tree: [] as string[],
    account: '',
    contacts: [] as string[],
    tasks: [] as string[],
    lead: '',
    case: '',
    opportunity: '',
  };

  before(async () => {
    rig = await Rig.start({ database: withKeyContact() });
    restores = await Restores.start(rig, objects, prepare);
  });
  after(() => rig[Symbol.asyncDispose]());

  async function prepare(org: OrgRequests): Promise<void> {
    [made.boss] = (await org.create('Contact', [{ LastName: 'Boss' }])) as [string];
    const people = await org.query('SELECT Id FROM Contact WHERE AccountId != null LIMIT 500');
    await org.update(
      'Contact',
      people.map(({ Id }) => ({ Id: Id!, ReportsToId: made.boss })),
    );
    for (let level = 0, parents: (string | null)[] = [null]; level < 5; level++) {
      const kind = level === 0 ? 'Headquarters' : 'Branch';
      const rows = parents.flatMap((ParentId) =>
        (level === 0 ? [0] : [1, 2]).map((n) => ({ Name: `${kind} ${level}.${n}`, Site: kind, ParentId })),
      );
      parents = await org.create('Account', rows);
      made.tree.push(...(parents as string[]));
    }
    [made.account] = (await org.create('Account', [{ Name: 'Circle' }])) as [string];
    made.contacts = await org.create('Contact', [
      { LastName: 'Key', AccountId: made.account },
      { LastName: 'Other', AccountId: made.account },
    ]);
    await org.update('Account', [{ Id: made.account, Key_Contact__c: made.contacts[0]! }]);
    [made.lead] = (await org.create('Lead', [{ LastName: 'Lead', Company: 'Leads' }])) as [string];
    [made.case] = (await org.create('Case', [{ Subject: 'About a call' }])) as [string];
    [made.opportunity] = (await org.create('Opportunity', [
      { Name: 'Deal', StageName: 'Proposal', CloseDate: '2027-01-31' },
    ])) as [string];
    const [contact] = await org.create('Contact', [{ LastName: 'Called' }]);
    const [account] = await org.create('Account', [{ Name: 'Caller' }]);
    made.tasks = await org.create('Task', [
      { Subject: 'contact and account', WhoId: contact!, WhatId: account! },
      { Subject: 'contact and case', WhoId: contact!, WhatId: made.case },
      { Subject: 'lead', WhoId: made.lead, WhatId: null },
      { Subject: 'opportunity', WhoId: null, WhatId: made.opportunity },
      { Subject: 'nobody', WhoId: null, WhatId: null },
    ]);
    made.tasks.push(contact!, account!);
  }

  async function purge(ids: readonly string[]): Promise<void> {
    await restores.org.delete(ids);
    await restores.org.emptyRecycleBin(ids);
  }

  test('500 children whose lookup a deletion blanked refer to the parent that was made again', async () => {
    const whole = await restores.before();
    await purge([made.boss]);
    const blank = await restores.org.query('SELECT Id FROM Contact WHERE ReportsToId = null');
    assert.ok(blank.length >= 500);
    const restored = await restores.restore(whole, 'before', '--ids', made.boss);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const { done } = restored.ran.json.result;
    assert.deepEqual([done.Contact.inserted, done.Contact.relinked], [1, 500]);
  });

  test('a tree of five levels is made from its root down, where a rule wants every branch to have a parent', async () => {
    const whole = await restores.before();
    await purge(made.tree);
    const { org } = rig;
    org.settings.rules = [
      {
        kind: 'validation',
        object: 'Account',
        when: {
          all: [
            { field: 'ParentId', is: 'blank' },
            { field: 'Site', equals: 'Branch' },
          ],
        },
        message: 'a branch needs a parent',
      },
    ];
    const file = path.join(rig.folder, 'tree.csv');
    writeFileSync(
      file,
      `"Name","Id"\n${made.tree
        .toReversed()
        .map((id) => `"a, b","${id}"\n`)
        .join('')}`,
    );
    const restored = await restores.restore(whole, 'before', '--ids-file', file);
    org.settings.rules = [];
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.equal(restored.ran.json.result.done.Account.inserted, 31);
  });

  test('an account and the contact that it names as its own are made in two passes', async () => {
    const whole = await restores.before();
    await purge([made.account]);
    const restored = await restores.restore(whole, 'before', '--ids', made.account);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const { done } = restored.ran.json.result;
    assert.deepEqual([done.Account.inserted, done.Contact.inserted], [1, 2]);
  });

  test('an invoice and its last payment, which names the invoice, are made again', async () => {
    const [found] = await restores.org.query(
      'SELECT Id, Last_Payment__c, Last_Payment__r.Invoice__c FROM Invoice__c WHERE Last_Payment__c != null AND Corrects__c = null LIMIT 1',
    );
    const ids = [String(found!.Id), String(found!.Last_Payment__c)];
    const whole = await restores.before();
    await purge(ids);
    const restored = await restores.restore(whole, 'before', '--ids', ids.join());
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
  });

  test('a junction comes back when both of its masters were deleted', async () => {
    const assignments = await restores.org.query('SELECT Project__c, Contact__c FROM Assignment__c');
    const whole = await restores.before();
    const contact = await restores.org.deleteAny(assignments.map(({ Contact__c }) => String(Contact__c)));
    const { Project__c: project } = assignments.find(({ Contact__c }) => Contact__c === contact)!;
    await restores.org.delete([String(project)]);
    await restores.org.emptyRecycleBin([contact, String(project)]);
    const restored = await restores.restore(whole, 'before', '--ids', `${contact},${project}`);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const { done } = restored.ran.json.result;
    assert.ok(done.Assignment__c.inserted > 1, JSON.stringify(done));
    assert.deepEqual([done.Project__c.inserted, done.Contact.inserted], [1, 1]);
  });

  test('tasks find people and matters of every type, wherever these went', async () => {
    const whole = await restores.before();
    await purge([...made.tasks, made.lead, made.case, made.opportunity]);
    const restored = await restores.restore(
      whole,
      'before',
      '--ids',
      [...made.tasks, made.lead, made.case, made.opportunity].join(),
    );
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.equal(restored.ran.json.result.done.Task.inserted, 5);
  });
});
