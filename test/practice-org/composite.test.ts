import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, testOrg } from './client.ts';
import { ids } from './small-database.ts';

test('composite/batch answers each subrequest and counts each', async () => {
  await using t = await testOrg();
  const { json, status } = await t.call(`${api}/composite/batch`, {
    body: {
      batchRequests: [
        { method: 'GET', url: 'v67.0/sobjects/Account/describe' },
        { method: 'GET', url: `${api}/sobjects/Nothing/describe` },
        { method: 'GET', url: `${api}/query?q=SELECT+COUNT()+FROM+Account` },
      ],
    },
  });
  assert.equal(status, 200);
  assert.equal(json.hasErrors, true);
  assert.deepEqual(
    json.results.map((one: { statusCode: number }) => one.statusCode),
    [200, 404, 200],
  );
  assert.equal(json.results[0].result.name, 'Account');
  assert.equal(json.results[1].result[0].errorCode, 'NOT_FOUND');
  assert.equal(json.results[2].result.totalSize, 3);
  assert.equal(t.org.requests.calls, 3);
  assert.deepEqual({ ...t.org.requests.counts }, { 'composite.batch': 1, describe: 2, query: 1 });
});

test('composite/batch halts on error when asked, and takes 25 at most', async () => {
  await using t = await testOrg();
  const describe = (name: string) => ({ method: 'GET', url: `${api}/sobjects/${name}/describe` });
  const { json } = await t.call(`${api}/composite/batch`, {
    body: { haltOnError: true, batchRequests: [describe('Nope'), describe('Account')] },
  });
  assert.deepEqual(
    json.results.map((one: { statusCode: number }) => one.statusCode),
    [404, 412],
  );
  const many = Array.from({ length: 26 }, () => describe('Account'));
  assert.equal((await t.call(`${api}/composite/batch`, { body: { batchRequests: many } })).status, 400);
});

test('composite fills in references to earlier results and counts once', async () => {
  await using t = await testOrg();
  const { json } = await t.call(`${api}/composite`, {
    body: {
      compositeRequest: [
        { method: 'GET', referenceId: 'first', url: `${api}/query?q=SELECT Id FROM Account WHERE Name = 'Globex'` },
        { method: 'GET', referenceId: 'second', url: `${api}/sobjects/Account/@{first.records[0].Id}?fields=Name` },
        { method: 'GET', referenceId: 'third', url: `${api}/sobjects/Account/@{first.records[1].Id}` },
      ],
    },
  });
  assert.deepEqual(json.compositeResponse[1], {
    body: {
      attributes: { type: 'Account', url: `${api}/sobjects/Account/${ids.globex}` },
      Name: 'Globex',
      Id: ids.globex,
    },
    httpHeaders: {},
    httpStatusCode: 200,
    referenceId: 'second',
  });
  assert.equal(json.compositeResponse[2].httpStatusCode, 400);
  assert.equal(json.compositeResponse[2].body[0].errorCode, 'PROCESSING_HALTED');
  assert.equal(t.org.requests.calls, 1);
});

test('composite takes five queries at most, and allOrNone undoes all', async () => {
  await using t = await testOrg();
  const query = (n: number) => ({ method: 'GET', referenceId: `q${n}`, url: `${api}/query?q=SELECT Id FROM Account` });
  const six = await t.call(`${api}/composite`, { body: { compositeRequest: [1, 2, 3, 4, 5, 6].map(query) } });
  assert.equal(six.status, 400);
  const { json } = await t.call(`${api}/composite`, {
    body: {
      allOrNone: true,
      compositeRequest: [query(1), { method: 'GET', referenceId: 'x', url: `${api}/sobjects/Nope/describe` }, query(2)],
    },
  });
  assert.deepEqual(
    json.compositeResponse.map((one: { httpStatusCode: number }) => one.httpStatusCode),
    [400, 404, 400],
  );
  assert.equal(json.compositeResponse[0].body[0].errorCode, 'PROCESSING_HALTED');
});
