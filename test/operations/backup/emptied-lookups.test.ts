import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Day } from '../../support/day.ts';

const sales = ['Campaign', 'Opportunity'];
const work = ['Contact', 'Project__c'];
/** Deltas of so few rows would always be more than half of their base. */
const ever = { layering: { deltas: 32, share: Number.POSITIVE_INFINITY } };

/** An opportunity of a campaign: the org empties its lookup with the campaign, and does not fill it when the campaign comes back. */
async function deal(day: Day) {
  const [campaign] = await day.org.create('Campaign', [{ Name: 'fair' }]);
  const [deal] = await day.org.create('Opportunity', [
    { Name: 'deal', StageName: 'Prospecting', CloseDate: '2026-12-31', CampaignId: campaign! },
  ]);
  const lookup = () => day.lookups('Opportunity', 'CampaignId', deal!);
  return { campaign: campaign!, lookup };
}

/** A project and its leader: the org fills its lookup again when the leader comes back. */
async function project(day: Day) {
  const [leader] = await day.org.create('Contact', [{ LastName: 'leader' }]);
  const [project] = await day.org.create('Project__c', [{ Name: 'bridge', Lead_Contact__c: leader! }]);
  const lookup = () => day.lookups('Project__c', 'Lead_Contact__c', project!);
  return { leader: leader!, project: project!, lookup };
}

describe('a lookup that the org leaves empty when its record comes back', () => {
  test('stays empty, also behind a full read of either object, and when the record goes and comes again', async () => {
    await using day = await Day.start();
    const { campaign, lookup } = await deal(day);
    await day.point(sales);
    assert.deepEqual(await lookup(), [campaign, campaign]);
    await day.delete(campaign);
    await day.point(sales);
    assert.deepEqual(await lookup(), ['', '']);
    await day.undelete(campaign);
    await day.point(sales);
    assert.deepEqual(await lookup(), ['', '']);
    await day.point(['Campaign'], { full: true });
    await day.point(sales);
    assert.deepEqual(await lookup(), ['', '']);
    await day.delete(campaign);
    await day.undelete(campaign);
    await day.point(sales);
    assert.deepEqual(await lookup(), ['', '']);
    await day.point(sales, { full: true });
    assert.deepEqual(await lookup(), ['', '']);
  });

  test('stays empty behind windows that replace all deltas, and behind compact; one that comes back stays as well', async () => {
    await using day = await Day.start();
    const { campaign, lookup } = await deal(day);
    const { parent, child } = await day.family();
    const all = ['Account', ...sales];
    const often = { layering: { ...ever.layering, deltas: 4 } };
    await day.point(all, often);
    await day.delete(campaign);
    await day.delete(parent);
    await day.org.update('Account', [{ Id: child, Name: 'changed meanwhile' }]);
    await day.point(all, often);
    await day.undelete(campaign);
    await day.undelete(parent);
    for (let n = 0; n < 6; n++) {
      await day.org.update('Campaign', [{ Id: campaign, Name: `fair ${n}` }]);
      await day.org.update('Account', [{ Id: parent, Name: `busy ${n}` }]);
      await day.point(n === 0 ? all : ['Account', 'Campaign'], often);
    }
    await day.point(all, often);
    const both = async () => [await lookup(), await day.lookups('Account', 'ParentId', child)];
    const expected = [
      ['', ''],
      [parent, parent],
    ];
    assert.deepEqual(await both(), expected);
    await day.compact();
    assert.deepEqual(await both(), expected);
    await day.point(all);
    assert.deepEqual(await both(), expected);
  });
});

test('a lookup is filled again by a run of all objects, when a run of the record alone has found it back', async () => {
  await using day = await Day.start();
  const { leader, lookup } = await project(day);
  await day.delete(leader);
  await day.point(work);
  assert.deepEqual(await lookup(), ['', '']);
  await day.undelete(leader);
  await day.point(['Contact']);
  const { status, objects } = await day.point(work);
  assert.equal(status, 'complete');
  assert.equal(objects.find(({ object }) => object === 'Project__c')!.changed, 1);
  assert.deepEqual(await lookup(), [leader, leader]);
  // Nothing is left to ask for, whoever watches either of the objects.
  await day.point(['Contact']);
  await day.point(['Project__c']);
  const next = await day.point(work);
  assert.deepEqual(
    next.objects.map(({ changed }) => changed),
    [0, 0],
  );
});

test('so it is when runs of the rows alone come behind', async () => {
  await using day = await Day.start();
  const { leader, project: id, lookup } = await project(day);
  await day.point(work);
  await day.delete(leader);
  await day.point(work);
  await day.undelete(leader);
  await day.point(['Contact']);
  await day.point(['Project__c']);
  await day.point(work);
  assert.deepEqual(await lookup(), [leader, leader]);
  await day.org.update('Project__c', [{ Id: id, Name: 'tunnel' }]);
  await day.point(['Project__c']);
  await day.point(work);
  assert.deepEqual(await lookup(), [leader, leader]);
});

test('a record that is deleted in the middle of a run leaves no lookup to it behind', async () => {
  await using day = await Day.start();
  const { leader, lookup } = await project(day);
  day.behindFirstObject(() => day.delete(leader));
  const { kind, status } = await day.point(work, { priorities: ['Project__c'] });
  assert.deepEqual([kind, status], ['full', 'complete']);
  assert.deepEqual(await lookup(), ['', '']);
  await day.point(work);
  assert.deepEqual(await lookup(), ['', '']);
});

test('a record that is gone for good before its object is read anew leaves none behind either', async () => {
  await using day = await Day.start();
  const { leader, lookup } = await project(day);
  await day.point(work);
  await day.delete(leader);
  await day.org.emptyRecycleBin([leader]);
  await day.point(['Contact'], { full: true });
  await day.point(work);
  assert.deepEqual(await lookup(), ['', '']);
});

test('a record that is deleted before its rows are merged, and found so behind that, leaves none behind', async () => {
  await using day = await Day.start();
  const { leader, project: id, lookup } = await project(day);
  await day.point(work);
  await day.org.update('Project__c', [{ Id: id, Name: 'tunnel' }]);
  await day.point(work);
  await day.delete(leader);
  day.pass(3_600_000);
  await day.compact();
  await day.point(work);
  assert.deepEqual(await lookup(), ['', '']);
});

test('a record that went before an interrupted run is gone on with leaves none behind in what was read meanwhile', async () => {
  await using day = await Day.start();
  const { leader, project: id, lookup } = await project(day);
  const { parent } = await day.family();
  await day.point(['Account', ...work], ever);
  await day.org.update('Account', [{ Id: parent, Name: 'busy' }]);
  const people = ['Account', 'Contact'];
  day.behindFirstObject(() => Promise.reject(new Error('killed')));
  await assert.rejects(day.point(people, { ...ever, priorities: ['Account'] }), { message: 'killed' });
  await day.org.update('Project__c', [{ Id: id, Name: 'tunnel' }]);
  const projects = await day.point(['Project__c'], ever);
  await day.delete(leader);
  const { id: point } = await day.point(people, ever);
  assert.equal(day.run.events.findLast(({ type }) => type === 'resumed')?.type, 'resumed');
  assert.ok(point > projects.id, 'what it found is newer than the projects');
  await day.point(work, ever);
  assert.deepEqual(await lookup(), ['', '']);
});
