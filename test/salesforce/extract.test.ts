import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Fault } from '../../src/errors.ts';
import { connect } from '../../src/salesforce/connect.ts';
import type { Extraction, ExtractRequest, Org } from '../../src/salesforce/org.ts';
import type { ObjectDescribe } from '../../src/schema/describe.ts';
import { type Call, json, noWaits, ScriptedOrg, testContext, token, userId } from './scripted-org.ts';

const columns = ['Id', 'SystemModstamp', 'IsDeleted', 'Name'];
const plan = { way: 'bulk', fields: columns, blobFields: [], leftOut: [] } as const;
const job = '750000000000001AAA';

function csvRow(i: number): string {
  return `"001${String(i).padStart(12, '0')}AAA","2024-04-16T19:00:00.000Z","false","Row ${i}, with ""quotes""\nand lines"\n`;
}
const header = `${columns.map((name) => `"${name}"`).join(',')}\n`;

/** A job whose results are `rows` rows in pages of `size`; `page` may answer instead. */
function serveJob(
  org: ScriptedOrg,
  rows: number,
  size: number,
  page?: (call: Call, response: ServerResponse, whole: { body: string; headers: Record<string, string> }) => boolean,
  processed: number | undefined = rows,
): void {
  org.on('POST', '/jobs/query', (_call, response) => json(response, 200, { id: job, state: 'UploadComplete' }));
  org.on('GET', `/jobs/query/${job}`, (call, response) =>
    json(response, 200, {
      id: job,
      state: call.before === 0 ? 'InProgress' : 'JobComplete',
      numberRecordsProcessed: processed,
    }),
  );
  org.on('DELETE', `/jobs/query/${job}`, (_call, response) => void response.writeHead(204).end());
  org.on('GET', `/jobs/query/${job}/results`, (call, response) => {
    const from = Number(call.query.get('locator') ?? 0);
    const to = Math.min(rows, from + size);
    const body = header + Array.from({ length: to - from }, (_, i) => csvRow(from + i)).join('');
    const headers = {
      'Sforce-Locator': to === rows ? 'null' : String(to),
      'Sforce-NumberOfRecords': String(to - from),
    };
    if (page?.(call, response, { body, headers })) return;
    sendCsv(response, body, headers);
  });
}

function sendCsv(response: ServerResponse, body: string, headers: Record<string, string>, gzip = true): void {
  response.writeHead(200, { 'content-type': 'text/csv', ...(gzip && { 'content-encoding': 'gzip' }), ...headers });
  response.end(gzip ? gzipSync(body) : body);
}

async function open(
  org: ScriptedOrg,
  signal?: AbortSignal,
): Promise<{ client: Org; ctx: ReturnType<typeof testContext> }> {
  const ctx = testContext(signal);
  const login = { kind: 'token', accessToken: token, instanceUrl: org.url } as const;
  const client = await connect(ctx, login, { ...noWaits(), timeouts: { headers: 2000, body: 2000 } });
  return { client, ctx };
}

async function read(extraction: Extraction): Promise<string> {
  const parts: Buffer[] = [];
  let rows = 0;
  for await (const batch of extraction.batches) {
    assert.equal(batch.ends.at(-1), batch.bytes.length);
    parts.push(Buffer.from(batch.bytes));
    rows += batch.ends.length;
  }
  assert.equal(extraction.summary().rows, rows);
  return Buffer.concat(parts).toString();
}

const request: ExtractRequest = { object: 'Account', plan, all: true };
const expected = (rows: number) => Array.from({ length: rows }, (_, i) => csvRow(i)).join('');

test('a job is made, polled, paged to its end, checked and deleted', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveJob(org, 2500, 1000);
  const { client } = await open(org);
  const extraction = client.extract({ ...request, where: "Name != 'x'" });
  assert.equal(await read(extraction), expected(2500));
  const summary = extraction.summary();
  assert.equal(summary.way, 'bulk');
  assert.equal(summary.job, job);
  assert.equal(summary.bytes, Buffer.byteLength(expected(2500)));
  assert.ok(summary.started <= summary.ended);
  const [create] = org.callsTo('/jobs/query').filter(({ method }) => method === 'POST');
  assert.deepEqual(JSON.parse(create!.body), {
    operation: 'queryAll',
    query: "SELECT Id,SystemModstamp,IsDeleted,Name FROM Account WHERE Name != 'x'",
    contentType: 'CSV',
    columnDelimiter: 'COMMA',
    lineEnding: 'LF',
  });
  const pages = org.callsTo('/results');
  assert.equal(pages.length, 3);
  assert.equal(pages[0]!.query.get('maxRecords'), '100000');
  assert.equal(pages[0]!.headers['accept-encoding'], 'gzip');
  assert.equal(org.calls.filter(({ method }) => method === 'DELETE').length, 1);
  await client.close();
});

