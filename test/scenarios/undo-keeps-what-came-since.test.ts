import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

describe('what people did with records that a restore brought back', () => {
  let rig: Rig;
  let restores: Restores;
  let accounts: string[];
  before(async () => {
    rig = await Rig.start();
    restores = await Restores.start(rig, ['Account', 'Contact'], async (org) => {
      accounts = await org.create('Account', [{ Name: 'Worked on' }, { Name: 'Left alone' }, { Name: 'Changed' }]);
    });
  });
  after(() => rig[Symbol.asyncDispose]());

  test('is not taken along by undo: those records stay, are listed, and the exit code says so', async () => {
    const whole = await restores.before();
    await restores.org.delete(accounts);
    await restores.org.emptyRecycleBin(accounts);
    const restored = await restores.restore(whole, 'before', '--ids', accounts.join());
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const [worked, alone, changed] = accounts.map((id) => restored.ids.get(id)!) as [string, string, string];
    // The org stamps whole seconds, and its clock is known to one.
    await pause(2500);
    const [contact] = await restores.org.create('Contact', [{ LastName: 'New', AccountId: worked }]);
    await restores.org.update('Account', [{ Id: changed, Phone: '1' }]);

    const undone = await rig.salvor('undo', restored.ran.json.result.restoreId, '--json', '--no-prompt');
    assert.equal(undone.status, 3, undone.stdout);
    assert.equal(undone.json.name, 'rows-kept');
    assert.deepEqual(undone.json.result.conflicts.map(({ id }: { id: string }) => id).sort(), [worked, changed].sort());
    assert.equal(undone.json.result.done.Account.deleted, 1);
    const there = await restores.org.query(
      `SELECT Id FROM Account WHERE Id IN ('${worked}', '${alone}', '${changed}')`,
    );
    assert.deepEqual(there.map(({ Id }) => Id).sort(), [worked, changed].sort());
    assert.equal((await restores.org.query(`SELECT Id FROM Contact WHERE Id = '${contact}'`)).length, 1);
  });

  test('nor from below what came back along with a record and was never in the point', async () => {
    const [one, other] = (await restores.org.create('Account', [{ Name: 'Deep' }, { Name: 'Shallow' }])) as [
      string,
      string,
    ];
    await restores.backup('deep');
    const opportunity = (AccountId: string) => ({
      AccountId,
      Name: 'O',
      StageName: 'Closed Won',
      CloseDate: '2026-01-01',
    });
    const [along] = await restores.org.create('Opportunity', [opportunity(one), opportunity(other)]);
    await restores.org.delete([one, other]);
    const restored = await rig.salvor('restore', 'deep', '--ids', `${one},${other}`, '--json', '--no-prompt');
    assert.equal(restored.status, 0, restored.stderr);
    assert.equal(restored.json.result.done.Account.undeleted, 2);
    await pause(2500);
    const [task] = await restores.org.create('Task', [{ Subject: 'Call', WhatId: along! }]);

    const undone = await rig.salvor('undo', restored.json.result.restoreId, '--json', '--no-prompt');
    assert.equal(undone.status, 3, undone.stdout);
    assert.equal(undone.json.name, 'rows-kept');
    assert.deepEqual(
      undone.json.result.conflicts.map(({ id }: { id: string }) => id),
      [one],
    );
    assert.equal(undone.json.result.done.Account.deleted, 1);
    assert.equal((await restores.org.query(`SELECT Id FROM Task WHERE Id = '${task}'`)).length, 1);
    const there = await restores.org.query(`SELECT Id FROM Account WHERE Id IN ('${one}', '${other}')`);
    assert.deepEqual(
      there.map(({ Id }) => Id),
      [one],
    );
  });

  test('an interrupted restore can be left as it stands, so that another may begin', async () => {
    const [one] = await restores.org.create('Account', [{ Name: 'Half' }]);
    await restores.backup('half');
    await restores.org.delete([one!]);
    await restores.org.emptyRecycleBin([one!]);
    rig.org.failNext('ingest.close', { name: '403-daily-limit' }, { times: 1 });
    const stopped = await rig.salvor('restore', 'half', '--ids', one!, '--json', '--no-prompt');
    assert.equal(stopped.status, 75, stopped.stdout);
    const { restoreId } = stopped.json.result;
    assert.equal(stopped.json.result.ended, false);
    const ended = await rig.salvor('restore', '--end', restoreId, '--json', '--no-prompt');
    assert.equal(ended.status, 0, ended.stdout);
    const again = await rig.salvor('restore', 'half', '--ids', one!, '--json', '--no-prompt');
    assert.equal(again.status, 0, again.stdout);
    assert.notEqual(again.json.result.restoreId, restoreId);
    // Its job was about to begin when it stopped, so that either run may have made the account; one has.
    assert.equal((await restores.org.query("SELECT Id FROM Account WHERE Name = 'Half'")).length, 1);
  });
});
