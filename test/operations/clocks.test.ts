import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPoint } from '../../src/operations/points.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { InProcess } from '../support/in-process.ts';
import { OrgRequests } from '../support/org-snapshot.ts';

const request = { policy: { objects: ['Product2'], exclude: [] } };
const hour = 3_600_000;

async function namesIn(run: InProcess, name: string): Promise<string[]> {
  const vault = await run.openVault();
  const reader = await PointReader.open(vault, await findPoint(vault, name));
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
  assert.ok(behind.point.id < first.point.id);
  assert.deepEqual([behind.point.kind, behind.point.rows], ['full', 13]);
  const warnings = run.events.filter(({ type }) => type === 'warning') as { name: string; message: string }[];
  assert.deepEqual(
    warnings.map(({ name }) => name),
    ['clock-skew'],
  );
  assert.match(warnings[0]!.message, new RegExp(`point ${first.point.id} was begun after this run`));
  // What is newest is told by the log, which no clock moves.
  assert.ok((await namesIn(run, 'latest')).includes('"made meanwhile"'));

  run.now = () => new Date();
  await org.create('Product2', [{ Name: 'made later' }]);
  const third = await run.backup({ request });
  assert.deepEqual([third.point.kind, third.point.rows], ['incremental', 14]);
  assert.equal((await namesIn(run, 'latest')).length, 14);
});

test('a time before the first point names none', async () => {
  await using run = await InProcess.start(sampleDatabase({ scale: { Product2: 2 } }));
  const { point } = await run.backup({ request });
  const vault = await run.openVault();
  const at = (ms: number) => new Date(Date.parse(point.ended) + ms).toISOString();
  assert.equal((await findPoint(vault, at(0))).record.point, point.id);
  for (const time of [at(-1), '2001-02-03', '2001-02-03T04:05Z']) {
    await assert.rejects(findPoint(vault, time), {
      name: 'no-such-point',
      message: `no point ended at ${time} or before`,
    });
  }
});
