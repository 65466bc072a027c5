import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestOrg, testOrg } from './client.ts';
import {
  column,
  counters,
  ended,
  ingest,
  jobs,
  openJob,
  poll,
  records,
  results,
  setState,
  upload,
} from './ingest-client.ts';
import { ids } from './small-database.ts';

const numbers = { object: 'Number__c', operation: 'insert' };
const contacts = { object: 'Contact', operation: 'insert' };

function numbered(rows: number): string {
  return `N__c\n${Array.from({ length: rows }, (_, n) => 10_000 + n).join('\n')}\n`;
}

async function saved(t: TestOrg): Promise<number> {
  return (await t.query('SELECT COUNT() FROM Number__c WHERE N__c >= 10000')).json.totalSize;
}

/** Contacts of these accounts, one after the other. */
function children(accounts: readonly string[], each: number): string {
  const rows = accounts.flatMap((account) => Array.from({ length: each }, (_, n) => `Child ${n},${account}`));
  return `LastName,AccountId\n${rows.join('\n')}\n`;
}

test('rows are saved in internal batches of 10,000 that are worked on at the same time', async () => {
  await using t = await testOrg();
  const { job, successful } = await ingest(t, numbers, numbered(20_500));
  assert.deepEqual([job.state, ...counters(job)], ['JobComplete', 20_500, 0]);
  const inOrderOfIds = records(successful).toSorted((a, b) => (a.sf__Id! < b.sf__Id! ? -1 : 1));
  const starts = [0, 200, 400, 600].map((place) => Number(inOrderOfIds[place]!.N__c) - 10_000);
  assert.deepEqual(starts, [0, 10_000, 20_000, 200]);
  assert.deepEqual((await t.call('/services/data/v67.0/limits')).json.DailyBulkApiBatches, {
    Max: 15_000,
    Remaining: 14_997,
  });
});

test('each 200 rows are a transaction of their own: a key may stand again in the next', async () => {
  await using t = await testOrg();
  const upsert = { object: 'Account', operation: 'upsert', externalIdFieldName: 'Code__c' };
  const rows = Array.from({ length: 400 }, (_, n) => `K${n},Row ${n}`);
  rows[200] = 'K0,Row 200';
  rows[399] = 'K398,Row 399';
  const { successful, failed } = await ingest(t, upsert, `Code__c,Name\n${rows.join('\n')}\n`);
  assert.deepEqual(column(failed, 'Name'), ['Row 398', 'Row 399']);
  const again = records(successful).filter(({ Code__c }) => Code__c === 'K0');
  assert.deepEqual(
    new Map(again.map(({ Name, sf__Created }) => [Name, sf__Created])),
    new Map([
      ['Row 0', 'true'],
      ['Row 200', 'false'],
    ]),
  );
  assert.equal(new Set(again.map(({ sf__Id }) => sf__Id)).size, 1);
});

test('one batch after the other keeps the order of the upload', async () => {
  await using t = await testOrg({ ingestParallelBatches: 1 });
  const { successful } = await ingest(t, numbers, numbered(20_100));
  const inOrderOfIds = records(successful).toSorted((a, b) => (a.sf__Id! < b.sf__Id! ? -1 : 1));
  assert.deepEqual(
    inOrderOfIds.map(({ N__c }) => Number(N__c)),
    Array.from({ length: 20_100 }, (_, n) => 10_000 + n),
  );
});

test('other requests are answered while a job is worked on', async () => {
  await using t = await testOrg();
  const { id } = await openJob(t, numbers);
  await upload(t, id, numbered(40_000));
  await setState(t, id, 'UploadComplete');
  const seen: number[] = [];
  for (;;) {
    const { state, numberRecordsProcessed } = await poll(t, id);
    seen.push(numberRecordsProcessed);
    if (state === 'JobComplete') break;
  }
  assert.ok(seen.some((processed) => processed > 0 && processed < 40_000));
  assert.equal(seen.at(-1), 40_000);
});

