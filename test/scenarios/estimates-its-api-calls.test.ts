import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { loadDatabase } from '../../src/practice-org/load.ts';
import { defaultSettings } from '../../src/practice-org/settings.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { project, Rig } from '../support/rig.ts';

const describes = path.resolve(project, '../shared/data/describes');
const withoutCounts = { permissions: { ...defaultSettings().permissions, viewSetup: false } };

/** Previews a run, takes it, and holds the calls that it was to make against those that the org counted. */
async function previewed(rig: Rig, kind: 'full' | 'incremental', ...args: string[]): Promise<void> {
  rig.org.requests.clear();
  const dry = await rig.salvor('backup', '--dry-run', '--json', ...args);
  assert.equal(dry.status, 0, dry.stdout + dry.stderr);
  const { apiCalls, ownCalls } = dry.json.result;
  assert.equal(dry.json.result.kind, kind);
  assert.equal(rig.org.requests.calls, ownCalls);
  for (const endpoint of ['queryMore', 'bulk.create', 'blob'] as const)
    assert.equal(rig.org.requests.counts[endpoint], undefined, `${endpoint}: a preview reads no rows`);
  rig.org.requests.clear();
  const ran = await rig.salvor('backup', '--json', '--no-prompt', ...args);
  // Without Query All Files a point is partial.
  const isPartial = !rig.org.settings.permissions.queryAllFiles;
  assert.equal(ran.status, isPartial ? 3 : 0, ran.stdout + ran.stderr);
  const real = rig.org.requests.calls;
  assert.equal(real, ran.json.result.point.apiCalls);
  assert.ok(Math.abs(apiCalls - real) <= 0.2 * real, `${apiCalls} calls estimated, ${real} made (${kind})`);
}

async function change(rig: Rig, object: string, rows: number): Promise<void> {
  const org = new OrgRequests(rig.org);
  const found = await org.query(`SELECT Id FROM ${object} LIMIT ${rows}`);
  await org.update(
    object,
    found.map(({ Id }) => ({ Id: Id!, Description: 'changed' })),
  );
}

test('of the sample org: in full, when nothing changed, when some did, and with a part of it', async () => {
  await using rig = await Rig.start();
  await rig.init();
  await previewed(rig, 'full', '--objects', 'Account,Contact,*Share,Order*');
  await previewed(rig, 'full', '--full', '--no-files', '--objects', 'Attachment,ContentVersion,Document');
  await previewed(rig, 'full', '--full');
  await previewed(rig, 'incremental');
  for (const object of ['Account', 'Contact', 'Opportunity', 'Case']) await change(rig, object, 150);
  await previewed(rig, 'incremental');
  await previewed(rig, 'incremental', '--no-files');
  await previewed(rig, 'incremental', '--metadata');
});

test('of an org with objects in volume', async () => {
  await using rig = await Rig.start({ database: sampleDatabase({ scale: { Account: 120_000, Task: 30_000 } }) });
  await rig.init();
  await previewed(rig, 'full');
  await change(rig, 'Account', 3000);
  await previewed(rig, 'incremental');
});

test('of objects that are asked for by the rows of others, one by one, and of whose parents nobody keeps count', async () => {
  const database = sampleDatabase({ everyKind: true });
  const permissions = { ...defaultSettings().permissions, queryAllFiles: false };
  await using rig = await Rig.start({ database });
  await rig.init();
  await previewed(rig, 'full', '--objects', 'ContentFolder*,Idea*,Vote');
  await previewed(rig, 'incremental', '--objects', 'ContentFolder*,Idea*,Vote');
  await previewed(rig, 'full', '--objects', 'ContentFolderMember,ContentFolderItem,IdeaComment');
  Object.assign(rig.org.settings.permissions, withoutCounts.permissions);
  await previewed(rig, 'full', '--full', '--objects', 'ContentFolderMember');
  Object.assign(rig.org.settings.permissions, permissions);
  await previewed(rig, 'full', '--full', '--objects', 'ContentDocumentLink');
});

test('of an org that tells no counts beforehand', async () => {
  await using rig = await Rig.start({ settings: withoutCounts });
  await rig.init();
  await previewed(rig, 'full');
  await previewed(rig, 'incremental');
});

test('of an org made of recorded describes', {
  skip: existsSync(describes) ? false : '../shared/data is absent',
}, async () => {
  const { database } = await loadDatabase({ describes, rows: 60 });
  await using rig = await Rig.start({ database });
  await rig.init();
  await previewed(rig, 'full');
  await previewed(rig, 'incremental');
});
