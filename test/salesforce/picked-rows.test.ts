import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { startPracticeOrg } from '../../src/practice-org/server.ts';
import type { Settings } from '../../src/practice-org/settings.ts';
import type { RowFlow } from '../../src/rows/batch.ts';
import { cells } from '../../src/rows/cells.ts';
import { connect } from '../../src/salesforce/connect.ts';
import type { ObjectDescribe } from '../../src/schema/describe.ts';
import { noWaits, testContext } from './scripted-org.ts';

const database = sampleDatabase();

async function rig(settings: Partial<Settings> = {}) {
  const org = await startPracticeOrg(database, settings);
  const tempDir = mkdtempSync(path.join(tmpdir(), 'salvor-picked-'));
  const ctx = { ...testContext(), tempDir };
  const client = await connect(ctx, { kind: 'token', accessToken: org.accessToken, instanceUrl: org.url }, noWaits());
  return {
    org,
    client,
    async described(name: string): Promise<ObjectDescribe> {
      const found = (await client.describe([name])).get(name);
      assert.ok(found && !('reason' in found));
      return found;
    },
    /** All rows of an object, by Id, in the columns that are named. */
    async everything(object: ObjectDescribe, fields: readonly string[], all: boolean): Promise<Map<string, string[]>> {
      const plan = client.plan(object);
      assert.ok(plan.way !== 'none');
      const request = { object: object.name, plan: { ...plan, fields }, all, rowsExpected: 1 };
      return new Map((await rowsOf(client.extract(request))).map((row) => [row[0]!, row]));
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await org.close();
      rmSync(tempDir, { recursive: true });
    },
  };
}

async function rowsOf(flow: RowFlow): Promise<string[][]> {
  const found: string[][] = [];
  for await (const batch of flow.batches) {
    for (let i = 0; i < batch.ends.length; i++) found.push(cells(batch, i));
    batch.release?.();
  }
  return found;
}

/** Ids of the object's kind that no row has. */
function strangers(object: ObjectDescribe, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${object.keyPrefix}ZZ${String(i).padStart(10, '0')}AAA`);
}

/** In an order that is no order. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item, i) => [(i * 7919) % 1009, item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

test('live rows come by their Ids in ascending order, two thousand to a call', async () => {
  await using at = await rig();
  const object = await at.described('Account');
  const fields = ['Id', 'Name', 'AnnualRevenue', 'CreatedDate', 'ParentId'];
  const live = await at.everything(object, fields, false);
  const gone = [...(await at.everything(object, fields, true)).keys()].filter((id) => !live.has(id));
  assert.ok(gone.length > 0);
  const ids = shuffled([...live.keys(), ...gone, ...strangers(object, 3), [...live.keys()][0]!]);
  const before = at.client.apiCalls;
  const flow = at.client.records(object, ids, fields.slice(1));
  assert.deepEqual(flow.columns, fields);
  const rows = await rowsOf(flow);
  assert.deepEqual(
    rows,
    [...live.keys()].sort().map((id) => live.get(id)),
  );
  assert.equal(at.client.apiCalls - before, Math.ceil(new Set(ids).size / 2000));
});

test('deleted rows come too when they are asked for', async () => {
  await using at = await rig();
  const object = await at.described('Contact');
  const fields = ['Id', 'IsDeleted', 'LastName'];
  const all = await at.everything(object, fields, true);
  const rows = await rowsOf(at.client.records(object, shuffled([...all.keys()]), fields, { all: true }));
  assert.deepEqual(
    rows,
    [...all.keys()].sort().map((id) => all.get(id)),
  );
  assert.ok(rows.some(([, isDeleted]) => isDeleted === 'true'));
});

test('very many Ids are found in the whole object, whatever the order of its rows, in few calls', async () => {
  await using at = await rig({ rowOrder: 'shuffled' });
  const object = await at.described('Contact');
  const fields = ['Id', 'IsDeleted', 'LastName'];
  const all = await at.everything(object, fields, true);
  const wanted = [...all.keys()].filter((_, i) => i % 3 !== 0);
  const before = at.client.apiCalls;
  const rows = await rowsOf(at.client.records(object, [...strangers(object, 9_000), ...wanted], fields, { all: true }));
  assert.deepEqual(
    rows,
    wanted.sort().map((id) => all.get(id)),
  );
  assert.ok(at.client.apiCalls - before < 12);
});

test('where records are not to be had by their Ids, queries find them, and it does not ask twice', async () => {
  await using at = await rig();
  const object = await at.described('Account');
  const live = await at.everything(object, ['Id', 'Name'], false);
  at.org.failNext('records', { name: '403', errorCode: 'FUNCTIONALITY_NOT_ENABLED' });
  for (let time = 0; time < 2; time++) {
    const rows = await rowsOf(at.client.records(object, shuffled([...live.keys()]), ['Name']));
    assert.deepEqual(
      rows.map(([id]) => id),
      [...live.keys()].sort(),
    );
  }
  assert.equal(at.org.requests.counts.records, 1);
});

test('no Ids are no call', async () => {
  await using at = await rig();
  const object = await at.described('Account');
  const before = at.client.apiCalls;
  assert.deepEqual(await rowsOf(at.client.records(object, [], ['Id', 'Name'])), []);
  assert.deepEqual(await rowsOf(at.client.matching(object, { field: 'Name', values: [] }, ['Id'])), []);
  assert.equal(at.client.apiCalls, before);
});

test('rows whose lookup is in a long list are each found once, by many queries or in the whole object', async () => {
  await using at = await rig();
  const object = await at.described('Contact');
  const account = await at.described('Account');
  const fields = ['Id', 'AccountId', 'LastName'];
  const all = await at.everything(object, fields, true);
  const parents = [...new Set([...all.values()].map(([, parent]) => parent!))].filter((_, i) => i % 2 === 0);
  const expected = [...all.values()].filter(([, parent]) => parent !== '' && parents.includes(parent!));
  const byId = (a: readonly string[], b: readonly string[]) => (a[0]! < b[0]! ? -1 : 1);
  for (const more of [1_000, 9_000]) {
    const match = { field: 'AccountId', values: [...parents.filter(Boolean), ...strangers(account, more)] };
    const rows = await rowsOf(at.client.matching(object, match, fields, { all: true }));
    assert.deepEqual(rows.sort(byId), expected.sort(byId), `${more}`);
  }
});

test('a text is found whatever its case, once, and a further condition narrows', async () => {
  await using at = await rig();
  const object = await at.described('Account');
  const fields = ['Id', 'Name'];
  const live = [...(await at.everything(object, fields, false)).values()];
  const names = live.slice(0, 20).map(([, name]) => name!);
  const match = { field: 'Name', values: names.flatMap((name) => [name, name.toUpperCase(), name.toLowerCase()]) };
  const folded = new Set(names.map((name) => name.toLowerCase()));
  const expected = live.filter(([, name]) => folded.has(name!.toLowerCase())).map(([id]) => id);
  const found = (await rowsOf(at.client.matching(object, match, fields))).map(([id]) => id);
  assert.deepEqual(found.sort(), expected.sort());
  const where = `Id = '${expected[0]}'`;
  assert.deepEqual(
    (await rowsOf(at.client.matching(object, { ...match, where }, ['Id']))).map(([id]) => id),
    [expected[0]],
  );
});
