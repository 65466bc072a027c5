import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { Connection, type Record as JsforceRecord } from 'jsforce';
import { defaultNow } from '../../src/practice-org/generate.ts';
import { allRows, pick, plain, rowOf, rowsOf, shown, startPractice } from './practice.ts';
import { refused } from './refused.ts';

const practice = await startPractice();
const { org, database } = practice;
after(() => org.close());

const { organizationId, userId, username } = database.facts;
const conn = new Connection({ instanceUrl: org.url, accessToken: org.accessToken, version: '67.0' });
const accounts = rowsOf(practice, 'Account');
const contacts = rowsOf(practice, 'Contact');
const everyAccount = allRows(practice, 'Account');
const day = 86_400_000;
const daysAgo = (days: number) => new Date(defaultNow.getTime() - days * day);

/** Runs `read` while REST pages hold so many rows. */
async function withPages<T>(rows: number, read: () => Promise<T>): Promise<T> {
  org.settings.queryPageSize = rows;
  try {
    return await read();
  } finally {
    org.settings.queryPageSize = 2000;
  }
}

test('jsforce query', async () => {
  const found = await conn.query("SELECT Id, Name, Description FROM Account WHERE Name LIKE 'A%' ORDER BY Id");
  const wanted = accounts.filter(({ Name }) => String(Name).toLowerCase().startsWith('a'));
  assert.equal(found.done, true);
  assert.equal(found.totalSize, wanted.length);
  assert.deepEqual(
    found.records.map(plain),
    wanted.map((row) => pick(row, 'Id', 'Name', 'Description')),
  );
});

test('jsforce query with autoFetch', async () => {
  const query = conn.query('SELECT Id FROM Contact', { autoFetch: true, maxFetch: 100_000 });
  const found = await withPages(500, async () => await query);
  assert.deepEqual(
    found.records.map(({ Id }) => Id),
    contacts.map(({ Id }) => Id),
  );
});

test('jsforce query, events of records', async () => {
  const ids: unknown[] = [];
  const query = conn.query('SELECT Id FROM Account');
  query.on('record', ({ Id }: JsforceRecord) => ids.push(Id));
  await query.run({ autoFetch: true, maxFetch: 100_000 });
  assert.deepEqual(
    ids,
    accounts.map(({ Id }) => Id),
  );
});

test('jsforce queryMore', async () => {
  const ids = await withPages(500, async () => {
    let page = await conn.query('SELECT Id FROM Contact');
    const seen = page.records.map(({ Id }) => Id);
    while (!page.done) {
      page = await conn.queryMore(page.nextRecordsUrl!);
      seen.push(...page.records.map(({ Id }) => Id));
    }
    return seen;
  });
  assert.deepEqual(
    ids,
    contacts.map(({ Id }) => Id),
  );
});

test('jsforce query with scanAll', async () => {
  const found = await withPages(
    150,
    async () =>
      await conn.query('SELECT Id, IsDeleted FROM Account', { scanAll: true, autoFetch: true, maxFetch: 100_000 }),
  );
  assert.ok(everyAccount.length > accounts.length);
  assert.deepEqual(
    found.records.map(plain),
    everyAccount.map((row) => pick(row, 'Id', 'IsDeleted')),
  );
});

test('jsforce query, parents and children', async () => {
  const found = await conn.query(
    'SELECT Id, Owner.Username, (SELECT Id FROM Contacts ORDER BY Id) FROM Account ORDER BY Id LIMIT 40',
  );
  assert.deepEqual(
    found.records.map(({ Id, Owner, Contacts }) => [
      Id,
      Owner.Username,
      (Contacts?.records ?? []).map((child: JsforceRecord) => child.Id),
    ]),
    accounts
      .slice(0, 40)
      .map(({ Id, OwnerId }) => [
        Id,
        rowOf(practice, 'User', OwnerId).Username,
        contacts.filter(({ AccountId }) => AccountId === Id).map((child) => child.Id),
      ]),
  );
});

test('jsforce query, aggregates', async () => {
  const found = await conn.query('SELECT Industry, COUNT(Id) n FROM Account GROUP BY Industry');
  const groups = Map.groupBy(accounts, ({ Industry }) => Industry);
  assert.deepEqual(
    new Map(found.records.map(({ Industry, n }) => [Industry, n])),
    new Map([...groups].map(([industry, group]) => [industry, group.length])),
  );
});

