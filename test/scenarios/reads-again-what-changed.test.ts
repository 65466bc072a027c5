import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BackupResult } from '../../src/operations/backup/backup.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { defaultSettings } from '../../src/practice-org/settings.ts';
import { InProcess, liveIds } from '../support/in-process.ts';
import { MemoryStore } from '../support/memory-store.ts';

/** Takes no table of contents until it is mended: a run against it finishes every object and then dies. */
class BrokenStore extends MemoryStore {
  broken = true;
  override async putIfAbsent(key: string, body: Uint8Array, signal?: AbortSignal): Promise<'created' | 'exists'> {
    if (this.broken && key.startsWith('points/')) throw new Error('killed');
    return super.putIfAbsent(key, body, signal);
  }
}

describe('a run that goes on where another one stopped', () => {
  const database = sampleDatabase();
  const { permissions } = defaultSettings();
  let run: InProcess;
  let store: BrokenStore;

  before(async () => {
    run = await InProcess.start(database);
  });
  after(() => run[Symbol.asyncDispose]());

  async function stopped(objects: readonly string[]): Promise<void> {
    store = new BrokenStore();
    await run.renewVault(store);
    await assert.rejects(backup(objects), /killed/);
    store.broken = false;
    run.events.splice(0);
  }
  function backup(objects: readonly string[]): Promise<BackupResult> {
    return run.backup({ request: { policy: { objects, exclude: [] } } });
  }
  const resumed = () => run.events.some(({ type }) => type === 'resumed');
  const started = () => run.events.flatMap((event) => (event.type === 'object-started' ? [event.object] : []));

  test('reads no object again that has stayed as it was', async () => {
    await stopped(['Account', 'Case']);
    const { point } = await backup(['Account', 'Case']);
    assert.deepEqual([resumed(), started(), point.status], [true, [], 'complete']);
  });

  test('reads an object again whose fields have changed since, and no other', async () => {
    await stopped(['Account', 'Case']);
    run.org.settings.permissions = { ...permissions, viewAllFields: true };
    try {
      const { point } = await backup(['Account', 'Case']);
      assert.deepEqual([resumed(), started()], [true, ['Account']]);
      assert.deepEqual(
        point.notCovered.filter(({ field }) => field === 'Credit_Limit__c'),
        [],
      );
      const vault = await run.openVault();
      const root = await vault.root((await vault.state()).points.at(-1)!);
      const map = await vault.map(root.objects.find(({ object }) => object === 'Account')!.page!);
      assert.ok(map.columns.includes('Credit_Limit__c'));
    } finally {
      run.org.settings.permissions = permissions;
    }
  });

  test('reads objects again of which the user sees more now', async () => {
    run.org.settings.permissions = { ...permissions, viewAllData: false };
    try {
      await stopped(['Account', 'Case']);
    } finally {
      run.org.settings.permissions = permissions;
    }
    const { point } = await backup(['Account', 'Case']);
    assert.deepEqual([resumed(), started().sort(), point.status], [true, ['Account', 'Case'], 'complete']);
    assert.equal(point.objects[0]!.rows, liveIds(database, 'Account').length);
  });
});
