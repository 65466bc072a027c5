import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Endpoint } from '../../src/practice-org/endpoints.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { type Ran, Rig } from '../support/rig.ts';

const setting = { object: 'Automation_Settings__c', field: 'Bypass_Triggers__c' };
const bypass = ['--bypass', `${setting.object}.${setting.field}`];
const contactsOfAccount = 3;

describe("the org's own switch for automation", () => {
  let rig: Rig;
  let restores: Restores;
  /** Accounts with contacts that a rule would refuse. */
  let accounts: string[];

  before(async () => {
    rig = await Rig.start({ database: sampleDatabase({ scale: { Account: 5, Contact: 5 } }) });
    restores = await Restores.start(rig, ['Account', 'Contact'], async (org) => {
      accounts = await org.create(
        'Account',
        Array.from({ length: 8 }, (_, n) => ({ Name: `account ${n}` })),
      );
      await org.create(
        'Contact',
        accounts.flatMap((AccountId, n) =>
          Array.from({ length: contactsOfAccount }, (_, m) => ({ LastName: `refused ${n} ${m}`, AccountId })),
        ),
      );
    });
    rig.org.settings.rules = [
      {
        kind: 'validation',
        object: 'Contact',
        when: { field: 'LastName', matches: '^refused' },
        message: 'not that name',
        bypass: setting,
      },
    ];
  });
  after(() => rig[Symbol.asyncDispose]());
  afterEach(async () => {
    const own = await ownRows();
    await restores.org.delete(own.map(({ Id }) => String(Id)));
  });

  async function damaged() {
    const whole = await restores.before();
    const account = accounts.shift()!;
    await restores.org.delete([account]);
    await restores.org.emptyRecycleBin([account]);
    return { whole, args: ['before', '--ids', account] };
  }

  /** The setting for the user who restores. */
  function ownRows() {
    return restores.org.query(
      `SELECT Id, Bypass_Triggers__c FROM Automation_Settings__c WHERE SetupOwnerId = '${rig.org.facts.userId}'`,
    );
  }

  function settings() {
    return restores.org.query('SELECT Id, SetupOwnerId, Bypass_Triggers__c FROM Automation_Settings__c ORDER BY Id');
  }

  /** Runs the program and does something when the org has answered a request of this kind, each time. */
  async function during(endpoint: Endpoint, args: readonly string[], then: (kill: () => void) => void): Promise<Ran> {
    const { child, ended } = rig.start(...args, '--json', '--no-prompt');
    const { entries } = rig.org.requests;
    entries.push = (...added) => {
      if (added.some((one) => one.endpoint === endpoint)) then(() => child.kill('SIGKILL'));
      return Array.prototype.push.apply(entries, added);
    };
    const ran = await ended;
    Reflect.deleteProperty(entries, 'push');
    return ran;
  }

  /** A restore that is killed when its accounts are made; its id. */
  async function killed(args: readonly string[]): Promise<string> {
    const ran = await during('ingest.successful', ['restore', ...args, ...bypass], (kill) => kill());
    assert.equal(ran.status, 137, ran.stdout);
    const refused = await rig.salvor('restore', 'before', '--objects', 'Contact', '--json', '--no-prompt');
    return /--resume (R\S+)/.exec(refused.json.actions[0])![1]!;
  }

  test('lets rows pass that a rule refuses, and is gone afterwards when the user had none', async () => {
    const { whole, args } = await damaged();
    const before = await settings();
    const refused = await restores.restore(whole, ...args);
    assert.deepEqual([refused.ran.status, refused.ran.json.name], [3, 'rows-failed']);
    assert.equal(refused.failed.length, contactsOfAccount);

    assertNothingSilent(refused);

    const { failedFile } = refused.ran.json.result;
    const restored = await rig.salvor(
      'restore',
      'before',
      '--ids-file',
      failedFile,
      ...bypass,
      '--json',
      '--no-prompt',
    );
    assert.equal(restored.status, 0, restored.stderr + restored.stdout);
    assert.equal(restored.json.result.done.Contact.inserted, contactsOfAccount);
    assert.deepEqual(await settings(), before);
  });

  test('is off again afterwards when it was off before', async () => {
    const { whole, args } = await damaged();
    await restores.org.create(setting.object, [{ SetupOwnerId: rig.org.facts.userId, [setting.field]: false }]);
    const before = await settings();
    const restored = await restores.restore(whole, ...args, ...bypass);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.deepEqual(await settings(), before);
  });

  test('is switched back by --heal-automation when the restore was killed, once, and the restore can go on', async () => {
    const { whole, args } = await damaged();
    const before = await settings();
    const restore = await killed(args);
    assert.deepEqual(
      (await ownRows()).map((row) => row[setting.field]),
      [true],
    );
    const heal = ['restore', '--heal-automation', '--json', '--no-prompt'];
    const healed = await rig.salvor(...heal);
    assert.equal(healed.status, 0, healed.stderr + healed.stdout);
    assert.deepEqual(healed.json.result.healed, [{ restore, bypass: bypass[1] }]);
    assert.deepEqual(await settings(), before);

    // What somebody switches on from now on is theirs.
    assert.deepEqual((await rig.salvor(...heal)).json.result.healed, []);

    const restored = await restores.restore(whole, 'before', '--resume', restore);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.deepEqual(await settings(), before);
  });

  test('is on for a restore that goes on after it was killed, and as it was when that has ended', async () => {
    const { whole, args } = await damaged();
    const before = await settings();
    const restore = await killed(args);
    const restored = await restores.restore(whole, 'before', '--resume', restore);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.deepEqual(await settings(), before);
    const healed = await rig.salvor('restore', '--heal-automation', '--json', '--no-prompt');
    assert.deepEqual(healed.json.result.healed, []);
  });

  test('is switched back when a restore that was killed is taken back', async () => {
    const { args } = await damaged();
    const before = await settings();
    const restore = await killed(args);
    const undone = await rig.salvor('undo', restore, ...bypass, '--json', '--no-prompt');
    assert.equal(undone.status, 0, undone.stderr + undone.stdout);
    assert.deepEqual(await settings(), before);
  });

  test('may be a permission set, which the user has while it writes and no longer', async () => {
    const { whole, args } = await damaged();
    rig.org.settings.rules = [];
    const soql = `SELECT PermissionSet.Name FROM PermissionSetAssignment WHERE AssigneeId = '${rig.org.facts.userId}' ORDER BY Id`;
    const before = await restores.org.query(soql);
    const seen: ReturnType<typeof restores.org.query>[] = [];
    const ran = await during('ingest.close', ['restore', ...args, '--bypass', 'Report_builder'], () => {
      seen.push(restores.org.query(soql));
    });
    assert.equal(ran.status, 0, ran.stderr + ran.stdout);
    assert.ok(seen.length > 0);
    for (const found of seen) assert.equal((await found).length, before.length + 1);
    assert.deepEqual(await restores.org.query(soql), before);
    assert.equal((await restores.before()).rows.get('Contact')!.size, whole.rows.get('Contact')!.size);
  });

  test('that the org has not is a mistake of the command: nothing is begun', async () => {
    const { args } = await damaged();
    rig.org.requests.clear();
    for (const [unknown, sentence] of [
      ['Automation_Settings__c.Nothing__c', /has no checkbox Automation_Settings__c\.Nothing__c/],
      ['Nothing__c.Bypass__c', /has no Nothing__c/],
      ['No_such_set', /has no permission set No_such_set/],
      ['not a name', /--bypass cannot be not a name/],
    ] as const) {
      for (const more of ['--no-prompt', '--dry-run']) {
        const ran = await rig.salvor('restore', ...args, '--bypass', unknown, '--json', more);
        assert.deepEqual([ran.status, ran.json.name], [2, 'usage'], ran.stdout);
        assert.match(ran.json.message, sentence);
      }
    }
    const { counts } = rig.org.requests;
    assert.equal(counts['ingest.create'], undefined);
    const next = await rig.salvor('restore', ...args, '--dry-run', '--json');
    assert.equal(next.status, 0, next.stdout);
  });
});
