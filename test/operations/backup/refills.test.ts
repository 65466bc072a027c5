import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Day } from '../../support/day.ts';

test('a row that was read while its parent lay in the recycle bin has its lookup again when the parent comes back', async () => {
  await using day = await Day.start();
  const { parent, child } = await day.family();
  await day.point();
  await day.delete(parent);
  await day.org.update('Account', [{ Id: child, Name: 'changed meanwhile' }]);
  await day.point();
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), ['', '']);

  await day.undelete(parent);
  const { kind, status, objects } = await day.point();
  assert.deepEqual([kind, status], ['incremental', 'complete']);
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), [parent, parent]);
  // The parent, and the child that was read again.
  assert.equal(objects.find(({ object }) => object === 'Account')!.changed, 2);

  // Nothing is left to tell: the next point lists the same page.
  const next = (await day.point()).objects.find(({ object }) => object === 'Account')!;
  assert.deepEqual([next.changed, next.deleted], [0, 0]);
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), [parent, parent]);
});

test('so it is when the parent lay there already when everything was read', async () => {
  await using day = await Day.start();
  const { parent, child } = await day.family();
  await day.delete(parent);
  assert.equal((await day.point()).kind, 'full');
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), ['', '']);

  await day.undelete(parent);
  assert.equal((await day.point()).kind, 'incremental');
  assert.deepEqual(await day.lookups('Account', 'ParentId', child), [parent, parent]);
});

test('so it is for rows of an object that did not change, when their parent is one of another', async () => {
  await using day = await Day.start();
  const [account] = await day.org.create('Account', [{ Name: 'employer' }]);
  const [manager] = await day.org.create('Contact', [{ LastName: 'manager', AccountId: account! }]);
  const [report] = await day.org.create('Contact', [{ LastName: 'report', ReportsToId: manager! }]);
  await day.delete(manager!);
  await day.point();
  await day.undelete(manager!);
  await day.point();
  assert.deepEqual(await day.lookups('Contact', 'ReportsToId', report!), [manager, manager]);
});

test('so it is when the object of the parent is read anew in the run that finds it again', async () => {
  await using day = await Day.start();
  const others = await day.org.create(
    'Contact',
    Array.from({ length: 20 }, (_, n) => ({ LastName: `contact ${n}` })),
  );
  const [leader] = await day.org.create('Contact', [{ LastName: 'leader' }]);
  const [project] = await day.org.create('Project__c', [{ Name: 'bridge', Lead_Contact__c: leader! }]);
  await day.delete(leader!);
  await day.point();
  assert.deepEqual(await day.lookups('Project__c', 'Lead_Contact__c', project!), ['', '']);
  // Deltas beyond half of the base's bytes: the next run reads a new base.
  await day.org.update(
    'Contact',
    others.map((Id) => ({ Id, Description: 'x'.repeat(900) })),
  );
  await day.point();
  await day.undelete(leader!);
  const { objects } = await day.point();
  const rows = (name: string) => objects.find(({ object }) => object === name)!;
  assert.equal(rows('Contact').changed, rows('Contact').rows);
  assert.equal(rows('Project__c').changed, 1);
  assert.deepEqual(await day.lookups('Project__c', 'Lead_Contact__c', project!), [leader, leader]);
});

test('what a run read in full and filled again stays readable when the deltas over it are replaced', async () => {
  await using day = await Day.start();
  const often = { layering: { deltas: 2, share: Number.POSITIVE_INFINITY } };
  const [leader] = await day.org.create('Contact', [{ LastName: 'leader' }]);
  const [project] = await day.org.create('Project__c', [{ Name: 'p', Lead_Contact__c: leader! }]);
  await day.point(['Contact'], often);
  await day.delete(leader!);
  await day.point(['Contact'], often);
  day.pass(3_600_000);
  await day.undelete(leader!);
  const objects = ['Contact', 'Project__c'];
  const { point } = await day.run.backup({ request: { policy: { objects, exclude: [] }, ...often } });
  assert.equal(point.objects[1]?.segments, 2, 'rows that were read in full, and those that name the leader once more');
  for (let n = 0; n < 3; n++) {
    await day.org.update('Project__c', [{ Id: project!, Name: `busy ${n}` }]);
    await day.point(objects, often);
  }
  assert.deepEqual(await day.lookups('Project__c', 'Lead_Contact__c', project!), [leader, leader]);
});
