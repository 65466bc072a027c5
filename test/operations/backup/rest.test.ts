import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPoint } from '../../../src/operations/points.ts';
import { lastGoodPoint, pointAfter } from '../../../src/operations/restore/incident-points.ts';
import { orgStatus } from '../../../src/operations/status.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { PointReader } from '../../../src/vault/point-reader.ts';
import { InProcess } from '../../support/in-process.ts';
import { OrgRequests } from '../../support/org-snapshot.ts';

const all = { objects: ['Account', 'Campaign', 'Product2', 'RecordType'], exclude: [] };
const few = { objects: ['Account'], exclude: [] };
const other = { objects: ['Product2'], exclude: [] };

/** A night's point of all, then so many of a watch of one object. */
async function watched(rig: InProcess, times: number) {
  const { point: night } = await rig.backup({ request: { policy: all } });
  let last = night;
  for (let n = 0; n < times; n++) ({ point: last } = await rig.backup({ request: { policy: few } }));
  return { night, last };
}

async function quarantine(rig: InProcess, point: string) {
  const vault = await rig.openVault();
  const at = new Date().toISOString();
  const signer = await vault.keyring.adminSigner((await vault.state()).epochs);
  await vault.log.append(signer, {
    kind: 'quarantine',
    points: [point],
    epoch: 1,
    started: at,
    ended: at,
    tool: 'test',
  });
}

function restIn({
  rest = [],
}: {
  readonly rest?: readonly { readonly point: string; readonly objects: readonly string[] }[] | undefined;
}) {
  return rest.map(({ point, objects }) => [point, objects]);
}

async function rootOf(rig: InProcess, name: string) {
  const vault = await rig.openVault();
  return vault.root(await findPoint({ report: () => undefined }, vault, name));
}

test('a point of a few objects names the last point that holds the others, and the night goes on from there', async () => {
  await using rig = await InProcess.start(sampleDatabase({ scale: { Account: 5, Campaign: 150, Product2: 5 } }));
  const { night, last } = await watched(rig, 17);
  const rest = [{ point: night.id, started: night.started, objects: ['Campaign', 'Product2', 'RecordType'] }];
  assert.deepEqual((await rootOf(rig, last.id)).rest, rest);
  assert.equal((await rootOf(rig, night.id)).rest, undefined);

  const vault = await rig.openVault();
  const reader = await PointReader.open(vault, await findPoint({ report: () => undefined }, vault, 'latest'));
  assert.throws(() => reader.found('campaign'), {
    name: 'no-such-object',
    actions: [`take point ${night.id}: of those before it, the newest good one that holds Campaign`],
  });
  const found = await lastGoodPoint({ report: () => undefined }, vault, Date.now(), []);
  assert.deepEqual([found?.entry.record.point, found?.passedOver.length], [night.id, 17]);

  const shownBy = async (...objects: string[]) => {
    const selection = { objects, exclude: [] };
    const at = Date.parse(night.ended);
    const after = await pointAfter(
      { report: () => undefined },
      await rig.openVault(),
      night.id,
      undefined,
      at,
      selection,
    );
    return after?.root.policy.objects;
  };
  assert.deepEqual(await shownBy('Account'), few.objects);
  assert.equal(await shownBy('Campaign'), undefined, 'no point of the watch shows what an incident did to them');
  const requests = new OrgRequests(rig.org);
  const campaigns = await requests.query('SELECT Id FROM Campaign LIMIT 100');
  await requests.delete(campaigns.map(({ Id }) => String(Id)));
  const { point } = await rig.backup({ request: { policy: all } });
  const deleted = point.objects.map(({ object, deleted }) => [object, deleted]);
  assert.deepEqual(deleted, [
    ['Account', 0],
    ['Campaign', 100],
    ['Product2', 0],
    ['RecordType', 0],
  ]);
  const pageOf = async (name: string) =>
    (await rootOf(rig, name)).objects.find(({ object }) => object === 'Product2')?.page;
  assert.deepEqual(await pageOf(point.id), await pageOf(night.id), 'nothing of it was read again');
  assert.deepEqual([await shownBy('Campaign'), await shownBy()], [all.objects, all.objects]);
  assert.equal(point.suspect, true, 'held against the last point that has campaigns');
});

test('two watches beside each other: each object goes by the newest point that holds it', async () => {
  await using rig = await InProcess.start(sampleDatabase({ scale: { Account: 5, Campaign: 5, Product2: 5 } }));
  const { night } = await watched(rig, 1);
  const { point: products } = await rig.backup({ request: { policy: other } });
  const { point: accounts } = await rig.backup({ request: { policy: few } });
  const rest = (await rootOf(rig, accounts.id)).rest?.map(({ point, objects }) => [point, objects]);
  assert.deepEqual(rest, [
    [products.id, ['Product2']],
    [night.id, ['Campaign', 'RecordType']],
  ]);
});

