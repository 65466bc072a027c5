import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, testOrg } from './client.ts';
import { id, ids, nasty } from './small-database.ts';

test('versions are listed without login and are not counted; old ones are gone, unknown ones are not there', async () => {
  await using t = await testOrg();
  const { json, headers } = await t.call('/services/data/', { token: 'none' });
  assert.deepEqual(json[0], { label: "Summer '14", url: '/services/data/v31.0', version: '31.0' });
  assert.deepEqual(json.at(-1), { label: "Summer '26", url: '/services/data/v67.0', version: '67.0' });
  assert.equal(headers.get('sforce-limit-info'), null);
  assert.equal(t.org.requests.calls, 0);
  assert.equal((await t.call('/services/data/v30.0/limits')).status, 410);
  assert.equal((await t.call('/services/data/v68.0/limits')).status, 404);
  assert.equal((await t.call('/services/data/vXX.0/limits')).status, 404);
});

test('two leading slashes are one, and every REST answer counts and tells the usage', async () => {
  await using t = await testOrg({ dailyRequests: 500, requestsUsedByOthers: 10 });
  const first = await t.call(`/${api}/sobjects`);
  assert.equal(first.status, 200);
  assert.equal(first.headers.get('sforce-limit-info'), 'api-usage=11/500');
  await t.call(`${api}/sobjects/Account/describe`);
  const second = await t.query('SELECT Id FROM Nothing');
  assert.equal(second.headers.get('sforce-limit-info'), 'api-usage=13/500');
  assert.deepEqual({ ...t.org.requests.counts }, { describeGlobal: 1, describe: 1, query: 1 });
  assert.equal(t.org.requests.calls, 3);
  assert.deepEqual(
    t.org.requests.entries.map(({ number, method, endpoint, status }) => [number, method, endpoint, status]),
    [
      [1, 'GET', 'describeGlobal', 200],
      [2, 'GET', 'describe', 200],
      [3, 'GET', 'query', 400],
    ],
  );
});

test('the daily limit ends everything with 403', async () => {
  await using t = await testOrg({ dailyRequests: 1 });
  assert.equal((await t.call(`${api}/limits`)).json.DailyApiRequests.Max, 1);
  const { status, json } = await t.call(`${api}/limits`);
  assert.equal(status, 403);
  assert.deepEqual(json, [{ message: 'TotalRequests Limit exceeded.', errorCode: 'REQUEST_LIMIT_EXCEEDED' }]);
});

test('describeGlobal and describe speak of what the user sees, in the version asked for', async () => {
  await using t = await testOrg();
  const { json } = await t.call('/services/data/v50.0/sobjects');
  assert.equal(json.maxBatchSize, 200);
  const account = json.sobjects.find((one: { name: string }) => one.name === 'Account');
  assert.equal(account.urls.describe, '/services/data/v50.0/sobjects/Account/describe');
  assert.equal('fields' in account, false);
  const describe = await t.call(`${api}/sobjects/aCCount/describe`);
  const names = describe.json.fields.map((field: { name: string }) => field.name);
  assert.equal(names.includes('Name'), true);
  assert.equal(names.includes('Secret__c'), false);
  const unknown = await t.call(`${api}/sobjects/Nothing/describe`);
  assert.deepEqual(
    [unknown.status, unknown.json],
    [404, [{ message: 'The requested resource does not exist', errorCode: 'NOT_FOUND' }]],
  );
});

test('a describe that did not change since is answered with 304 and no body', async () => {
  await using t = await testOrg();
  const first = await t.call(`${api}/sobjects/Account/describe`);
  const modified = first.headers.get('last-modified')!;
  const again = await t.call(`${api}/sobjects/Account/describe`, { headers: { 'if-modified-since': modified } });
  assert.deepEqual([again.status, again.text], [304, '']);
  t.org.settings.schemaModified = Date.parse(modified) + 60_000;
  assert.equal(
    (await t.call(`${api}/sobjects/Account/describe`, { headers: { 'if-modified-since': modified } })).status,
    200,
  );
});

test('a record comes with nested compounds, REST datetimes and only the fields asked for', async () => {
  await using t = await testOrg();
  const { json } = await t.call(`${api}/sobjects/Account/${ids.acme}`);
  assert.deepEqual(json.attributes, { type: 'Account', url: `${api}/sobjects/Account/${ids.acme}` });
  assert.equal(json.CreatedDate, '2026-03-01T10:00:00.000+0000');
  assert.equal(json.Founded__c, '2001-02-03');
  assert.equal(json.Opens__c, '08:30:00.000Z');
  assert.equal(json.AnnualRevenue, 10_000_000);
  assert.equal(json.Notes__c, nasty);
  assert.deepEqual(json.BillingAddress, { street: null, city: 'Oslo', latitude: 59.9 });
  assert.deepEqual(json.Place__c, { latitude: 1.5, longitude: 2 });
  assert.equal('Secret__c' in json, false);
  const some = await t.call(`${api}/sobjects/Account/${ids.acme.slice(0, 15)}?fields=name,Parentid`);
  assert.deepEqual(some.json, {
    attributes: { type: 'Account', url: `${api}/sobjects/Account/${ids.acme}` },
    Name: 'Acme',
    ParentId: null,
    Id: ids.acme,
  });
});

