import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { startPracticeOrg } from '../../src/practice-org/server.ts';
import { ofAnotherOrg } from '../support/in-process.ts';
import { Rig } from '../support/rig.ts';

test('a refreshed sandbox is refused, until a holder of an identity accepts it; its points begin anew', async (t) => {
  await using rig = await Rig.start();
  await rig.init();
  const refreshed = await startPracticeOrg(ofAnotherOrg(sampleDatabase()));
  t.after(() => refreshed.close());
  const { SALVOR_IDENTITY_FILE: identity, ...host } = rig.env;
  rig.env = host;
  const of = (org: { accessToken: string; url: string }) => {
    rig.env = { ...rig.env, SF_ACCESS_TOKEN: org.accessToken, SF_ORG_INSTANCE_URL: org.url };
  };
  const backup = (...args: string[]) => rig.salvor('backup', '--objects', 'RecordType', '--json', ...args);
  assert.equal((await backup()).status, 0);

  of(refreshed);
  const refused = await backup();
  assert.deepEqual([refused.status, refused.json.name], [5, 'foreign-vault']);
  assert.match(refused.json.actions.join(), /--accept-refreshed-org/);
  const blind = await backup('--accept-refreshed-org');
  assert.deepEqual([blind.status, blind.json.name], [68, 'no-identity']);
  const accepted = await backup('--accept-refreshed-org', '--identity', identity!);
  assert.equal(accepted.status, 0, accepted.stdout);
  assert.equal(accepted.json.result.point.kind, 'full');

  const next = await backup();
  assert.deepEqual([next.status, next.json.result.point.kind], [0, 'incremental']);
  of(rig.org);
  assert.equal((await backup()).status, 5);
  const verified = await rig.salvor('verify', '--all', '--no-identity', '--no-attest', '--json');
  assert.equal(verified.status, 0, verified.stdout);
});
