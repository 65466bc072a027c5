import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, testOrg } from './client.ts';
import { column, counters, ended, ingest, jobs, openJob, poll, results, setState, upload } from './ingest-client.ts';
import { ids } from './small-database.ts';

const insert = { object: 'Account', operation: 'insert' };

test('a job is Open until it is closed, and its counters stand in GET only', async () => {
  await using t = await testOrg({ bulkPollsQueued: 1, bulkPollsInProgress: 1 });
  const { status, json } = await t.call(jobs, { body: { ...insert, object: 'account' } });
  assert.equal(status, 200);
  assert.match(json.id, /^750[A-Za-z0-9]{15}$/);
  assert.match(json.createdDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  assert.deepEqual(
    { ...json, createdDate: '', systemModstamp: '' },
    {
      id: json.id,
      operation: 'insert',
      object: 'Account',
      createdById: ids.backupUser,
      createdDate: '',
      systemModstamp: '',
      state: 'Open',
      concurrencyMode: 'Parallel',
      contentType: 'CSV',
      apiVersion: 67,
      contentUrl: `services/data/v67.0/jobs/ingest/${json.id}/batches`,
      lineEnding: 'LF',
      columnDelimiter: 'COMMA',
    },
  );
  const put = await upload(t, json.id, 'Name\nNew\n');
  assert.deepEqual([put.status, put.text], [201, '']);
  assert.equal((await poll(t, json.id)).state, 'Open');
  const closed = await setState(t, json.id, 'UploadComplete');
  assert.deepEqual([closed.status, closed.json.state, closed.json.contentUrl], [200, 'UploadComplete', undefined]);
  assert.equal((await poll(t, json.id)).state, 'UploadComplete');
  assert.equal((await poll(t, json.id)).state, 'InProgress');
  const done = await ended(t, json.id);
  assert.deepEqual([done.state, done.jobType, done.retries, ...counters(done)], ['JobComplete', 'V2Ingest', 0, 1, 0]);
  assert.equal(done.apexProcessingTime, 0);
  assert.equal('errorMessage' in done, false);
});

test('polls of a queued job say UploadComplete, and none of its rows is processed before', async () => {
  await using t = await testOrg({ bulkPollsQueued: 2 });
  const { id } = await openJob(t, insert);
  await upload(t, id, 'Name\nNew\n');
  await setState(t, id, 'UploadComplete');
  const seen = [await poll(t, id), await poll(t, id)].map((job) => [job.state, ...counters(job)]);
  assert.deepEqual(seen, [
    ['UploadComplete', 0, 0],
    ['UploadComplete', 0, 0],
  ]);
  assert.equal((await setState(t, id, 'Aborted')).json.state, 'Aborted');
  assert.deepEqual(await results(t, id), {
    successful: '"sf__Id","sf__Created"\n',
    failed: '"sf__Id","sf__Error"\n',
    unprocessed: 'Name\nNew\n',
  });
  assert.equal((await t.query("SELECT Id FROM Account WHERE Name = 'New'")).json.totalSize, 0);
});

test('what was uploaded is not processed before the job is closed', async () => {
  await using t = await testOrg();
  const { id } = await openJob(t, insert);
  await upload(t, id, 'Name\nNew\n');
  assert.equal((await t.call(`${jobs}/${id}/successfulResults`)).json[0].errorCode, 'INVALIDJOBSTATE');
  assert.equal((await t.query("SELECT Id FROM Account WHERE Name = 'New'")).json.totalSize, 0);
  await setState(t, id, 'UploadComplete');
  await ended(t, id);
  assert.equal((await t.query("SELECT Id FROM Account WHERE Name = 'New'")).json.totalSize, 1);
});

test('each step has its states', async () => {
  await using t = await testOrg();
  const { id } = await openJob(t, insert);
  const refused = async (reply: ReturnType<typeof setState>) => (await reply).json[0].errorCode;
  const remove = () => t.call(`${jobs}/${id}`, { method: 'DELETE' });
  assert.equal(await refused(remove()), 'INVALIDJOBSTATE');
  assert.equal(await refused(setState(t, id, 'JobComplete')), 'INVALIDJOBSTATE');
  await upload(t, id, 'Name\nNew\n');
  await setState(t, id, 'UploadComplete');
  await ended(t, id);
  assert.equal(await refused(upload(t, id, 'Name\nNew\n')), 'INVALIDJOBSTATE');
  assert.equal(await refused(setState(t, id, 'UploadComplete')), 'INVALIDJOBSTATE');
  assert.equal(await refused(setState(t, id, 'Aborted')), 'INVALIDJOBSTATE');
  assert.equal((await remove()).status, 204);
  assert.equal(await refused(t.call(`${jobs}/${id}`)), 'NOT_FOUND');
  assert.equal(await refused(t.call(`${jobs}/${id}/failedResults`)), 'NOT_FOUND');
});

test('an open job is aborted before it is deleted', async () => {
  await using t = await testOrg();
  const { id } = await openJob(t, insert);
  assert.equal((await setState(t, id, 'Aborted')).json.state, 'Aborted');
  assert.equal((await t.call(`${jobs}/${id}`, { method: 'DELETE' })).status, 204);
});

test('what a job cannot be created with', async () => {
  await using t = await testOrg();
  const refusals: [Record<string, unknown>, string, RegExp][] = [
    [{ ...insert, object: 'Nothing__c' }, 'INVALIDENTITY', /Entity 'Nothing__c' is not supported by the Bulk API/],
    [{ ...insert, object: 'Routing__mdt' }, 'INVALIDENTITY', /Routing__mdt/],
    [{ operation: 'insert' }, 'INVALIDJOB', /object is required/],
    [{ ...insert, operation: 'Insert' }, 'INVALIDJOB', /Unsupported operation: Insert/],
    [{ ...insert, operation: 'query' }, 'INVALIDJOB', /Unsupported operation: query/],
    [{ ...insert, operation: 'hardDelete' }, 'FEATURENOTENABLED', /hardDelete/],
    [{ ...insert, contentType: 'JSON' }, 'INVALIDJOB', /Unsupported contentType: JSON/],
    [{ ...insert, columnDelimiter: ',' }, 'INVALIDJOB', /Unsupported columnDelimiter: ,/],
    [{ ...insert, lineEnding: 'CR' }, 'INVALIDJOB', /Unsupported lineEnding: CR/],
    [{ ...insert, externalIdFieldName: 'Code__c' }, 'INVALIDJOB', /externalIdFieldName is for upsert/],
    [{ ...insert, operation: 'upsert' }, 'INVALIDJOB', /externalIdFieldName is required/],
    [{ ...insert, operation: 'upsert', externalIdFieldName: 'Name' }, 'INVALIDJOB', /does not match an External ID/],
    [{ ...insert, assignmentRuleId: '01Q5e000000000AAAA' }, 'INVALIDJOB', /Case and Lead/],
    [{ ...insert, concurrencyMode: 'Serial' }, 'JSON_PARSER_ERROR', /Unrecognized field "concurrencyMode"/],
  ];
  for (const [body, errorCode, message] of refusals) {
    const { status, json } = await t.call(jobs, { body });
    assert.deepEqual([status, json[0].errorCode], [400, errorCode], JSON.stringify(body));
    assert.match(json[0].message, message);
  }
  assert.deepEqual((await t.call(jobs, { body: 'no JSON' })).json[0].errorCode, 'JSON_PARSER_ERROR');
});

test('an upload is CSV, and not too large', async () => {
  await using t = await testOrg({ ingestUploadBytes: 20 });
  const { id } = await openJob(t, insert);
  const put = (body: string, headers: Record<string, string>) =>
    t.call(`${jobs}/${id}/batches`, { method: 'PUT', body, headers });
  assert.equal((await put('Name\nA\n', { 'content-type': 'application/json' })).status, 415);
  const csv = { 'content-type': 'text/csv; charset=UTF-8' };
  assert.equal((await put('Name\nA name that is long\n', csv)).json[0].errorCode, 'CLIENTINPUTERROR');
  assert.equal((await put('Name\nA\n', { ...csv, 'content-encoding': 'gzip' })).status, 501);
  assert.equal((await put('Name\nA\n', csv)).status, 201);
});

test('a second upload is taken, and fails the job', async () => {
  await using t = await testOrg();
  const { id } = await openJob(t, insert);
  await upload(t, id, 'Name\nOne\n');
  assert.equal((await upload(t, id, 'Name\nTwo\n')).status, 201);
  await setState(t, id, 'UploadComplete');
  const job = await ended(t, id);
  assert.deepEqual([job.state, ...counters(job)], ['Failed', 0, 0]);
  assert.match(job.errorMessage, /^InvalidBatch : Found multiple contents for job/);
});

function multipart(job: Record<string, unknown>, csv: string): { body: string; headers: Record<string, string> } {
  const part = (disposition: string, type: string, text: string) =>
    `--practice-boundary\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;
  const body = [
    part('name="job"', 'application/json', JSON.stringify(job)),
    part('name="content"; filename="content"', 'text/csv', csv),
    '--practice-boundary--\r\n',
  ].join('');
  return { body, headers: { 'content-type': 'multipart/form-data; boundary=practice-boundary' } };
}

test('a small job can be created with its data, which closes it', async () => {
  await using t = await testOrg();
  const { json } = await t.call(jobs, multipart(insert, 'Name\nAlpha\nBeta'));
  assert.equal(json.state, 'UploadComplete');
  assert.deepEqual(counters(await ended(t, json.id)), [2, 0]);
  t.org.settings.ingestMultipartCloses = false;
  assert.equal((await t.call(jobs, multipart(insert, 'Name\nGamma\n'))).json.state, 'Open');
  const long = await t.call(jobs, multipart(insert, `Name\n${'x\n'.repeat(50_000)}`));
  assert.deepEqual([long.status, long.json[0].errorCode], [400, 'CLIENTINPUTERROR']);
});

test('a job without data ends with no row, or cannot be closed', async () => {
  await using t = await testOrg();
  const { id } = await openJob(t, insert);
  await setState(t, id, 'UploadComplete');
  const job = await ended(t, id);
  assert.deepEqual([job.state, ...counters(job)], ['JobComplete', 0, 0]);
  t.org.settings.ingestCloseWithoutData = 'refused';
  const other = await openJob(t, insert);
  assert.equal((await setState(t, other.id, 'UploadComplete')).json[0].errorCode, 'INVALIDJOBSTATE');
});

test('the list has pages, and an order of its own', async () => {
  await using t = await testOrg({ ingestListPage: 7 });
  const made: string[] = [];
  for (let count = 0; count < 20; count += 1) made.push((await openJob(t, insert)).id);
  const seen: string[] = [];
  let url: string | null = `${jobs}?jobType=V2Ingest`;
  let pages = 0;
  while (url) {
    const { json } = await t.call(url);
    seen.push(...json.records.map(({ id }: { id: string }) => id));
    url = json.nextRecordsUrl;
    pages += 1;
    assert.equal(json.done, url === null);
  }
  assert.equal(pages, 3);
  assert.notDeepEqual(seen, made);
  assert.deepEqual(seen.toSorted(), made.toSorted());
  assert.deepEqual((await t.call(`${jobs}?jobType=Classic`)).json.records, []);
  assert.equal((await t.call(`${jobs}?queryLocator=500`)).json[0].errorCode, 'INVALIDQUERYLOCATOR');
});

test('ingest jobs and query jobs have Ids of one sequence, and lists of their own', async () => {
  await using t = await testOrg();
  const { id } = await openJob(t, insert);
  const query = await t.job('SELECT Id FROM Account');
  assert.notEqual(id, query.id);
  assert.deepEqual(
    (await t.call(`${api}/jobs/query`)).json.records.map((job: { id: string }) => job.id),
    [query.id],
  );
});

test('a job is gone 7 days after its end, by the clock of the org', async () => {
  await using t = await testOrg();
  const { job } = await ingest(t, insert, 'Name\nNew\n');
  t.org.settings.clockSkew = 6 * 86_400_000;
  assert.equal((await poll(t, job.id)).state, 'JobComplete');
  t.org.settings.clockSkew = 8 * 86_400_000;
  assert.equal((await t.call(`${jobs}/${job.id}/successfulResults`)).status, 404);
  assert.deepEqual((await t.call(jobs)).json.records, []);
});

test('delete moves rows to the recycle bin, hardDelete past it', async () => {
  await using t = await testOrg();
  const first = await ingest(t, { ...insert, operation: 'delete' }, `Id\n${ids.initech}\n003000000000001AAA\nnone\n`);
  assert.deepEqual(counters(first.job), [3, 2]);
  assert.equal(first.successful, `"sf__Id","sf__Created",Id\n"${ids.initech}","false","${ids.initech}"\n`);
  assert.deepEqual(column(first.failed, 'sf__Error'), [
    'INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--',
    'MALFORMED_ID:bad id none:Id --',
  ]);
  const bin = `SELECT IsDeleted FROM Account WHERE Id = '${ids.initech}'`;
  assert.deepEqual((await t.query(bin, 'queryAll')).json.records[0].IsDeleted, true);
  t.org.settings.permissions.bulkHardDelete = true;
  await ingest(t, { ...insert, operation: 'hardDelete' }, `Id\n${ids.globex}\n`);
  const gone = `SELECT Id FROM Account WHERE Id = '${ids.globex}'`;
  assert.equal((await t.query(gone, 'queryAll')).json.totalSize, 0);
});
