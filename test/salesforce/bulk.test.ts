import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Fault } from '../../src/errors.ts';
import type { ExtractRequest } from '../../src/salesforce/org.ts';
import { columns, csvRow, header, job, open, plan, read, sendCsv, serveJob } from './scripted-job.ts';
import { json, ScriptedOrg } from './scripted-org.ts';

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
