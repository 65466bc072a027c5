import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { Fault } from '../../src/errors.ts';
import { type ConnectOptions, connect } from '../../src/salesforce/connect.ts';
import type { Org } from '../../src/salesforce/org.ts';
import { json, noWaits, ScriptedOrg, testContext, token } from './scripted-org.ts';

const fieldsOf = {
  Name: 'string',
  Active__c: 'boolean',
  Amount__c: 'currency',
  Share__c: 'percent',
  Pieces__c: 'int',
  Ratio__c: 'double',
  Due__c: 'date',
  Code__c: 'string',
};

interface Rig extends AsyncDisposable {
  org: ScriptedOrg;
  client: Org;
  ctx: ReturnType<typeof testContext>;
}

/** An org that describes one object, and answers writes as the test says. */
async function rig(options: ConnectOptions = {}, signal?: AbortSignal): Promise<Rig> {
  const org = await ScriptedOrg.startWithIdentity();
  const fields = Object.entries(fieldsOf).map(([name, type]) => ({ name, type }));
  const describe = { name: 'Thing__c', fields, childRelationships: [] };
  org.on('GET', '/sobjects/Thing__c/describe', (_call, response) => json(response, 200, describe));
  const ctx = testContext(signal);
  const client = await connect(
    ctx,
    { kind: 'token', accessToken: token, instanceUrl: org.url },
    { ...noWaits(), timeouts: { headers: 500, body: 500 }, ...options },
  );
  return {
    org,
    client,
    ctx,
    async [Symbol.asyncDispose]() {
      await client.close();
      await org[Symbol.asyncDispose]();
    },
  };
}

const ids = ['a01000000000001AAA', 'a01000000000002AAA'];
const done = (id: string) => ({ id, success: true, errors: [] });

test('cells become JSON by their types, without losing a digit, and attributes come first', async () => {
  await using at = await rig();
  at.org.on('POST', '/composite/sobjects', (_call, response) => json(response, 200, [done(ids[0]!), done(ids[1]!)]));
  const written = await at.client.writer.insert('Thing__c', [
    {
      Name: 'say "hi"\r\nü',
      Active__c: 'true',
      Amount__c: '12345678901234567.89',
      Share__c: '-0.50',
      Pieces__c: '7.0',
      Ratio__c: '1.5E-7',
      Due__c: '2026-02-28',
      Code__c: '007',
    },
    { Name: null, Code__c: '', Active__c: 'yes', Amount__c: '1,5' },
  ]);
  assert.deepEqual(written, [
    { id: ids[0], errors: [] },
    { id: ids[1], errors: [] },
  ]);
  const [call] = at.org.callsTo('/composite/sobjects');
  assert.equal(
    call!.body,
    '{"allOrNone":false,"records":[' +
      '{"attributes":{"type":"Thing__c"},"Name":"say \\"hi\\"\\r\\nü","Active__c":true,"Amount__c":12345678901234567.89,' +
      '"Share__c":-0.50,"Pieces__c":7,"Ratio__c":1.5E-7,"Due__c":"2026-02-28","Code__c":"007"},' +
      '{"attributes":{"type":"Thing__c"},"Name":null,"Code__c":null,"Active__c":"yes","Amount__c":"1,5"}]}',
  );
  assert.equal(call!.headers['sforce-auto-assign'], 'FALSE');
  assert.equal(call!.headers['sforce-duplicate-rule-header'], undefined);
});

test('rows that are refused keep their place, with code, message and fields', async () => {
  await using at = await rig();
  const error = {
    statusCode: 'REQUIRED_FIELD_MISSING',
    message: 'Required fields are missing: [Name]',
    fields: ['Name'],
  };
  at.org.on('PATCH', '/composite/sobjects', (_call, response) =>
    json(response, 200, [{ success: false, errors: [error] }, done(ids[1]!)]),
  );
  const records = ids.map((Id) => ({ Id, Code__c: 'x' }));
  assert.deepEqual(await at.client.writer.update('Thing__c', records, { allowDuplicates: true }), [
    { errors: [{ code: error.statusCode, message: error.message, fields: ['Name'] }] },
    { id: ids[1], errors: [] },
  ]);
  const [call] = at.org.callsTo('/composite/sobjects');
  assert.equal(
    call!.headers['sforce-duplicate-rule-header'],
    'allowSave=true; includeRecordDetails=false; runAsCurrentUser=false',
  );
});

