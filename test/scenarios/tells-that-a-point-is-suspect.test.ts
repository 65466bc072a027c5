import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pointFault } from '../../src/cli/backup-flags.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { Rig } from '../support/rig.ts';

test('a point after a mass deletion is sealed, suspect, told by exit 7, and passed over by latest', async () => {
  await using rig = await Rig.start({ database: sampleDatabase({ scale: { Lead: 150, Campaign: 20 } }) });
  await rig.init();
  const org = new OrgRequests(rig.org);
  const backup = ['backup', '--json', '--objects', 'Lead,Campaign'];
  const first = await rig.salvor(...backup);
  assert.equal(first.status, 0, first.stdout);
  assert.deepEqual([first.json.result.point.suspect, first.json.result.point.alerts], [false, []]);

  const leads = await org.query('SELECT Id FROM Lead WHERE IsConverted = false LIMIT 45');
  await org.delete(leads.map(({ Id }) => String(Id)));
  const second = await rig.salvor(...backup);
  assert.deepEqual([second.status, second.json.name], [7, 'point-suspect'], second.stdout);
  const { point } = second.json.result;
  assert.deepEqual([point.status, point.suspect, point.alerts.length], ['complete', true, 1]);
  const [alert] = point.alerts;
  assert.deepEqual([alert.object, alert.rule, alert.limit], ['Lead', 'deleted-percent', 20]);
  assert.ok(alert.figure > 25);
  assert.match(second.json.message, /suspect: Lead: [\d.]+ % of its rows were deleted, the limit is 20 %$/);

  const listed = await rig.salvor('list-points');
  assert.match(listed.stdout, new RegExp(`suspect {2}${point.id} {2}Lead: `));
  assert.match(listed.stdout, /complete, suspect/);
  const latest = await rig.salvor('show', 'latest', '--json');
  assert.equal(latest.json.result.point.id, first.json.result.point.id);

  writeFileSync(
    path.join(rig.folder, 'salvor.config.json'),
    JSON.stringify({ alerts: [{ objects: ['Campaign'], changed: { count: 2 } }] }),
  );
  const campaigns = await org.query('SELECT Id FROM Campaign LIMIT 3');
  await org.update(
    'Campaign',
    campaigns.map(({ Id }) => ({ Id: String(Id), Description: 'overwritten' })),
  );
  const third = await rig.salvor(...backup);
  assert.equal(third.status, 7, third.stdout);
  assert.deepEqual(
    third.json.result.point.alerts.map((one: { rule: string; figure: number }) => [one.rule, one.figure]),
    [['changed-count', 3]],
  );

  writeFileSync(path.join(rig.folder, 'salvor.config.json'), '{}');
  // What was deleted is missing in every later point too, and none of them is suspect for it.
  const fourth = (await rig.salvor(...backup)).json.result.point;
  assert.equal(fourth.suspect, false);
  const latestNow = async () => {
    const { result, warnings } = (await rig.salvor('show', 'latest', '--json')).json;
    const told = warnings.filter(({ name }: { name: string }) => name === 'suspect-point');
    return [result.point.id, ...told.map(({ message }: { message: string }) => message.replace(/\. .*/, ''))];
  };
  const before = `the newest good point before that is ${first.json.result.point.id}`;
  assert.deepEqual(await latestNow(), [
    fourth.id,
    `point ${fourth.id} was taken behind ${point.id}, which is suspect: what went wrong there is in it too; ${before}`,
  ]);
  assert.equal((await rig.salvor('hold', '--release', '--json')).status, 0);
  assert.deepEqual(await latestNow(), [fourth.id]);
});

test('partial and suspect is 7, and the message says both', () => {
  const object = { object: 'Case', rows: 0, changed: 0, deleted: 0, segments: 0, bytes: 0, path: 'bulk' };
  const fault = pointFault({
    id: 'P1',
    status: 'partial',
    suspect: true,
    alerts: [{ object: 'Lead', rule: 'changed-outlier', figure: 9000, limit: 110 }],
    objects: [{ ...object, complete: false, reason: 'refused' }],
  });
  assert.deepEqual(
    [fault?.exit, fault?.message],
    [
      7,
      'point P1 is suspect: Lead: 9,000 rows were changed, up to 110 would be usual; and the point is partial: Case (refused)',
    ],
  );
});
