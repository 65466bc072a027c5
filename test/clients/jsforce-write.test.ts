import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Connection, type Record as JsforceRecord } from 'jsforce';
import { allRows, plain, rowsOf, startPractice } from './practice.ts';
import { refused } from './refused.ts';

const practice = await startPractice();
const { org, database } = practice;
after(() => org.close());

const conn = new Connection({ instanceUrl: org.url, accessToken: org.accessToken, version: '67.0' });
const accounts = rowsOf(practice, 'Account');
const account = conn.sobject('Account');

/** These fields of these records as the org has them now, in the order of the Ids. */
async function stored(object: string, ids: readonly string[], ...fields: string[]): Promise<unknown[][]> {
  const records = await conn.sobject(object).retrieve([...ids], { fields });
  return records.map((record) => fields.map((field) => plain(record)[field]));
}

async function create(...names: string[]): Promise<string[]> {
  const results = await account.create(names.map((Name) => ({ Name })));
  return results.map(({ id }) => id!);
}

test('jsforce sobject().create, one record', async () => {
  const result = await account.create({ Name: 'One', NumberOfEmployees: 3 });
  assert.deepEqual(result, { id: result.id, success: true, errors: [] });
  assert.deepEqual(await stored('Account', [result.id!], 'Name', 'NumberOfEmployees'), [['One', 3]]);
});

test('jsforce sobject().create, several records', async () => {
  const ids = await create('Two', 'Three');
  assert.deepEqual(await stored('Account', ids, 'Name'), [['Two'], ['Three']]);
});

test('jsforce sobject().create, more than 200 records', async () => {
  const names = Array.from({ length: 201 }, (_, n) => `Many ${n}`);
  const calls = org.requests.counts['collections.create'] ?? 0;
  const results = await account.create(
    names.map((Name) => ({ Name })),
    { allowRecursive: true },
  );
  assert.equal(org.requests.counts['collections.create'], calls + 2);
  assert.deepEqual(
    results.map(({ success }) => success),
    names.map(() => true),
  );
});

test('jsforce sobject().create, the errors of the org', async () => {
  await assert.rejects(account.create({ Nope: 1 }), { errorCode: 'INVALID_FIELD' });
  await assert.rejects(conn.sobject('Contact').create({ FirstName: 'x' }), { errorCode: 'REQUIRED_FIELD_MISSING' });
  const [first, second] = await conn.sobject('Contact').create([{ FirstName: 'x' }, { LastName: 'y' }]);
  assert.deepEqual([first!.success, second!.success], [false, true]);
  assert.equal((first!.errors[0] as { statusCode?: string }).statusCode, 'REQUIRED_FIELD_MISSING');
});

test('jsforce sobject().create with allOrNone', async () => {
  const results = await conn
    .sobject('Contact')
    .create([{ FirstName: 'x' }, { LastName: 'Nobody' }], { allOrNone: true });
  assert.deepEqual(
    results.map(({ success }) => success),
    [false, false],
  );
  assert.equal((await conn.query("SELECT Id FROM Contact WHERE LastName = 'Nobody'")).totalSize, 0);
});

test('jsforce sobject().update, one record', async () => {
  const [Id] = await create('Before');
  const result = await account.update({ Id: Id!, Name: 'After' });
  assert.deepEqual(result, { id: Id, success: true, errors: [] });
  assert.deepEqual(await stored('Account', [Id!], 'Name'), [['After']]);
});

test('jsforce sobject().update, several records', async () => {
  const ids = await create('a', 'b');
  const results = await account.update(ids.map((Id, n) => ({ Id, Name: `changed ${n}` })));
  assert.deepEqual(
    results.map(({ id, success }) => [id, success]),
    ids.map((id) => [id, true]),
  );
  assert.deepEqual(await stored('Account', ids, 'Name'), [['changed 0'], ['changed 1']]);
});

test('jsforce sobject().record().update and destroy', async () => {
  const [id] = await create('Record');
  await account.record(id!).update({ Name: 'Record 2' });
  assert.deepEqual(await stored('Account', [id!], 'Name'), [['Record 2']]);
  await account.record(id!).destroy();
  await assert.rejects(account.retrieve(id!), { errorCode: 'ENTITY_IS_DELETED' });
});

/** The name of a text of Account that is an external id. */
const key = database.tables
  .get('Account')!
  .describe.fields.find(({ externalId, type, updateable }) => externalId && type === 'string' && updateable)!.name;

test('jsforce sobject().upsert, one record', async () => {
  const upsert = (Name: string) => account.upsert({ Name, [key]: 'jsforce-1' }, key);
  const created = await upsert('Upserted');
  assert.equal(created.created, true);
  const updated = await upsert('Upserted again');
  assert.deepEqual([updated.id, updated.created], [created.id, false]);
  assert.deepEqual(await stored('Account', [created.id!], 'Name', key), [['Upserted again', 'jsforce-1']]);
});

test('jsforce sobject().upsert, several records', async () => {
  const records = [
    { Name: 'Upserted', [key]: 'jsforce-2' },
    { Name: 'Upserted', [key]: 'jsforce-3' },
  ];
  const first = await account.upsert(records, key);
  const second = await account.upsert(records, key);
  assert.deepEqual(
    [first, second].map((results) => results.map(({ created }) => created)),
    [
      [true, true],
      [false, false],
    ],
  );
  assert.deepEqual(
    second.map(({ id }) => id),
    first.map(({ id }) => id),
  );
});

