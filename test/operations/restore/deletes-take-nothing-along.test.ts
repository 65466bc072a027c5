import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Plan } from '../../../src/operations/restore/plan.ts';
import type { Restored } from '../../../src/operations/restore/restore.ts';
import { planUndo, runUndo } from '../../../src/operations/restore/undo.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { ApplyRig, planned } from '../../support/apply-rig.ts';
import { OrgRequests } from '../../support/org-snapshot.ts';
import { type PlanRig, startPlanRig } from '../../support/plan-rig.ts';

const database = sampleDatabase({ scale: { Account: 3, Contact: 3 } });
const opportunity = { Name: 'Deal', StageName: 'Prospecting', CloseDate: '2026-12-31' };
const reason = 'records that are not to be deleted would be deleted with it';

/** The org stamps whole seconds, and its clock is known to one. */
const later = () => pause(2500);

/** Those of these rows that are not in the recycle bin. */
async function live(requests: OrgRequests, object: string, ...ids: string[]): Promise<string[]> {
  const names = ids.map((id) => `'${id}'`).join();
  const found = await requests.query(`SELECT Id FROM ${object} WHERE Id IN (${names})`);
  return found.map(({ Id }) => String(Id)).sort();
}

describe('undo of a restore that took an account out of the recycle bin', () => {
  /** `meanwhile`: what people do after the restore; `between`: after its undo was planned. */
  async function undone(
    of: (requests: OrgRequests, account: string) => Promise<string[]>,
    meanwhile: (requests: OrgRequests, account: string, made: string[]) => Promise<unknown>,
    between: (requests: OrgRequests, account: string) => Promise<unknown> = async () => {},
  ) {
    const rig = await ApplyRig.start(database, ['Account']);
    const [account] = (await rig.requests.create('Account', [{ Name: 'Back' }])) as [string];
    const made = await of(rig.requests, account);
    await rig.requests.delete([account]);
    const { restoreId } = await rig.apply(await rig.plan({ Account: [planned(account, { action: 'undelete' })] }), {
      options: { folder: rig.folder },
    });
    await later();
    await meanwhile(rig.requests, account, made);
    const restored = await undo(rig, restoreId, () => between(rig.requests, account));
    return { rig, account, made, ...restored };
  }

  async function undo(rig: ApplyRig, restore: string, between: () => Promise<unknown>): Promise<Restored> {
    const org = await rig.connect();
    try {
      const given = { vault: await rig.process.openVault(), place: await rig.place(), org, restore };
      const undoPlan = await planUndo(rig.context(), given);
      await between();
      return await runUndo(rig.context(), { ...given, planned: undoPlan, options: { folder: rig.folder } });
    } finally {
      await org.close();
    }
  }

  test('keeps it when a record that stood elsewhere was moved onto it', async () => {
    const { rig, account, made, result, fault } = await undone(
      (requests) => requests.create('Opportunity', [opportunity]),
      (requests, id, [deal]) => requests.update('Opportunity', [{ Id: deal!, AccountId: id }]),
    );
    await using _ = rig;
    assert.equal(fault?.name, 'rows-kept');
    assert.deepEqual(
      result.conflicts.map(({ id }) => id),
      [account],
    );
    assert.deepEqual(await live(rig.requests, 'Opportunity', ...made), made);
    assert.deepEqual(await live(rig.requests, 'Account', account), [account]);
  });

  test('takes it away with what came out of the recycle bin along with it and nobody touched', async () => {
    const { rig, account, made, fault } = await undone(
      (requests, id) => requests.create('Opportunity', [{ ...opportunity, AccountId: id }]),
      async (requests, _account, [deal]) =>
        assert.deepEqual(await live(requests, 'Opportunity', deal!), [deal], 'it came back with its account'),
    );
    await using _ = rig;
    assert.equal(fault, undefined);
    assert.deepEqual(await live(rig.requests, 'Account', account), []);
    assert.deepEqual(await live(rig.requests, 'Opportunity', ...made), []);
  });

  test('keeps it when a record was attached after the undo was planned', async () => {
    const { rig, account, result, fault } = await undone(
      async () => [],
      async () => {},
      async (requests, id) => {
        await later();
        await requests.create('Contact', [{ LastName: 'Late', AccountId: id }]);
      },
    );
    await using _ = rig;
    assert.equal(fault?.name, 'rows-kept');
    assert.deepEqual(result.conflicts, [{ object: 'Account', id: account, fields: [], reason }]);
    assert.deepEqual(await live(rig.requests, 'Account', account), [account]);
  });
});

/** `Account delete 00…`, of rows that are deleted or kept. */
function decided({ objects }: Plan): string[] {
  return objects
    .flatMap(({ object, rows }) =>
      [...rows]
        .filter(({ action }) => action === 'delete' || action === 'conflict')
        .map(({ id, action, reason: why }) => [object, action, id, ...(why ? [why] : [])].join(' ')),
    )
    .sort();
}

