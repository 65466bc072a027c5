import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, type TestOrg, testOrg } from './client.ts';
import { id, ids } from './small-database.ts';

type Json = ReturnType<typeof JSON.parse>;

const newAccount = (referenceId: string, body: object = { Name: referenceId }) => ({
  method: 'POST',
  referenceId,
  url: `${api}/sobjects/Account`,
  body,
});
const newContact = (referenceId: string, AccountId: string) => ({
  method: 'POST',
  referenceId,
  url: `${api}/sobjects/Contact`,
  body: { LastName: referenceId, AccountId },
});
const wrong = newAccount('wrong', { Name: 'wrong', ParentId: id('003', 1) });

function statuses(responses: Json): [number, string | undefined][] {
  return responses.map(({ httpStatusCode, body }: Json) => [httpStatusCode, body?.[0]?.errorCode]);
}

async function composite(t: TestOrg, compositeRequest: object[], more: object = {}): Promise<Json> {
  const { json } = await t.call(`${api}/composite`, { body: { compositeRequest, ...more } });
  return json.compositeResponse;
}

async function accounts(t: TestOrg): Promise<number> {
  return (await t.query('SELECT COUNT() FROM Account')).json.totalSize;
}

test('composite writes use the Ids of earlier ones, and count once', async () => {
  await using t = await testOrg();
  const responses = await composite(t, [
    newAccount('parent', { Name: 'a "quoted" name' }),
    newContact('child', '@{parent.id}'),
    { method: 'GET', referenceId: 'read', url: `${api}/sobjects/Account/@{parent.id}?fields=Name` },
    { method: 'POST', referenceId: 'copy', url: `${api}/sobjects/Account`, body: { Name: '@{read.Name}' } },
    { method: 'PATCH', referenceId: 'change', url: `${api}/sobjects/Account/@{copy.id}`, body: { Industry: 'Bank' } },
  ]);
  const parent = responses[0].body.id;
  assert.deepEqual(responses[0], {
    body: { id: parent, success: true, errors: [] },
    httpHeaders: { Location: `${api}/sobjects/Account/${parent}` },
    httpStatusCode: 201,
    referenceId: 'parent',
  });
  assert.deepEqual(responses[4], { body: null, httpHeaders: {}, httpStatusCode: 204, referenceId: 'change' });
  const contact = (await t.call(`${api}/sobjects/Contact/${responses[1].body.id}?fields=AccountId`)).json;
  assert.equal(contact.AccountId, parent);
  const copy = (await t.call(`${api}/sobjects/Account/${responses[3].body.id}?fields=Name,Industry`)).json;
  assert.deepEqual([copy.Name, copy.Industry], ['a "quoted" name', 'Bank']);
  assert.equal(t.org.requests.calls, 3);
});

test('a failure in composite stops what depends on it, and nothing else', async () => {
  await using t = await testOrg();
  const responses = await composite(t, [wrong, newContact('child', '@{wrong.id}'), newAccount('other')]);
  assert.deepEqual(statuses(responses), [
    [400, 'MALFORMED_ID'],
    [400, 'PROCESSING_HALTED'],
    [201, undefined],
  ]);
  assert.equal(await accounts(t), 4);
});

test('composite with allOrNone takes back what was written', async () => {
  await using t = await testOrg();
  const remove = { method: 'DELETE', referenceId: 'gone', url: `${api}/sobjects/Account/${ids.initech}` };
  const responses = await composite(t, [newAccount('first'), remove, wrong, newAccount('never')], { allOrNone: true });
  assert.deepEqual(statuses(responses), [
    [400, 'PROCESSING_HALTED'],
    [400, 'PROCESSING_HALTED'],
    [400, 'MALFORMED_ID'],
    [400, 'PROCESSING_HALTED'],
  ]);
  assert.equal(await accounts(t), 3);
  assert.equal((await t.call(`${api}/sobjects/Account/${ids.initech}`)).status, 200);
  const good = await composite(t, [newAccount('first'), newContact('child', '@{first.id}')], { allOrNone: true });
  assert.deepEqual(statuses(good), [
    [201, undefined],
    [201, undefined],
  ]);
  assert.equal(await accounts(t), 4);
});

