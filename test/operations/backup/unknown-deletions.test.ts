import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Day } from '../../support/day.ts';
import type { MemoryStore } from '../../support/memory-store.ts';

const work = ['Contact', 'Project__c'];
/** Deltas of so few rows would always be more than half of their base. */
const ever = { layering: { deltas: 32, share: Number.POSITIVE_INFINITY } };

/** A project and its leader. */
async function project(day: Day) {
  const [leader] = await day.org.create('Contact', [{ LastName: 'leader' }]);
  const [project] = await day.org.create('Project__c', [{ Name: 'bridge', Lead_Contact__c: leader! }]);
  const lookup = () => day.lookups('Project__c', 'Lead_Contact__c', project!);
  return { leader: leader!, project: project!, lookup };
}

/** Deletes a row, and from the recycle bin too: nothing in the org tells of it. */
async function purge(day: Day, id: string): Promise<void> {
  await day.delete(id);
  await day.org.emptyRecycleBin([id]);
}

/** The page of an object in the newest point. */
async function pageOf(day: Day, object: string) {
  const vault = await day.run.openVault();
  const { objects } = await vault.root((await vault.state()).points.at(-1)!);
  const ref = objects.find((one) => one.object === object)!.page!;
  return { ref, page: await vault.map(ref) };
}

const changed = (point: { objects: readonly { object: string; changed: number }[] }, name: string) =>
  point.objects.find(({ object }) => object === name)!.changed;

test('a record that is gone for good before any point held its object leaves no lookup behind in the first that does', async () => {
  await using day = await Day.start();
  const { leader, lookup } = await project(day);
  await day.point(['Project__c'], ever);
  assert.deepEqual(await lookup(), [leader, leader]);
  await purge(day, leader);
  assert.equal((await day.point(work, ever)).status, 'complete');
  assert.deepEqual(await lookup(), ['', '']);
  const next = await day.point(work, ever);
  assert.deepEqual([next.kind, changed(next, 'Contact'), changed(next, 'Project__c')], ['incremental', 0, 0]);
});

test('so it is when a point of its object alone lies between', async () => {
  await using day = await Day.start();
  const { leader, lookup } = await project(day);
  await day.point(['Project__c'], ever);
  await purge(day, leader);
  await day.point(['Contact'], ever);
  await day.point(work, ever);
  assert.deepEqual(await lookup(), ['', '']);
});

test('so it is when what points knew of its object is lost', async () => {
  await using day = await Day.start();
  const { leader, lookup } = await project(day);
  await day.point(work, ever);
  const { objects } = day.run.store as MemoryStore;
  const first = await pageOf(day, 'Contact');
  await purge(day, leader);
  await day.point(work, ever);
  assert.deepEqual(await lookup(), ['', '']);
  for (const { ref } of [first, await pageOf(day, 'Contact')]) objects.delete(ref.key);
  const { status } = await day.point(work, ever);
  assert.equal(status, 'complete');
  assert.deepEqual(await lookup(), ['', '']);
});

test('so it is when a full read of its object finds what points knew of deletions damaged', async () => {
  await using day = await Day.start();
  const { leader, lookup } = await project(day);
  await day.point(work, ever);
  await purge(day, leader);
  await day.org.create('Contact', [{ LastName: 'another' }]);
  await day.point(work, ever);
  const { objects } = day.run.store as MemoryStore;
  const [tombstones] = (await pageOf(day, 'Contact')).page.gone;
  objects.get(tombstones!.key)![100]! ^= 1;
  // Any delta is more than this share of a base: contacts have one, projects do not.
  const point = await day.point(work, { layering: { deltas: 32, share: 0 } });
  assert.deepEqual([point.status, day.run.events.at(-1)?.type], ['complete', 'point-sealed']);
  assert.deepEqual(await lookup(), ['', '']);
});