test('jsforce sobject().find with conditions', async () => {
  const found = await conn
    .sobject('Account')
    .find({ NumberOfEmployees: { $gt: 4000 } }, ['Id', 'NumberOfEmployees'])
    .sort({ NumberOfEmployees: -1 })
    .limit(10);
  const wanted = accounts
    .filter(({ NumberOfEmployees }) => Number(NumberOfEmployees) > 4000)
    .map(({ NumberOfEmployees }) => NumberOfEmployees as number)
    .toSorted((a, b) => b - a);
  assert.deepEqual(
    found.map(({ NumberOfEmployees }) => NumberOfEmployees),
    wanted.slice(0, 10),
  );
});

test('jsforce sobject().count', async () => {
  assert.equal(await conn.sobject('Account').count({ Industry: 'Banking' }), banking().length);
});

function banking() {
  return accounts.filter(({ Industry }) => Industry === 'Banking');
}

test('jsforce describe', async () => {
  const { fields, childRelationships, name } = await conn.describe('Opportunity');
  const { describe } = database.tables.get('Opportunity')!;
  assert.equal(name, 'Opportunity');
  assert.deepEqual(fields, describe.fields);
  assert.deepEqual(childRelationships, describe.childRelationships);
});

test('jsforce describeGlobal', async () => {
  const { sobjects } = await conn.describeGlobal();
  assert.deepEqual(
    sobjects.map(({ name, keyPrefix, queryable }) => [name, keyPrefix, queryable]).toSorted(),
    [...database.tables.values()]
      .map(({ describe }) => [describe.name, describe.keyPrefix ?? null, describe.queryable])
      .toSorted(),
  );
});

test('jsforce retrieve, one record', async () => {
  const record = await conn.sobject('Account').retrieve(String(accounts[11]!.Id));
  const wanted = shown(practice, 'Account', accounts[11]!);
  assert.deepEqual(pick(record, ...Object.keys(wanted)), wanted);
});

test('jsforce retrieve, several records', async () => {
  const wanted = accounts.slice(3, 8);
  const records = await conn.sobject('Account').retrieve(wanted.map(({ Id }) => String(Id)));
  assert.deepEqual(
    records.map(({ Id, Name }) => [Id, Name]),
    wanted.map(({ Id, Name }) => [Id, Name]),
  );
  const stranger = String(contacts[0]!.Id);
  const some = await conn.retrieve('Account', [stranger, String(wanted[0]!.Id)], { fields: ['Name'] });
  assert.deepEqual(
    some.map((record) => record && plain(record)),
    [null, pick(wanted[0]!, 'Name', 'Id')],
  );
});

test('jsforce retrieve, a record that is not there', async () => {
  const id = database.tables.get('Contact')!.source.row(0).Id;
  await assert.rejects(conn.sobject('Account').retrieve(String(id)), { errorCode: 'MALFORMED_ID' });
});

test('jsforce record().blob', async () => {
  const version = rowsOf(practice, 'ContentVersion').find(({ ContentSize }) => Number(ContentSize) > 0)!;
  const chunks: Buffer[] = [];
  for await (const chunk of conn.sobject('ContentVersion').record(String(version.Id)).blob('VersionData'))
    chunks.push(Buffer.from(chunk));
  const wanted = database.tables.get('ContentVersion')!.blob!(String(version.Id), 'VersionData');
  assert.deepEqual(Buffer.concat(chunks), wanted);
});

test('jsforce sobject().updated', async () => {
  const [start, end] = [daysAgo(28), daysAgo(21)];
  const { ids } = await conn.sobject('Contact').updated(start, end);
  const wanted = contacts.filter(({ SystemModstamp }) => between(SystemModstamp, start, end));
  assert.ok(wanted.length > 0);
  assert.deepEqual(ids.toSorted(), wanted.map(({ Id }) => Id).toSorted());
});

test('jsforce sobject().deleted', async () => {
  const [start, end] = [daysAgo(14.5), daysAgo(0)];
  const { deletedRecords } = await conn.sobject('Account').deleted(start, end);
  const wanted = everyAccount.filter((row) => row.IsDeleted && between(row.SystemModstamp, start, end));
  assert.ok(wanted.length > 0);
  assert.deepEqual(deletedRecords.map(({ id }) => id).toSorted(), wanted.map(({ Id }) => Id).toSorted());
});

function between(value: unknown, start: Date, end: Date): boolean {
  return String(value) >= start.toISOString() && String(value) < end.toISOString();
}

