import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { api, type TestOrg, testOrg } from './client.ts';
import { id, ids } from './small-database.ts';

const account = `${api}/sobjects/Account`;

/** Status and first error code of a refused request. */
async function refusal(t: TestOrg, path: string, method: string, body?: unknown): Promise<[number, string]> {
  const { status, json } = await t.call(path, { method, body });
  return [status, json[0].errorCode];
}

async function nameOf(t: TestOrg, recordId: string): Promise<string> {
  return (await t.call(`${account}/${recordId}?fields=Name`)).json.Name;
}

test('a record is created with a new Id, changed, deleted and then gone', async () => {
  await using t = await testOrg();
  const created = await t.call(account, { body: { Name: 'New', NumberOfEmployees: 12, Founded__c: '2020-01-02' } });
  const newId = created.json.id;
  assert.equal(created.status, 201);
  assert.deepEqual(created.json, { id: newId, success: true, errors: [] });
  assert.equal(created.headers.get('location'), `${account}/${newId}`);
  const { json } = await t.call(`${account}/${newId}?fields=Name,NumberOfEmployees,Founded__c,Industry`);
  assert.deepEqual(
    [json.Name, json.NumberOfEmployees, json.Founded__c, json.Industry],
    ['New', 12, '2020-01-02', null],
  );
  const changed = await t.call(`${account}/${newId}`, { method: 'PATCH', body: { name: 'Newer', Founded__c: null } });
  assert.deepEqual([changed.status, changed.text], [204, '']);
  const after = (await t.call(`${account}/${newId}?fields=Name,NumberOfEmployees,Founded__c`)).json;
  assert.deepEqual([after.Name, after.NumberOfEmployees, after.Founded__c], ['Newer', 12, null]);
  assert.equal((await t.call(`${account}/${newId}`, { method: 'DELETE' })).status, 204);
  assert.deepEqual(await refusal(t, `${account}/${newId}`, 'DELETE'), [404, 'ENTITY_IS_DELETED']);
  assert.deepEqual(await refusal(t, `${account}/${newId}`, 'GET'), [404, 'ENTITY_IS_DELETED']);
  assert.deepEqual(
    { ...t.org.requests.counts },
    { 'record.create': 1, record: 3, 'record.update': 1, 'record.delete': 2 },
  );
  assert.equal(t.org.requests.calls, 7);
});

test('what a single record is refused for stands in an array, with the status of its kind', async () => {
  await using t = await testOrg();
  const acme = `${account}/${ids.acme}`;
  const wrong = await t.call(acme, { method: 'PATCH', body: { ParentId: id('003', 1) } });
  assert.equal(wrong.status, 400);
  assert.deepEqual(
    wrong.json.map(({ errorCode, fields }: { errorCode: string; fields: string[] }) => [errorCode, fields]),
    [['MALFORMED_ID', ['ParentId']]],
  );
  const unknown = await t.call(account, { body: { Nope: 1 } });
  assert.deepEqual(
    [unknown.status, unknown.json],
    [400, [{ message: "No such column 'Nope' on sobject of type Account", errorCode: 'INVALID_FIELD' }]],
  );
  const cases: [path: string, method: string, body: unknown, status: number, code: string][] = [
    [account, 'POST', { Id: ids.acme, Name: 'x' }, 400, 'INVALID_FIELD_FOR_INSERT_UPDATE'],
    [account, 'POST', { Secret__c: 'x' }, 400, 'INVALID_FIELD'],
    [account, 'POST', { Founded__c: 'soon' }, 400, 'JSON_PARSER_ERROR'],
    [account, 'POST', { Name: ['x'] }, 400, 'JSON_PARSER_ERROR'],
    [account, 'POST', '{"Name":', 400, 'JSON_PARSER_ERROR'],
    [acme, 'PATCH', { Id: ids.acme }, 400, 'INVALID_FIELD'],
    [`${account}/${ids.queue}`, 'PATCH', { Name: 'x' }, 400, 'MALFORMED_ID'],
    [`${account}/${id('001', 77)}`, 'PATCH', { Name: 'x' }, 404, 'INVALID_CROSS_REFERENCE_KEY'],
    [`${account}/${id('001', 77)}`, 'DELETE', undefined, 404, 'INVALID_CROSS_REFERENCE_KEY'],
    [`${account}/nothing`, 'DELETE', undefined, 404, 'NOT_FOUND'],
    [`${api}/sobjects/Nothing`, 'POST', { Name: 'x' }, 404, 'NOT_FOUND'],
    [`${account}/Name/Acme`, 'PATCH', { Industry: 'Bank' }, 404, 'NOT_FOUND'],
    [`${account}/Code__c/A-1`, 'PATCH', { Code__c: 'A-1' }, 400, 'INVALID_FIELD'],
  ];
  for (const [path, method, body, status, code] of cases)
    assert.deepEqual(await refusal(t, path, method, body), [status, code], `${method} ${path} ${JSON.stringify(body)}`);
});