const trouble: [string, NonNullable<Parameters<typeof serveJob>[3]>][] = [
  [
    'a connection that breaks in the middle of a page',
    (_call, response, { body, headers }) => {
      response.writeHead(200, { 'content-type': 'text/csv', ...headers }).write(body.slice(0, body.length / 2));
      setTimeout(() => response.destroy(), 30);
      return true;
    },
  ],
  [
    'a gzip body that ends too early in a message that ends well',
    (_call, response, { body, headers }) => {
      const whole = gzipSync(body);
      response.writeHead(200, { 'content-encoding': 'gzip', ...headers }).end(whole.subarray(0, whole.length - 500));
      return true;
    },
  ],
  [
    'a plain body that ends inside a row in a message that ends well',
    (_call, response, { body, headers }) => {
      sendCsv(response, body.slice(0, body.length - 30), headers, false);
      return true;
    },
  ],
  [
    'rows missing at the end of a page',
    (_call, response, { body, headers }) => {
      sendCsv(response, body.slice(0, body.lastIndexOf('"001')), headers);
      return true;
    },
  ],
  [
    'a page that comes as an entirely empty body',
    (_call, response, { headers }) => {
      sendCsv(response, '', headers);
      return true;
    },
  ],
  [
    'an org that is busy at a page',
    (_call, response) => {
      json(response, 503, [{ errorCode: 'SERVER_UNAVAILABLE', message: 'later' }]);
      return true;
    },
  ],
];

for (const [what, answer] of trouble) {
  test(`${what} is cured by fetching the page again, no row is lost or doubled`, async () => {
    await using org = await ScriptedOrg.startWithIdentity();
    let times = 0;
    serveJob(org, 60_000, 25_000, (call, response, whole) => {
      if (call.query.get('locator') !== '25000' || times++ > 0) return false;
      return answer(call, response, whole);
    });
    const { client, ctx } = await open(org);
    assert.equal(await read(client.extract(request)), expected(60_000));
    assert.equal(org.callsTo('/results').length, 4);
    assert.equal(ctx.events.filter(({ type }) => type === 'retry').length, 1);
    await client.close();
  });
}

const wrong: [string, NonNullable<Parameters<typeof serveJob>[3]>][] = [
  [
    'a count in the header that never fits',
    (_call, response, { body, headers }) => {
      sendCsv(response, body, { ...headers, 'Sforce-NumberOfRecords': '999' });
      return true;
    },
  ],
  [
    'a page without a locator header',
    (_call, response, { body, headers }) => {
      sendCsv(response, body, { 'Sforce-NumberOfRecords': headers['Sforce-NumberOfRecords']! });
      return true;
    },
  ],
  [
    'a page that names itself as the next',
    (_call, response, { body, headers }) => {
      sendCsv(response, body, { ...headers, 'Sforce-Locator': '1000' });
      return true;
    },
  ],
  [
    'a locator that goes back in a circle',
    (call, response, { body, headers }) => {
      const next = call.query.get('locator') === '1000' ? '2000' : '1000';
      sendCsv(response, body, { ...headers, 'Sforce-Locator': next });
      return true;
    },
  ],
  [
    'a page that is left out',
    (_call, response, { body, headers }) => {
      sendCsv(response, body, { ...headers, 'Sforce-Locator': '2000' });
      return true;
    },
  ],
  [
    'other columns than were selected',
    (_call, response, { body, headers }) => {
      sendCsv(response, body.replace('"Name"', '"Title"'), headers);
      return true;
    },
  ],
  [
    'a web page with the headers of a page of rows',
    (_call, response, { headers }) => {
      sendCsv(response, '<html>"maintenance", sorry</html>\n', headers);
      return true;
    },
  ],
];

for (const [what, answer] of wrong) {
  test(`${what} ends as count-mismatch, and the job stays for inspection`, async () => {
    await using org = await ScriptedOrg.startWithIdentity();
    serveJob(org, 3000, 1000, (call, response, whole) =>
      (call.query.get('locator') ?? '0') === '0' || what.includes('itself') || what.includes('circle')
        ? answer(call, response, whole)
        : false,
    );
    const { client } = await open(org);
    await assert.rejects(read(client.extract(request)), { name: 'count-mismatch' });
    assert.equal(org.calls.filter(({ method }) => method === 'DELETE').length, 0);
    await client.close();
  });
}

test('a page that comes twice, under two locators, ends as count-mismatch', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveJob(org, 3000, 1000, (call, response, { headers }) => {
    if (call.query.get('locator') !== '1000') return false;
    sendCsv(response, header + expected(900), { ...headers, 'Sforce-NumberOfRecords': '900' });
    return true;
  });
  const { client } = await open(org);
  await assert.rejects(read(client.extract(request)), { name: 'count-mismatch' });
  await client.close();
});

