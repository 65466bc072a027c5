import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/errors.ts';
import type { ObjectDescribe } from '../../src/schema/describe.ts';
import { columns, job, open, plan, read, serveJob } from './scripted-job.ts';
import { json, ScriptedOrg, userId } from './scripted-org.ts';

const accountTypes = [
  { name: 'Id', type: 'id' },
  { name: 'SystemModstamp', type: 'datetime' },
  { name: 'IsDeleted', type: 'boolean' },
  { name: 'Name', type: 'string' },
  { name: 'Amount__c', type: 'double' },
];

function serveRest(org: ScriptedOrg, pages: string[]): void {
  org.on('GET', '/sobjects/Account/describe', (_call, response) =>
    json(response, 200, { name: 'Account', fields: accountTypes }),
  );
  org.on('GET', '/queryAll', (_call, response) => void response.writeHead(200).end(pages[0]));
  for (const [i, page] of pages.entries()) {
    org.on('GET', `/query/0r8-${i}`, (_call, response) => void response.writeHead(200).end(page));
  }
}

/** A record of which nothing is known but its Id. */
const bare = '{"Id":"001A","SystemModstamp":null,"IsDeleted":null,"Name":null,"Amount__c":null}';

const restPlan = { ...plan, fields: [...columns, 'Amount__c'] };

test('REST values are written as Bulk writes them, and no digit of a number is lost', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveRest(org, [
    `{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/0r8-1","records":[{"attributes":{"type":"Account"},
      "Id":"001A","SystemModstamp":"2024-04-16T19:00:00.000+0000","IsDeleted":false,"Name":"2024-04-16T19:00:00.000+0000","Amount__c":123456789012345678.12}]}`,
    `{"totalSize":2,"done":true,"records":[{"Id":"001B","SystemModstamp":null,"IsDeleted":true,"Name":"say \\"hi\\"\\u0000","Amount__c":1.0E7}]}`,
  ]);
  const { client } = await open(org);
  const extraction = client.extract({ object: 'Account', plan: restPlan, all: true, rowsExpected: 2 });
  assert.equal(
    await read(extraction),
    '"001A","2024-04-16T19:00:00.000Z","false","2024-04-16T19:00:00.000+0000","123456789012345678.12"\n' +
      '"001B","","true","say ""hi""\u0000","1.0E7"\n',
  );
  assert.equal(extraction.summary().way, 'rest');
  await client.close();
});

test('a field that a record does not have at all ends as count-mismatch, and is not taken for an empty value', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const record = (rest: string) => `{"Id":"001A","SystemModstamp":null,"IsDeleted":false,"Name":null${rest}}`;
  serveRest(org, [`{"totalSize":1,"done":true,"records":[${record('')}]}`]);
  const { client } = await open(org);
  const extraction = client.extract({ object: 'Account', plan: restPlan, all: true, rowsExpected: 2 });
  await assert.rejects(read(extraction), { name: 'count-mismatch', message: /without its field Amount__c/ });
  await client.close();
});

test('a field whose name comes in another case is the same field', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveRest(org, [
    '{"totalSize":1,"done":true,"records":[{"Id":"001A","SystemModstamp":null,"IsDeleted":false,"NAME":"Acme","amount__c":7}]}',
  ]);
  const { client } = await open(org);
  const extraction = client.extract({ object: 'Account', plan: restPlan, all: true, rowsExpected: 2 });
  assert.equal(await read(extraction), '"001A","","false","Acme","7"\n');
  await client.close();
});

test('a REST query that is done before its declared size ends as count-mismatch', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveRest(org, [`{"totalSize":2,"done":true,"records":[${bare}]}`]);
  const { client } = await open(org);
  const extraction = client.extract({ object: 'Account', plan: restPlan, all: true, rowsExpected: 2 });
  await assert.rejects(read(extraction), { name: 'count-mismatch' });
  await client.close();
});

test('a locator that expires after rows were handed over ends as object-refused', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveRest(org, [
    `{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/gone","records":[${bare}]}`,
  ]);
  org.on('GET', '/query/gone', (_call, response) =>
    json(response, 400, [{ errorCode: 'INVALID_QUERY_LOCATOR', message: 'invalid query locator' }]),
  );
  const { client } = await open(org);
  const extraction = client.extract({ object: 'Account', plan: restPlan, all: true, rowsExpected: 2 });
  const fault: unknown = await read(extraction).catch((error: unknown) => error);
  assert.ok(fault instanceof Fault);
  assert.equal(fault.name, 'object-refused');
  assert.deepEqual([fault.data.errorCode, fault.data.retryable], ['INVALID_QUERY_LOCATOR', true]);
  await client.close();
});

