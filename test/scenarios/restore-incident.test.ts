import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { OrgRequests } from '../support/org-snapshot.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

/** The next whole second: stamps have no finer ones. */
async function nextSecond(): Promise<Date> {
  await pause(1000 - (Date.now() % 1000));
  return new Date();
}

describe('an integration user that changed and deleted records for a while', () => {
  let rig: Rig;
  let restores: Restores;
  let integration: OrgRequests;
  let username: string;
  let accounts: string[];

  before(async () => {
    rig = await Rig.start();
    restores = await Restores.start(rig, ['Account', 'Contact', 'Lead', 'Note']);
    const users = await restores.org.query('SELECT Id, Username FROM User WHERE IsActive = true');
    const user = users.find(({ Id }) => Id !== rig.org.facts.userId)!;
    username = String(user.Username);
    integration = new OrgRequests(rig.org, rig.org.sessionOf(String(user.Id)));
    accounts = [...(await restores.before()).rows.get('Account')!.keys()];
  });
  after(() => rig[Symbol.asyncDispose]());

  test('is put back for the time that --incident names, and nobody else is', async () => {
    // Long ago it did the same, and that was meant.
    await integration.update(
      'Account',
      accounts.slice(0, 5).map((Id) => ({ Id, Site: 'Moved' })),
    );
    await nextSecond();
    await restores.org.update(
      'Account',
      accounts.slice(10, 15).map((Id) => ({ Id, Phone: '+41 1' })),
    );
    const leads = [...(await restores.before()).rows.get('Lead')!.keys()];
    const whole = await restores.before();
    await integration.update(
      'Account',
      accounts.slice(20, 60).map((Id) => ({ Id, Phone: null, Rating: 'Cold' })),
    );
    // A stamp names a whole second: the incident began somewhere in it.
    const [hit] = await restores.org.query(`SELECT LastModifiedDate FROM Account WHERE Id = '${accounts[20]}'`);
    const from = new Date(Date.parse(String(hit!.LastModifiedDate)) + 999);
    const deleted = [await integration.deleteAny(leads), await integration.deleteAny(leads.toReversed())];
    const to = await nextSecond();
    await nextSecond();
    await restores.org.update(
      'Account',
      accounts.slice(15, 18).map((Id) => ({ Id, Phone: '+41 2' })),
    );
    const expected = new Map(whole.rows);
    const now = (await restores.before()).rows.get('Account')!;
    expected.set(
      'Account',
      new Map(
        [...whole.rows.get('Account')!].map(([id, row]) => [
          id,
          accounts.slice(15, 18).includes(id) ? now.get(id)! : row,
        ]),
      ),
    );
    const restored = await restores.restore(
      { ...whole, rows: expected },
      'before',
      ...['--changed-by', username, '--incident', `${from.toISOString()}..${to.toISOString()}`],
    );
    assertNothingSilent(restored);
    // Some accounts had no rating: what the user wrote there stays without --write-nulls, and that is told.
    const { status, json, stderr } = restored.ran;
    assert.deepEqual([status, json.name], [3, 'rows-kept'], stderr);
    assert.match(json.message, /^Account\.Rating of 9 rows stays as it is/);
    const { done } = json.result;
    assert.deepEqual([done.Account.updated, done.Lead.undeleted], [40, deleted.length]);
    // That would be found out only by a point that shows the damage.
    assert.match(json.result.cannotForesee.join(), /changed again since/);
  });

  test('is put back whatever the time, when it alone is named', async () => {
    const point = await restores.before();
    const damaged = new Map([...point.rows.get('Account')!].filter(([id]) => accounts.slice(0, 5).includes(id)));
    assert.ok([...damaged.values()].every(({ Site }) => Site === 'Moved'));
    const ran = await rig.salvor(
      'restore',
      'before',
      '--changed-by',
      username,
      '--json',
      '--no-prompt',
      '--write-nulls',
    );
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(ran.json.result.done.Account.updated, 5);
    const now = (await restores.before()).rows.get('Account')!;
    for (const id of damaged.keys()) assert.notEqual(now.get(id)!.Site, 'Moved');

    // Its values stand again, under another stamp: that they are no longer found by it is said.
    const undone = await rig.salvor('undo', ran.json.result.restoreId, '--json', '--no-prompt');
    assert.equal(undone.status, 0, undone.stdout);
    const again = await rig.salvor('restore', 'before', '--changed-by', username, '--json', '--dry-run');
    assert.equal(again.status, 0, again.stdout);
    const told = again.json.warnings.find(({ name }: { name: string }) => name === 'incident-undone');
    assert.match(told.message, new RegExp(`^what ${undone.json.result.restoreId} put back .* --after`));
  });
});