test('an upsert by external id creates, changes, and names the choices', async () => {
  await using t = await testOrg();
  const upsert = (key: string, body: unknown, path = account) =>
    t.call(`${path}/Code__c/${key}`, { method: 'PATCH', body });
  const created = await upsert('new', { Name: 'First' });
  const newId = created.json.id;
  assert.deepEqual([created.status, created.json], [201, { id: newId, success: true, errors: [], created: true }]);
  const updated = await upsert('new', { Name: 'Second' });
  assert.deepEqual([updated.status, updated.json], [200, { id: newId, success: true, errors: [], created: false }]);
  assert.equal(await nameOf(t, newId), 'Second');
  const several = await upsert('twice', { Name: 'x' });
  assert.deepEqual([several.status, several.json], [300, [`${account}/${ids.globex}`, `${account}/${ids.initech}`]]);
  const old = await upsert('new', { Name: 'Third' }, '/services/data/v45.0/sobjects/Account');
  assert.deepEqual([old.status, old.text], [204, '']);
  const oldNew = await upsert('newer', { Name: 'Fourth' }, '/services/data/v45.0/sobjects/Account');
  assert.deepEqual([oldNew.status, Object.keys(oldNew.json)], [201, ['id', 'success', 'errors']]);
  const strict = await upsert('none?updateOnly=true', { Name: 'x' });
  assert.deepEqual([strict.status, strict.json[0].errorCode], [404, 'NOT_FOUND']);
  const byId = await t.call(`${account}/Id/${newId}`, { method: 'PATCH', body: { Name: 'Fifth' } });
  assert.equal(byId.status, 204);
  const withoutId = await t.call(`${account}/Id`, { body: { Name: 'Sixth' } });
  assert.equal(withoutId.status, 201);
  assert.deepEqual([await nameOf(t, newId), await nameOf(t, withoutId.json.id)], ['Fifth', 'Sixth']);
});

test('a record is deleted by its external id', async () => {
  await using t = await testOrg();
  assert.equal((await t.call(`${account}/Code__c/twice`, { method: 'DELETE' })).status, 300);
  assert.equal((await t.call(`${account}/Code__c/A-1`, { method: 'DELETE' })).status, 204);
  assert.deepEqual(await refusal(t, `${account}/Code__c/A-1`, 'DELETE'), [404, 'NOT_FOUND']);
});

test('a parent is named by its external id', async () => {
  await using t = await testOrg();
  const created = await t.call(`${api}/sobjects/Contact`, { body: { LastName: 'K', Account: { Code__c: 'A-1' } } });
  const { json } = await t.call(`${api}/sobjects/Contact/${created.json.id}?fields=AccountId`);
  assert.equal(json.AccountId, ids.acme);
  const lost = await t.call(`${api}/sobjects/Contact`, { body: { LastName: 'K', Account: { Code__c: 'z' } } });
  assert.deepEqual([lost.status, lost.json[0].errorCode], [400, 'INVALID_FIELD']);
  const task = (What: unknown) => t.call(`${api}/sobjects/Task`, { body: { Subject: 's', What } });
  assert.equal((await task({ attributes: { type: 'Account' }, Code__c: 'A-1' })).status, 201);
  const bare = await task({ Code__c: 'A-1' });
  assert.deepEqual([bare.status, bare.json[0].errorCode], [400, 'JSON_PARSER_ERROR']);
});

test('POST stands for a method that the client cannot send', async () => {
  await using t = await testOrg();
  const reply = await t.call(`${account}/${ids.acme}?_HttpMethod=PATCH`, { body: { Name: 'Other' } });
  assert.equal(reply.status, 204);
  assert.equal(await nameOf(t, ids.acme), 'Other');
});

