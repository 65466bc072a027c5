import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { Rig } from '../support/rig.ts';

test('status holds the last good point against the RPO, with the writer key alone', async () => {
  await using rig = await Rig.start({ database: sampleDatabase({ scale: { Product2: 10, Campaign: 10 } }) });
  await rig.init();
  const status = async (...args: string[]) => {
    const { SF_ACCESS_TOKEN: _, SF_ORG_INSTANCE_URL: __, SALVOR_IDENTITY_FILE: ___, ...writer } = rig.env;
    const whole = rig.env;
    rig.env = writer;
    try {
      return await rig.salvor('status', ...args);
    } finally {
      rig.env = whole;
    }
  };

  const empty = await status('--json');
  assert.deepEqual([empty.status, empty.json.name], [7, 'points-late']);
  assert.deepEqual([empty.json.result.orgs[0].state, empty.json.result.orgs[0].lateBy], ['empty', null]);

  const { point } = (await rig.salvor('backup', '--json', '--objects', 'Product2')).json.result;
  await rig.salvor('verify', '--json');
  const good = await status('--json');
  assert.equal(good.status, 0, good.stdout);
  const [org] = good.json.result.orgs;
  assert.deepEqual(org.lastGood, { id: point.id, started: point.started, ended: point.ended });
  assert.deepEqual([org.state, org.lateBy, org.keyTested], ['ok', 0, null]);
  assert.deepEqual([org.verified.point, org.verified.ok, org.verified.rung], [point.id, true, 'references']);
  assert.ok(org.apiPercent > 0 && org.apiPercent < 1, `${org.apiPercent}`);
  assert.match(org.org, /@/);

  const { permissions } = rig.org.settings;
  rig.org.settings.permissions = { ...permissions, viewAllData: false };
  const partial = await rig.salvor('backup', '--json', '--objects', 'Product2');
  assert.equal(partial.status, 3, partial.stdout);
  const late = await status('--rpo', '1s');
  assert.equal(late.status, 7, late.stdout);
  assert.match(late.stdout, /late by [\d.]+ (s|min)/);
  assert.match(late.stdout, new RegExp(`${point.id} {2}begun .* ago`));
  assert.match(late.stdout, new RegExp(`not good {2}${partial.json.result.point.id}, the newest, .*: partial`));
  assert.match(late.stderr, /points-late: later than the RPO of 1s allows/);
});