test('status is late when what the newest point leaves out was last kept longer ago; what the policy leaves out is not waited for', async () => {
  await using rig = await InProcess.start(sampleDatabase({ scale: { Account: 5, Campaign: 5, Product2: 5 } }));
  const { night, last } = await watched(rig, 1);
  const between = (Date.parse(last.started) - Date.parse(night.started)) / 1000;
  const ctx = (now: Date) => ({ signal: new AbortController().signal, report: () => {}, now: () => now, tempDir: '' });
  const at = new Date(Date.parse(last.started) + 60_000);
  const late = await orgStatus(ctx(at), await rig.openVault(), 60_000, undefined);
  assert.deepEqual([late.state, late.lastGood?.id, late.lateBy], ['late', last.id, between]);
  assert.deepEqual(
    late.rest.map(({ point }) => point),
    [night.id],
  );
  const exclusions = [{ objects: ['Campaign', 'Product2', 'RecordType'], reason: 'in no point', owner: 'jane' }];
  const { point } = await rig.backup({ request: { policy: { ...few, exclusions } } });
  const ok = await orgStatus(ctx(new Date(Date.parse(point.started) + 1)), await rig.openVault(), 1, undefined);
  assert.deepEqual([ok.state, ok.lastGood?.id, ok.rest], ['ok', point.id, []]);
});

test('status is late when points are taken of objects and none of them is good, however often a watch of others is', async () => {
  await using rig = await InProcess.start(sampleDatabase({ scale: { Account: 5, Campaign: 5, Product2: 5 } }));
  const { permissions } = rig.org.settings;
  rig.org.settings.permissions = { ...permissions, viewAllData: false };
  const { point: night } = await rig.backup({ request: { policy: all } });
  assert.equal(night.status, 'partial');
  rig.org.settings.permissions = permissions;
  let last = night;
  for (let n = 0; n < 18; n++) ({ point: last } = await rig.backup({ request: { policy: few } }));
  const ctx = (now: number) => ({
    signal: new AbortController().signal,
    report: () => {},
    now: () => new Date(now),
    tempDir: '',
  });
  const soon = Date.parse(last.started) + 1000;
  const hour = 3_600_000;
  const late = await orgStatus(ctx(soon), await rig.openVault(), hour, undefined);
  const never = { point: night.id, started: night.started, objects: ['Campaign', 'Product2', 'RecordType'] };
  assert.deepEqual(
    [late.state, late.lastGood?.id, late.lateBy, late.rest, late.neverGood],
    ['late', last.id, 0, [], never],
  );
  // What nobody takes points of is left out on purpose.
  const short = soon - Date.parse(night.started) - 1;
  const ok = await orgStatus(ctx(soon), await rig.openVault(), short, undefined);
  assert.deepEqual([ok.state, ok.neverGood], ['ok', null]);
  await rig.backup({ request: { policy: all } });
  await rig.backup({ request: { policy: few } });
  const good = await orgStatus(ctx(Date.now()), await rig.openVault(), hour, undefined);
  assert.deepEqual(
    [good.state, good.rest.map(({ objects }) => objects), good.neverGood],
    ['ok', [never.objects], null],
  );
});

test('where a point that was named as holding the rest is put in quarantine, the one before it does', async () => {
  await using rig = await InProcess.start(sampleDatabase({ scale: { Account: 5, Campaign: 5, Product2: 5 } }));
  const { point: night } = await rig.backup({ request: { policy: all } });
  const { night: stolen, last } = await watched(rig, 17);
  await quarantine(rig, stolen.id);
  const wanted = [[night.id, ['Campaign', 'Product2', 'RecordType']]];
  const ctx = { signal: new AbortController().signal, report: () => {}, now: rig.now, tempDir: '' };
  const status = await orgStatus(ctx, await rig.openVault(), 60_000, undefined);
  assert.deepEqual([status.lastGood?.id, restIn(status)], [last.id, wanted]);
  const { point: next } = await rig.backup({ request: { policy: few } });
  assert.deepEqual(restIn(await rootOf(rig, next.id)), wanted);
});

test('an object that the policy of the point before left out is looked for behind it', async () => {
  await using rig = await InProcess.start(sampleDatabase({ scale: { Account: 5, Campaign: 5, Product2: 5 } }));
  const { night } = await watched(rig, 0);
  const exclusions = [{ objects: ['Campaign'], reason: 'for a while', owner: 'jane' }];
  const { point: without } = await rig.backup({ request: { policy: { ...other, exclusions } } });
  const { point: last } = await rig.backup({ request: { policy: few } });
  assert.deepEqual(restIn(await rootOf(rig, last.id)), [
    [without.id, ['Product2']],
    [night.id, ['Campaign', 'RecordType']],
  ]);
});
