import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { Rig } from '../support/rig.ts';

type Told = ReturnType<typeof JSON.parse>;

const objects = ['Account', 'Contact', 'Lead', 'Milestone__c', 'Opportunity', 'Project__c', 'Task'];

test('a record that went with another is told so, up to the topmost, by a host with the writer key alone', async () => {
  const scale = { Account: 20, Contact: 40, Lead: 10, Milestone__c: 10, Opportunity: 10, Project__c: 5, Task: 10 };
  await using rig = await Rig.start({ database: sampleDatabase({ scale }) });
  await rig.init();
  const org = new OrgRequests(rig.org);
  const [account] = (await org.create('Account', [{ Name: 'Root' }])) as [string];
  const people = await org.create('Contact', [
    { LastName: 'One', AccountId: account },
    { LastName: 'Two', AccountId: account },
    { LastName: 'Alone' },
  ]);
  const [one, two, alone] = people as [string, string, string];
  const [deep, other, own] = (await org.create('Task', [
    { Subject: 'of a contact of the account', WhoId: one },
    { Subject: 'of a contact that stays alone', WhoId: alone },
    { Subject: 'deleted by itself', WhoId: alone },
  ])) as [string, string, string];
  const { SALVOR_IDENTITY_FILE: identity, ...host } = rig.env;
  async function point(tag: string): Promise<Told> {
    rig.env = host;
    const ran = await rig.salvor('backup', '--objects', objects.join(), '--tag', tag, '--json', '--no-prompt');
    rig.env = { ...host, SALVOR_IDENTITY_FILE: identity! };
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
    return ran.json.result.point;
  }
  const asked = () =>
    rig.org.requests.entries.filter(({ url }) => /queryAll.*[+ ]Id[+ ]IN[+ ]?\(/.test(decodeURIComponent(url))).length;
  await point('before');
  // Some time before the rest: this one went by itself, and the contact that it hangs on much later.
  rig.org.settings.clockSkew = -60_000;
  await org.delete([own]);
  rig.org.settings.clockSkew = 0;
  await org.delete([account, alone]);
  assert.equal((await point('after')).kind, 'incremental');

  const diff = await rig.salvor('diff', 'before..after', '--records', '--json');
  assert.equal(diff.status, 0, diff.stdout);
  const roots = new Map(diff.json.result.records.map(({ id, deletedWith }: Told) => [id, deletedWith]));
  assert.deepEqual(
    [account, one, two, alone, deep, other, own].map((id) => roots.get(id)),
    [undefined, account, account, undefined, account, alone, undefined],
  );
  assert.equal(roots.size, 7);
  const human = await rig.salvor('diff', 'before..after', '--records');
  assert.match(human.stdout, new RegExp(`deleted  Task  ${deep}  deleted with ${account}`));
  const found = await rig.salvor('find', deep, '--json');
  const last = found.json.result.versions.at(-1);
  assert.deepEqual([last.change, last.deletedWith], ['deleted', account]);
  const told = await rig.salvor('find', deep);
  assert.match(told.stdout, new RegExp(`, deleted with ${account}`));

  // Deletions that are known are asked about no more.
  assert.ok(asked() > 0);
  rig.org.requests.clear();
  await point('later');
  assert.equal(asked(), 0);
  const verified = await rig.salvor('verify', '--json', '--no-attest');
  assert.equal(verified.status, 0, verified.stdout);
  // Rows that were deleted stay in the segments, and so do lookups to them that the org emptied: they are not in the point.
  const lookups = verified.json.result.points[0].rungs.find(({ rung }: Told) => rung === 'references');
  assert.deepEqual(lookups.dangling, []);
});
