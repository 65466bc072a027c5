import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { defaultSettings } from '../../../src/practice-org/settings.ts';
import { InProcess } from '../../support/in-process.ts';

test('a selection that leaves nothing is refused before anything is written, and says what left it out', async () => {
  await using run = await InProcess.start(sampleDatabase({ scale: { Account: 2, Contact: 0 } }));
  const stored = async () => {
    const keys = [];
    for await (const { key } of run.store.list('')) keys.push(key);
    return keys;
  };
  const before = await stored();
  const noise = { objects: ['*'], reason: 'made anew', owner: 'it@example.com' };
  const given = [
    [{ objects: ['Account'], exclude: ['acc*'] }, /; Account: excluded \(--exclude\)$/],
    [{ objects: ['Account', 'Contact'], exclude: [], exclusions: [noise] }, /; Account, Contact: made anew \(it@/],
    [{ objects: [], exclude: ['*'] }, /: excluded \(--exclude\)/],
    [{ objects: ['FeedSignal'], exclude: [] }, /; FeedSignal: the org says that it cannot be queried$/],
  ] as const;
  for (const [policy, why] of given) {
    const refused = run.backup({ request: { policy } });
    await assert.rejects(refused, ({ name, message }) => name === 'usage' && why.test(message));
  }
  assert.deepEqual(await stored(), before);

  const { point } = await run.backup({ request: { policy: { objects: ['Contact'], exclude: [] } } });
  assert.deepEqual(
    [point.status, point.objects.length, point.rows],
    ['complete', 1, 0],
    'an object without rows is no such thing',
  );
});

test('an object that is the same is partial for the permission that is lacking now', async () => {
  const { permissions } = defaultSettings();
  await using run = await InProcess.start(sampleDatabase({ scale: { ContentVersion: 0 } }));
  const reasons = async (missing: object) => {
    run.org.settings.permissions = { ...permissions, ...missing };
    const { point } = await run.backup({ request: { policy: { objects: ['ContentVersion'], exclude: [] } } });
    return [point.kind, point.objects[0]!.reason];
  };
  assert.deepEqual(await reasons({ viewAllData: false, queryAllFiles: false }), [
    'full',
    'the user lacks View All Data: sharing rules may hide rows',
  ]);
  assert.deepEqual(await reasons({ queryAllFiles: false }), [
    'incremental',
    "the user lacks Query All Files: other users' files may be hidden",
  ]);
});
