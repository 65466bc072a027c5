import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

const objects = [
  ...['Account', 'Contact', 'AccountContactRelation', 'Case', 'Opportunity', 'OpportunityLineItem', 'Task', 'Asset'],
  ...['OpportunityContactRole', 'Contract', 'Order', 'OrderItem', 'CampaignMember', 'Project__c', 'Assignment__c'],
  ...['Invoice__c', 'Payment__c'],
];

describe('a person account', () => {
  let rig: Rig;
  let restores: Restores;
  let people: string[];

  before(async () => {
    rig = await Rig.start({ database: sampleDatabase({ personAccounts: true }) });
    restores = await Restores.start(rig, objects);
    const found = await restores.org.query('SELECT Id FROM Account WHERE IsPersonAccount = true');
    people = found.map(({ Id }) => String(Id));
  });
  after(() => rig[Symbol.asyncDispose]());

  /** The first that nothing holds, and that was not deleted before. */
  async function deletePerson(): Promise<string> {
    const id = await restores.org.deleteAny(people);
    people = people.slice(people.indexOf(id) + 1);
    return id;
  }

  test('comes out of the recycle bin with its contact', async () => {
    const whole = await restores.before();
    const restored = await restores.restore(whole, 'before', '--ids', await deletePerson());
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.equal(restored.ran.json.result.done.Account.undeleted, 1);
  });

  test('is made again, and its contact, which the platform makes, is what referred to the old one refers to', async () => {
    const whole = await restores.before();
    const id = await deletePerson();
    await restores.org.emptyRecycleBin([id]);
    const contact = String(whole.rows.get('Account')!.get(id)!.PersonContactId);
    const restored = await restores.restore(whole, 'before', '--ids', id);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const [made] = await restores.org.query(`SELECT PersonContactId FROM Account WHERE Id = '${restored.ids.get(id)}'`);
    assert.equal(made!.PersonContactId, restored.ids.get(contact));
  });
});