test('a file comes as base64 in JSON, or as its bytes in a multipart body', async () => {
  await using t = await testOrg();
  const bytes = Buffer.from([0, 1, 2, 0xfe, 0xff, 13, 10, 13, 10]);
  const path = `${api}/sobjects/Attachment`;
  const inJson = await t.call(path, { body: { Name: 'j.bin', Body: bytes.toString('base64') } });
  const upload = (...parts: [string, Blob, string?][]) => {
    const form = new FormData();
    for (const [name, part, filename] of parts)
      if (filename === undefined) form.append(name, part);
      else form.append(name, part, filename);
    const headers = { authorization: `Bearer ${t.org.accessToken}` };
    return fetch(t.org.url + path, { method: 'POST', headers, body: form });
  };
  const fields = new Blob([JSON.stringify({ Name: 'm.bin' })], { type: 'application/json' });
  const inParts = await upload(['entity_attachment', fields], ['Body', new Blob([bytes]), 'm.bin']);
  assert.equal(inParts.status, 201);
  const fileFirst = await upload(['Body', new Blob([bytes]), 'm.bin'], ['entity_attachment', fields]);
  assert.equal(fileFirst.status, 201);
  const made = await Promise.all([inParts, fileFirst].map(async (reply) => (await reply.json()) as { id: string }));
  const all = [inJson.json.id, ...made.map((result) => result.id)];
  for (const attachment of all) {
    const response = await fetch(`${t.org.url}${path}/${attachment}/Body`, {
      headers: { authorization: `Bearer ${t.org.accessToken}` },
    });
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
  }
  const noFile = await upload(['entity_attachment', fields]);
  assert.equal(noFile.status, 400);
  const noFields = await upload(['Body', new Blob([bytes]), 'm.bin']);
  assert.equal(noFields.status, 400);
});

test('a file that is too large for JSON goes in a multipart body, which can replace one as well', async () => {
  await using t = await testOrg();
  const path = `${api}/sobjects/Attachment`;
  const tooLarge = await t.call(path, { body: { Name: 'x', Body: 'A'.repeat(52_500_000) } });
  assert.deepEqual([tooLarge.status, tooLarge.json[0].errorCode], [413, 'REQUEST_ENTITY_TOO_LARGE']);
  const form = new FormData();
  form.append('entity_attachment', new Blob([JSON.stringify({ Name: 'renamed' })], { type: 'application/json' }));
  form.append('Body', new Blob([Buffer.alloc(60_000_000, 7)]), 'x.bin');
  const first = `${path}/${id('00P', 1)}`;
  const headers = { authorization: `Bearer ${t.org.accessToken}` };
  assert.equal((await fetch(t.org.url + first, { method: 'PATCH', headers, body: form })).status, 204);
  assert.equal((await t.call(`${first}?fields=Name`)).json.Name, 'renamed');
  const body = await (await fetch(`${t.org.url}${first}/Body`, { headers })).arrayBuffer();
  assert.deepEqual([body.byteLength, new Uint8Array(body)[0]], [60_000_000, 7]);
});

test('what an alert rule finds is saved only when the client allows it', async () => {
  const rule = { kind: 'duplicate', object: 'Account', fields: ['Name'], action: 'alert' } as const;
  await using t = await testOrg({ rules: [rule] });
  const create = (header?: string, version = '67.0') =>
    t.call(`/services/data/v${version}/sobjects/Account`, {
      body: { Name: 'Acme' },
      headers: header === undefined ? {} : { 'Sforce-Duplicate-Rule-Header': header },
    });
  const refused = await create();
  assert.deepEqual([refused.status, refused.json[0].errorCode], [400, 'DUPLICATES_DETECTED']);
  assert.equal((await create('includeRecordDetails=false')).status, 400);
  assert.equal((await create('allowSave=true', '51.0')).status, 400);
  assert.equal((await create('allowSave=true; includeRecordDetails=false; runAsCurrentUser=false')).status, 201);
});

test('assignment rules run for a new case unless the client says no', async () => {
  const database = sampleDatabase();
  const users = database.tables.get('User')!.source;
  const active = Array.from({ length: users.size }, (_, n) => users.row(n)).filter((user) => user.IsActive === true);
  const [first, second] = active.map((user) => String(user.Id));
  await using t = await testOrg({ defaultCaseOwner: first! }, database);
  const ownerOf = async (headers: Record<string, string>) => {
    const { json } = await t.call(`${api}/sobjects/Case`, { body: { Subject: 's', OwnerId: second }, headers });
    return (await t.call(`${api}/sobjects/Case/${json.id}?fields=OwnerId`)).json.OwnerId;
  };
  assert.equal(await ownerOf({}), first);
  assert.equal(await ownerOf({ 'Sforce-Auto-Assign': 'FALSE' }), second);
  const byRule = await t.call(`${api}/sobjects/Case`, {
    body: { Subject: 's' },
    headers: { 'Sforce-Auto-Assign': id('01Q', 1) },
  });
  assert.deepEqual([byRule.status, byRule.json[0].errorCode], [501, 'PRACTICE_ORG_UNSUPPORTED']);
});

test('conditions on a write are refused by name', async () => {
  await using t = await testOrg();
  const headers = { 'If-Match': '"x"' };
  const reply = await t.call(`${account}/${ids.acme}`, { method: 'PATCH', body: { Name: 'x' }, headers });
  assert.deepEqual([reply.status, reply.json[0].errorCode], [501, 'PRACTICE_ORG_UNSUPPORTED']);
});