test('an abort stops the work: what was saved stays, the rest is unprocessed', async () => {
  await using t = await testOrg();
  t.org.failNext('ingest.close', { name: 'job-stuck', afterRows: 450 });
  const { id } = await openJob(t, numbers);
  await upload(t, id, numbered(1000));
  await setState(t, id, 'UploadComplete');
  while ((await poll(t, id)).numberRecordsProcessed < 450);
  assert.equal((await t.call(`${jobs}/${id}`, { method: 'DELETE' })).json[0].errorCode, 'INVALIDJOBSTATE');
  await setState(t, id, 'Aborted');
  const { successful, unprocessed } = await results(t, id);
  assert.equal(column(successful, 'N__c').length, 450);
  assert.deepEqual(
    column(unprocessed, 'N__c').map(Number),
    Array.from({ length: 550 }, (_, n) => 10_450 + n),
  );
  assert.equal(await saved(t), 450);
});

test('batches at work at the same time lock each other’s parents out', async () => {
  await using t = await testOrg();
  const csv = children([ids.acme, ids.globex], 10_000);
  const apart = await ingest(t, contacts, csv);
  assert.deepEqual([apart.job.retries, ...counters(apart.job)], [0, 20_000, 0]);
  const mixed = `LastName,AccountId\n${`A,${ids.acme}\n`.repeat(10_000)}${`B,${ids.acme}\n`.repeat(50)}${`C,${ids.globex}\n`.repeat(50)}`;
  const { job, failed } = await ingest(t, contacts, mixed);
  assert.deepEqual(counters(job), [10_100, 50]);
  assert.deepEqual(new Set(column(failed, 'LastName')), new Set(['B']));
  assert.deepEqual(
    new Set(column(failed, 'sf__Error')),
    new Set(['UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--']),
  );
  t.org.settings.ingestLocks = false;
  assert.deepEqual(counters((await ingest(t, contacts, mixed)).job), [10_100, 0]);
});

test('parents named by a key are locked too', async () => {
  await using t = await testOrg();
  const csv = `LastName,Account.Code__c\n${'A,A-1\n'.repeat(10_000)}B,A-1\n`;
  assert.deepEqual(column((await ingest(t, contacts, csv)).failed, 'LastName'), ['B']);
});

test('after 100 locks the rest of a batch is put off; rows that failed are not tried again', async () => {
  await using t = await testOrg();
  const { job } = await ingest(t, contacts, children([ids.acme], 20_000));
  assert.deepEqual([job.state, ...counters(job)], ['JobComplete', 20_000, 200]);
});

test('a batch that is put off too often fails the job', async () => {
  await using t = await testOrg();
  const csv = `Id,AccountId\n${`nobody,${ids.acme}\n`.repeat(150_000)}`;
  const { job, failed, unprocessed } = await ingest(t, { ...contacts, operation: 'update' }, csv);
  assert.equal(job.state, 'Failed');
  assert.match(job.errorMessage, /^TooManyLockFailure/);
  const [processed] = counters(job);
  assert.ok(processed < 150_000);
  assert.ok(column(failed, 'sf__Error').filter((error) => error.startsWith('UNABLE_TO_LOCK_ROW')).length > 2000);
  assert.equal(column(unprocessed, 'Id').length, 150_000 - processed);
});

test('a batch of more than 5 minutes is tried again, and goes on where it was', async () => {
  await using t = await testOrg({ ingestRowMilliseconds: 100 });
  const { job } = await ingest(t, numbers, numbered(10_000));
  assert.deepEqual([job.state, job.retries, ...counters(job)], ['JobComplete', 3, 10_000, 0]);
  assert.ok(job.totalProcessingTime >= 1_000_000);
});

test('a batch that was tried 20 times fails the job, and the rest is unprocessed', async () => {
  await using t = await testOrg({ ingestRowMilliseconds: 1000 });
  const { job, unprocessed } = await ingest(t, numbers, numbered(10_000));
  assert.deepEqual([job.state, job.retries, ...counters(job)], ['Failed', 20, 4200, 0]);
  assert.match(job.errorMessage, /^Timeout/);
  assert.equal(column(unprocessed, 'N__c').length, 5800);
  assert.equal(await saved(t), 4200);
});

