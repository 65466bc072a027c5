import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffPoints } from '../../src/operations/diff/points.ts';
import { find } from '../../src/operations/find/find.ts';
import { addWriter } from '../../src/operations/keys.ts';
import { findPoint } from '../../src/operations/points.ts';
import { acceptRefreshedOrg } from '../../src/operations/refreshed-org.ts';
import { lastGoodPoint, pointAfter } from '../../src/operations/restore/incident-points.ts';
import { orgStatus } from '../../src/operations/status.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { startPracticeOrg } from '../../src/practice-org/server.ts';
import type { OrgIdentity } from '../../src/salesforce/org.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { Vault } from '../../src/vault/vault.ts';
import { InProcess, liveIds, ofAnotherOrg } from '../support/in-process.ts';

const ctx = { signal: new AbortController().signal, report: () => {}, now: () => new Date(), tempDir: '' };

test('only a sandbox of the same address or user takes the place of the org, and writers added later know it', async () => {
  await using rig = await InProcess.start(sampleDatabase());
  await rig.backup({ request: { policy: { objects: ['RecordType'], exclude: [] } } });
  const vault = await rig.openVault();
  const { org } = await vault.root((await vault.state()).points.at(-1)!);
  const refreshed: OrgIdentity = {
    orgId: '00D00000000000zEAA',
    userId: '005000000000001AAA',
    username: org.username,
    instanceUrl: 'https://elsewhere.example.com',
    apiVersion: '67.0',
    isSandbox: true,
    organizationName: 'Refreshed',
  };
  const accept = (more: Partial<OrgIdentity>) => acceptRefreshedOrg(ctx, vault, { ...refreshed, ...more });
  await assert.rejects(accept({ isSandbox: false }), { name: 'foreign-vault', message: /only a sandbox/ });
  await assert.rejects(accept({ username: 'other@example.com' }), { name: 'foreign-vault', message: /neither/ });
  assert.equal(await accept({ orgId: org.id }), undefined);
  assert.equal(await accept({}), org.id);
  const { writerKey } = await addWriter(ctx, vault);
  const later = await Vault.open(rig.store, { operation: 'write', writerKey });
  for (const opened of [await rig.openVault(), later]) {
    await opened.assertOrg(refreshed.orgId);
    await assert.rejects(opened.assertOrg(org.id), { name: 'foreign-vault' });
  }
});

test('points from before a refresh are of another org: nothing is held against them, and nothing named without their id', async (t) => {
  const database = sampleDatabase({ scale: { Campaign: 200 } });
  await using rig = await InProcess.start(database);
  const org = await startPracticeOrg(ofAnotherOrg(sampleDatabase({ scale: { Campaign: 10 } })));
  t.after(() => org.close());
  const login = { kind: 'token', accessToken: org.accessToken, instanceUrl: org.url } as const;
  const request = { policy: { objects: ['Campaign'], exclude: [] } };
  const { point: old } = await rig.backup({ request });
  const before = await rig.openVault();
  const { org: was } = await before.root(await findPoint(ctx, before, old.id));
  const identity = { ...was, orgId: '00D00000000000zEAA', userId: '005000000000001AAA', organizationName: 'Refreshed' };
  await acceptRefreshedOrg(ctx, before, identity);

  org.settings.permissions = { ...org.settings.permissions, viewAllData: false };
  const { point: partial } = await rig.backup({ request, login });
  org.settings.permissions = { ...org.settings.permissions, viewAllData: true };
  assert.deepEqual([partial.kind, partial.status, partial.suspect], ['full', 'partial', false]);
  let vault = await rig.openVault();
  const late = await orgStatus(ctx, vault, 3_600_000, 'uat');
  assert.deepEqual([late.state, late.lastGood, late.orgId], ['empty', null, identity.orgId]);
  await assert.rejects(findPoint(ctx, vault, 'latest'), { name: 'no-such-point', message: /before it was refreshed/ });

  const { point } = await rig.backup({ request: { ...request, full: true }, login });
  vault = await rig.openVault();
  const { objects } = await vault.root(await findPoint(ctx, vault, point.id));
  assert.deepEqual([point.status, point.suspect, objects[0]!.deleted], ['complete', false, 0]);
  assert.equal((await findPoint(ctx, vault, 'latest')).record.point, point.id);
  await assert.rejects(findPoint(ctx, vault, 'latest~1'), { name: 'no-such-point' });
  const open = async (name: string) => PointReader.open(vault, await findPoint(ctx, vault, name));
  const nothing = {} as Parameters<typeof diffPoints>[3];
  await assert.rejects(diffPoints(ctx, await open(old.id), await open(point.id), nothing), {
    name: 'usage',
    message: /two orgs/,
  });

  const ended = Date.parse(old.ended);
  const all = { objects: [], exclude: [] };
  assert.equal(await pointAfter(ctx, vault, old.id, undefined, ended, all), undefined);
  await assert.rejects(pointAfter(ctx, vault, old.id, point.id, ended, all), { name: 'usage', message: /two orgs/ });
  assert.equal((await pointAfter(ctx, vault, partial.id, undefined, ended, all))?.root.point, point.id);
  assert.equal(await lastGoodPoint(ctx, vault, Date.parse(partial.ended), []), undefined);
  assert.equal((await lastGoodPoint(ctx, vault, ended, []))?.entry.record.point, old.id);

  const ids = liveIds(database, 'Campaign');
  const look = { objects: [], fields: [], asText: false, allFields: false, withValues: false, limit: 10 };
  const versions = async (id: string) =>
    (await find(ctx, vault, { ...look, find: id }, assert.fail)).versions.map(({ change, from, lastPoint }) => [
      change,
      from,
      lastPoint,
    ]);
  assert.deepEqual(await versions(ids[100]!), [['seen', null, old.id]]);
  const kept = liveIds(sampleDatabase({ scale: { Campaign: 10 } }), 'Campaign')[0]!;
  assert.deepEqual(await versions(kept), [
    ['seen', null, old.id],
    ['seen', null, point.id],
  ]);
});
