import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { InProcess } from '../../support/in-process.ts';

const policy = { objects: ['Account', 'Attachment', 'Document'], exclude: [] };

test('files that a point was taken without are in the next that wants them, however many lie between', async () => {
  await using at = await InProcess.start(sampleDatabase({ scale: { Account: 5 }, largestFile: 1 << 16 }));
  const backup = async (files: boolean) => {
    at.org.requests.clear();
    const { point } = await at.backup({ request: { policy, files } });
    const without = point.notCovered.filter(({ field }) => field === 'Body').map(({ object }) => object);
    const { counts } = at.org.requests;
    return { kind: point.kind, files: point.files.count, fetched: counts.blob ?? 0, without };
  };
  const left = { files: 0, fetched: 0, without: ['Attachment', 'Document'] };
  assert.deepEqual(await backup(false), { kind: 'full', ...left });
  assert.deepEqual(await backup(false), { kind: 'incremental', ...left }, 'also where nothing happened');
  const whole = await backup(true);
  assert.ok(whole.files > 10 && whole.fetched >= whole.files, JSON.stringify(whole));
  assert.deepEqual(whole.without, []);
  for (let n = 0; n < 20; n++) assert.deepEqual(await backup(false), { kind: 'incremental', ...left });
  assert.deepEqual(await backup(true), { ...whole, kind: 'incremental', fetched: 0 }, 'each was fetched once');
});
