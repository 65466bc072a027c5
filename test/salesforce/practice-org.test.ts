import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import type { Endpoint } from '../../src/practice-org/endpoints.ts';
import type { OrgFault } from '../../src/practice-org/faults.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import type { Settings } from '../../src/practice-org/settings.ts';
import { cell } from '../../src/rows/cells.ts';
import { type ConnectOptions, connect, type Login } from '../../src/salesforce/connect.ts';
import type { Org } from '../../src/salesforce/org.ts';
import type { ObjectDescribe } from '../../src/schema/describe.ts';
import { noWaits, testContext } from './scripted-org.ts';

const database = sampleDatabase();

interface Rig extends AsyncDisposable {
  org: PracticeOrg;
  client: Org;
  ctx: ReturnType<typeof testContext>;
}

async function rig(
  settings: Partial<Settings> = {},
  login?: (org: PracticeOrg) => Login,
  options: ConnectOptions = {},
  data = database,
): Promise<Rig> {
  const org = await startPracticeOrg(data, settings);
  const ctx = testContext();
  const way: Login = login?.(org) ?? { kind: 'token', accessToken: org.accessToken, instanceUrl: org.url };
  const client = await connect(ctx, way, { ...noWaits(), timeouts: { headers: 1500, body: 1500 }, ...options });
  return {
    org,
    client,
    ctx,
    async [Symbol.asyncDispose]() {
      await client.close();
      await org.close();
    },
  };
}

async function describeOne(client: Org, name: string): Promise<ObjectDescribe> {
  const found = (await client.describe([name])).get(name);
  assert.ok(found && !('reason' in found), `${name} is described`);
  return found;
}

async function readIds(client: Org, name: string, more: { rowsExpected?: number; where?: string; all?: boolean } = {}) {
  const object = await describeOne(client, name);
  const plan = client.plan(object);
  assert.ok(plan.way !== 'none');
  const extraction = client.extract({ object: name, plan, all: true, ...more });
  const ids: string[] = [];
  for await (const batch of extraction.batches) {
    for (let i = 0; i < batch.ends.length; i++) ids.push(cell(batch, i, 0));
  }
  return { ids, summary: extraction.summary() };
}

const byRefresh = (org: PracticeOrg): Login => ({
  kind: 'refresh',
  clientId: org.clientId,
  clientSecret: org.clientSecret,
  refreshToken: org.refreshToken,
  instanceUrl: org.url,
});

test('every object is read by the way that suits it, both ways agree, and the calls are counted as the org does', async () => {
  await using at = await rig();
  const { client, org } = at;
  const objects = await client.objects();
  const described = await client.describe(objects.map(({ name }) => name));
  assert.deepEqual(
    [...described.keys()],
    objects.map(({ name }) => name),
  );
  const list = [...described.values()].filter((object) => !('reason' in object)) as ObjectDescribe[];
  const counts = await client.counts(list.map((object) => ({ object })));
  const none: string[] = [];
  for (const [i, object] of list.entries()) {
    if (client.plan(object).way === 'none') {
      none.push(object.name);
      continue;
    }
    const small = await readIds(client, object.name, { rowsExpected: 1 });
    const large = await readIds(client, object.name, { rowsExpected: 1_000_000 });
    assert.equal(small.summary.rows, database.tables.get(object.name)!.source.size, object.name);
    assert.equal(large.summary.rows, small.summary.rows, object.name);
    if (counts[i] !== undefined) assert.ok(counts[i] <= small.summary.rows, object.name);
  }
  assert.ok(none.includes('RecordActionHistory') && none.includes('Stock__x') && none.includes('AccountChangeEvent'));
  assert.equal(client.apiCalls, org.requests.calls);
});

test('values that came by REST and by Bulk differ in numbers only', async () => {
  await using at = await rig();
  const object = await describeOne(at.client, 'Everything__c');
  const plan = at.client.plan(object);
  assert.ok(plan.way === 'bulk');
  const read = async (rowsExpected: number) => {
    const rows = new Map<string, string[]>();
    const { batches } = at.client.extract({ object: object.name, plan, all: true, rowsExpected });
    for await (const batch of batches) {
      for (let i = 0; i < batch.ends.length; i++) {
        rows.set(
          cell(batch, i, 0),
          plan.fields.map((_, column) => cell(batch, i, column)),
        );
      }
    }
    return rows;
  };
  const rest = await read(10);
  const bulk = await read(1_000_000);
  assert.equal(rest.size, bulk.size);
  const types = new Map(object.fields.map(({ name, type }) => [name, type]));
  const numeric = ['double', 'currency', 'percent', 'int', 'long'];
  for (const [id, cells] of rest) {
    for (const [column, value] of cells.entries()) {
      const other: string = bulk.get(id)![column]!;
      const field: string = plan.fields[column]!;
      if (!numeric.includes(types.get(field)!) || value === '') assert.equal(value, other, `${field} of ${id}`);
      else assert.equal(Number(value), Number(other), `${field} of ${id}`);
    }
  }
});