test('batches beyond the rows of the day are not processed, and no result tells of them', async () => {
  await using t = await testOrg({ dailyBulkRows: 15_000 });
  const { job, successful, failed, unprocessed } = await ingest(t, numbers, numbered(20_000));
  assert.deepEqual([job.state, ...counters(job)], ['Failed', 10_000, 0]);
  assert.match(job.errorMessage, /^ExceededQuota/);
  assert.equal(column(successful, 'N__c').length, 10_000);
  assert.deepEqual([failed, unprocessed], ['"sf__Id","sf__Error",N__c\n', 'N__c\n']);
  t.org.settings.clockSkew = 25 * 3_600_000;
  assert.deepEqual(counters((await ingest(t, numbers, numbered(5000))).job), [5000, 0]);
});

test('no job is created when the batches of the day are used up', async () => {
  await using t = await testOrg({ dailyBulkBatches: 1 });
  await ingest(t, numbers, numbered(1));
  const { status, json } = await t.call(jobs, { body: numbers });
  assert.deepEqual([status, json[0].errorCode], [400, 'EXCEEDEDQUOTA']);
});

test('job-failed: after so many rows, whatever the client does', async () => {
  await using t = await testOrg();
  t.org.failNext('ingest.close', {
    name: 'job-failed',
    afterRows: 250,
    errorMessage: 'InternalServerError : try again',
  });
  const { job, successful, unprocessed } = await ingest(t, numbers, numbered(1000));
  assert.deepEqual(
    [job.state, job.errorMessage, ...counters(job)],
    ['Failed', 'InternalServerError : try again', 250, 0],
  );
  assert.deepEqual([column(successful, 'N__c').length, column(unprocessed, 'N__c').length], [250, 750]);
  assert.equal(await saved(t), 250);
  t.org.failNext('ingest.job', { name: 'job-failed' }, { object: 'Number__c' });
  const second = await ingest(t, numbers, numbered(10));
  assert.equal(second.job.state, 'Failed');
  assert.equal('errorMessage' in second.job, false);
});

test('job-stuck: a job never ends', async () => {
  await using t = await testOrg();
  t.org.failNext('ingest.job', { name: 'job-stuck' });
  const { id } = await openJob(t, numbers);
  await upload(t, id, numbered(10));
  await setState(t, id, 'UploadComplete');
  for (let polls = 0; polls < 20; polls += 1) assert.equal((await poll(t, id)).state, 'InProgress');
});

test('lost-upload: 201, and the job completes without a row', async () => {
  await using t = await testOrg();
  t.org.failNext('ingest.upload', { name: 'lost-upload' }, { object: 'Number__c' });
  const { job } = await ingest(t, numbers, numbered(10));
  assert.deepEqual([job.state, ...counters(job)], ['JobComplete', 0, 0]);
});

test('lost-rows and wrong-processed-count: results and counters do not tell of all rows', async () => {
  await using t = await testOrg();
  t.org.failNext('ingest.successful', { name: 'lost-rows', rows: 3 });
  const { job, successful } = await ingest(t, numbers, numbered(10));
  assert.equal(column(successful, 'N__c').length, 7);
  t.org.failNext('ingest.job', { name: 'wrong-processed-count', by: -2 });
  assert.equal((await poll(t, job.id)).numberRecordsProcessed, 8);
});

test('commit-then-drop: each step is done, and its answer is lost', async () => {
  await using t = await testOrg();
  const drop = { name: 'commit-then-drop' } as const;
  t.org.failNext('ingest.create', drop, { object: 'Number__c' });
  await assert.rejects(openJob(t, numbers), /fetch failed/);
  const [{ id }] = (await t.call(jobs)).json.records;
  t.org.failNext('ingest.upload', drop);
  await assert.rejects(upload(t, id, numbered(10)), /fetch failed/);
  t.org.failNext('ingest.close', drop);
  await assert.rejects(setState(t, id, 'UploadComplete'), /fetch failed/);
  assert.deepEqual(counters(await ended(t, id)), [10, 0]);
});

test('faults of one object pass the others by', async () => {
  await using t = await testOrg();
  t.org.failNext('ingest.create', { name: '503-json' }, { object: 'Contact' });
  assert.equal((await t.call(jobs, { body: numbers })).status, 200);
  assert.equal((await t.call(jobs, { body: { operation: 'insert', object: 'contact' } })).status, 503);
  t.org.failNext('ingest.close', { name: 'session-expired' });
  const { id } = await openJob(t, numbers);
  await upload(t, id, numbered(1));
  assert.equal((await setState(t, id, 'UploadComplete')).status, 401);
});