test('jsforce limits, and limitInfo of every answer', async () => {
  const before = await conn.limits();
  assert.equal(before.DailyApiRequests!.Max, org.settings.dailyRequests);
  await conn.query('SELECT Id FROM Account LIMIT 1');
  const after = await conn.limits();
  assert.equal(before.DailyApiRequests!.Remaining - after.DailyApiRequests!.Remaining, 2);
  assert.equal(conn.limitInfo.apiUsage?.limit, org.settings.dailyRequests);
});

test('jsforce identity', async () => {
  const identity = await conn.identity();
  assert.deepEqual([identity.organization_id, identity.user_id, identity.username], [organizationId, userId, username]);
});

test('jsforce request, composite with references', async () => {
  const url = '/services/data/v67.0/query?q=';
  const first = encodeURIComponent('SELECT Id FROM Account ORDER BY Id LIMIT 1');
  const { compositeResponse } = await conn.request<{ compositeResponse: { body: JsforceRecord }[] }>({
    method: 'POST',
    url: '/composite',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      compositeRequest: [
        { method: 'GET', url: `${url}${first}`, referenceId: 'first' },
        { method: 'GET', url: '/services/data/v67.0/sobjects/Account/@{first.records[0].Id}', referenceId: 'record' },
      ],
    }),
  });
  assert.equal(compositeResponse[1]!.body.Name, accounts[0]!.Name);
});

test('jsforce request, composite batch', async () => {
  const urls = [accounts[1]!, accounts[2]!].map(({ Id }) => `v67.0/sobjects/Account/${Id}?fields=Name`);
  const { hasErrors, results } = await conn.requestPost<{
    hasErrors: boolean;
    results: { statusCode: number; result: JsforceRecord }[];
  }>('/composite/batch', { batchRequests: urls.map((url) => ({ method: 'GET', url })) });
  assert.equal(hasErrors, false);
  assert.deepEqual(
    results.map(({ statusCode, result }) => [statusCode, result.Name]),
    [
      [200, accounts[1]!.Name],
      [200, accounts[2]!.Name],
    ],
  );
});

test('jsforce bulk2.query, one page', async () => {
  const stream = await conn.bulk2.query('SELECT Id, Name, Description FROM Account', { pollInterval: 50 });
  const records = await stream.toArray();
  assert.deepEqual(
    records,
    accounts.map(({ Id, Name, Description }) => ({ Id, Name, Description: Description ?? '' })),
  );
});

test('jsforce bulk2.query with scanAll', async () => {
  const stream = await conn.bulk2.query('SELECT Id FROM Account', { pollInterval: 50, scanAll: true });
  assert.deepEqual(
    (await stream.toArray()).map(({ Id }) => Id),
    everyAccount.map(({ Id }) => Id),
  );
});

test('jsforce query, the error of the org', async () => {
  await assert.rejects(async () => await conn.query('SELECT Nope FROM Account'), { errorCode: 'INVALID_FIELD' });
});

const header = 'jsforce takes the header of each further page for a record, or dies of it';
test(refused('jsforce bulk2.query, several pages', header), async () => {
  org.settings.bulkPageRows = 100;
  const program = `
    import { Connection } from 'jsforce';
    const [instanceUrl, accessToken] = process.argv.slice(1);
    const conn = new Connection({ instanceUrl, accessToken, version: '67.0' });
    const stream = await conn.bulk2.query('SELECT Id FROM Account', { pollInterval: 50 });
    console.log((await stream.toArray()).length);`;
  const args = ['--input-type=module', '--eval', program, org.url, org.accessToken];
  const ended = promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname, timeout: 20_000 });
  const printed = await ended.then(
    ({ stdout }) => stdout.trim(),
    () => 'dead',
  );
  org.settings.bulkPageRows = 250_000;
  assert.notEqual(printed, String(accounts.length));
});

test(refused('jsforce search', 'the practice org has no search'), async () => {
  await assert.rejects(async () => await conn.search('FIND {Linden}'), { errorCode: 'NOT_FOUND' });
});

test(refused('jsforce tooling', 'the practice org has no Tooling API'), async () => {
  await assert.rejects(async () => await conn.tooling.query('SELECT Id FROM ApexClass'), { errorCode: 'NOT_FOUND' });
});

test(refused('jsforce bulk.query (Bulk API 1.0)', 'the practice org has Bulk API 2.0 only'), async () => {
  await assert.rejects(async () => await conn.bulk.query('SELECT Id FROM Account'), /NOT_FOUND/);
});