test('a request that is refused as a whole says with which code, and is not sent again', async () => {
  await using at = await rig();
  at.org.on('POST', '/composite/sobjects', (_call, response) =>
    json(response, 400, [{ errorCode: 'INVALID_FIELD', message: "No such column 'X__c' on sobject of type Thing__c" }]),
  );
  await assert.rejects(at.client.writer.insert('Thing__c', [{ X__c: '1' }]), (error) => {
    assert.ok(error instanceof Fault);
    assert.equal(error.name, 'object-refused');
    assert.equal(error.data.errorCode, 'INVALID_FIELD');
    return true;
  });
  assert.equal(at.org.callsTo('/composite/sobjects').length, 1);
});

const lost: [string, (response: ServerResponse) => void][] = [
  ['a connection that breaks off', (response) => void response.destroy()],
  ['an answer that never comes', () => {}],
  ['an answer that is cut', (response) => void response.writeHead(200).end('[{"id":"a0100')],
  ['an answer with another number of results', (response) => json(response, 200, [])],
  ['a web page instead of an answer', (response) => void response.writeHead(200).end('<html>hello</html>')],
  ['a 502', (response) => void response.writeHead(502).end('<html>bad gateway</html>')],
  ['a 504', (response) => void response.writeHead(504).end()],
  ['a 503 that is not the org’s', (response) => void response.writeHead(503).end('upstream connect error or reset')],
  ['a 500 with a code', (response) => json(response, 500, [{ errorCode: 'UNKNOWN_EXCEPTION', message: 'gack' }])],
];

for (const [what, trouble] of lost) {
  test(`an insert is sent once: after ${what} nobody knows whether it was done`, async () => {
    await using at = await rig();
    at.org.on('POST', '/composite/sobjects', (_call, response) => trouble(response));
    await assert.rejects(at.client.writer.insert('Thing__c', [{ Name: 'one' }]), { name: 'answer-lost', exit: 74 });
    assert.equal(at.org.callsTo('/composite/sobjects').length, 1);
  });

  test(`an update is sent again after ${what}`, async () => {
    await using at = await rig();
    at.org.on('PATCH', '/composite/sobjects', (call, response) =>
      call.before === 0 ? trouble(response) : json(response, 200, [done(ids[0]!)]),
    );
    const written = await at.client.writer.update('Thing__c', [{ Id: ids[0]!, Name: 'one' }]);
    assert.deepEqual(written, [{ id: ids[0], errors: [] }]);
    assert.equal(at.org.callsTo('/composite/sobjects').length, 2);
  });
}

const refused = (status: number, errorCode: string, message: string) => (response: ServerResponse) =>
  json(response, status, [{ errorCode, message }]);
const notDone: [string, (response: ServerResponse) => void][] = [
  ['a 503 of the org', refused(503, 'SERVER_UNAVAILABLE', 'busy')],
  ['a maintenance page', (response) => void response.writeHead(503).end('<html>We are down for maintenance</html>')],
  ['a 429', (response) => void response.writeHead(429).end()],
  ['a lock of the whole request', refused(400, 'UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access')],
  ['too many requests at a time', refused(403, 'REQUEST_LIMIT_EXCEEDED', 'ConcurrentRequests Limit exceeded.')],
];

for (const [what, trouble] of notDone) {
  test(`an insert is sent again after ${what}, which comes before any work`, async () => {
    await using at = await rig();
    at.org.on('POST', '/composite/sobjects', (call, response) =>
      call.before < 2 ? trouble(response) : json(response, 200, [done(ids[0]!)]),
    );
    assert.deepEqual(await at.client.writer.insert('Thing__c', [{ Name: 'one' }]), [{ id: ids[0], errors: [] }]);
    assert.equal(at.org.callsTo('/composite/sobjects').length, 3);
  });
}