test('a page that is another one when it is fetched again ends as count-mismatch', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  let times = 0;
  serveJob(org, 40_000, 40_000, (_call, response, { body, headers }) => {
    if (times++ === 0) {
      response.writeHead(200, headers).write(body.slice(0, body.length - 2000));
      setTimeout(() => response.destroy(), 50);
    } else sendCsv(response, body.replace('Row 17,', 'Row 71,'), headers);
    return true;
  });
  const { client } = await open(org);
  await assert.rejects(read(client.extract(request)), { name: 'count-mismatch', message: /other bytes/ });
  await client.close();
});

test('the sum of the pages is held against what the job says that it processed', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveJob(org, 3000, 1000, undefined, 3001);
  const { client } = await open(org);
  await assert.rejects(read(client.extract(request)), { name: 'count-mismatch', message: /3001/ });
  await client.close();
});

test('columns in another order and case are put in the order of the plan', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveJob(org, 1, 10, (_call, response, { headers }) => {
    const body = '"NAME","id","systemmodstamp","isdeleted"\n"A ""b""","001","2024-01-01T00:00:00.000Z","true"\n';
    sendCsv(response, body, headers, false);
    return true;
  });
  const { client } = await open(org);
  const extraction = client.extract(request);
  assert.equal(await read(extraction), '"001","2024-01-01T00:00:00.000Z","true","A ""b"""\n');
  assert.deepEqual(extraction.columns, columns);
  await client.close();
});

for (const nothing of ['', header]) {
  test(`no rows may come as ${nothing === '' ? 'an empty body' : 'a header line only'}`, async () => {
    await using org = await ScriptedOrg.startWithIdentity();
    serveJob(org, 0, 10, (_call, response, { headers }) => {
      sendCsv(response, nothing, headers, false);
      return true;
    });
    const { client } = await open(org);
    assert.equal(await read(client.extract(request)), '');
    await client.close();
  });
}

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

test('a REST query that is done before its declared size ends as count-mismatch', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveRest(org, ['{"totalSize":2,"done":true,"records":[{"Id":"001A"}]}']);
  const { client } = await open(org);
  const extraction = client.extract({ object: 'Account', plan: restPlan, all: true, rowsExpected: 2 });
  await assert.rejects(read(extraction), { name: 'count-mismatch' });
  await client.close();
});

test('a locator that expires after rows were handed over ends as object-refused', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveRest(org, [
    '{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v67.0/query/gone","records":[{"Id":"001A"}]}',
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
  serveRest(org, ['{"totalSize":1,"done":true,"records":[{"Id":"001A"}]}']);
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

test('a big object that Bulk refuses is walked by REST, although it does not declare its size', async () => {
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
  org.on('GET', '/query/0r8-1', (_call, response) =>
    json(response, 200, { totalSize: -1, done: true, records: [at(2)] }),
  );
  const { client } = await open(org);
  org.on('GET', '/query', (call, response) =>
    call.query.get('q') === 'SELECT At__c FROM Reading__b'
      ? json(response, 200, { totalSize: -1, done: false, nextRecordsUrl: next, records: [at(1)] })
      : json(response, 200, identity),
  );
  const plan = client.plan(describe);
  assert.ok(plan.way === 'bulk');
  const extraction = client.extract({ object: 'Reading__b', plan, all: true });
  assert.equal(await read(extraction), '"2026-01-01T00:00:00.000Z"\n"2026-01-02T00:00:00.000Z"\n');
  assert.equal(extraction.summary().way, 'index-walk');
  await client.close();
});

test('a job that failed keeps its reason; a small object is then read by REST', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveRest(org, ['{"totalSize":1,"done":true,"records":[{"Id":"001A"}]}']);
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

test('an abort in the middle of a page ends with the reason of the signal and leaves no connection', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveJob(org, 60_000, 60_000, (_call, response, { body, headers }) => {
    response.writeHead(200, headers).write(body.slice(0, body.length - 1000));
    return true;
  });
  const controller = new AbortController();
  const { client } = await open(org, controller.signal);
  const extraction = client.extract(request);
  const reading = (async () => {
    for await (const _ of extraction.batches) controller.abort(new Fault('interrupted', 'Ctrl-C.'));
  })();
  await assert.rejects(reading, { name: 'interrupted' });
  assert.throws(() => extraction.summary(), TypeError);
  await client.close();
  for (const socket of org.sockets) await once(socket, 'close');
  assert.equal(org.sockets.size, 0);
});

test('a reader that stops early leaves no connection', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  serveJob(org, 60_000, 60_000);
  const { client } = await open(org);
  for await (const _ of client.extract(request).batches) break;
  await client.close();
  for (const socket of org.sockets) await once(socket, 'close');
  assert.equal(org.sockets.size, 0);
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
    const records = [{ Id: 'a00', A_column_with_a_long_name_699__c: 'last' }];
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
    const records = [...soql.matchAll(/'(069\d+)'/g)].map(([, id]) => ({ Id: `06A${id}`, ContentDocumentId: id }));
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