test('an object that Bulk refuses is read by REST, and Bulk is not asked again', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveRest(org, [`{"totalSize":1,"done":true,"records":[${bare}]}`]);
  org.on('POST', '/jobs/query', (_call, response) =>
    json(response, 400, [
      { errorCode: 'INVALIDENTITY', message: "Entity 'Account' is not supported by the Bulk API." },
    ]),
  );
  const { client } = await open(org);
  for (let i = 0; i < 2; i++) {
    const extraction = client.extract({ object: 'Account', plan, all: true });
    assert.equal(await read(extraction), '"001A","","",""\n');
    assert.equal(extraction.summary().way, 'rest');
    assert.equal(extraction.summary().job, undefined);
  }
  assert.equal(org.callsTo('/jobs/query').length, 1);
  await client.close();
});

test('a big object that Bulk refuses is walked along its index by REST, although it does not declare its size', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const fields = [
    { name: 'Id', type: 'id' },
    { name: 'At__c', type: 'datetime' },
  ];
  const describe = { name: 'Reading__b', queryable: true, fields } as unknown as ObjectDescribe;
  const next = '/services/data/v67.0/query/0r8-1';
  org.on('GET', '/sobjects/Reading__b/describe', (_call, response) => json(response, 200, describe));
  org.on('POST', '/jobs/query', (call, response) => {
    assert.equal(JSON.parse(call.body).operation, 'query');
    json(response, 400, [{ errorCode: 'FEATURENOTENABLED', message: 'no' }]);
  });
  const at = (day: number) => ({ At__c: `2026-01-0${day}T00:00:00.000+0000` });
  const identity = { totalSize: 1, done: true, records: [{ Id: userId, Username: 'u' }] };
  const first = '2026-01-02T00:00:00.000Z';
  // Newest first, which no describe tells: the row behind the first page is before it in time.
  const answers: Record<string, unknown> = {
    '': { done: false, nextRecordsUrl: next, records: [at(2)] },
    [` WHERE At__c = ${first} LIMIT 1`]: { done: true, records: [at(2)] },
    ' LIMIT 1': { done: true, records: [at(2)] },
    [` WHERE At__c > ${first} LIMIT 1`]: { done: true, records: [] },
    [` WHERE At__c < ${first} LIMIT 1`]: { done: true, records: [at(1)] },
    [` WHERE At__c < ${first}`]: { done: true, records: [at(1)] },
  };
  const { client } = await open(org);
  org.on('GET', '/query', (call, response) => {
    const [, rest] = /^SELECT At__c FROM Reading__b(.*)$/.exec(call.query.get('q')!) ?? [];
    json(response, 200, rest === undefined ? identity : { totalSize: -1, ...(answers[rest] as object) });
  });
  const plan = client.plan(describe);
  assert.ok(plan.way === 'bulk');
  const extraction = client.extract({ object: 'Reading__b', plan, all: true });
  assert.equal(await read(extraction), '"2026-01-02T00:00:00.000Z"\n"2026-01-01T00:00:00.000Z"\n');
  assert.equal(extraction.summary().way, 'index-walk');
  await client.close();
});

test('a job that failed keeps its reason; a small object is then read by REST', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveRest(org, [`{"totalSize":1,"done":true,"records":[${bare}]}`]);
  serveJob(org, 0, 10);
  org.on('GET', `/jobs/query/${job}`, (_call, response) =>
    json(response, 200, { id: job, state: 'Failed', errorMessage: 'InternalServerError : Retried more than 15 times' }),
  );
  const { client } = await open(org);
  const large = client.extract({ object: 'Account', plan, all: true, rowsExpected: 1_000_000 });
  await assert.rejects(read(large), { name: 'object-refused', message: /Retried more than 15 times/ });
  const small = client.extract({ object: 'Account', plan, all: true, rowsExpected: 3_000 });
  assert.equal(await read(small), '"001A","","",""\n');
  await client.close();
});

