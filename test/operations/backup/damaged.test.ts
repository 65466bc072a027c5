import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { Day } from '../../support/day.ts';
import { contentsOf, InProcess } from '../../support/in-process.ts';
import type { MemoryStore } from '../../support/memory-store.ts';
import { OrgRequests } from '../../support/org-snapshot.ts';

const request = { policy: { objects: ['Account', 'Attachment'], exclude: [] } };

/** Keys of the newest point that stand in its list and in those of its pages. */
function reached({ store }: InProcess, point: string, kind: RegExp): string[] {
  const { objects } = store as MemoryStore;
  const lists = [...objects].filter(([key]) => key === `points/${point}/refs.zst` || key.endsWith('.refs.zst'));
  const lines = lists.flatMap(([, body]) => zstdDecompressSync(body).toString('utf8').split(/\s+/));
  return [...new Set(lines.map((line) => line.replace(/^"|"?,.*$/g, '')).filter((key) => kind.test(key)))];
}

test('what is damaged of earlier points holds up no later one: it is told, and what was built on it is read anew', async () => {
  await using rig = await InProcess.start(sampleDatabase({ scale: { Account: 20 }, largestFile: 1 << 14 }));
  const org = new OrgRequests(rig.org);
  const { objects } = rig.store as MemoryStore;
  const { point: first } = await rig.backup({ request });
  const [account] = await org.query('SELECT Id FROM Account LIMIT 1');
  const change = async () => {
    await org.update('Account', [{ Id: String(account!.Id), Name: `changed ${Math.random()}` }]);
    await org.create('Attachment', [{ ParentId: String(account!.Id), Name: 'new.txt', Body: 'bmV3' }]);
  };
  const pages = reached(rig, first.id, /^pages\/.*files/);
  const indexes = reached(rig, first.id, /^index\//);
  assert.ok(pages.length === 1 && indexes.length >= 2, `${pages} ${indexes}`);

  objects.get(pages[0]!)![200]! ^= 1;
  objects.delete(indexes[0]!);
  await change();
  rig.events.length = 0;
  const { point } = await rig.backup({ request });
  assert.deepEqual([point.status, point.files.count], ['complete', first.files.count + 1]);
  const told = rig.events.flatMap((event) => (event.type === 'warning' ? [event.name] : []));
  assert.deepEqual(told.sort(), ['digest-mismatch', 'object-missing']);
  const vault = await rig.openVault();
  const held = await contentsOf(vault, (await vault.state()).points.at(-1)!);
  assert.equal(held.get('Attachment')!.ids.length, point.files.count);

  await change();
  rig.events.length = 0;
  const { point: next } = await rig.backup({ request });
  assert.deepEqual([next.kind, next.status], ['incremental', 'complete']);
  assert.ok(!rig.events.some(({ type }) => type === 'warning'));
});

test('what a run has finished on a page that turns out to be damaged is read anew by the same run', async () => {
  await using day = await Day.start();
  const often = { layering: { deltas: 32, share: Number.POSITIVE_INFINITY } };
  const objects = ['Contact', 'Project__c'];
  const [leader] = await day.org.create('Contact', [{ LastName: 'leader' }]);
  await day.point(objects, often);
  await day.delete(leader!);
  await day.point(objects, often);
  const stored = (day.run.store as MemoryStore).objects;
  const key = [...stored.keys()].findLast((one) => one.startsWith('gone/'))!;
  stored.get(key)![40]! ^= 1;
  const [other] = await day.org.create('Contact', [{ LastName: 'other' }]);
  const { status } = await day.point(objects, often);
  assert.equal(status, 'complete');
  assert.deepEqual(await day.lookups('Contact', 'LastName', other!), ['other', 'other']);
});
