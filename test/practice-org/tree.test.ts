import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, testOrg } from './client.ts';
import { id } from './small-database.ts';

type Json = ReturnType<typeof JSON.parse>;

const path = `${api}/composite/tree/Account`;

function account(referenceId: string, more: object = {}): object {
  return { attributes: { type: 'Account', referenceId }, Name: referenceId, ...more };
}

function contact(referenceId: string, more: object = {}): object {
  return { attributes: { type: 'Contact', referenceId }, LastName: referenceId, ...more };
}

const nested = [
  account('a1', { Contacts: { records: [contact('c1'), contact('c2')] } }),
  account('a2', { ChildAccounts: { records: [account('a3', { Contacts: { records: [contact('c3')] } })] } }),
];

test('a tree is created level by level, each child with its parent', async () => {
  await using t = await testOrg();
  const { status, json } = await t.call(path, { body: { records: nested } });
  assert.equal(status, 201);
  assert.equal(json.hasErrors, false);
  assert.deepEqual(
    json.results.map(({ referenceId }: Json) => referenceId),
    ['a1', 'a2', 'c1', 'c2', 'a3', 'c3'],
  );
  const newId = new Map(json.results.map((result: Json) => [result.referenceId, result.id]));
  const parent = async (reference: string, object: string, field: string) =>
    (await t.call(`${api}/sobjects/${object}/${newId.get(reference)}?fields=${field}`)).json[field];
  assert.equal(await parent('c2', 'Contact', 'AccountId'), newId.get('a1'));
  assert.equal(await parent('a3', 'Account', 'ParentId'), newId.get('a2'));
  assert.equal(await parent('c3', 'Contact', 'AccountId'), newId.get('a3'));
  assert.equal(t.org.requests.counts['composite.tree'], 1);
});

test('one record that fails leaves nothing behind, and only it is named', async () => {
  await using t = await testOrg();
  const records = [
    ...nested,
    account('bad', { Contacts: { records: [contact('worse', { AccountId: id('003', 1) })] } }),
  ];
  const bad = account('bad', { ParentId: id('003', 1) });
  const { status, json } = await t.call(path, { body: { records: [...nested, bad] } });
  assert.equal(status, 400);
  assert.equal(json.hasErrors, true);
  assert.deepEqual(
    json.results.map(({ referenceId, errors }: Json) => [referenceId, errors[0].statusCode]),
    [['bad', 'MALFORMED_ID']],
  );
  assert.equal((await t.query('SELECT COUNT() FROM Account')).json.totalSize, 3);
  const parentWins = await t.call(path, { body: { records } });
  assert.equal(parentWins.status, 201);
});

test('what makes no tree is refused', async () => {
  await using t = await testOrg();
  const refusal = async (records: unknown) => {
    const { status, json } = await t.call(path, { body: { records } });
    return [status, json[0].errorCode];
  };
  assert.deepEqual(await refusal([account('x'), account('x')]), [400, 'INVALID_INPUT']);
  assert.deepEqual(await refusal([contact('x')]), [400, 'INVALID_INPUT']);
  assert.deepEqual(await refusal([{ attributes: { type: 'Account' }, Name: 'x' }]), [400, 'INVALID_INPUT']);
  assert.deepEqual(await refusal([account('x', { Nope: 1 })]), [400, 'INVALID_FIELD']);
  assert.deepEqual(await refusal([account('x', { Nope: { records: [contact('y')] } })]), [400, 'INVALID_FIELD']);
  const many = Array.from({ length: 201 }, (_, n) => account(`a${n}`));
  assert.deepEqual(await refusal(many), [400, 'EXCEEDED_ID_LIMIT']);
  const deep = (level: number): object =>
    account(`level${level}`, level === 6 ? {} : { ChildAccounts: { records: [deep(level + 1)] } });
  assert.deepEqual(await refusal([deep(1)]), [400, 'LIMIT_EXCEEDED']);
});
