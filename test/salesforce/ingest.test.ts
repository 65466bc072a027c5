import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Fault } from '../../src/errors.ts';
import { cells } from '../../src/rows/cells.ts';
import { connect } from '../../src/salesforce/connect.ts';
import type { IngestResultKind } from '../../src/salesforce/writing.ts';
import { json, noWaits, ScriptedOrg, testContext, token } from './scripted-org.ts';

const id = '750000000000001AAA';
const path = `/jobs/ingest/${id}`;

function job(state: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id,
    object: 'Thing__c',
    operation: 'insert',
    state,
    createdById: '005000000000001AAA',
    createdDate: '2026-03-01T10:00:00.000+0000',
    jobType: 'V2Ingest',
    ...more,
  };
}

async function rig(signal?: AbortSignal) {
  const org = await ScriptedOrg.startWithIdentity();
  const ctx = testContext(signal);
  const waits = noWaits();
  const client = await connect(
    ctx,
    { kind: 'token', accessToken: token, instanceUrl: org.url },
    { ...waits, timeouts: { headers: 500, body: 500 } },
  );
  return {
    org,
    ctx,
    waits: waits.waits,
    ingest: client.writer.ingest,
    async read(kind: IngestResultKind, rows?: number) {
      const flow = await client.writer.ingest.results(id, kind, rows);
      const found: string[][] = [];
      for await (const batch of flow.batches) {
        for (let i = 0; i < batch.ends.length; i++) found.push(cells(batch, i));
      }
      return { columns: flow.columns, rows: found };
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await org[Symbol.asyncDispose]();
    },
  };
}

const refused = (status: number, errorCode: string, message: string) => (response: ServerResponse) =>
  json(response, status, [{ errorCode, message }]);

test('a job is made, filled once, closed, and waited for with ever longer waits', async () => {
  await using at = await rig();
  at.org.on('POST', '/jobs/ingest', (call, response) =>
    call.before === 0 ? void response.destroy() : json(response, 200, job('Open')),
  );
  at.org.on('PUT', `${path}/batches`, (_call, response) => void response.writeHead(201).end());
  at.org.on('PATCH', path, (_call, response) => json(response, 200, job('UploadComplete')));
  at.org.on('GET', path, (call, response) => {
    if (call.before < 21) json(response, 200, job('InProgress', { numberRecordsProcessed: 200 }));
    else {
      const more = { numberRecordsProcessed: 300, numberRecordsFailed: 2, apexProcessingTime: 70, retries: 1 };
      json(response, 200, job('JobComplete', more));
    }
  });
  const made = await at.ingest.create({ object: 'Thing__c', operation: 'upsert', externalIdField: 'Code__c' });
  assert.equal(made, id);
  assert.deepEqual(JSON.parse(at.org.callsTo('/jobs/ingest').at(-1)!.body), {
    object: 'Thing__c',
    operation: 'upsert',
    externalIdFieldName: 'Code__c',
    contentType: 'CSV',
    columnDelimiter: 'COMMA',
    lineEnding: 'LF',
  });
  await at.ingest.upload(id, [Buffer.from('"Name"\n'), Buffer.from('"ü"\n')]);
  const [upload] = at.org.callsTo('/batches');
  assert.equal(upload!.body, '"Name"\n"ü"\n');
  assert.equal(upload!.headers['content-length'], '12');
  assert.match(upload!.headers['content-type']!, /^text\/csv/);
  await at.ingest.close(id);
  at.waits.length = 0;
  const ended = await at.ingest.wait(id);
  assert.deepEqual(ended, {
    id,
    object: 'Thing__c',
    operation: 'insert',
    state: 'JobComplete',
    processed: 300,
    failed: 2,
    retries: 1,
    totalProcessingTime: 0,
    apiActiveProcessingTime: 0,
    apexProcessingTime: 70,
    createdById: '005000000000001AAA',
    createdDate: new Date('2026-03-01T10:00:00Z'),
  });
  assert.equal(at.waits.length, 21);
  assert.equal(at.waits[0], 100);
  assert.equal(at.waits.at(-1), 10_000);
  assert.ok(at.waits.every((wait, i) => i === 0 || wait >= at.waits[i - 1]!));
  const moved = at.ctx.events.filter(({ type }) => type === 'job-progress');
  const about = { type: 'job-progress', object: 'Thing__c', operation: 'insert', job: id };
  assert.deepEqual(moved, [
    { ...about, state: 'InProgress', processed: 200, failed: 0 },
    { ...about, state: 'JobComplete', processed: 300, failed: 2 },
  ]);
});

