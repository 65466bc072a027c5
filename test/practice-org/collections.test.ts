import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, type TestOrg, testOrg } from './client.ts';
import { id, ids } from './small-database.ts';

const path = `${api}/composite/sobjects`;

type Json = ReturnType<typeof JSON.parse>;

function account(Name: string, more: object = {}): object {
  return { attributes: { type: 'Account' }, Name, ...more };
}

function contact(LastName: string, more: object = {}): object {
  return { attributes: { type: 'Contact' }, LastName, ...more };
}

/** What became of each record: `true`, or the code of its first error. */
function outcomes(results: Json): unknown[] {
  return results.map(({ success, errors }: Json) => success || errors[0].statusCode);
}

async function count(t: TestOrg, object: string): Promise<number> {
  return (await t.query(`SELECT COUNT() FROM ${object}`)).json.totalSize;
}

test('records of several types are created, with results in their order', async () => {
  await using t = await testOrg();
  const records = [account('one'), contact('two', { AccountId: ids.acme }), account('three')];
  const { status, json } = await t.call(path, { body: { records } });
  assert.equal(status, 200);
  assert.deepEqual(
    json.map((result: Json) => [result.id.slice(0, 3), Object.keys(result)]),
    [
      ['001', ['id', 'success', 'errors']],
      ['003', ['id', 'success', 'errors']],
      ['001', ['id', 'success', 'errors']],
    ],
  );
  assert.equal((await t.call(`${api}/sobjects/Contact/${json[1].id}?fields=AccountId`)).json.AccountId, ids.acme);
  assert.equal(t.org.requests.calls, 2);
});

test('a record that fails says so in its place, with statusCode and without an Id; the others are saved', async () => {
  await using t = await testOrg();
  const records = [account('one'), account('two', { ParentId: id('003', 1) }), account('three')];
  const { status, json } = await t.call(path, { body: { allOrNone: false, records } });
  assert.equal(status, 200);
  assert.deepEqual(outcomes(json), [true, 'MALFORMED_ID', true]);
  assert.deepEqual(Object.keys(json[1]), ['success', 'errors']);
  assert.deepEqual(Object.keys(json[1].errors[0]), ['statusCode', 'message', 'fields']);
  assert.equal(await count(t, 'Account'), 5);
});

test('all or none: the innocent are rolled back with the guilty, over all types', async () => {
  await using t = await testOrg();
  const records = [contact('one'), account('two', { ParentId: id('003', 1) }), account('three')];
  const { status, json } = await t.call(path, { body: { allOrNone: true, records } });
  assert.equal(status, 200);
  const innocent = 'ALL_OR_NONE_OPERATION_ROLLED_BACK';
  assert.deepEqual(outcomes(json), [innocent, 'MALFORMED_ID', innocent]);
  assert.deepEqual([await count(t, 'Contact'), await count(t, 'Account')], [5, 3]);
});

test('records are changed by their Id, whatever its case', async () => {
  await using t = await testOrg();
  const records = [
    account('Acme 2', { id: ids.acme }),
    contact('P', { Id: id('003', 1) }),
    account('x'),
    account('x', { Id: ids.binned }),
    account('x', { Id: id('001', 77) }),
  ];
  const { json } = await t.call(path, { method: 'PATCH', body: { records } });
  assert.deepEqual(outcomes(json), [
    true,
    true,
    'MISSING_ARGUMENT',
    'ENTITY_IS_DELETED',
    'INVALID_CROSS_REFERENCE_KEY',
  ]);
  assert.deepEqual(json[0], { id: ids.acme, success: true, errors: [] });
  assert.equal((await t.call(`${api}/sobjects/Account/${ids.acme}?fields=Name`)).json.Name, 'Acme 2');
});

test('an upsert by external id says what it created; by Id, a blank one creates', async () => {
  await using t = await testOrg();
  const upsert = (key: string, records: object[], version = api) =>
    t.call(`${version}/composite/sobjects/Account/${key}`, { method: 'PATCH', body: { records } });
  const { json } = await upsert('Code__c', [
    account('known', { Code__c: 'A-1' }),
    account('new', { Code__c: 'new' }),
    account('two', { Code__c: 'twice' }),
  ]);
  assert.deepEqual(json[0], { id: ids.acme, success: true, errors: [], created: false });
  assert.equal(json[1].created, true);
  assert.equal(json[2].errors[0].statusCode, 'DUPLICATE_EXTERNAL_ID');
  const byId = (await upsert('Id', [account('newer', { Id: null }), account('changed', { Id: json[1].id })])).json;
  assert.deepEqual(
    byId.map(({ created }: Json) => created),
    [true, false],
  );
  const again = (await upsert('Code__c', [account('a', { Code__c: 'k' }), account('b', { Code__c: 'k' })])).json;
  assert.deepEqual(outcomes(again), ['DUPLICATE_VALUE', 'DUPLICATE_VALUE']);
  const old = (await upsert('Code__c', [account('old', { Code__c: 'old' })], '/services/data/v45.0')).json;
  assert.deepEqual(Object.keys(old[0]), ['id', 'success', 'errors']);
  const noKey = await upsert('Name', [account('x')]);
  assert.deepEqual([noKey.status, noKey.json[0].errorCode], [404, 'NOT_FOUND']);
  const other = (await upsert('Code__c', [contact('x')])).json;
  assert.deepEqual(outcomes(other), ['INVALID_TYPE']);
});

