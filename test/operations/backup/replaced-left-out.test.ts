import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Day } from '../../support/day.ts';

const minute = 60_000;
const exclusions = [{ objects: ['Campaign'], where: "Name = 'draft'", reason: 'noise', owner: 'jane' }];
const policy = { objects: ['Campaign', 'Opportunity'], exclude: [], exclusions };

test('a row that only replaced deltas tell of and that the policy leaves out by now was not deleted: lookups to it stay', async () => {
  await using day = await Day.start();
  const layering = { deltas: 3, share: Number.POSITIVE_INFINITY };
  const point = () => day.point(policy.objects, { policy, layering });
  /** Does something in a transaction that began so many minutes ago, and is committed now. */
  const late = async <T>(minutes: number, action: () => Promise<T>) => {
    day.pass(-minutes * minute);
    const done = await action();
    day.pass(minutes * minute);
    return done;
  };
  const [busy] = await day.org.create('Campaign', [{ Name: 'busy' }]);
  await point();
  const [campaign] = await late(40, () => day.org.create('Campaign', [{ Name: 'fair' }]));
  const [deal] = await day.org.create('Opportunity', [
    { Name: 'deal', StageName: 'Prospecting', CloseDate: '2026-12-31', CampaignId: campaign! },
  ]);
  for (let run = 1; run <= 3; run++) {
    await day.org.update('Campaign', [{ Id: busy!, Name: `busy ${run}` }]);
    await point();
  }
  await late(3 * 60 + 20, () => day.org.update('Campaign', [{ Id: campaign!, Name: 'draft' }]));
  const { objects } = await point();
  assert.deepEqual(
    objects.map(({ object, rows, deleted }) => [object, rows, deleted]),
    [
      ['Campaign', 2, 0],
      ['Opportunity', 2, 0],
    ],
  );
  assert.deepEqual(await day.lookups('Opportunity', 'CampaignId', deal!), [campaign, campaign]);
});
