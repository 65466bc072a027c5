import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Day } from '../../support/day.ts';

const sales = ['Campaign', 'Opportunity'];
/** Deltas of so few rows would be more than half of their base, which would be read anew. */
const often = { layering: { deltas: 32, share: Number.POSITIVE_INFINITY } };

/** A point of a new deal of a campaign, which is deleted behind it: the point's id, and the deal's lookup. */
async function campaignThatGoes(day: Day) {
  const [campaign] = await day.org.create('Campaign', [{ Name: 'fair' }]);
  const [deal] = await day.org.create('Opportunity', [
    { Name: 'deal', StageName: 'Prospecting', CloseDate: '2026-12-31', CampaignId: campaign! },
  ]);
  const { id } = await day.point(sales, often);
  await day.delete(campaign!);
  return { id, lookup: () => day.lookups('Opportunity', 'CampaignId', deal!) };
}

/** A run of these objects that ends before its point is sealed. */
async function endsLate(day: Day, objects: readonly string[]) {
  const { store } = day.run;
  const put = store.putIfAbsent.bind(store);
  store.putIfAbsent = async (key, ...rest) => {
    if (key.startsWith('points/')) throw new Error('the run ends');
    return put(key, ...rest);
  };
  await assert.rejects(day.point(objects, often), /the run ends/);
  store.putIfAbsent = put;
}

function resumed({ run }: Day): number[] {
  return run.events.flatMap((event) => (event.type === 'resumed' ? event.objects : []));
}

describe('a deletion empties lookups in points that were taken', { concurrency: true }, () => {
  test('while the run that finds it stood still, and had finished nothing', async () => {
    await using day = await Day.start();
    await day.point(sales, often);
    await endsLate(day, ['Campaign']);
    const { id, lookup } = await campaignThatGoes(day);
    assert.ok((await day.point(['Campaign'])).id > id);
    assert.deepEqual(resumed(day), []);
    await day.point(sales, often);
    assert.deepEqual(await lookup(), ['', '']);
  });

  test('while the run that finds it stood still, and goes on with what it had finished', async () => {
    await using day = await Day.start();
    const some = ['Account', 'Campaign'];
    await day.point(['Account', ...sales], often);
    await day.org.create('Account', [{ Name: 'new' }]);
    await day.org.create('Campaign', [{ Name: 'new' }]);
    day.behindFirstObject(async () => {
      throw new Error('the run ends');
    });
    await assert.rejects(day.point(some, often), /the run ends/);
    const { id, lookup } = await campaignThatGoes(day);
    assert.ok((await day.point(some, often)).id > id);
    assert.deepEqual(resumed(day), [1]);
    await day.point(['Account', ...sales], often);
    assert.deepEqual(await lookup(), ['', '']);
  });
});

test('a run that went on under a new name is gone on with for three days from when it began', async () => {
  await using day = await Day.start();
  const some = ['Account', 'Campaign'];
  await day.point(some, often);
  await day.org.create('Account', [{ Name: 'new' }]);
  await endsLate(day, some);
  day.pass(40 * 3_600_000);
  await day.point(sales, often);
  await endsLate(day, some);
  assert.deepEqual(resumed(day), [1]);
  day.pass(40 * 3_600_000);
  const { started } = await day.point(some, often);
  assert.deepEqual(resumed(day), [1]);
  assert.ok(day.run.now().getTime() - Date.parse(started) < 60_000, 'it was begun now');
});