test('who may see what is asked, and what the org has beyond the describe is known', async () => {
  await using at = await rig({ permissions: { viewAllData: true, queryAllFiles: false, viewSetup: false } as never });
  assert.deepEqual(await at.client.permissions(), {
    viewAllData: true,
    queryAllFiles: false,
    viewEncryptedData: true,
    viewSetup: false,
  });
  assert.deepEqual(await at.client.approximateCounts(), new Map());
  const names = await at.client.objectNames();
  assert.ok(names.includes('Account') && names.includes('Vote'));
  const account = await describeOne(at.client, 'Account');
  const hidden = database.tables.get('Account')!.treatment.hiddenFields ?? [];
  const [told, unknown, ...others] = await at.client.fieldNames([
    'Account',
    'Nothing__c',
    'Contact',
    'Lead',
    'Case',
    'Task',
  ]);
  for (const field of hidden) {
    assert.ok(told!.includes(field), field);
    assert.ok(!account.fields.some(({ name }) => name === field), field);
  }
  assert.equal(unknown, undefined);
  assert.ok(others.every((names) => names!.includes('Id') && names!.includes('SystemModstamp')));
  const links = await readIds(at.client, 'ContentDocumentLink');
  assert.equal(links.summary.way, 'sliced');
});

test('a large object comes by Bulk, in any order of rows, once each', async () => {
  const data = sampleDatabase({ scale: { Lead: 130_000 } });
  await using at = await rig(
    { rowOrder: 'shuffled', bulkPageRows: 70_000, bulkPollsInProgress: 3 },
    undefined,
    {},
    data,
  );
  const { ids, summary } = await readIds(at.client, 'Lead');
  assert.equal(summary.way, 'bulk');
  assert.equal(ids.length, 130_000);
  assert.equal(new Set(ids).size, 130_000);
  assert.equal(at.org.requests.counts['bulk.delete'], 1);
});

test('only rows stamped since a moment are read and counted, deleted ones included', async () => {
  await using at = await rig();
  const object = await describeOne(at.client, 'Contact');
  const since = new Date('2026-01-01T00:00:00.000Z');
  const [count] = await at.client.counts([{ object, since }]);
  const { ids } = await readIds(at.client, 'Contact', { where: `SystemModstamp >= ${since.toISOString()}` });
  assert.ok(ids.length > 0 && ids.length < 1200);
  assert.equal(count, ids.length);
});

test('files come whole, also when the connection breaks', async () => {
  await using at = await rig();
  const table = database.tables.get('ContentVersion')!;
  const { ids } = await readIds(at.client, 'ContentVersion');
  at.org.failNext('blob', { name: 'reset', afterBytes: 10 });
  for (const id of ids.slice(0, 5)) {
    const parts: Buffer[] = [];
    for await (const part of at.client.blob('ContentVersion', id, 'VersionData')) parts.push(part);
    assert.ok(Buffer.concat(parts).equals(table.blob!(id, 'VersionData')!), id);
  }
});

const cured: [Endpoint, OrgFault][] = [
  ['bulk.create', { name: '503-html' }],
  ['bulk.create', { name: 'session-expired' }],
  ['bulk.job', { name: '406-empty' }],
  ['bulk.job', { name: '429' }],
  ['bulk.job', { name: 'session-expired' }],
  ['bulk.results', { name: 'reset', afterBytes: 50_000 }],
  ['bulk.results', { name: 'reset', afterBytes: 0 }],
  ['bulk.results', { name: 'truncate', afterBytes: 50_000 }],
  ['bulk.results', { name: 'truncate-gzip', afterBytes: 5_000 }],
  ['bulk.results', { name: 'hang', afterBytes: 20_000 }],
  ['bulk.results', { name: 'session-expired' }],
  ['bulk.results', { name: '502' }],
  ['bulk.results', { name: '420-html' }],
  ['bulk.results', { name: '403-concurrent-limit' }],
  ['bulk.results', { name: 'lost-rows', rows: 3 }],
  ['bulk.delete', { name: '503-json' }],
];

for (const [endpoint, fault] of cured) {
  test(`${fault.name} at ${endpoint} costs a retry and no row`, async () => {
    await using at = await rig({ bulkPageBytes: 100_000 }, byRefresh);
    await describeOne(at.client, 'Contact');
    at.org.failNext(endpoint, fault, { skip: endpoint === 'bulk.results' ? 1 : 0 });
    const { ids } = await readIds(at.client, 'Contact');
    assert.equal(new Set(ids).size, 1200);
    assert.equal(ids.length, 1200);
    assert.ok(at.org.requests.entries.some((entry) => entry.fault === fault.name));
    assert.ok((at.org.requests.counts['bulk.results'] ?? 0) > 2);
  });
}