test('an upsert whose answer was lost does not say that a row was there before', async () => {
  await using at = await rig();
  const answer = ids.map((id, i) => ({ ...done(id), created: i === 1 }));
  at.org.on('PATCH', '/composite/sobjects/Thing__c/Code__c', (call, response) =>
    call.before === 0 ? void response.destroy() : json(response, 200, answer),
  );
  const records = [{ Code__c: 'a' }, { Code__c: 'b' }];
  const first = await at.client.writer.upsert('Thing__c', 'Code__c', records);
  assert.deepEqual(first, [
    { id: ids[0], errors: [] },
    { id: ids[1], created: true, errors: [] },
  ]);
  const second = await at.client.writer.upsert('Thing__c', 'Code__c', records);
  assert.deepEqual(
    second.map(({ created }) => created),
    [false, true],
  );
  await assert.rejects(at.client.writer.upsert('Thing__c', 'Code__c', [{ Name: 'no key' }]), TypeError);
});

test('a delete names its Ids, and is sent again', async () => {
  await using at = await rig();
  const gone = {
    success: false,
    errors: [{ statusCode: 'ENTITY_IS_DELETED', message: 'entity is deleted', fields: [] }],
  };
  at.org.on('DELETE', '/composite/sobjects', (call, response) =>
    call.before === 0 ? void response.destroy() : json(response, 200, [done(ids[0]!), { id: ids[1], ...gone }]),
  );
  assert.deepEqual(await at.client.writer.delete(ids), [
    { id: ids[0], errors: [] },
    { id: ids[1], errors: [{ code: 'ENTITY_IS_DELETED', message: 'entity is deleted', fields: [] }] },
  ]);
  assert.equal(at.org.callsTo('/composite/sobjects')[1]!.query.get('ids'), ids.join(','));
  await assert.rejects(at.client.writer.delete(['a01 or 1=1']), TypeError);
  await assert.rejects(at.client.writer.delete(Array.from({ length: 201 }, () => ids[0]!)), TypeError);
});

test('nothing to do is no call, and the budget stops a write before it is sent', async () => {
  await using at = await rig({ budget: { maxPercent: 100, maxCalls: 5 } });
  const before = at.client.apiCalls;
  assert.deepEqual(await at.client.writer.insert('Thing__c', []), []);
  assert.deepEqual(await at.client.writer.delete([]), []);
  assert.deepEqual(await at.client.writer.undelete([]), []);
  assert.ok(at.client.apiCalls <= before + 1);
  at.org.on('POST', '/composite/sobjects', (_call, response) => json(response, 200, [done(ids[0]!)]));
  await assert.rejects(
    async () => {
      for (;;) await at.client.writer.insert('Thing__c', [{ Name: 'one' }]);
    },
    { name: 'api-budget' },
  );
  assert.equal(at.client.apiCalls, 5);
});

test('an abort ends a write with the reason of the signal', async () => {
  const controller = new AbortController();
  await using at = await rig({}, controller.signal);
  at.org.on('POST', '/composite/sobjects', () => controller.abort(new Fault('time-budget', 'The time is over.')));
  await assert.rejects(at.client.writer.insert('Thing__c', [{ Name: 'one' }]), { name: 'time-budget' });
});

test('limits are told as far as the org tells them', async () => {
  await using at = await rig();
  at.org.on('GET', '/limits', (_call, response) =>
    json(response, 200, {
      DataStorageMB: { Max: 5, Remaining: 2 },
      DailyBulkApiBatches: { Max: 15000, Remaining: 14990 },
    }),
  );
  assert.deepEqual(await at.client.writer.limits(), {
    dataStorageMB: { max: 5, remaining: 2 },
    dailyBulkBatches: { max: 15000, remaining: 14990 },
  });
});