test('an object that Bulk does not do is bulk-refused', async () => {
  await using at = await rig();
  at.org.on('POST', '/jobs/ingest', (_call, response) =>
    refused(400, 'INVALIDENTITY', 'Entity is not supported by the Bulk API.')(response),
  );
  await assert.rejects(at.ingest.create({ object: 'CaseStatus', operation: 'insert' }), { name: 'bulk-refused' });
});

test('an upload is sent once, and again only when it certainly did not arrive', async () => {
  await using at = await rig();
  const csv = [Buffer.from('"Name"\n"x"\n')];
  at.org.on('PUT', `${path}/batches`, (call, response) => {
    if (call.before === 0) refused(503, 'SERVER_UNAVAILABLE', 'busy')(response);
    else if (call.before === 1) response.writeHead(201).end();
    else response.destroy();
  });
  await at.ingest.upload(id, csv);
  assert.deepEqual(
    at.org.callsTo('/batches').map(({ body }) => body),
    ['"Name"\n"x"\n', '"Name"\n"x"\n'],
  );
  await assert.rejects(at.ingest.upload(id, csv), { name: 'answer-lost' });
  assert.equal(at.org.callsTo('/batches').length, 3);
});

test('closing is done when the job goes on, whether or not the answer came through', async () => {
  await using at = await rig();
  at.org.on('PATCH', path, (call, response) =>
    call.before === 0
      ? void response.destroy()
      : refused(400, 'INVALIDJOBSTATE', 'Closing already Completed Job not allowed')(response),
  );
  let state = 'InProgress';
  at.org.on('GET', path, (_call, response) => json(response, 200, job(state)));
  await at.ingest.close(id);
  assert.equal(at.org.callsTo(path).filter(({ method }) => method === 'PATCH').length, 2);
  state = 'Open';
  await assert.rejects(at.ingest.close(id), { name: 'object-refused' });
  state = 'Aborted';
  await assert.rejects(at.ingest.close(id), { name: 'object-refused' });
});

test('aborting is done when the job will do nothing more', async () => {
  await using at = await rig();
  at.org.on('PATCH', path, (_call, response) => json(response, 200, job('Aborted')));
  await at.ingest.abort(id);
  at.org.on('PATCH', path, (_call, response) => refused(400, 'INVALIDJOBSTATE', 'no')(response));
  let state = 'JobComplete';
  at.org.on('GET', path, (_call, response) => json(response, 200, job(state)));
  await at.ingest.abort(id);
  state = 'InProgress';
  await assert.rejects(at.ingest.abort(id), { name: 'object-refused' });
  at.org.on('PATCH', path, (_call, response) =>
    refused(404, 'NOT_FOUND', 'The requested resource does not exist')(response),
  );
  await at.ingest.abort(id);
  await at.ingest.delete(id);
  at.org.on('GET', path, (_call, response) =>
    refused(404, 'NOT_FOUND', 'The requested resource does not exist')(response),
  );
  await assert.rejects(at.ingest.state(id), (error) => error instanceof Fault && error.data.status === 404);
});

test('waiting ends with job-running when it has lasted long enough, and with the signal', async () => {
  const controller = new AbortController();
  await using at = await rig(controller.signal);
  at.org.on('GET', path, (_call, response) => json(response, 200, job('InProgress')));
  await assert.rejects(at.ingest.wait(id, { atMostMs: 60_000 }), { name: 'job-running', exit: 69 });
  assert.equal(
    at.waits.reduce((sum, wait) => sum + wait, 0),
    60_000,
  );
  at.org.on('GET', path, (call, response) => {
    if (call.before > 20) controller.abort(new Fault('time-budget', 'The time is over.'));
    json(response, 200, job('InProgress'));
  });
  await assert.rejects(at.ingest.wait(id), { name: 'time-budget' });
});

