import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { steps } from '../../../src/operations/restore/plan.ts';
import type { Restored } from '../../../src/operations/restore/restore.ts';
import { planUndo, runUndo } from '../../../src/operations/restore/undo.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { ApplyRig, planned } from '../../support/apply-rig.ts';
import { parseQuotedCsv } from '../../support/foreign-csv.ts';
import { differences, type OrgRequests, type Snapshot } from '../../support/org-snapshot.ts';

const objects = ['Account', 'Contact'];
const database = sampleDatabase({ scale: { Account: 3, Contact: 3 } });

async function make(requests: OrgRequests) {
  const [gone, binned, spoiled] = await requests.create('Account', [
    { Name: 'Gone' },
    { Name: 'Binned' },
    { Name: 'Kept', Phone: '1', Site: 'here' },
  ]);
  const contacts = await requests.create('Contact', [
    { LastName: 'C', AccountId: gone! },
    { LastName: 'D', AccountId: binned! },
  ]);
  return { gone: gone!, binned: binned!, spoiled: spoiled!, contacts };
}
type Made = Awaited<ReturnType<typeof make>>;

async function withDamage(
  work: (rig: ApplyRig, made: Made, restore: string, damaged: Snapshot) => Promise<void>,
): Promise<void> {
  let made: Made | undefined;
  await using rig = await ApplyRig.start(database, objects, {
    prepare: async (requests) => {
      made = await make(requests);
    },
  });
  const { gone, binned, spoiled, contacts } = made!;
  await rig.requests.delete([contacts[0]!, gone]);
  await rig.requests.emptyRecycleBin([contacts[0]!, gone]);
  await rig.requests.delete([binned]);
  await rig.requests.update('Account', [{ Id: spoiled, Name: 'spoiled', Phone: null, Site: 'spoiled' }]);
  const [created] = await rig.requests.create('Account', [{ Name: 'New' }]);
  const plan = await rig.plan({
    Account: [
      planned(gone),
      planned(binned, { action: 'undelete' }),
      planned(spoiled, { action: 'update', fields: ['Name', 'Phone', 'Site'] }),
      planned(created!, { action: 'delete' }),
    ],
    Contact: [planned(contacts[0]!), planned(contacts[1]!, { action: 'undelete' })],
  });
  const damaged = await rig.requests.snapshot(objects);
  const result = await rig.apply(plan, { options: { folder: rig.folder } });
  assert.deepEqual([result.failed, result.stopped, result.conflicts], [[], undefined, []]);
  await work(rig, made!, result.restoreId, damaged);
}

async function undo(rig: ApplyRig, restore: string): Promise<Restored> {
  const org = await rig.connect();
  try {
    const given = { vault: await rig.process.openVault(), place: await rig.place(), org, restore };
    const undoPlan = await planUndo(rig.context(), given);
    return await runUndo(rig.context(), { ...given, planned: undoPlan, options: { folder: rig.folder } });
  } finally {
    await org.close();
  }
}