test('records that are deleted, unknown, of another kind or asked for with unknown fields are refused apart', async () => {
  await using t = await testOrg();
  const code = async (path: string) => {
    const { status, json } = await t.call(`${api}/sobjects/${path}`);
    return [status, json[0].errorCode];
  };
  assert.deepEqual(await code(`Account/${ids.binned}`), [404, 'ENTITY_IS_DELETED']);
  assert.deepEqual(await code(`Account/${id('001', 99)}`), [404, 'NOT_FOUND']);
  assert.deepEqual(await code(`Account/${ids.queue}`), [400, 'MALFORMED_ID']);
  assert.deepEqual(await code(`Account/${ids.acme}?fields=Nope`), [400, 'INVALID_FIELD']);
  assert.deepEqual(await code('Account/Name/Acme'), [404, 'NOT_FOUND']);
});

test('several records by their Ids, null for one that is not there', async () => {
  await using t = await testOrg();
  const ask = (body: unknown) =>
    t.call(`${api}/composite/sobjects/Account`, { method: 'POST', body: JSON.stringify(body) });
  const { json } = await ask({ ids: [ids.globex, ids.binned, ids.queue, ids.acme], fields: ['Name'] });
  assert.deepEqual(
    json.map((record: { Name: string } | null) => record?.Name),
    ['Globex', undefined, undefined, 'Acme'],
  );
  const refused = await ask({ ids: [ids.acme], fields: ['Nope'] });
  assert.deepEqual([refused.status, refused.json[0].errorCode], [400, 'INVALID_FIELD']);
});

test('an external id finds one record, or answers 300 with the URLs of several', async () => {
  await using t = await testOrg();
  assert.equal((await t.call(`${api}/sobjects/Account/Code__c/A-1`)).json.Name, 'Acme');
  const several = await t.call(`${api}/sobjects/Account/Code__c/twice`);
  assert.equal(several.status, 300);
  assert.deepEqual(several.json, [`${api}/sobjects/Account/${ids.globex}`, `${api}/sobjects/Account/${ids.initech}`]);
});

test('a blob comes as its bytes, and a query gives its URL', async () => {
  await using t = await testOrg();
  const path = `${api}/sobjects/Attachment/${id('00P', 1)}/Body`;
  const response = await fetch(t.org.url + path, { headers: { authorization: `Bearer ${t.org.accessToken}` } });
  assert.equal(response.headers.get('content-length'), '300');
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.alloc(300, 0xfe));
  const { json } = await t.query('SELECT Id, Body FROM Attachment');
  assert.equal(json.records[0].Body, path);
});

test('limits/recordCount leaves out recycle bin, archive and unknown names, and wants a permission', async () => {
  await using t = await testOrg();
  const { json } = await t.call(`${api}/limits/recordCount?sObjects=Account,Task,Nothing`);
  assert.deepEqual(json, {
    sObjects: [
      { count: 3, name: 'Account' },
      { count: 1, name: 'Task' },
    ],
  });
  t.org.settings.permissions.viewSetup = false;
  assert.equal((await t.call(`${api}/limits/recordCount`)).status, 403);
});

test('updated and deleted list what changed in a window', async () => {
  await using t = await testOrg({ clockSkew: Date.parse('2026-03-10T00:00:00Z') - Date.now() });
  const window = 'start=2026-03-02T00:00:00Z&end=2026-03-05T00:00:30%2B00:00';
  const updated = await t.call(`${api}/sobjects/Account/updated/?${window}`);
  assert.deepEqual(updated.json, { ids: [ids.globex, ids.initech], latestDateCovered: '2026-03-05T00:00:00.000+0000' });
  const deleted = await t.call(`${api}/sobjects/Account/deleted/?${window}`);
  assert.deepEqual(deleted.json.deletedRecords, [{ id: ids.binned, deletedDate: '2026-03-04T10:00:00.000+0000' }]);
  assert.match(deleted.json.earliestDateAvailable, /^2026-02-2.*\+0000$/);
  const tooShort = await t.call(`${api}/sobjects/Account/deleted/?start=2026-03-02T00:00:00Z&end=2026-03-02T00:00:30Z`);
  assert.equal(tooShort.json[0].errorCode, 'INVALID_REPLICATION_DATE');
  const tooOld = await t.call(`${api}/sobjects/Account/deleted/?start=2026-01-02T00:00:00Z&end=2026-03-02T00:00:30Z`);
  assert.equal(tooOld.json[0].errorCode, 'INVALID_REPLICATION_DATE');
});

test('the clock of the org may be ahead of ours', async () => {
  await using t = await testOrg({ clockSkew: 3_600_000 });
  const { headers } = await t.call(`${api}/limits`);
  const ahead = Date.parse(headers.get('date')!) - Date.now();
  assert.equal(Math.round(ahead / 60_000), 60);
});

test('a URI above 16,384 bytes is 414, URI and headers together 431', async () => {
  await using t = await testOrg();
  assert.equal((await t.call(`${api}/query?q=${'x'.repeat(16_400)}`)).status, 414);
  const headers = { 'x-long': 'y'.repeat(9000) };
  assert.equal((await t.call(`${api}/query?q=${'x'.repeat(8000)}`, { headers })).status, 431);
  assert.equal((await t.call(`${api}/limits`, { headers })).status, 200);
});

test('a wrong method is 405, a place that is not there 404', async () => {
  await using t = await testOrg();
  assert.equal((await t.call(`${api}/limits`, { method: 'PUT' })).status, 405);
  assert.equal((await t.call(`${api}/nothing`)).status, 404);
});

test('answers are compressed when the client asks, and the headers may be spelled in any case', async () => {
  await using t = await testOrg();
  const asked = await t.call(`${api}/sobjects`);
  assert.equal(asked.headers.get('content-encoding'), 'gzip');
  const plain = await t.call(`${api}/sobjects`, { headers: { 'accept-encoding': 'identity' } });
  assert.equal(plain.headers.get('content-encoding'), null);
  assert.deepEqual(asked.json, plain.json);
});
