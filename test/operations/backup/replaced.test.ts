import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { PointReader } from '../../../src/vault/point-reader.ts';
import { InProcess } from '../../support/in-process.ts';
import { OrgRequests } from '../../support/org-snapshot.ts';

/** The deltas of so many runs are replaced by one. */
const mostDeltas = 4;
const layering = { deltas: mostDeltas, share: Number.POSITIVE_INFINITY };
const request = { policy: { objects: ['Account'], exclude: [] }, layering };
const limit = 'Credit_Limit__c';

/** Of each account in the newest point, whether it has a credit limit. */
async function limitsInPoint(rig: InProcess): Promise<Map<string, boolean>> {
  const vault = await rig.openVault();
  const reader = await PointReader.open(vault, (await vault.state()).points.at(-1)!);
  const found = new Map<string, boolean>();
  for await (const { bytes } of (await reader.rows('Account', { columns: ['Id', limit] })).batches)
    for (const line of bytes.toString('utf8').trimEnd().split('\n')) found.set(line.slice(1, 19), !line.endsWith('""'));
  return found;
}

test('values of a field that the user came to see stay when deltas are replaced, whenever their rows were changed', async () => {
  await using rig = await InProcess.start(sampleDatabase({ scale: { Account: 60 } }));
  const { settings } = rig.org;
  const org = new OrgRequests(rig.org);
  const see = (viewAllFields: boolean) => {
    settings.permissions = { ...settings.permissions, viewAllFields };
  };
  see(true);
  const limited = await org.query(`SELECT Id FROM Account WHERE ${limit} != null ORDER BY Id`);
  const [late, busy, ...others] = limited.map(({ Id }) => String(Id));
  assert.ok(others.length > 20);
  const all = await org.query(`SELECT Id, ${limit} FROM Account ORDER BY Id`);
  const wanted = new Map(all.map((row) => [String(row.Id), row[limit] !== null]));
  await org.update('Account', [{ Id: late!, Name: 'changed shortly before the base is read' }]);
  see(false);
  settings.clockSkew = 10_000;
  rig.now = () => new Date(Date.now() + 10_000);
  assert.equal((await rig.backup({ request })).point.kind, 'full');
  see(true);
  await rig.backup({ request });
  assert.deepEqual(await limitsInPoint(rig), wanted);
  for (let run = 1; run <= mostDeltas; run++) {
    await org.update('Account', [{ Id: busy!, Name: `busy ${run}` }]);
    const { point } = await rig.backup({ request });
    assert.deepEqual([run, point.status, point.kind, point.objects[0]?.deleted], [run, 'complete', 'incremental', 0]);
  }
  assert.deepEqual(await limitsInPoint(rig), wanted);
});
