import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Endpoint } from '../../src/practice-org/endpoints.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import { parseQuotedCsv } from '../support/foreign-csv.ts';
import { ofAnotherOrg } from '../support/in-process.ts';
import { differences } from '../support/org-snapshot.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { type Ran, Rig } from '../support/rig.ts';

const writes = /^(record\.|collections|ingest|soap|composite\.(graph|tree))/;

/** What one test damages and restores; nothing of it is of another test. */
interface Family {
  /** Is purged with its two contacts. */
  readonly gone: string;
  /** Its parent is the one that is gone. */
  readonly child: string;
  /** Lies in the recycle bin with its contact. */
  readonly binned: string;
  /** Its phone and site are overwritten. */
  readonly spoiled: string;
  /** Is purged; another contact reports to it. */
  readonly boss: string;
}

describe('a restore that undeleted, made, relinked and updated', () => {
  let rig: Rig;
  let restores: Restores;
  let families: Family[];

  before(async () => {
    rig = await Rig.start({ database: sampleDatabase({ scale: { Account: 20, Contact: 20 } }) });
    restores = await Restores.start(rig, ['Account', 'Contact', 'AccountContactRelation'], async (org) => {
      families = [];
      for (const n of ['a', 'b', 'c', 'd', 'e']) {
        const [gone, binned, spoiled] = (await org.create('Account', [
          { Name: `gone ${n}` },
          { Name: `binned ${n}` },
          { Name: `spoiled ${n}`, Phone: '1', Site: 'here' },
        ])) as [string, string, string];
        const [child] = (await org.create('Account', [{ Name: `child ${n}`, ParentId: gone }])) as [string];
        const contacts = await org.create('Contact', [
          { LastName: `one of ${n}`, AccountId: gone, Email: `one.${n}@example.com` },
          { LastName: `two of ${n}`, AccountId: gone, Email: `two.${n}@example.com` },
          { LastName: `three of ${n}`, AccountId: binned, Email: `three.${n}@example.com` },
          { LastName: `boss ${n}`, AccountId: spoiled, Email: `boss.${n}@example.com` },
        ]);
        const [one] = contacts;
        const [direct] = await org.query(`SELECT Id FROM AccountContactRelation WHERE ContactId = '${one}'`);
        await org.update('AccountContactRelation', [{ Id: String(direct!.Id), Roles: 'Decision Maker' }]);
        await org.create('AccountContactRelation', [{ AccountId: spoiled, ContactId: one!, Roles: 'Influencer' }]);
        const boss = contacts[3]!;
        await org.create('Contact', [{ LastName: `clerk ${n}`, AccountId: spoiled, ReportsToId: boss }]);
        families.push({ gone, child, binned, spoiled, boss });
      }
    });
  });
  after(() => rig[Symbol.asyncDispose]());

  /** Damages a family; the org as it was and as it is then, and what is asked of a restore. */
  async function damaged() {
    const family = families.shift()!;
    const whole = await restores.before();
    await restores.org.delete([family.gone, family.binned, family.boss]);
    await restores.org.emptyRecycleBin([family.gone, family.boss]);
    await restores.org.update('Account', [{ Id: family.spoiled, Phone: '2', Site: 'there' }]);
    const { gone, binned, spoiled, boss } = family;
    const args = ['before', '--ids', [gone, binned, spoiled, boss].join(), '--overwrite'];
    return { family, whole, spoilt: await restores.before(), args };
  }

  async function restored() {
    const { family, whole, spoilt, args } = await damaged();
    const done = await restores.restore(whole, ...args);
    assertNothingSilent(done);
    assert.equal(done.ran.status, 0, done.ran.stderr);
    return { family, spoilt, restore: done.ran.json.result.restoreId as string, ran: done.ran };
  }

  function undo(restore: string, ...args: string[]): Promise<Ran> {
    return rig.salvor('undo', restore, '--json', '--no-prompt', ...args);
  }

  test('is taken back: the org is what it was before, and the undo of the undo brings back what was restored', async () => {
    const { family, spoilt, restore, ran } = await restored();
    const { done } = ran.json.result;
    assert.deepEqual(
      [done.Account.undeleted, done.Account.inserted, done.Account.relinked, done.Account.updated],
      [1, 1, 1, 1],
    );
    assert.equal(done.AccountContactRelation.inserted, 1);
    assert.deepEqual([done.Contact.undeleted, done.Contact.inserted, done.Contact.relinked], [1, 3, 1]);
    const good = await restores.before();

    const taken = await undo(restore);
    assert.equal(taken.status, 0, taken.stderr + taken.stdout);
    assert.equal(taken.json.result.undoes, restore);
    assert.deepEqual(differences(spoilt, await restores.before()), []);
    // What went with its contact is no failure.
    assert.deepEqual([taken.json.result.failedFile, taken.json.result.conflicts], [null, []]);
    const [child] = await restores.org.query(`SELECT ParentId FROM Account WHERE Id = '${family.child}'`);
    assert.equal(child!.ParentId, null);

    const again = await undo(taken.json.result.restoreId);
    assert.equal(again.status, 0, again.stderr + again.stdout);
    // Relations cannot be undeleted: the one that was made is made anew, from its before-image.
    const [, ...anew] = parseQuotedCsv(readFileSync(path.resolve(rig.folder, again.json.result.idMapFile), 'utf8'));
    assert.deepEqual(
      anew.map(([object]) => object),
      ['AccountContactRelation'],
    );
    const ids = new Map(anew.map(([, id, target]) => [id!, target!]));
    assert.deepEqual(differences(good, await restores.before(), ids), []);
  });

  test('and of which somebody edited fields since: those are kept and listed, the rest is taken back', async () => {
    const { family, spoilt, restore } = await restored();
    const { spoiled } = family;
    // Written again with the value that stands there is no edit: values decide, not stamps.
    await restores.org.update('Account', [{ Id: spoiled, Phone: '3', Site: 'here' }]);
    const taken = await undo(restore);
    assert.equal(taken.status, 3, taken.stderr + taken.stdout);
    assert.equal(taken.json.name, 'rows-kept');
    assert.deepEqual(taken.json.result.conflicts, [
      { object: 'Account', id: spoiled, fields: ['Phone'], reason: 'edited since the restore' },
    ]);
    assert.deepEqual(differences(spoilt, await restores.before()), [`Account ${spoiled} Phone: "2" became "3"`]);
  });

  test('is planned to be taken back by --dry-run without a single write', async () => {
    const { restore } = await restored();
    const good = await restores.before();
    rig.org.requests.clear();
    const dry = await undo(restore.slice(0, -2), '--dry-run');
    assert.equal(dry.status, 0, dry.stderr + dry.stdout);
    const { dryRun, restoreId, undoes, plan } = dry.json.result;
    assert.deepEqual([dryRun, restoreId, undoes], [true, null, restore]);
    const planned = plan.steps.map((step: { object: string; action: string; rows: number }) => Object.values(step));
    assert.deepEqual(
      planned.filter(([object]: string[]) => object === 'Account'),
      [
        ['Account', 'update', 2],
        ['Account', 'delete', 2],
      ],
    );
    assert.deepEqual(
      Object.keys(rig.org.requests.counts).filter((endpoint) => writes.test(endpoint)),
      [],
    );
    assert.deepEqual(differences(good, await restores.before()), []);

    // The day alone fits those of the other tests too, and `R` alone is no id.
    for (const [named, said] of [
      [restore.slice(0, 9), /^R\d{8} fits \d+ restores: R\d{8}T/],
      ['R', /^there is no restore R/],
    ] as const) {
      const refused = await undo(named);
      assert.deepEqual([refused.status, refused.json.name], [2, 'no-such-restore']);
      assert.match(refused.json.message, said);
    }
    const taken = await undo(restore);
    assert.deepEqual(taken.json.result.plan.steps, plan.steps);
    assert.equal(taken.status, 0, taken.stderr + taken.stdout);
  });

  test('as far as it came before it was killed is taken back, and it goes on no more', async () => {
    const { spoilt, args } = await damaged();
    const { child, ended } = rig.start('restore', ...args, '--json', '--no-prompt');
    const { entries } = rig.org.requests;
    const push = entries.push.bind(entries);
    let made = 0;
    entries.push = (...added) => {
      // The account is made, and its contacts are on their way.
      if (added.some(({ endpoint }) => endpoint === ('ingest.close' satisfies Endpoint))) made += 1;
      if (made === 2) child.kill('SIGKILL');
      return push(...added);
    };
    assert.equal((await ended).status, 137);
    entries.push = push;
    const refused = await rig.salvor('restore', 'before', '--objects', 'Contact', '--json', '--no-prompt');
    assert.equal(refused.json.name, 'restore-unfinished', refused.stdout);
    const [, id = ''] = /--resume (R\S+)/.exec(refused.json.actions[0])!;

    const taken = await undo(id);
    assert.equal(taken.status, 0, taken.stderr + taken.stdout);
    assert.ok(taken.json.result.plan.steps.length > 0);
    assert.deepEqual(differences(spoilt, await restores.before()), []);
    const on = await rig.salvor('restore', 'before', '--resume', id, '--json', '--no-prompt');
    assert.deepEqual([on.status, on.json.message], [2, `restore ${id} has ended: there is nothing to go on with`]);
  });

  test('that nobody knows cannot be taken back', async () => {
    const taken = await undo('R20200101T000000Z-000000');
    assert.equal(taken.status, 2, taken.stdout);
    assert.equal(taken.json.name, 'no-such-restore');
    assert.match(taken.json.message, /^there is no restore R20200101T000000Z-000000 in /);
    assert.match(taken.json.actions[0], /check the id/);
  });

  test('in one org is not taken back in another', async () => {
    const { restore } = await restored();
    const good = await restores.before();
    const other: PracticeOrg = await startPracticeOrg(ofAnotherOrg(sampleDatabase()));
    const { env } = rig;
    rig.env = { ...env, SF_ACCESS_TOKEN: other.accessToken, SF_ORG_INSTANCE_URL: other.url };
    const taken = await undo(restore);
    rig.env = env;
    assert.deepEqual(
      Object.keys(other.requests.counts).filter((endpoint) => writes.test(endpoint)),
      [],
    );
    await other.close();
    assert.deepEqual([taken.status, taken.json.name], [5, 'wrong-target']);
    assert.match(taken.json.message, new RegExp(`^restore ${restore} wrote to another org than 00D`));
    assert.deepEqual(differences(good, await restores.before()), []);
  });
});