function wideDescribe(columns: number): ObjectDescribe {
  const fields = [
    { name: 'Id', type: 'id' },
    { name: 'SystemModstamp', type: 'datetime' },
    ...Array.from({ length: columns }, (_, i) => ({ name: `A_column_with_a_long_name_${i}__c`, type: 'string' })),
  ];
  return { name: 'Wide__c', queryable: true, fields } as unknown as ObjectDescribe;
}

test('a query that is too long for a URL goes inside a POST', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const describe = wideDescribe(700);
  org.on('GET', '/sobjects/Wide__c/describe', (_call, response) => json(response, 200, describe));
  org.on('POST', '/jobs/query', (_call, response) =>
    json(response, 400, [{ errorCode: 'INVALIDENTITY', message: 'no' }]),
  );
  org.on('POST', '/composite', (call, response) => {
    const [part] = JSON.parse(call.body).compositeRequest;
    assert.match(part.url, /A_column_with_a_long_name_699__c/);
    const nulls = Object.fromEntries(wideDescribe(700).fields.map(({ name }) => [name, null]));
    const records = [{ ...nulls, Id: 'a00', A_column_with_a_long_name_699__c: 'last' }];
    json(response, 200, {
      compositeResponse: [{ httpStatusCode: 200, body: { totalSize: 1, done: true, records }, referenceId: 'query' }],
    });
  });
  const { client } = await open(org);
  const plan = client.plan(describe);
  assert.ok(plan.way === 'bulk');
  const text = await read(client.extract({ object: 'Wide__c', plan, all: true, rowsExpected: 1 }));
  assert.match(text, /^"a00",.*"last"\n$/);
  await client.close();
});

test('an object too wide for any query is put together by Id, and a record that moves meanwhile is read again', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const describe = wideDescribe(700);
  const stamps = ['2024-01-01T00:00:00.000+0000', '2024-01-02T00:00:00.000+0000'];
  let parts = 0;
  org.on('GET', '/sobjects/Wide__c/describe', (_call, response) => json(response, 200, describe));
  org.on('POST', '/jobs/query', (_call, response) =>
    json(response, 400, [{ errorCode: 'INVALIDENTITY', message: 'no' }]),
  );
  org.on('POST', '/composite', (_call, response) => void response.writeHead(414).end());
  org.on('GET', '/queryAll', (call, response) => {
    const soql = call.query.get('q')!;
    const names = soql.slice(7, soql.indexOf(' FROM')).split(',');
    const isIds = names.length === 1;
    if (!isIds) parts++;
    const ids = ['a01', 'a02'].filter((id) => isIds || soql.includes(`'${id}'`));
    const records = ids.map((id) => ({
      ...Object.fromEntries(names.map((name) => [name, `${id} ${name.slice(26)}`])),
      Id: id,
      // The second record is changed after its first part was read.
      SystemModstamp: stamps[id === 'a02' && parts > 1 ? 1 : 0],
    }));
    json(response, 200, { totalSize: records.length, done: true, records });
  });
  const { client } = await open(org);
  const plan = client.plan(describe);
  assert.ok(plan.way === 'bulk');
  const lines = (await read(client.extract({ object: 'Wide__c', plan, all: true, rowsExpected: 2 }))).split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /^"a01","2024-01-01T00:00:00.000Z","a01 0__c",.*"a01 699__c"$/);
  assert.match(lines[1]!, /^"a02","2024-01-02T00:00:00.000Z","a02 0__c",.*"a02 699__c"$/);
  await client.close();
});

