import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

const objects = [
  ...['Account', 'Contact', 'AccountContactRelation', 'Opportunity', 'OpportunityLineItem', 'OpportunityContactRole'],
  ...['Task', 'Case', 'Asset', 'Contract', 'Invoice__c', 'Project__c', 'CampaignMember'],
];
const writes = /^(record\.|collections|ingest|soap|composite\.(graph|tree))/;

describe('an account that was deleted with everything below it', () => {
  let rig: Rig;
  let restores: Restores;
  /** Accounts with contacts and opportunities. */
  let accounts: string[];

  before(async () => {
    rig = await Rig.start();
    restores = await Restores.start(rig, objects);
    accounts = await accountsWithChildren();
  });
  after(() => rig[Symbol.asyncDispose]());

  async function accountsWithChildren(): Promise<string[]> {
    const of = async (object: string) => {
      const found = await restores.org.query(`SELECT AccountId FROM ${object} WHERE AccountId != null`);
      return new Set(found.map(({ AccountId }) => String(AccountId)));
    };
    const withContacts = await of('Contact');
    return [...(await of('Opportunity'))].filter((id) => withContacts.has(id));
  }

  /** Deletes an account that was not deleted before; its Id. */
  async function deleteAccount(): Promise<string> {
    const id = await restores.org.deleteAny(accounts);
    accounts = accounts.slice(accounts.indexOf(id) + 1);
    return id;
  }

  test('comes back under the same Ids while it lies in the recycle bin', async () => {
    const whole = await restores.before();
    const id = await deleteAccount();
    const restored = await restores.restore(whole, 'before', '--ids', id);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    // Members of campaigns do not go to the recycle bin.
    assert.deepEqual(
      [...restored.ids.keys()].filter((one) => !one.startsWith('00v')),
      [],
    );
    assert.equal(restored.ran.json.result.done.Account.undeleted, 1);
  });

  test('comes back under new Ids, with whatever refers to them, when the bin was emptied', async () => {
    const whole = await restores.before();
    const id = await deleteAccount();
    await restores.org.emptyRecycleBin([id]);
    const restored = await restores.restore(whole, 'before', '--ids', id);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.equal(restored.ran.json.result.done.Account.inserted, 1);
    assert.match(restored.ids.get(id)!, /^001/);
  });

  test('is planned by --dry-run without a single write, and what was planned is then done', async () => {
    const whole = await restores.before();
    const id = await deleteAccount();
    rig.org.requests.clear();
    const dry = await rig.salvor('restore', 'before', '--ids', id, '--dry-run', '--json', '--no-prompt');
    assert.equal(dry.status, 0, dry.stderr);
    assert.deepEqual(
      Object.keys(rig.org.requests.counts).filter((endpoint) => writes.test(endpoint)),
      [],
    );
    assert.deepEqual([dry.json.result.dryRun, dry.json.result.restoreId], [true, null]);
    const restored = await restores.restore(whole, 'before', '--ids', id);
    assertNothingSilent(restored);
    assert.deepEqual(restored.ran.json.result.plan.steps, dry.json.result.plan.steps);
  });
});
