import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../src/events.ts';
import { findPoint } from '../../src/operations/points.ts';
import { orgStatus } from '../../src/operations/status.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { Vault } from '../../src/vault/vault.ts';
import { Day } from '../support/day.ts';
import { InProcess } from '../support/in-process.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { OrgRequests } from '../support/org-snapshot.ts';
import { recordingContext, smallVault } from '../support/small-vault.ts';

const request = { policy: { objects: ['Product2'], exclude: [] } };
const hour = 3_600_000;

async function namesIn(run: InProcess, name: string): Promise<string[]> {
  const vault = await run.openVault();
  const reader = await PointReader.open(vault, await findPoint(recordingContext(), vault, name));
  const names: string[] = [];
  const flow = await reader.rows('Product2', { columns: ['Name'] });
  for await (const { bytes } of flow.batches) names.push(...bytes.toString('utf8').trimEnd().split('\n'));
  return names.sort();
}

test('a host whose clock is behind takes a whole point and says so; the next one builds on what was sealed last', async () => {
  await using run = await InProcess.start(sampleDatabase({ scale: { Product2: 12 } }));
  const org = new OrgRequests(run.org);
  const first = await run.backup({ request });
  await org.create('Product2', [{ Name: 'made meanwhile' }]);

  run.now = () => new Date(Date.now() - hour);
  const behind = await run.backup({ request });
  assert.ok(behind.point.id > first.point.id, 'points are named by the clock of the org');
  assert.deepEqual([behind.point.kind, behind.point.rows], ['incremental', 13]);
  const warnings = run.events.filter(({ type }) => type === 'warning') as { name: string; message: string }[];
  assert.deepEqual(
    warnings.map(({ name }) => name),
    ['clock-skew'],
  );
  assert.match(warnings[0]!.message, /the clock of this host is 60 minutes behind the org's/);
  assert.ok((await namesIn(run, 'latest')).includes('"made meanwhile"'));

  run.now = () => new Date();
  await org.create('Product2', [{ Name: 'made later' }]);
  const third = await run.backup({ request });
  assert.deepEqual([third.point.kind, third.point.rows], ['incremental', 14]);
  assert.equal((await namesIn(run, 'latest')).length, 14);
});

test('a host whose clock is days behind goes on with what another one began', async () => {
  await using run = await InProcess.start(sampleDatabase({ scale: { Product2: 12 } }));
  const { store } = run;
  const put = store.putIfAbsent.bind(store);
  store.putIfAbsent = async (key, ...rest) => {
    if (key.startsWith('points/')) throw new Error('killed');
    return put(key, ...rest);
  };
  await assert.rejects(run.backup({ request }), { message: 'killed' });
  store.putIfAbsent = put;
  run.now = () => new Date(Date.now() - 5 * 24 * hour);
  const { point } = await run.backup({ request });
  assert.deepEqual(
    run.events.flatMap((event) => (event.type === 'resumed' ? [event] : [])),
    [{ type: 'resumed', point: point.id, objects: 1 }],
  );
});

test('a row that changes when the clock of the org was set back stands in the next point, whatever its stamp', async () => {
  await using run = await InProcess.start(sampleDatabase({ scale: { Product2: 3 } }));
  const org = new OrgRequests(run.org);
  const [row, other, last] = await org.query('SELECT Id FROM Product2');
  const rename = (one: typeof row, Name: string) => org.update('Product2', [{ Id: one!.Id!, Name }]);
  await run.backup({ request });

  await rename(row, '1');
  run.org.settings.clockSkew = -24 * hour;
  await rename(other, '2');
  run.org.settings.clockSkew = -2 * hour;
  const { point } = await run.backup({ request });
  assert.deepEqual([point.kind, point.status], ['full', 'complete']);
  await rename(last, '3');
  assert.equal((await run.backup({ request })).point.kind, 'incremental');
  assert.deepEqual(await namesIn(run, 'latest'), ['"1"', '"2"', '"3"']);
});

test('a host whose clock is ahead says so, and its point is in time for no watchman before its time has come', async () => {
  await using run = await InProcess.start(sampleDatabase({ scale: { Product2: 2 } }));
  const { point: sound } = await run.backup({ request });
  assert.deepEqual(
    run.events.filter(({ type }) => type === 'warning'),
    [],
  );
  run.now = () => new Date(Date.now() + 30 * 24 * hour);
  const { point: ahead } = await run.backup({ request });
  const skewed = () => run.events.splice(0).flatMap((event) => (event.type === 'warning' ? [event.message] : []));
  assert.match(skewed().join(), /the clock of this host is 43200 minutes ahead of the org's/);

  const status = async (now: number) => {
    const report = (event: Event) => void run.events.push(event);
    const ctx = { signal: new AbortController().signal, report, now: () => new Date(now), tempDir: '' };
    return orgStatus(ctx, await run.openVault(), 26 * hour, undefined);
  };
  const tomorrow = await status(Date.parse(sound.started) + 27 * hour);
  assert.deepEqual(
    [tomorrow.lastGood?.id, tomorrow.lateBy, tomorrow.state, tomorrow.newest?.id],
    [sound.id, 3600, 'late', ahead.id],
  );
  assert.match(skewed().join(), new RegExp(`^point ${ahead.id} is dated in the future and counts for nothing`));
  const inTime = await status(Date.parse(ahead.started) + hour);
  assert.deepEqual([inTime.lastGood?.id, inTime.state, skewed()], [ahead.id, 'ok', []]);
});

test('a time stands for all of its second, minute or day: a point that ended within it is not after it', async () => {
  const store = new MemoryStore();
  const ended = '2026-11-26T17:40:14.998Z';
  const { points, identity } = await smallVault(store, { root: (root) => ({ ...root, ended }) });
  const vault = await Vault.open(store, { operation: 'read', identities: [identity] });
  const [first, second] = points;
  const names = {
    '2026-11-26T17:40:14.998Z': second,
    '2026-11-26T17:40:14.99Z': second,
    '2026-11-26T17:40:14.9Z': second,
    '2026-11-26T17:40:14.997Z': first,
    '2026-11-26T17:40:14.98Z': first,
    '2026-11-26T17:40:14Z': second,
    '2026-11-26T18:40:14+01:00': second,
    '2026-11-26T17:40:13Z': first,
    '2026-11-26T17:40Z': second,
    '2026-11-26T17:39Z': first,
    '2026-11-25': first,
    '2026-11-26': second,
    '2026-11-27': second,
  };
  for (const [name, point] of Object.entries(names))
    assert.equal((await findPoint(recordingContext(), vault, name)).record.point, point, name);
  await assert.rejects(findPoint(recordingContext(), vault, '2026-11-19'), { name: 'no-such-point' });
});

test('a time before the first point names none', async () => {
  await using run = await InProcess.start(sampleDatabase({ scale: { Product2: 2 } }));
  const { point } = await run.backup({ request });
  const vault = await run.openVault();
  const at = (ms: number) => new Date(Date.parse(point.ended) + ms).toISOString();
  assert.equal((await findPoint(recordingContext(), vault, at(0))).record.point, point.id);
  for (const time of [at(-1), '2001-02-03', '2001-02-03T04:05Z']) {
    await assert.rejects(findPoint(recordingContext(), vault, time), {
      name: 'no-such-point',
      message: `no point ended at ${time} or before`,
    });
  }
});

test('a deletion that a host whose clock is behind finds is newer than the rows that other hosts had read: lookups to the record are empty', async () => {
  await using day = await Day.start();
  const layering = { deltas: 32, share: Number.POSITIVE_INFINITY };
  const both = ['Contact', 'Project__c'];
  const [leader] = await day.org.create('Contact', [{ LastName: 'leader' }]);
  const [project] = await day.org.create('Project__c', [{ Name: 'bridge', Lead_Contact__c: leader! }]);
  await day.point(both, { layering });
  await day.org.update('Project__c', [{ Id: project!, Name: 'tunnel' }]);
  await day.point(['Project__c'], { layering });
  await day.delete(leader!);
  day.pass(60_000);
  const { now } = day.run;
  day.run.now = () => new Date(now().getTime() - hour / 6);
  await day.run.backup({ request: { policy: { objects: ['Contact'], exclude: [] }, layering } });
  day.run.now = now;
  await day.point(both, { layering });
  assert.deepEqual(await day.lookups('Project__c', 'Lead_Contact__c', project!), ['', '']);
});
