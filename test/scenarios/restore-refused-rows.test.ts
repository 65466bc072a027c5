import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { RecordSeen } from '../support/org-snapshot.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

type Changeable = { fields: Record<string, unknown>[]; recordTypeInfos: Record<string, unknown>[] };

describe('records that the org does not take as they were', () => {
  let rig: Rig;
  let restores: Restores;
  let account: string;
  /** An account without contacts. */
  let cold: string;
  /** Contacts of that account, by title. */
  const contacts = new Map<string, string[]>();

  before(async () => {
    rig = await Rig.start();
    restores = await Restores.start(rig, ['Account', 'Contact'], async (org) => {
      [account, cold] = (await org.create('Account', [
        { Name: 'Alone Ltd' },
        { Name: 'Cold Ltd', Rating: 'Cold' },
      ])) as [string, string];
      const make = async (title: string, count: number, more: RecordSeen = {}) => {
        const records = Array.from({ length: count }, (_, n) => ({
          LastName: `${title} ${n}`,
          Title: title,
          AccountId: account,
          Email: `${title.replaceAll(' ', '.')}.${n}@example.com`,
          ...more,
        }));
        contacts.set(title, await org.create('Contact', records));
      };
      const [user] = await org.query(
        "SELECT Id FROM User WHERE IsActive = true AND UserType = 'Standard' ORDER BY Id DESC LIMIT 1",
      );
      await make('owned', 2, { OwnerId: String(user!.Id) });
      await make('plain', 993);
      await make('refused', 7);
      await make('twin', 2);
      await make('locked', 30);
    });
  });
  after(() => rig[Symbol.asyncDispose]());
  afterEach(() => {
    rig.org.settings.rules = [];
  });

  /** Deletes contacts for good; the org as it was before. */
  async function lose(...titles: string[]) {
    const whole = await restores.before();
    const ids = titles.flatMap((title) => contacts.get(title)!);
    await restores.org.delete(ids);
    await restores.org.emptyRecycleBin(ids);
    return { whole, ids };
  }

  test('a validation rule refuses 7 of 1,000: the 993 arrive, and the 7 are input for another run when the rule is gone', async () => {
    const { whole } = await lose('plain', 'refused');
    rig.org.settings.rules = [
      { kind: 'validation', object: 'Contact', when: { field: 'Title', equals: 'refused' }, message: 'no such title' },
    ];
    const first = await restores.restore(
      whole,
      'before',
      '--where',
      "Title IN ('plain', 'refused')",
      '--objects',
      'Contact',
    );
    assertNothingSilent(first);
    assert.equal(first.ran.status, 3, first.ran.stderr);
    assert.equal(first.ran.json.name, 'rows-failed');
    assert.deepEqual(
      [first.ran.json.result.done.Contact.inserted, first.ran.json.result.done.Contact.failed],
      [993, 7],
    );
    assert.deepEqual([...new Set(first.failed.map(({ code }) => code))], ['FIELD_CUSTOM_VALIDATION_EXCEPTION']);
    assert.deepEqual(first.failed.map(({ id }) => id).sort(), contacts.get('refused')!.toSorted());

    rig.org.settings.rules = [];
    const second = await rig.salvor(
      'restore',
      'before',
      '--ids-file',
      first.ran.json.result.failedFile,
      '--json',
      '--no-prompt',
    );
    assert.equal(second.status, 0, second.stderr + second.stdout);
    assert.equal(second.json.result.done.Contact.inserted, 7);
    const there = await restores.org.query("SELECT Id FROM Contact WHERE Title IN ('plain', 'refused')");
    assert.equal(there.length, 1000);
  });

  test('a duplicate rule that blocks keeps a record out; one that only warns does not', async () => {
    const { whole, ids } = await lose('twin');
    const made = await restores.org.create('Contact', [{ LastName: 'twin 0', Email: 'twin.0@example.com' }]);
    const rule = { kind: 'duplicate', object: 'Contact', fields: ['Email'] } as const;
    rig.org.settings.rules = [{ ...rule, action: 'block' }];
    const blocked = await restores.restore(whole, 'before', '--ids', ids.join());
    assert.equal(blocked.ran.status, 3, blocked.ran.stderr);
    assert.deepEqual(
      blocked.failed.map(({ id, code }) => [id, code]),
      [[ids[0], 'DUPLICATES_DETECTED']],
    );
    assert.equal(blocked.ran.json.result.done.Contact.inserted, 1);

    rig.org.settings.rules = [{ ...rule, action: 'alert' }];
    const warned = await rig.salvor('restore', 'before', '--ids', ids[0]!, '--json', '--no-prompt');
    assert.equal(warned.status, 0, warned.stderr + warned.stdout);
    assert.equal(warned.json.result.done.Contact.inserted, 1);
    await restores.org.delete(made);
  });

  test('a parent that others hold locked is waited for', async () => {
    const { whole } = await lose('locked');
    rig.org.settings.rules = [{ kind: 'lock', parent: account, times: 3 }];
    const restored = await restores.restore(whole, 'before', '--where', "Title = 'locked'", '--objects', 'Contact');
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.equal(restored.ran.json.result.done.Contact.inserted, 30);
  });

  test('an owner who is inactive by now gives way to the user who restores, and the plan says so', async () => {
    const { whole, ids } = await lose('owned');
    const owner = whole.rows.get('Contact')!.get(ids[0]!)!.OwnerId as string;
    await restores.org.update('User', [{ Id: owner, IsActive: false }]);
    const restored = await restores.restore(whole, 'before', '--ids', ids.join());
    await restores.org.update('User', [{ Id: owner, IsActive: true }]);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const left = restored.ran.json.result.leftOut.find(({ field }: { field: string }) => field === 'OwnerId');
    assert.deepEqual([left.object, left.rows, left.code], ['Contact', 2, 'value-not-allowed']);
  });

  test('a picklist that is restricted by now and has lost the value leaves the field out, and the plan says so', async () => {
    const whole = await restores.before();
    await restores.org.delete([cold]);
    await restores.org.emptyRecycleBin([cold]);
    const describe = rig.database.tables.get('Account')!.describe as unknown as Changeable;
    const rating = describe.fields.find(({ name }) => name === 'Rating')!;
    const kept = { ...rating };
    rating.restrictedPicklist = true;
    rating.picklistValues = (kept.picklistValues as { value: string }[]).filter(({ value }) => value !== 'Cold');
    const restored = await restores.restore(whole, 'before', '--ids', cold);
    Object.assign(rating, kept);
    assertNothingSilent(restored);
    const left = restored.ran.json.result.leftOut.find(({ field }: { field: string }) => field === 'Rating');
    assert.deepEqual([left.object, left.rows, left.code], ['Account', 1, 'value-not-allowed']);
  });

  test('a record type that the user may not use any more is left to the org, and the plan says so', async () => {
    const describe = rig.database.tables.get('Account')!.describe as unknown as Changeable;
    const partner = describe.recordTypeInfos.find(({ developerName }) => developerName === 'Partner')!;
    const [made] = await restores.org.create('Account', [
      { Name: 'Partner Ltd', RecordTypeId: partner.recordTypeId as string },
    ]);
    await restores.backup('partner');
    const whole = await restores.before();
    await restores.org.delete([made!]);
    await restores.org.emptyRecycleBin([made!]);
    partner.available = false;
    const restored = await restores.restore(whole, 'partner', '--ids', made!);
    partner.available = true;
    assertNothingSilent(restored);
    const left = restored.ran.json.result.leftOut.find(({ field }: { field: string }) => field === 'RecordTypeId');
    assert.deepEqual([left.object, left.rows], ['Account', 1]);
    assert.equal(restored.ran.json.result.done.Account.inserted, 1);
  });
});
