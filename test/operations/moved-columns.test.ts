import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { startPracticeOrg } from '../../src/practice-org/server.ts';
import { cells } from '../../src/rows/cells.ts';
import { PointReader } from '../../src/vault/point-reader.ts';
import { id, table } from '../practice-org/small-database.ts';
import { InProcess } from '../support/in-process.ts';

type Fields = Parameters<typeof table>[2];
type Given = Parameters<typeof table>[3][number];

const standing: Fields = ['Name', ['SystemModstamp', 'datetime'], ['IsDeleted', 'boolean']];

/** An org with thirty rows of Thing__c, written long ago, with these fields more. */
function orgWith(fields: Fields, row: (n: number) => Given, stamp = '2026-03-01T10:00:00.000Z'): Database {
  const { facts, tables } = sampleDatabase();
  const rows = Array.from({ length: 30 }, (_, n) => ({
    ...{ Id: id('a0N', n), Name: `Thing ${n}`, IsDeleted: false, SystemModstamp: stamp },
    ...row(n),
  }));
  return {
    facts,
    tables: new Map([...tables, ['Thing__c', table('Thing__c', 'a0N', [...standing, ...fields], rows)]]),
  };
}

/** The same org at another time: the next point is taken of it. */
async function becomes(run: InProcess, database: Database): Promise<void> {
  await run.org.close();
  (run as { org: InProcess['org'] }).org = await startPracticeOrg(database);
}

async function point(run: InProcess) {
  const { point } = await run.backup({ request: { policy: { objects: ['Thing__c'], exclude: [] } } });
  const [object] = point.objects;
  const vault = await run.openVault();
  const reader = await PointReader.open(vault, (await vault.state()).points.at(-1)!);
  const flow = await reader.rows('Thing__c');
  const rows: Record<string, string>[] = [];
  for await (const batch of flow.batches)
    for (let i = 0; i < batch.ends.length; i++)
      rows.push(Object.fromEntries(cells(batch, i).map((cell, n) => [flow.columns[n]!, cell])));
  return { kind: point.kind, changed: object!.changed, rows };
}

test('a field that came is read where it has a value, a formula not at all', async () => {
  await using run = await InProcess.start(orgWith([], () => ({})));
  assert.deepEqual((await point(run)).kind, 'full');
  const more: Fields = ['Note__c', ['Done__c', 'boolean'], ['Twice__c', 'double', { calculated: true }]];
  const row = (n: number) => ({ Note__c: n < 3 ? `Note ${n}` : null, Done__c: n === 5, Twice__c: 2 * n });
  await becomes(run, orgWith(more, row));
  const second = await point(run);
  assert.deepEqual([second.kind, second.changed], ['incremental', 4]);
  assert.deepEqual(
    second.rows.map(({ Note__c, Done__c }) => `${Note__c}/${Done__c}`),
    Array.from({ length: 30 }, (_, n) => `${n < 3 ? `Note ${n}` : ''}/${n === 5}`),
  );
  const third = await point(run);
  assert.deepEqual([third.kind, third.changed], ['incremental', 0]);
  assert.deepEqual(third.rows, second.rows);
});

test('a field that went is gone from the rows, and nothing is read for it', async () => {
  const note: Fields = ['Note__c'];
  await using run = await InProcess.start(orgWith(note, (n) => ({ Note__c: `Note ${n}` })));
  await point(run);
  await becomes(
    run,
    orgWith([], () => ({})),
  );
  const second = await point(run);
  assert.deepEqual([second.kind, second.changed], ['incremental', 0]);
  assert.deepEqual(Object.keys(second.rows[0]!), ['Id', 'SystemModstamp', 'IsDeleted', 'Name']);
  // It comes back with other values: what the old segments say of it is not what the org says now.
  await becomes(
    run,
    orgWith(note, (n) => ({ Note__c: n === 1 ? 'Other' : null })),
  );
  const third = await point(run);
  assert.deepEqual(
    third.rows.map(({ Note__c }) => Note__c),
    Array.from({ length: 30 }, (_, n) => (n === 1 ? 'Other' : '')),
  );
});

test('a field of another type has the object read anew, and so has one that cannot be searched', async () => {
  await using run = await InProcess.start(orgWith(['Size__c'], (n) => ({ Size__c: String(n) })));
  await point(run);
  await becomes(
    run,
    orgWith([['Size__c', 'double']], (n) => ({ Size__c: n })),
  );
  assert.deepEqual((await point(run)).changed, 30);
  const long: Fields = [
    ['Size__c', 'double'],
    ['Long__c', 'textarea', { filterable: false }],
  ];
  await becomes(
    run,
    orgWith(long, (n) => ({ Size__c: n, Long__c: n === 0 ? 'x' : null })),
  );
  const third = await point(run);
  assert.deepEqual([third.changed, third.rows[0]!.Long__c], [30, 'x']);
});
