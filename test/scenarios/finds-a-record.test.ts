import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { OrgRequests } from '../support/org-snapshot.ts';
import { Rig } from '../support/rig.ts';

let rig: Rig;
const points: string[] = [];
let id: string;
let name: string;
let parent: string;

before(async () => {
  rig = await Rig.start();
  await rig.init();
  const org = new OrgRequests(rig.org);
  const backup = async () => {
    const ran = await rig.salvor('backup', '--json', '--no-files', '--objects', 'Account,Contact,User');
    assert.equal(ran.status, 0, ran.stderr);
    points.push(ran.json.result.point.id);
  };
  const [contact] = await org.query('SELECT Id, LastName, AccountId FROM Contact WHERE AccountId != null LIMIT 1');
  [id, name, parent] = [contact!.Id, contact!.LastName, contact!.AccountId] as [string, string, string];
  await backup();
  await org.update('Contact', [{ Id: id, LastName: 'Findable-Müller' }]);
  await backup();
  await backup();
  await org.delete([id]);
  await backup();
});
after(() => rig[Symbol.asyncDispose]());

test('a record is found by its Id through all points, with who changed it, and without values unless asked', async () => {
  const ran = await rig.salvor('find', id, '--json');
  assert.equal(ran.status, 0, ran.stderr);
  const { versions } = ran.json.result;
  const { userId } = rig.database.facts;
  assert.partialDeepStrictEqual(versions, [
    { object: 'Contact', id, change: 'seen', from: null, to: points[0], fields: [] },
    { change: 'changed', from: points[0], to: points[1], lastPoint: points[2], points: 2, changedBy: userId },
    { change: 'deleted', from: points[2], to: points[3], changedBy: userId },
  ]);
  assert.deepEqual(versions[1].fields, ['LastName']);
  assert.doesNotMatch(ran.stdout, /Findable/);
  const people = await rig.salvor('find', id.slice(0, 15), '--with-values');
  assert.match(people.stdout, new RegExp(`^Contact ${id} {2}3 versions in 4 points$`, 'm'));
  assert.match(people.stdout, new RegExp(`LastName {2}${name} -> Findable-Müller`));
  assert.match(people.stdout, new RegExp(`next: salvor show ${points[2]} Contact ${id} --with-values`));
});

test('a text asks where to look, says what it reads, and finds what is gone too', async () => {
  const refused = await rig.salvor('find', 'findable-müller', '--json');
  assert.deepEqual([refused.status, refused.json.name], [2, 'usage']);
  const found = await rig.salvor('find', 'findable-MÜLLER', '--fields', 'LastName');
  assert.equal(found.status, 0, found.stderr);
  assert.match(found.stderr, /reading \d+ segments? of all points for it, /);
  assert.match(found.stdout, new RegExp(`^Contact ${id} {2}3 versions`, 'm'));
  assert.doesNotMatch(found.stdout, /Findable/);
  const none = await rig.salvor('find', 'nobody has this', '--objects', 'Contact', '--json');
  assert.deepEqual([none.status, none.json.name], [2, 'no-such-record']);
  const unknown = await rig.salvor('find', 'zzz5e0000000001AAA', '--json');
  assert.deepEqual([unknown.status, unknown.json.name], [2, 'no-such-object']);
});

test('show tells a record with what it refers to, what refers to it, and its history', async () => {
  const shown = await rig.salvor('show', points[1]!, 'Account', parent, '--json');
  assert.equal(shown.status, 0, shown.stderr);
  const { record, children, parents, notCounted, history } = shown.json.result;
  assert.equal(record.Id, parent);
  const contacts = children.find(
    ({ object, field }: Record<string, string>) => object === 'Contact' && field === 'AccountId',
  );
  assert.equal(contacts.relationship, 'Contacts');
  assert.ok(contacts.rows >= 1);
  assert.partialDeepStrictEqual(
    parents.find(({ field }: { field: string }) => field === 'OwnerId'),
    { object: 'User', id: record.OwnerId },
  );
  assert.deepEqual([notCounted, history.length, history[0].point], [[], 1, points[0]]);
  const people = await rig.salvor('show', points[1]!, 'contact', id);
  assert.match(people.stdout, new RegExp(`AccountId: Account ${parent}$`, 'm'));
  assert.match(people.stdout, /^history:\n {2}seen .*\n {2}changed .*LastName\n.*\n {2}deleted /m);
  assert.doesNotMatch(people.stdout, /Findable/);
});
