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

function resumed({ run }: Day): number[] {
  return run.events.flatMap((event) => (event.type === 'resumed' ? event.objects : []));
}

describe('a deletion empties lookups in points that were taken', { concurrency: true }, () => {
  test('while the run that finds it stood still, and had finished nothing', async () => {
    await using day = await Day.start();
    await day.point(sales, often);
    const { store } = day.run;
    const put = store.putIfAbsent.bind(store);
    store.putIfAbsent = async (key, ...rest) => {
      if (key.startsWith('points/')) throw new Error('the run ends');
      return put(key, ...rest);
    };
    await assert.rejects(day.point(['Campaign']), /the run ends/);
    store.putIfAbsent = put;
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