test('ContentDocumentLink is read by its documents where the org wants a filter', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const fields = ['Id', 'LinkedEntityId', 'ContentDocumentId'].map((name) => ({ name, type: 'reference' }));
  const describe = { name: 'ContentDocumentLink', queryable: true, fields } as unknown as ObjectDescribe;
  const message =
    "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator.";
  const documents = Array.from({ length: 250 }, (_, i) => ({ Id: `069${i}` }));
  org.on('GET', '/sobjects/ContentDocumentLink/describe', (_call, response) => json(response, 200, describe));
  org.on('POST', '/jobs/query', (_call, response) => json(response, 400, [{ errorCode: 'MALFORMED_QUERY', message }]));
  org.on('GET', '/queryAll', (call, response) => {
    const soql = call.query.get('q')!;
    if (soql.endsWith('FROM ContentDocument'))
      return json(response, 200, { totalSize: 250, done: true, records: documents });
    if (!soql.includes('WHERE')) return json(response, 400, [{ errorCode: 'MALFORMED_QUERY', message }]);
    const records = [...soql.matchAll(/'(069\d+)'/g)].map(([, id]) => ({
      Id: `06A${id}`,
      LinkedEntityId: null,
      ContentDocumentId: id,
    }));
    json(response, 200, { totalSize: records.length, done: true, records });
  });
  const { client } = await open(org);
  const plan = client.plan(describe);
  assert.ok(plan.way === 'sliced');
  for (const rowsExpected of [undefined, 100]) {
    const extraction = client.extract({ object: 'ContentDocumentLink', plan, all: true, rowsExpected });
    await read(extraction);
    assert.deepEqual([extraction.summary().way, extraction.summary().rows], ['sliced', 250]);
  }
  await client.close();
});

test('a blob that breaks off or is cut short is fetched again; one that stays short is a fault', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const bytes = Buffer.alloc(300_000, 'blob');
  org.on('GET', '/sobjects/Attachment/00P1/Body', (call, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    if (call.before > 0) response.end(bytes);
    else {
      response.write(bytes.subarray(0, 200_000));
      setTimeout(() => response.destroy(), 30);
    }
  });
  org.on('GET', '/sobjects/Attachment/00P2/Body', (_call, response) => {
    response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 1000));
    setTimeout(() => response.destroy(), 5);
  });
  const { client } = await open(org);
  const parts: Buffer[] = [];
  for await (const part of client.blob('Attachment', '00P1', 'Body')) parts.push(part);
  assert.ok(Buffer.concat(parts).equals(bytes));
  await assert.rejects(async () => {
    for await (const _ of client.blob('Attachment', '00P2', 'Body'));
  }, Fault);
  await client.close();
});

test('readings of few rows begin five to a call, each as it would have come alone', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const record = (id: string, amount: string) =>
    `{"Id":"${id}","SystemModstamp":null,"IsDeleted":false,"Name":null,"Amount__c":${amount}}`;
  serveRest(org, [
    `{"totalSize":1,"done":true,"records":[${record('001A', 'null')}]}`,
    `{"totalSize":2,"done":true,"records":[${record('001D', '2.50')}]}`,
  ]);
  const answers = [
    [200, `{"totalSize":1,"done":true,"records":[${record('001B', '123456789012345678.120')}]}`],
    [503, 'null'],
    [
      200,
      `{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/0r8-1","records":[${record('001C', '1.0E7')}]}`,
    ],
  ];
  org.on('POST', '/composite', (call, response) => {
    const { compositeRequest } = JSON.parse(call.body) as { compositeRequest: { url: string; referenceId: string }[] };
    const where = compositeRequest.map(({ url }) => new URL(url, org.url).searchParams.get('q')!.split(' WHERE ')[1]);
    assert.deepEqual(where, ["Name = 'b'", "Name = 'a'", "Name = 'c'"]);
    const parts = answers.map(
      ([status, body], i) =>
        `{"httpStatusCode":${status},"referenceId":"${compositeRequest[i]!.referenceId}","body":${body}}`,
    );
    response.writeHead(200).end(`{"compositeResponse":[${parts.join()}]}`);
  });
  const { client } = await open(org);
  const requests = ["Name = 'b'", "Name = 'a'", "Name = 'c'"].map((where) => ({
    ...{ object: 'Account', plan: restPlan, all: true, rowsExpected: 2, where },
  }));
  const big = { object: 'Account', plan, all: true, rowsExpected: 100_000 };
  const extractions = await client.extractFew([...requests, big]);
  assert.deepEqual(await Promise.all(extractions.slice(0, 3).map(read)), [
    '"001B","","false","","123456789012345678.120"\n',
    '"001A","","false","",""\n',
    '"001C","","false","","1.0E7"\n"001D","","false","","2.50"\n',
  ]);
  assert.deepEqual(
    extractions.slice(0, 3).map((one) => [one.summary().way, one.summary().rows]),
    [
      ['rest', 1],
      ['rest', 1],
      ['rest', 2],
    ],
  );
  assert.equal(org.callsTo('/composite').length, 1);
  assert.equal(org.callsTo('/queryAll').length, 1);
  await client.close();
});