describe('undo', () => {
  test('takes everything back: the org is as the restore found it', async () => {
    await withDamage(async (rig, _made, restore, damaged) => {
      const { result, fault } = await undo(rig, restore);
      assert.equal(fault, undefined);
      assert.equal(result.undoes, restore);
      assert.deepEqual(differences(damaged, await rig.requests.snapshot(objects)), []);
      assert.deepEqual(
        result.plan.steps.map(({ object, action, rows }) => `${object} ${action} ${rows}`),
        ['Account undelete 1', 'Account update 1', 'Account delete 2', 'Contact delete 2'],
      );
    });
  });

  test('keeps fields that somebody edited since, lists them, and returns the others', async () => {
    await withDamage(async (rig, { spoiled }, restore) => {
      await rig.requests.update('Account', [{ Id: spoiled, Phone: 'by hand' }]);
      const { result, fault } = await undo(rig, restore);
      assert.deepEqual([fault?.name, fault?.exit], ['rows-kept', 3]);
      assert.deepEqual(result.conflicts, [
        { object: 'Account', id: spoiled, fields: ['Phone'], reason: 'edited since the restore' },
      ]);
      const [now] = await rig.requests.query(`SELECT Name, Phone, Site FROM Account WHERE Id = '${spoiled}'`);
      assert.deepEqual(now, { Name: 'spoiled', Phone: 'by hand', Site: 'spoiled' });
    });
  });

  test('gives a row that stood already, and was not made again, what it had before', async () => {
    let gone = '';
    await using rig = await ApplyRig.start(database, ['Account'], {
      prepare: async (requests) => {
        gone = (await requests.create('Account', [{ Name: 'Twice', Phone: '1' }]))[0]!;
      },
    });
    await rig.requests.delete([gone]);
    await rig.requests.emptyRecycleBin([gone]);
    const [byHand] = await rig.requests.create('Account', [{ Name: 'Twice', Phone: 'by hand' }]);
    const damaged = await rig.requests.snapshot(['Account']);
    const plan = await rig.plan({ Account: [planned(gone)] }, { keys: { Account: [['Name']] } });
    const applied = await rig.apply(plan, { options: { folder: rig.folder } });
    const phone = async () => (await rig.requests.query(`SELECT Phone FROM Account WHERE Id = '${byHand}'`))[0]?.Phone;
    assert.deepEqual([applied.done.Account?.inserted, await phone()], [0, '1']);
    const { fault } = await undo(rig, applied.restoreId);
    assert.deepEqual([fault, await phone()], [undefined, 'by hand']);
    assert.deepEqual(differences(damaged, await rig.requests.snapshot(['Account'])), []);
  });

  test('returns what the restore cleared by Bulk, and what the org trimmed of its texts', async () => {
    let ids: string[] = [];
    await using rig = await ApplyRig.start(database, ['Account'], {
      prepare: async (requests) => {
        const many = Array.from({ length: 2100 }, (_, n) => ({ Name: `Many ${n}`, Description: 'trimmed ' }));
        ids = await requests.create('Account', many);
      },
    });
    await rig.requests.update(
      'Account',
      ids.map((Id) => ({ Id, Phone: 'damaged', Description: 'damaged' })),
    );
    const fields = ['Phone', 'Description'];
    const plan = await rig.plan({ Account: ids.map((id) => planned(id, { action: 'update', fields })) });
    const { restoreId, failed } = await rig.apply(plan, { options: { folder: rig.folder } });
    assert.deepEqual(failed, []);
    const { fault, result } = await undo(rig, restoreId);
    assert.deepEqual([fault, result.done.Account?.updated], [undefined, 2100]);
    const damaged = await rig.requests.query("SELECT Id FROM Account WHERE Phone = 'damaged'");
    assert.equal(damaged.length, 2100);
  });

  test('leaves a row alone that somebody had undeleted before the restore came to it', async () => {
    let id = '';
    await using rig = await ApplyRig.start(database, ['Account'], {
      prepare: async (requests) => {
        id = (await requests.create('Account', [{ Name: 'Binned' }]))[0]!;
      },
    });
    await rig.requests.delete([id]);
    const plan = await rig.plan({ Account: [planned(id, { action: 'undelete' })] });
    const org = await rig.connect();
    await org.writer.undelete([id]);
    await org.close();
    const applied = await rig.apply(plan, { options: { folder: rig.folder } });
    assert.deepEqual([applied.done.Account?.undeleted, applied.done.Account?.skipped], [0, 1]);
    await undo(rig, applied.restoreId);
    assert.equal((await rig.requests.query(`SELECT Id FROM Account WHERE Id = '${id}'`)).length, 1);
  });

  test('can be undone itself', async () => {
    await withDamage(async (rig, _made, restore) => {
      const before = await rig.requests.snapshot(objects);
      const first = await undo(rig, restore);
      const again = await undo(rig, first.result.restoreId!);
      assert.deepEqual([again.fault, again.result.undoes], [undefined, first.result.restoreId]);
      assert.deepEqual(differences(before, await rig.requests.snapshot(objects)), []);
    });
  });

  test('of a row that can no longer be undeleted makes it anew, from its before-image', async () => {
    await withDamage(async (rig, _made, restore) => {
      const [deleted] = await rig.requests.query(
        "SELECT Id FROM Account WHERE Name = 'New' AND IsDeleted = true",
        true,
      );
      await rig.requests.emptyRecycleBin([String(deleted!.Id)]);
      const { result, fault } = await undo(rig, restore);
      assert.equal(fault, undefined);
      const [, ...rows] = parseQuotedCsv(await readFile(result.idMapFile!, 'utf8'));
      const [now] = await rig.requests.query("SELECT Id FROM Account WHERE Name = 'New'");
      assert.deepEqual(rows, [['Account', deleted!.Id, now!.Id]]);
    });
  });

  test('of a restore that was interrupted takes back what it had done, and it cannot go on any more', async () => {
    let ids: string[] = [];
    await using rig = await ApplyRig.start(database, ['Account'], {
      prepare: async (requests) => {
        ids = await requests.create('Account', [{ Name: 'A' }, { Name: 'B' }, { Name: 'C' }]);
      },
    });
    await rig.requests.delete(ids);
    await rig.requests.emptyRecycleBin(ids);
    const damaged = await rig.requests.snapshot(['Account']);
    rig.process.org.settings.rules = [
      {
        kind: 'validation',
        object: 'Account',
        when: { field: 'Name', equals: 'B' },
        message: 'full',
        code: 'STORAGE_LIMIT_EXCEEDED',
      },
    ];
    const stopped = await rig.apply(await rig.plan({ Account: ids.map((id) => planned(id)) }));
    assert.equal(stopped.stopped?.name, 'org-full');
    assert.ok(stopped.done.Account!.inserted > 0);
    const { fault } = await undo(rig, stopped.restoreId);
    assert.equal(fault, undefined);
    assert.deepEqual(differences(damaged, await rig.requests.snapshot(['Account'])), []);
    await assert.rejects(rig.resume(stopped.restoreId), /has ended/);
  });

  test('of a restore that did nothing does nothing', async () => {
    await using rig = await ApplyRig.start(database, ['Account']);
    const { restoreId } = await rig.apply(await rig.plan({}));
    const org = await rig.connect();
    const given = { vault: await rig.process.openVault(), place: await rig.place(), org, restore: restoreId };
    assert.deepEqual(steps((await planUndo(rig.context(), given)).plan), []);
    await org.close();
  });
});
