import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { differences, OrgRequests } from '../support/org-snapshot.ts';
import { Restores } from '../support/restored.ts';
import { type Ran, Rig } from '../support/rig.ts';

/** The next whole second: stamps have no finer ones. */
async function nextSecond(): Promise<Date> {
  await pause(1000 - (Date.now() % 1000));
  return new Date();
}

describe('records that came after the point', () => {
  let rig: Rig;
  let restores: Restores;
  let integration: OrgRequests;
  let username: string;
  let old: string;

  before(async () => {
    rig = await Rig.start({ database: sampleDatabase({ scale: { Account: 10, Contact: 10, Lead: 10 } }) });
    restores = await Restores.start(rig, ['Account', 'Contact', 'Lead'], async (org) => {
      [old] = (await org.create('Account', [{ Name: 'old' }])) as [string];
    });
    const users = await restores.org.query('SELECT Id, Username FROM User WHERE IsActive = true');
    const user = users.find(({ Id }) => Id !== rig.org.facts.userId)!;
    username = String(user.Username);
    integration = new OrgRequests(rig.org, rig.org.sessionOf(String(user.Id)));
  });
  after(() => rig[Symbol.asyncDispose]());

  /** An account with a contact. */
  async function makeBoth(org: OrgRequests, name: string): Promise<{ account: string; contact: string }> {
    const [account] = (await org.create('Account', [{ Name: name }])) as [string];
    const [contact] = (await org.create('Contact', [{ LastName: name, AccountId: account }])) as [string];
    return { account, contact };
  }

  async function inBin(object: string): Promise<string[]> {
    const found = await restores.org.query(`SELECT Id FROM ${object} WHERE IsDeleted = true`, true);
    return found.map(({ Id }) => String(Id));
  }

  function restore(...args: string[]): Promise<Ran> {
    return rig.salvor('restore', 'before', '--delete-created', ...args, '--json', '--no-prompt');
  }

  test('of whole objects go to the recycle bin, whoever made them, and undo takes them out again', async () => {
    // What an earlier restore made anew is older than the point, although its record is not.
    await restores.org.delete([old]);
    await restores.org.emptyRecycleBin([old]);
    const earlier = await rig.salvor('restore', 'before', '--ids', old, '--json', '--no-prompt');
    assert.equal(earlier.status, 0, earlier.stderr + earlier.stdout);
    const whole = await restores.before();

    const mine = await makeBoth(restores.org, 'mine');
    const theirs = await makeBoth(integration, 'theirs');
    const [lead] = await restores.org.create('Lead', [{ LastName: 'other', Company: 'other' }]);
    const with_ = await restores.before();
    const binned = new Set(await inBin('Account'));
    const ran = await restore('--objects', 'Account,Contact');
    assert.equal(ran.status, 0, ran.stderr + ran.stdout);
    const { done } = ran.json.result;
    assert.deepEqual([done.Account.deleted, done.Contact.deleted], [2, 2]);
    assert.deepEqual(differences(whole, await restores.before()), [`Lead ${lead} is too many`]);
    assert.deepEqual(
      (await inBin('Account')).filter((id) => !binned.has(id)).sort(),
      [mine.account, theirs.account].sort(),
    );

    const undone = await rig.salvor('undo', ran.json.result.restoreId, '--json', '--no-prompt');
    assert.equal(undone.status, 0, undone.stderr + undone.stdout);
    assert.equal(undone.json.result.done.Account.undeleted, 2);
    assert.deepEqual(differences(with_, await restores.before()), []);
  });

  test('of an incident are those that its user made in its time, and no others', async () => {
    const early = await makeBoth(integration, 'early');
    await nextSecond();
    const from = await nextSecond();
    const mine = await makeBoth(restores.org, 'meant');
    const whole = await restores.before();
    const bad = await makeBoth(integration, 'bad');
    const [lead] = await integration.create('Lead', [{ LastName: 'bad', Company: 'bad' }]);
    const to = await nextSecond();
    await nextSecond();
    const late = await makeBoth(integration, 'late');
    const with_ = await restores.before();
    const ran = await restore(
      ...['--changed-by', username, '--incident', `${from.toISOString()}..${to.toISOString()}`],
    );
    assert.equal(ran.status, 0, ran.stderr + ran.stdout);
    const steps: string[] = ran.json.result.plan.steps.map((step: object) => Object.values(step).join(' '));
    assert.deepEqual(steps.filter((step) => !step.includes('skip')).sort(), [
      'Account delete 1',
      'Contact delete 1',
      'Lead delete 1',
    ]);
    const now = await restores.before();
    assert.deepEqual(differences(whole, now), [
      `Account ${late.account} is too many`,
      `Contact ${late.contact} is too many`,
    ]);
    for (const { account } of [early, mine]) assert.ok(now.rows.get('Account')!.has(account));
    assert.deepEqual(
      [bad.account, lead!].map((id) => now.rows.get(id === lead ? 'Lead' : 'Account')!.has(id)),
      [false, false],
    );
    assert.ok((await inBin('Contact')).includes(bad.contact));

    const undone = await rig.salvor('undo', ran.json.result.restoreId, '--json', '--no-prompt');
    assert.equal(undone.status, 0, undone.stderr + undone.stdout);
    assert.deepEqual(differences(with_, await restores.before()), []);
  });
});