test('records are deleted by their Ids, of any type', async () => {
  await using t = await testOrg();
  const remove = (list: string[], more = '') => t.call(`${path}?ids=${list.join(',')}${more}`, { method: 'DELETE' });
  const { json } = await remove([id('003', 5), ids.initech, ids.binned, 'nothing']);
  assert.deepEqual(outcomes(json), [true, true, 'ENTITY_IS_DELETED', 'MALFORMED_ID']);
  assert.deepEqual(json[0], { id: id('003', 5), success: true, errors: [] });
  const none = (await remove([ids.globex, ids.binned], '&allOrNone=true')).json;
  assert.deepEqual(outcomes(none), ['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'ENTITY_IS_DELETED']);
  assert.equal((await t.call(`${api}/sobjects/Account/${ids.globex}`)).status, 200);
});

test('a parent is named by its external id; one that is not there costs its record only', async () => {
  await using t = await testOrg();
  const records = [contact('a', { Account: { Code__c: 'A-1' } }), contact('b', { Account: { Code__c: 'none' } })];
  const { json } = await t.call(path, { body: { records } });
  assert.deepEqual(outcomes(json), [true, 'INVALID_FIELD']);
  assert.equal((await t.call(`${api}/sobjects/Contact/${json[0].id}?fields=AccountId`)).json.AccountId, ids.acme);
});

test('requests that hold too much, nothing, or what cannot be read are refused whole', async () => {
  await using t = await testOrg();
  const refusal = async (records: unknown) => {
    const { status, json } = await t.call(path, { body: { records } });
    return [status, json[0].errorCode];
  };
  assert.deepEqual(await refusal([]), [400, 'REQUIRED_FIELD_MISSING']);
  assert.deepEqual(await refusal(Array(201).fill(account('x'))), [400, 'EXCEEDED_ID_LIMIT']);
  const mixed = Array.from({ length: 11 }, (_, n) => (n % 2 === 0 ? account('x') : contact('x')));
  assert.deepEqual(await refusal(mixed), [400, 'LIMIT_EXCEEDED']);
  assert.deepEqual(await refusal([account('x'), account('y', { Founded__c: 'soon' })]), [400, 'JSON_PARSER_ERROR']);
  assert.deepEqual(await refusal([account('x'), account('y', { Nope: 1 })]), [400, 'INVALID_FIELD']);
  assert.deepEqual([await count(t, 'Account'), await count(t, 'Contact')], [3, 5]);
  assert.deepEqual(
    outcomes((await t.call(path, { body: { records: mixed.slice(0, 10) } })).json),
    Array(10).fill(true),
  );
});

test('an unknown field may cost its record only', async () => {
  await using t = await testOrg({ collectionsUnknownField: 'record' });
  const records = [account('x'), account('y', { Nope: 1 })];
  const { json } = await t.call(path, { body: { records } });
  assert.deepEqual(outcomes(json), [true, 'INVALID_FIELD']);
  const all = (await t.call(path, { body: { allOrNone: true, records } })).json;
  assert.deepEqual(outcomes(all), ['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'INVALID_FIELD']);
});

test('attributes stand anywhere, or first in a strict org', async () => {
  await using t = await testOrg();
  const records = [{ Name: 'last', attributes: { type: 'Account' } }, account('first')];
  const lenient = (await t.call(path, { body: { records } })).json;
  assert.deepEqual(outcomes(lenient), [true, true]);
  t.org.settings.collectionsAttributes = 'strict';
  const strict = (await t.call(path, { body: { records } })).json;
  assert.deepEqual(outcomes(strict), ['JSON_PARSER_ERROR', true]);
  const without = (await t.call(path, { body: { records: [{ Name: 'x' }] } })).json;
  assert.deepEqual(outcomes(without), ['JSON_PARSER_ERROR']);
});

test('setup objects and others do not go together', async () => {
  await using t = await testOrg();
  const group = { attributes: { type: 'Group' }, Name: 'Crew' };
  const { json } = await t.call(path, { body: { records: [account('x'), group, account('y')] } });
  assert.deepEqual(outcomes(json), [true, 'MIXED_DML_OPERATION', true]);
});

test('locked rows fail in their places and can be sent again', async () => {
  await using t = await testOrg();
  t.org.failNext('collections.create', { name: 'row-lock', rows: 2 }, { object: 'Account' });
  const records = [account('a'), account('b'), account('c')];
  const first = (await t.call(path, { body: { records } })).json;
  assert.deepEqual(outcomes(first), ['UNABLE_TO_LOCK_ROW', 'UNABLE_TO_LOCK_ROW', true]);
  const second = (await t.call(path, { body: { records: records.slice(0, 2) } })).json;
  assert.deepEqual(outcomes(second), [true, true]);
  t.org.failNext('collections.delete', { name: '503-json' }, { object: 'Account' });
  assert.equal((await t.call(`${path}?ids=${ids.acme}`, { method: 'DELETE' })).status, 503);
  assert.equal((await t.call(`${path}?ids=${ids.acme}`, { method: 'DELETE' })).status, 200);
});