describe('a plan that deletes what was created since', () => {
  async function withRig(work: (rig: PlanRig, requests: OrgRequests) => Promise<void>): Promise<void> {
    await using rig = await startPlanRig();
    await work(rig, new OrgRequests(rig.process.org));
  }

  test('keeps a row that would take along an older one, unless the plan moves that one back', async () => {
    await withRig(async (rig, requests) => {
      const [account, alone] = (await requests.create('Account', [{ Name: 'New' }, { Name: 'Alone' }])) as [
        string,
        string,
      ];
      const [deal] = await rig.ids('SELECT Id FROM Opportunity WHERE AccountId != null LIMIT 1');
      await requests.update('Opportunity', [{ Id: deal!, AccountId: account }]);
      assert.deepEqual(decided(await rig.plan({ objects: ['Account'], deleteCreated: true })), [
        `Account conflict ${account} ${reason}`,
        `Account delete ${alone}`,
      ]);
      const whole = { objects: ['Account', 'Opportunity'], deleteCreated: true };
      assert.deepEqual(decided(await rig.plan(whole)), [
        `Account conflict ${account} ${reason}`,
        `Account delete ${alone}`,
      ]);
      assert.deepEqual(
        decided(await rig.plan({ ...whole, overwrite: true })),
        [`Account delete ${account}`, `Account delete ${alone}`].sort(),
      );
    });
  });

  test('keeps the parents of a row that is kept, and counts no row that the platform made itself', async () => {
    await withRig(async (rig, requests) => {
      const [account] = (await requests.create('Account', [{ Name: 'New' }])) as [string];
      const [contact] = (await requests.create('Contact', [{ LastName: 'New', AccountId: account }])) as [string];
      const relations = await rig.ids(`SELECT Id FROM AccountContactRelation WHERE ContactId = '${contact}'`);
      assert.equal(relations.length, 1);
      assert.deepEqual(decided(await rig.plan({ objects: ['Account'], deleteCreated: true })), [
        `Account conflict ${account} ${reason}`,
      ]);
      const both = { objects: ['Account', 'Contact'], deleteCreated: true };
      assert.deepEqual(decided(await rig.plan(both)), [`Account delete ${account}`, `Contact delete ${contact}`]);
      await requests.create('Task', [{ Subject: 'Call', WhoId: contact }]);
      assert.deepEqual(decided(await rig.plan(both)), [
        `Account conflict ${account} ${reason}`,
        `Contact conflict ${contact} ${reason}`,
      ]);
    });
  });
});

describe('applying a plan that deletes rows', () => {
  test('keeps a row that would take along one that came after the plan was made', async () => {
    await using rig = await ApplyRig.start(database, ['Account', 'Contact']);
    const [used, alone] = (await rig.requests.create('Account', [{ Name: 'Used' }, { Name: 'Alone' }])) as [
      string,
      string,
    ];
    const [known] = (await rig.requests.create('Contact', [{ LastName: 'Known', AccountId: alone }])) as [string];
    const plan = await rig.plan({
      Account: [planned(used, { action: 'delete' }), planned(alone, { action: 'delete' })],
      Contact: [planned(known, { action: 'delete' })],
    });
    const [late] = (await rig.requests.create('Contact', [{ LastName: 'Late', AccountId: used }])) as [string];
    const result = await rig.apply(plan);
    assert.deepEqual(result.conflicts, [{ object: 'Account', id: used, fields: [], reason }]);
    assert.deepEqual([result.done.Account?.deleted, result.done.Contact?.deleted, result.failed], [1, 1, []]);
    assert.deepEqual(await live(rig.requests, 'Account', used, alone), [used]);
    assert.deepEqual(await live(rig.requests, 'Contact', known, late), [late]);
  });

  test('keeps a row whose child is kept, since somebody changed that one', async () => {
    await using rig = await ApplyRig.start(database, ['Account', 'Contact']);
    const [account] = (await rig.requests.create('Account', [{ Name: 'New' }])) as [string];
    const [contact] = (await rig.requests.create('Contact', [{ LastName: 'New', AccountId: account }])) as [string];
    const plan = await rig.plan({
      Account: [planned(account, { action: 'delete' })],
      Contact: [planned(contact, { action: 'delete', fields: ['LastName'], now: 'of another value' })],
    });
    const result = await rig.apply(plan);
    assert.deepEqual(result.conflicts.map(({ id }) => id).sort(), [account, contact].sort());
    assert.deepEqual(await live(rig.requests, 'Account', account), [account]);
    assert.deepEqual(await live(rig.requests, 'Contact', contact), [contact]);
  });
});
