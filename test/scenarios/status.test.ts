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

  // The writer key alone proves nothing about recovery.
  const { SALVOR_IDENTITY_FILE: identity, ...writer } = rig.env;
  rig.env = writer;
  assert.equal((await rig.salvor('keys', 'test', '--json')).json.result.attested, undefined);
  rig.env = { ...writer, ...(identity === undefined ? {} : { SALVOR_IDENTITY_FILE: identity }) };
  assert.equal((await rig.salvor('keys', 'test', '--no-attest', '--json')).json.result.attested, undefined);
  assert.equal((await status('--json')).json.result.orgs[0].keyTested, null);
  const { attested } = (await rig.salvor('keys', 'test', '--json')).json.result;
  const { result } = (await status('--json')).json;
  assert.ok(Date.now() - Date.parse(result.orgs[0].keyTested) < 60_000, result.orgs[0].keyTested);
  assert.deepEqual(result.orgs[0].verified, org.verified);
  const { access } = (await rig.salvor('report', '--access', '--json')).json.result;
  assert.deepEqual([access[0].what, access[0].record], ['keys test', attested]);
  assert.equal((await rig.salvor('verify', '--no-attest', '--json')).status, 0);

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

  const both = await rig.salvor('backup', '--json', '--objects', 'Product2,Campaign');
  assert.equal(both.status, 3, both.stdout);
  rig.org.settings.permissions = permissions;
  assert.equal((await rig.salvor('backup', '--json', '--objects', 'Product2')).status, 0);
  const never = await status();
  assert.equal(never.status, 7, never.stdout);
  const night: string = both.json.result.point.id;
  assert.match(never.stdout, new RegExp(`not good {2}Campaign: in no good point, last in ${night} {2}begun`));
  assert.match(
    never.stderr,
    new RegExp(`points-late: there is no good point of Campaign: the newest with any of it is ${night}`),
  );
});