const caught: [Endpoint, OrgFault, string][] = [
  ['bulk.results', { name: 'wrong-locator' }, 'count-mismatch'],
  ['bulk.results', { name: 'dropped-page' }, 'count-mismatch'],
  ['bulk.results', { name: 'no-locator' }, 'count-mismatch'],
  ['bulk.results', { name: 'repeated-page' }, 'count-mismatch'],
  ['bulk.job', { name: 'wrong-processed-count', by: 1 }, 'count-mismatch'],
  ['bulk.job', { name: 'job-failed', errorMessage: 'QUERY_TIMEOUT' }, 'object-refused'],
  ['bulk.create', { name: '403-daily-limit' }, 'api-budget'],
  ['bulk.results', { name: '403-daily-limit' }, 'api-budget'],
];

for (const [endpoint, fault, name] of caught) {
  test(`${fault.name} at ${endpoint} ends as ${name}`, async () => {
    await using at = await rig({ bulkPageBytes: 100_000 });
    at.org.failNext(endpoint, fault, { skip: fault.name === 'repeated-page' ? 1 : 0 });
    await assert.rejects(readIds(at.client, 'Contact', { rowsExpected: 1_000_000 }), { name });
  });
}

for (const [endpoint, fault] of [
  ['query', { name: 'early-done' }],
  ['queryAll', { name: 'early-done' }],
] as [Endpoint, OrgFault][]) {
  test(`${fault.name} at ${endpoint} ends as count-mismatch`, async () => {
    await using at = await rig({ queryPageSize: 200 });
    at.org.failNext(endpoint, fault);
    const all = endpoint === 'queryAll';
    await assert.rejects(readIds(at.client, 'Contact', { rowsExpected: 1000, all }), { name: 'count-mismatch' });
  });
}

test('every way to log in works, and rotating refresh tokens are handed over', async () => {
  const ways: ((org: PracticeOrg) => Login)[] = [
    byRefresh,
    (org) => ({
      kind: 'clientCredentials',
      clientId: org.clientId,
      clientSecret: org.clientSecret,
      instanceUrl: org.url,
    }),
    (org) => ({
      kind: 'jwt',
      clientId: org.clientId,
      privateKeyPem: org.jwtPrivateKeyPem,
      username: org.facts.username,
      instanceUrl: org.url,
    }),
  ];
  for (const way of ways) {
    await using at = await rig({}, way);
    assert.equal(at.client.identity.orgId, database.facts.organizationId);
    at.org.expireSessions();
    assert.ok((await at.client.objects()).length > 0);
  }
  const rotated: string[] = [];
  await using at = await rig({ refreshTokenRotation: true }, byRefresh, {
    onRotate: (next) => void rotated.push(next),
  });
  at.org.expireSessions();
  await at.client.objects();
  at.org.expireSessions();
  await at.client.objects();
  assert.equal(new Set(rotated).size, 3);
});

test('a refresh token that is dead ends the run as login-failed, without a storm', async () => {
  await using at = await rig({}, byRefresh);
  at.org.expireSessions();
  at.org.failNext('oauth.token', { name: 'refresh-dead' }, { times: 100 });
  const before = at.org.requests.entries.length;
  await assert.rejects(at.client.objects(), { name: 'login-failed' });
  assert.ok(at.org.requests.entries.length - before <= 2);
});

test('nothing that a run reports or throws holds a token of the org', async () => {
  await using at = await rig({ bulkPageBytes: 100_000 }, byRefresh);
  const seen: unknown[] = [];
  for (const fault of ['503-html', 'session-expired', '403-daily-limit'] as const) {
    at.org.failNext('bulk.results', { name: fault });
    await readIds(at.client, 'Contact').catch((error: unknown) => seen.push(error));
  }
  assert.ok(seen.length > 0);
  const shown = inspect([seen, at.ctx.events, at.client], { depth: 20, showHidden: true });
  for (const secret of [at.org.accessToken, at.org.refreshToken, at.org.clientSecret]) {
    assert.ok(!shown.includes(secret));
  }
  assert.doesNotMatch(shown, /00D[A-Za-z0-9]{12,15}!/);
});

test('the budget stops a run in time', async () => {
  await using at = await rig({ requestsUsedByOthers: 700, dailyRequests: 1000 }, undefined, {
    budget: { maxPercent: 71 },
  });
  const reads = async () => {
    for (;;) await at.client.approximateCounts();
  };
  await assert.rejects(reads(), { name: 'api-budget' });
  assert.ok(at.org.requests.calls <= 10);
});