test('jsforce sobject().destroy, one record', async () => {
  const [id] = await create('Gone');
  assert.deepEqual(await account.destroy(id!), { id, success: true, errors: [] });
  await assert.rejects(account.destroy(id!), { errorCode: 'ENTITY_IS_DELETED' });
});

test('jsforce sobject().destroy, several records', async () => {
  const ids = await create('Gone 1', 'Gone 2');
  const results = await account.destroy(ids);
  assert.deepEqual(
    results.map(({ id, success }) => [id, success]),
    ids.map((id) => [id, true]),
  );
});

test('jsforce query().update and destroy', async () => {
  const ids = await create('Query 1', 'Query 2');
  const found = () => conn.sobject('Account').find({ Name: { $like: 'Query%' } }, ['Id', 'Name']);
  const updated = await found().update({ Description: 'by query' }, { bulkThreshold: 10 } as object);
  assert.deepEqual(updated.map(({ id }) => id).toSorted(), ids.toSorted());
  assert.deepEqual(await stored('Account', ids, 'Description'), [['by query'], ['by query']]);
  const destroyed = await found().destroy({ bulkThreshold: 10 } as object);
  assert.deepEqual(
    destroyed.map(({ success }) => success),
    [true, true],
  );
});

test('jsforce request, composite with writes and references', async () => {
  const url = '/services/data/v67.0/sobjects';
  const { compositeResponse } = await conn.requestPost<{ compositeResponse: { body: JsforceRecord }[] }>('/composite', {
    allOrNone: true,
    compositeRequest: [
      { method: 'POST', url: `${url}/Account`, referenceId: 'parent', body: { Name: 'Parent' } },
      { method: 'POST', url: `${url}/Contact`, referenceId: 'c', body: { LastName: 'C', AccountId: '@{parent.id}' } },
    ],
  });
  const [parent, contact] = compositeResponse.map(({ body }) => body.id as string);
  assert.deepEqual(await stored('Contact', [contact!], 'AccountId'), [[parent]]);
});

test('jsforce soap.undelete', async () => {
  const ids = await create('Undeleted 1', 'Undeleted 2');
  await account.destroy(ids);
  const results = await conn.soap.undelete([...ids, String(accounts[0]!.Id)]);
  assert.deepEqual(
    results.map(({ id, success }) => [id || null, success]),
    [...ids.map((id) => [id, true]), [null, false]],
  );
  assert.deepEqual(await stored('Account', ids, 'Name'), [['Undeleted 1'], ['Undeleted 2']]);
});

test('jsforce soap.create, update, upsert and delete', async () => {
  const created = await conn.soap.create([
    { type: 'Account', Name: 'By SOAP & "more"' },
    { type: 'Account', Name: 'x' },
  ]);
  const ids = created.map(({ id }) => id!);
  const updated = await conn.soap.update({ type: 'Account', Id: ids[1]!, Name: 'y', Description: null });
  assert.equal(updated.success, true);
  assert.deepEqual(await stored('Account', ids, 'Name'), [['By SOAP & "more"'], ['y']]);
  const upserted = await conn.soap.upsert(key, { type: 'Account', Name: 'z', [key]: 'jsforce-soap' });
  assert.equal(upserted.created, true);
  const deleted = await conn.soap.delete(ids);
  assert.deepEqual(
    deleted.map(({ success }) => success),
    [true, true],
  );
});

test('jsforce soap.emptyRecycleBin', async () => {
  const [id] = await create('Purged');
  await account.destroy(id!);
  const results = (await conn.soap.emptyRecycleBin([id!])) as unknown as { success: boolean }[];
  assert.equal(results[0]!.success, true);
  assert.equal((await conn.soap.undelete([id!]))[0]!.success, false);
});

test('jsforce soap.getUserInfo and getServerTimestamp', async () => {
  const info = await conn.soap.getUserInfo();
  assert.deepEqual([info.userId, info.userName], [database.facts.userId, database.facts.username]);
  const { timestamp } = await conn.soap.getServerTimestamp();
  assert.equal(new Date(timestamp).toISOString(), timestamp);
});

test('jsforce soap, the session that has died', async () => {
  const dead = new Connection({ instanceUrl: org.url, accessToken: '00D!dead', version: '67.0' });
  await assert.rejects(dead.soap.getUserInfo(), { errorCode: 'sf:INVALID_SESSION_ID' });
});

test(refused('jsforce soap.merge', 'the practice org does not merge records'), async () => {
  await assert.rejects(conn.soap.merge({}), { errorCode: 'sf:PRACTICE_ORG_UNSUPPORTED' });
});

test(refused('jsforce soap with a JWT for a token', 'before API 68 SOAP takes no such tokens'), async () => {
  org.settings.accessTokens = 'jwt';
  const { accessToken } = (await (await fetch(`${org.url}/practice-org/login`)).json()) as { accessToken: string };
  org.settings.accessTokens = 'opaque';
  const jwt = new Connection({ instanceUrl: org.url, accessToken, version: '67.0' });
  assert.equal((await jwt.query('SELECT Id FROM Account LIMIT 1')).records.length, 1);
  await assert.rejects(async () => await jwt.soap.getUserInfo(), /SOAP API does not support JWT/);
});

test('the rows of the database stay as they are: writes lie over them', () => {
  assert.equal(allRows(practice, 'Account').length, database.tables.get('Account')!.source.size);
  assert.equal(rowsOf(practice, 'Account').length, accounts.length);
});
