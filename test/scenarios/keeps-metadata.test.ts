import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { defaultSettings } from '../../src/practice-org/settings.ts';
import { Rig } from '../support/rig.ts';
import { without } from '../support/tools.ts';

const skip = without('unzip');
const names = (zip: string) => execFileSync('unzip', ['-Z1', zip], { encoding: 'utf8' }).trim().split('\n');
const inside = (zip: string, name: string) => execFileSync('unzip', ['-p', zip, name], { maxBuffer: 1 << 26 });

test("the org's metadata is kept with the point that asks for it, comes out of an export, and is proven", {
  skip,
}, async () => {
  await using rig = await Rig.start();
  await rig.init();
  rig.org.requests.clear();
  const ran = await rig.salvor('backup', '--json', '--objects', 'Account,Attachment', '--metadata');
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  const { point } = ran.json.result;
  const objects = rig.database.tables.size;
  assert.equal(point.status, 'complete');
  assert.equal(point.metadata.complete, true);
  // Objects, three classes, a folder and its two reports.
  assert.equal(point.metadata.components, objects + 6);
  // Describe, three lists, retrieve, two or three looks at its state, the zip.
  assert.ok(rig.org.requests.counts.soap! >= 7);
  const calls = rig.org.requests.calls;
  assert.ok(Math.abs(calls - point.apiCalls) <= 2, `${calls} calls were made, ${point.apiCalls} are told`);
  assert.deepEqual(
    point.notCovered.filter(({ object }: { object: string }) => object === 'Metadata'),
    [
      {
        object: 'Metadata',
        field: 'package.xml',
        reason: "Entity of type 'ApexClass' named 'pkg__Hidden' cannot be found",
      },
    ],
  );

  const shown = await rig.salvor('show', 'latest');
  assert.match(shown.stdout, new RegExp(`metadata: ${objects + 6} components`));
  const to = path.join(rig.folder, 'all.zip');
  const exported = await rig.salvor('export', 'latest', '--to', to, '--json');
  assert.equal(exported.status, 0, exported.stderr);
  const zip = path.join(rig.folder, 'metadata.zip');
  execFileSync('unzip', ['-q', to, 'metadata.zip', '-d', rig.folder]);
  assert.equal(names(zip).length, objects + 2 + 3 + 1);
  assert.match(inside(zip, 'objects/Meter_Reading__b.object').toString(), /<indexes>.*Meter__c.*Read_At__c/s);
  assert.match(inside(zip, 'classes/RoutingService.cls').toString(), /naïve 🚀/);
  assert.match(inside(zip, 'reports/Sales/Won_Deals.report').toString(), /Won_Deals/);

  const proven = await rig.salvor('verify', 'latest', '--json');
  assert.equal(proven.status, 0, proven.stdout);

  // What a point does not ask for it does not have, although it builds on one that did.
  const next = await rig.salvor('backup', '--json', '--objects', 'Account,Attachment');
  assert.equal(next.json.result.point.metadata, undefined);
  assert.equal(next.json.result.point.files.count, point.files.count - 1);
  const then = await rig.salvor('verify', 'latest', '--json');
  assert.equal(then.status, 0, then.stdout);
});

test('metadata that the org does not hand out makes the point partial, and says why', async () => {
  const permissions = { ...defaultSettings().permissions, modifyAllData: false };
  await using rig = await Rig.start({ settings: { permissions } });
  await rig.init();
  const dry = await rig.salvor('backup', '--dry-run', '--json', '--objects', 'Account', '--metadata');
  const foreseen = dry.json.result.notCovered.filter(({ object }: { object: string }) => object === 'Metadata');
  const ran = await rig.salvor('backup', '--json', '--objects', 'Account', '--metadata');
  assert.equal(ran.status, 3, ran.stdout);
  const { point } = ran.json.result;
  assert.equal(point.status, 'partial');
  assert.equal(point.objects.length, 1);
  assert.equal(point.metadata.complete, false);
  assert.match(point.metadata.reason, /Metadata API requires a user with the ModifyAllData/);
  assert.deepEqual(foreseen, [{ object: 'Metadata', reason: point.metadata.reason }]);
  assert.match(ran.json.message, /Metadata \(.*ModifyAllData/);
});

test('metadata that is too many files for one zip is retrieved in several, and comes out whole', { skip }, async () => {
  await using rig = await Rig.start({ settings: { metadataFiles: 30 } });
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--objects', 'Account', '--metadata');
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  const { metadata, files } = ran.json.result.point;
  const objects = rig.database.tables.size;
  assert.deepEqual([metadata.complete, metadata.components], [true, objects + 6]);
  assert.ok(files.count >= objects / 30, `${files.count} zips`);
  const to = path.join(rig.folder, 'all.zip');
  assert.equal((await rig.salvor('export', 'latest', '--to', to, '--json')).status, 0);
  const zips = names(to).filter((name) => /^metadata.*\.zip$/.test(name));
  assert.equal(zips.length, files.count);
  execFileSync('unzip', ['-q', to, ...zips, '-d', rig.folder]);
  const kept = zips.flatMap((zip) => names(path.join(rig.folder, zip))).filter((name) => name.endsWith('.object'));
  assert.deepEqual(kept.sort(), [...rig.database.tables.keys()].map((name) => `objects/${name}.object`).sort());

  // Less than one component is no retrieval.
  rig.org.settings.metadataFiles = 0;
  const none = await rig.salvor('backup', '--json', '--objects', 'Account', '--metadata');
  assert.equal(none.status, 3, none.stdout);
  assert.match(none.json.result.point.metadata.reason, /Too many files in retrieve call, limit is: 0/);
});

test('a zip that breaks off is not kept as if it were whole', async () => {
  await using rig = await Rig.start();
  await rig.init();
  // The last call of all: describe, lists, retrieve and two looks come before it.
  rig.org.failNext('soap', { name: 'truncate', afterBytes: 5_000 }, { skip: 7 });
  const ran = await rig.salvor('backup', '--json', '--objects', 'Account', '--metadata');
  assert.equal(ran.status, 3, ran.stdout);
  assert.match(ran.json.result.point.metadata.reason, /zip/);
  assert.equal(ran.json.result.point.files.count, 0);
});