const csv = (response: ServerResponse, body: string, gzip = true): void => {
  response.writeHead(200, { 'content-type': 'text/csv; charset=UTF-8', ...(gzip && { 'content-encoding': 'gzip' }) });
  response.end(gzip ? gzipSync(body) : body);
};

test('results are rows with the columns of their header line, zipped or not, also when there are none', async () => {
  await using at = await rig();
  at.org.on('GET', `${path}/successfulResults`, (_call, response) =>
    csv(response, '"sf__Id","sf__Created",Name\n"a01","true",x\n"a02","false","two\nlines"\n'),
  );
  at.org.on('GET', `${path}/failedResults`, (_call, response) => csv(response, '"sf__Id","sf__Error","Name"\n', false));
  at.org.on('GET', `${path}/unprocessedrecords`, (_call, response) => csv(response, '', false));
  assert.deepEqual(await at.read('successful', 2), {
    columns: ['sf__Id', 'sf__Created', 'Name'],
    rows: [
      ['a01', 'true', 'x'],
      ['a02', 'false', 'two\nlines'],
    ],
  });
  assert.deepEqual(await at.read('failed', 0), { columns: ['sf__Id', 'sf__Error', 'Name'], rows: [] });
  assert.deepEqual(await at.read('unprocessed'), { columns: [], rows: [] });
});

test('results that break off or are too few are fetched again, and no row is handed over twice', async () => {
  await using at = await rig();
  const rows = Array.from({ length: 5000 }, (_, i) => `"a01${i}","true","Row ${i}"\n`);
  const body = `"sf__Id","sf__Created","Name"\n${rows.join('')}`;
  at.org.on('GET', `${path}/successfulResults`, (call, response) => {
    if (call.before === 0) {
      response.writeHead(200, { 'content-length': String(body.length) }).write(body.slice(0, 70_000));
      setTimeout(() => response.destroy(), 20);
    } else csv(response, call.before === 1 ? body.slice(0, 100_000) : body);
  });
  const read = await at.read('successful', 5000);
  assert.equal(read.rows.length, 5000);
  assert.equal(new Set(read.rows.map(([one]) => one)).size, 5000);
  await assert.rejects(at.read('successful', 5001), { name: 'count-mismatch' });
  await assert.rejects(at.read('successful', 4999), { name: 'count-mismatch' });
});

test('jobs that have not ended are found among all, over all pages of the list', async () => {
  await using at = await rig();
  const since = new Date('2026-03-01T10:00:00Z');
  const numbered = (number: number, more: Record<string, unknown>) =>
    job('Open', { id: `75000000000000${number}AAA`, ...more });
  at.org.on('GET', '/jobs/ingest', (call, response) => {
    assert.equal(call.query.get('jobType'), 'V2Ingest');
    if (call.query.get('queryLocator') === null) {
      json(response, 200, {
        done: false,
        records: [
          numbered(1, {}),
          numbered(2, { createdDate: '2026-03-01T09:59:59.000+0000' }),
          numbered(3, { object: 'Other__c' }),
          numbered(4, { operation: 'update' }),
          numbered(5, { jobType: 'Classic' }),
        ],
        nextRecordsUrl: '/services/data/v67.0/jobs/ingest?jobType=V2Ingest&queryLocator=2',
      });
    } else {
      const records = [numbered(6, { state: 'UploadComplete' }), numbered(7, { state: 'JobComplete' })];
      json(response, 200, { done: true, records, nextRecordsUrl: null });
    }
  });
  const found = await at.ingest.openJobs({ object: 'Thing__c', operation: 'insert', since });
  assert.deepEqual(found, [
    { id: '750000000000001AAA', state: 'Open', createdById: '005000000000001AAA', createdDate: since },
    { id: '750000000000006AAA', state: 'UploadComplete', createdById: '005000000000001AAA', createdDate: since },
  ]);
});
