import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OrgRequests } from '../support/org-snapshot.ts';
import { Rig } from '../support/rig.ts';

type Told = ReturnType<typeof JSON.parse>;

const objects = ['Account', 'Attachment', 'ContentVersion', 'Contact', 'Lead', 'RecentlyViewed', 'Task'];

describe('points one after the other', () => {
  let rig: Rig;
  let org: OrgRequests;
  let files: number;
  before(async () => {
    rig = await Rig.start();
    await rig.init();
    org = new OrgRequests(rig.org);
  });
  after(() => rig[Symbol.asyncDispose]());

  async function point(...args: string[]): Promise<Told> {
    const ran = await rig.salvor('backup', '--objects', objects.join(), '--json', '--no-prompt', ...args);
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
    return ran.json.result.point;
  }

  /** Objects of which a point has something new: `rows stored/rows deleted`. */
  function news({ objects }: Told): Record<string, string> {
    const told = objects.filter((one: Told) => one.changed + one.deleted > 0);
    return Object.fromEntries(told.map(({ object, changed, deleted }: Told) => [object, `${changed}/${deleted}`]));
  }

  async function ids(object: string, most: number): Promise<string[]> {
    return (await org.query(`SELECT Id FROM ${object} LIMIT ${most}`)).map(({ Id }) => String(Id));
  }

  async function state(): Promise<Told> {
    const ran = await rig.salvor('diff', 'latest', '--compare', 'full', '--json', '--objects', objects.join());
    assert.equal(ran.status, 0, ran.stdout);
    return ran.json.result.objects;
  }

  test('read everything first and then what changed, by few calls and without an identity', async () => {
    const first = await point('--tag', 'whole');
    assert.equal(first.kind, 'full');
    const { SALVOR_IDENTITY_FILE: identity, ...host } = rig.env;
    rig.env = host;
    const second = await point();
    rig.env = { ...host, SALVOR_IDENTITY_FILE: identity! };
    assert.equal(second.kind, 'incremental');
    // What nobody stamps is read whole each time.
    assert.deepEqual(news(second), { RecentlyViewed: '20/0' });
    assert.ok(second.apiCalls < first.apiCalls / 2, `${second.apiCalls} of ${first.apiCalls} calls`);
    assert.ok(second.bytes < first.bytes / 100, `${second.bytes} of ${first.bytes} bytes`);
    assert.equal(second.rows, first.rows);
    assert.deepEqual(second.files, first.files);
    files = first.files.count;
    assert.deepEqual(second.notCovered, first.notCovered);
  });

  test('hold what was made, changed and deleted, into the recycle bin and past it', async () => {
    const accounts = await ids('Account', 5);
    await org.update(
      'Account',
      accounts.map((Id) => ({ Id, Site: 'Moved' })),
    );
    await org.create('Lead', [{ LastName: 'New', Company: 'New' }]);
    const [binned, purged] = await Promise.all([ids('Task', 3), ids('Lead', 20)]);
    await org.delete(binned);
    const lead = await org.deleteAny(purged);
    await org.emptyRecycleBin([lead]);
    const third = await point();
    assert.equal(third.kind, 'incremental');
    const { Account, Lead, Task } = news(third);
    assert.equal(Account, '5/0');
    assert.equal(Lead, '1/1');
    // The tasks of the lead went with it.
    assert.ok(Number(/^0\/(\d+)$/.exec(Task!)![1]) >= 3);
    assert.deepEqual(await state(), []);
    const listed = await rig.salvor('list-points', '--json');
    assert.deepEqual(
      listed.json.result.points.map(({ kind }: Told) => kind),
      ['incremental', 'incremental', 'full'],
    );
    const diff = await rig.salvor('diff', 'whole..latest', '--json', '--objects', 'Account');
    const [told] = diff.json.result.objects;
    assert.deepEqual([told.added, told.changed, told.deleted, told.fields], [0, 5, 0, { Site: 5 }]);
    const verified = await rig.salvor('verify', '--json', '--no-attest');
    assert.equal(verified.status, 0, verified.stdout);
  });

  test('fetch files that are new, and keep those that are not', async () => {
    const [parent] = await ids('Account', 1);
    rig.org.requests.clear();
    await org.create('Attachment', [
      { Name: 'new.txt', ParentId: parent!, Body: Buffer.from('new').toString('base64') },
    ]);
    const with_ = await point();
    const fetched = rig.org.requests.entries.filter(({ endpoint }) => endpoint === 'blob');
    assert.equal(fetched.length, 1);
    assert.equal(news(with_).Attachment, '1/0');
    assert.equal(with_.files.count, files + 1);
    const verified = await rig.salvor('verify', '--json', '--no-attest');
    assert.equal(verified.status, 0, verified.stdout);
    assert.deepEqual(await state(), []);
  });

  test('go on from a point of few objects by the one before it', async () => {
    const narrow = await rig.salvor('backup', '--objects', 'Contact', '--json');
    assert.equal(narrow.json.result.point.kind, 'incremental');
    const [contact] = await ids('Contact', 1);
    await org.update('Contact', [{ Id: contact!, Department: 'Moved' }]);
    const next = await point();
    assert.equal(news(next).Contact, '1/0');
    assert.equal(news(next).Account, undefined);
    assert.deepEqual(await state(), []);
  });

  test('are merged by compact into one that says the same, and the next goes on from it', async () => {
    const unknown = await rig.salvor('compact', '--objects', 'Nope', '--json');
    assert.deepEqual([unknown.status, unknown.json.name], [2, 'no-such-object']);
    const merged = await rig.salvor('compact', '--json');
    assert.equal(merged.status, 0, merged.stdout);
    const { point: made, of, objects: told } = merged.json.result;
    assert.ok(told.length >= 4);
    for (const { segments } of told) assert.equal(segments.after, 1);
    const diff = await rig.salvor('diff', `${of}..${made}`, '--json');
    assert.deepEqual(diff.json.result.objects, []);
    const verified = await rig.salvor('verify', made, '--json', '--no-attest');
    assert.equal(verified.status, 0, verified.stdout);
    const again = await rig.salvor('compact', '--json');
    assert.deepEqual(again.json.result, { of: made, objects: [] });
    const [account] = await ids('Account', 1);
    await org.update('Account', [{ Id: account!, Site: 'Again' }]);
    const next = await point();
    assert.equal(next.kind, 'incremental');
    assert.equal(news(next).Account, '1/0');
    assert.deepEqual(await state(), []);
  });

  test('are read in full when that is asked for', async () => {
    const full = await point('--full');
    assert.equal(full.kind, 'full');
    const diff = await rig.salvor('diff', 'latest~1..latest', '--json');
    assert.deepEqual(diff.json.result.objects, []);
  });
});