test('allOrNone of composite holds for Collections in it too', async () => {
  await using t = await testOrg();
  const attributes = { type: 'Account' };
  const records = [
    { attributes, Name: 'good' },
    { attributes, Name: 'bad', ParentId: id('003', 1) },
  ];
  const collection = { method: 'POST', referenceId: 'many', url: `${api}/composite/sobjects`, body: { records } };
  const responses = await composite(t, [newAccount('first'), collection], { allOrNone: true });
  assert.equal(responses[0].body[0].errorCode, 'PROCESSING_HALTED');
  assert.deepEqual(
    responses[1].body.map(({ errors }: Json) => errors[0].statusCode),
    ['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'MALFORMED_ID'],
  );
  assert.equal(await accounts(t), 3);
  const apart = await composite(t, [newAccount('first'), collection]);
  assert.deepEqual(
    apart[1].body.map(({ success }: Json) => success),
    [true, false],
  );
  assert.equal(await accounts(t), 5);
});

test('queries beside writes that are all or none are refused by name', async () => {
  await using t = await testOrg();
  const query = { method: 'GET', referenceId: 'q', url: `${api}/query?q=SELECT Id FROM Account` };
  const { status, json } = await t.call(`${api}/composite`, {
    body: { allOrNone: true, compositeRequest: [query, newAccount('x')] },
  });
  assert.deepEqual([status, json[0].errorCode], [501, 'PRACTICE_ORG_UNSUPPORTED']);
});

test('the writes of composite/batch stand each for itself', async () => {
  await using t = await testOrg();
  const { json } = await t.call(`${api}/composite/batch`, {
    body: {
      batchRequests: [
        { method: 'POST', url: 'v67.0/sobjects/Account', richInput: { Name: 'x' } },
        { method: 'POST', url: 'v67.0/sobjects/Account', richInput: wrong.body },
        { method: 'PATCH', url: `v67.0/sobjects/Account/${ids.acme}`, richInput: { Name: 'y' } },
      ],
    },
  });
  assert.deepEqual(
    json.results.map(({ statusCode }: Json) => statusCode),
    [201, 400, 204],
  );
  assert.equal(await accounts(t), 4);
});

test('each graph is all or none on its own', async () => {
  await using t = await testOrg();
  const graphs = [
    { graphId: 'good', compositeRequest: [newAccount('a'), newContact('c', '@{a.id}')] },
    { graphId: 'bad', compositeRequest: [newAccount('a'), wrong] },
  ];
  const { status, json } = await t.call(`${api}/composite/graph`, { body: { graphs } });
  assert.equal(status, 200);
  assert.deepEqual(
    json.graphs.map(({ graphId, isSuccessful }: Json) => [graphId, isSuccessful]),
    [
      ['good', true],
      ['bad', false],
    ],
  );
  assert.deepEqual(statuses(json.graphs[0].graphResponse.compositeResponse), [
    [201, undefined],
    [201, undefined],
  ]);
  assert.deepEqual(statuses(json.graphs[1].graphResponse.compositeResponse), [
    [400, 'PROCESSING_HALTED'],
    [400, 'MALFORMED_ID'],
  ]);
  assert.equal(await accounts(t), 4);
  assert.equal(t.org.requests.calls, 2);
});

test('graphs have limits, and after more than fourteen failures the others are not begun', async () => {
  await using t = await testOrg();
  const ask = async (graphs: object[]) => (await t.call(`${api}/composite/graph`, { body: { graphs } })).json;
  const graph = (graphId: string, ...compositeRequest: object[]) => ({ graphId, compositeRequest });
  const many = Array.from({ length: 76 }, (_, n) => graph(`g${n}`, newAccount('a')));
  assert.equal((await ask(many))[0].errorCode, 'LIMIT_EXCEEDED');
  const nodes = Array.from({ length: 501 }, (_, n) => newAccount(`a${n}`));
  assert.equal((await ask([graph('g', ...nodes)]))[0].errorCode, 'LIMIT_EXCEEDED');
  const chain = Array.from({ length: 16 }, (_, n) =>
    newAccount(`a${n}`, { Name: 'x', ...(n > 0 && { ParentId: `@{a${n - 1}.id}` }) }),
  );
  assert.equal((await ask([graph('g', ...chain)]))[0].errorCode, 'LIMIT_EXCEEDED');
  assert.equal((await ask([graph('g', ...chain.slice(0, 15))])).graphs[0].isSuccessful, true);
  const query = { method: 'GET', referenceId: 'q', url: `${api}/query?q=SELECT Id FROM Account` };
  assert.equal((await ask([graph('g', query)]))[0].errorCode, 'INVALID_INPUT');
  const failing = Array.from({ length: 16 }, (_, n) => graph(`g${n}`, wrong));
  const { graphs } = await ask([...failing, graph('last', newAccount('a'))]);
  assert.equal(graphs[14].graphResponse.compositeResponse[0].body[0].errorCode, 'MALFORMED_ID');
  assert.equal(graphs[15].graphResponse.compositeResponse[0].body[0].errorCode, 'PROCESSING_HALTED');
  assert.deepEqual([graphs[16].graphId, graphs[16].isSuccessful], ['last', false]);
});
