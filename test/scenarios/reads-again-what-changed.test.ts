import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { BackupResult } from '../../src/operations/backup/backup.ts';
import type { Table } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { defaultSettings } from '../../src/practice-org/settings.ts';
import { filesOf } from '../../src/vault/files-page.ts';
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

test('a file whose bytes changed between two runs is fetched again, and stands in the point once', async () => {
  const database = sampleDatabase();
  const table = database.tables.get('Attachment')!;
  const { Id: id } = table.source.row(3);
  const bytes = Buffer.from('changed');
  let changed = false;
  const row = (number: number) => {
    const before = table.source.row(number);
    if (!changed || before.Id !== id) return before;
    return { ...before, BodyLength: bytes.length, SystemModstamp: new Date().toISOString() };
  };
  const source = { size: table.source.size, find: (found: string) => table.source.find(found), row };
  const blob = (found: string, field: string) => (changed && found === id ? bytes : table.blob!(found, field));
  const tables = new Map<string, Table>([...database.tables, ['Attachment', { ...table, source, blob }]]);
  await using run = await InProcess.start({ ...database, tables });
  const store = new BrokenStore();
  await run.renewVault(store);
  const request = { policy: { objects: ['Attachment'], exclude: [] } };
  await assert.rejects(run.backup({ request }), /killed/);
  changed = true;
  // Twice more: what the second run fetched counts in the third, and the page of the first does not come back.
  await assert.rejects(run.backup({ request }), /killed/);
  store.broken = false;
  const { point } = await run.backup({ request });
  const vault = await run.openVault();
  const root = await vault.root((await vault.state()).points.at(-1)!);
  const files = (await Promise.all(root.files.pages.map((page) => filesOf(vault, page)))).flat();
  assert.deepEqual(
    files.filter((file) => file.id === id).map(({ size, sha256 }) => [size, sha256]),
    [[bytes.length, createHash('sha256').update(bytes).digest('hex')]],
  );
  assert.equal(new Set(files.map((file) => file.id)).size, files.length);
  assert.deepEqual([point.status, point.files.count], ['complete', files.length]);
});
