import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { api, type TestOrg, testOrg } from './client.ts';
import { column, counters, ingest, jobs, openJob, poll, records, setState, upload } from './ingest-client.ts';
import { ids } from './small-database.ts';

const insert = { object: 'Account', operation: 'insert' };
const update = { object: 'Account', operation: 'update' };
const upsert = { object: 'Account', operation: 'upsert', externalIdFieldName: 'Code__c' };

async function account(t: TestOrg, where: string): Promise<Record<string, unknown>> {
  const fields =
    'Id, Name, NumberOfEmployees, AnnualRevenue, Founded__c, Opens__c, Notes__c, ParentId, Code__c, OwnerId';
  return (await t.query(`SELECT ${fields} FROM Account WHERE ${where}`)).json.records[0];
}

test('an empty cell leaves the field as it is, #N/A clears it', async () => {
  await using t = await testOrg();
  const csv = `Id,Name,NumberOfEmployees,AnnualRevenue\n${ids.acme},,#N/A,""\n`;
  const { job, successful } = await ingest(t, update, csv);
  assert.deepEqual(counters(job), [1, 0]);
  assert.equal(
    successful,
    `"sf__Id","sf__Created",Id,Name,NumberOfEmployees,AnnualRevenue\n"${ids.acme}","false","${ids.acme}","","#N/A",""\n`,
  );
  const { Name, NumberOfEmployees, AnnualRevenue } = await account(t, `Id = '${ids.acme}'`);
  assert.deepEqual([Name, NumberOfEmployees, AnnualRevenue], ['Acme', null, 10_000_000]);
});

test('cells are read by the type of their field', async () => {
  await using t = await testOrg();
  const csv = [
    'Name,NumberOfEmployees,AnnualRevenue,Founded__c,Opens__c,Notes__c',
    'Typed,12,1.5E3,2024-02-29,08:30:00.000Z,"two\nlines, and ""quotes"""',
  ].join('\n');
  await ingest(t, insert, csv);
  const { NumberOfEmployees, AnnualRevenue, Founded__c, Opens__c, Notes__c } = await account(t, "Name = 'Typed'");
  assert.deepEqual([NumberOfEmployees, AnnualRevenue, Founded__c, Opens__c], [12, 1500, '2024-02-29', '08:30:00.000Z']);
  assert.equal(Notes__c, 'two\nlines, and "quotes"');
});

test('a cell that cannot be read fails its row, by the place of the column from 0', async () => {
  await using t = await testOrg();
  const cells = [
    ['1.5', '1', '2024-01-01'],
    ['1', 'much', '2024-01-01'],
    ['1', '1', '2023-02-29'],
    ['1', '1', '2024-01-01Z'],
    ['1', '1', '2024-01-01'],
  ];
  const csv = ['Name,NumberOfEmployees,AnnualRevenue,Founded__c', ...cells.map((row) => `Read,${row}`)].join('\n');
  const { job, failed } = await ingest(t, insert, csv);
  assert.deepEqual([job.state, ...counters(job)], ['JobComplete', 5, 4]);
  assert.deepEqual(column(failed, 'sf__Error'), [
    "INVALID_FIELD:Failed to deserialize field at col 1. Due to, '1.5' is not a valid value for the type xsd:int:NumberOfEmployees --",
    "INVALID_FIELD:Failed to deserialize field at col 2. Due to, 'much' is not a valid value for the type xsd:double:AnnualRevenue --",
    "INVALID_FIELD:Failed to deserialize field at col 3. Due to, '2023-02-29' is not a valid value for the type xsd:date:Founded__c --",
    "INVALID_FIELD:Failed to deserialize field at col 3. Due to, '2024-01-01Z' is not a valid value for the type xsd:date:Founded__c --",
  ]);
});

test('a parent is named by a key, with its type where the lookup has several', async () => {
  await using t = await testOrg();
  const first = await ingest(t, insert, 'Name,Parent.Code__c,User:Owner.Id\nChild,A-1,\n');
  assert.deepEqual(counters(first.job), [1, 0]);
  assert.equal((await account(t, "Name = 'Child'")).ParentId, ids.acme);
  const task = { object: 'Task', operation: 'insert' };
  const second = await ingest(t, task, 'Subject,Account:What.Code__c\nVisit,A-1\n');
  assert.equal(second.failed, '"sf__Id","sf__Error",Subject,Account:What.Code__c\n');
  const { json } = await t.query("SELECT WhatId FROM Task WHERE Subject = 'Visit'");
  assert.equal(json.records[0].WhatId, ids.acme);
});

test('a parent that is not found fails its row, though the lookup is optional', async () => {
  await using t = await testOrg();
  const { job, failed } = await ingest(t, insert, 'Name,Parent.Code__c\nChild,c9\nTwin,Child\n');
  assert.deepEqual(counters(job), [2, 2]);
  assert.deepEqual(
    records(failed).find(({ Name }) => Name === 'Child'),
    {
      sf__Id: '',
      sf__Error: 'INVALID_FIELD:Foreign key external ID: c9 not found for field Code__c in entity Account:--',
      Name: 'Child',
      'Parent.Code__c': 'c9',
    },
  );
});

test('#N/A in a relationship column is a key, or clears the lookup', async () => {
  await using t = await testOrg();
  const csv = `Id,Parent.Code__c\n${ids.globex},#N/A\n`;
  const first = await ingest(t, update, csv);
  assert.match(column(first.failed, 'sf__Error')[0]!, /^INVALID_FIELD:Foreign key external ID: #N\/A not found/);
  t.org.settings.ingestReferenceNull = 'clears';
  assert.deepEqual(counters((await ingest(t, update, csv)).job), [1, 0]);
  assert.equal((await account(t, `Id = '${ids.globex}'`)).ParentId, null);
});

test('upsert tells what it created, and fails keys that stand twice in a file', async () => {
  await using t = await testOrg();
  const { job, successful, failed } = await ingest(t, upsert, 'Code__c,Name\nA-1,Known\nA-9,New\nZ,One\nz,Two\n');
  assert.deepEqual(counters(job), [4, 2]);
  const created = Object.fromEntries(records(successful).map(({ Name, sf__Created }) => [Name, sf__Created]));
  assert.deepEqual(created, { Known: 'false', New: 'true' });
  assert.deepEqual(column(failed, 'Name'), ['One', 'Two']);
  assert.match(column(failed, 'sf__Error')[0]!, /^DUPLICATE_VALUE:Duplicate external id specified: Z:Code__c --$/);
});

test('upsert by Id inserts the rows without one', async () => {
  await using t = await testOrg();
  const byId = { ...upsert, externalIdFieldName: 'Id' };
  const { successful } = await ingest(t, byId, `Id,Name\n${ids.acme},Renamed\n,Fresh\n`);
  const created = Object.fromEntries(records(successful).map(({ Name, sf__Created }) => [Name, sf__Created]));
  assert.deepEqual(created, { Renamed: 'false', Fresh: 'true' });
});

test('failed updates have an empty sf__Id, or that of the row; before version 53 none at all', async () => {
  await using t = await testOrg();
  const vanished = '001000000000001AAA';
  const csv = `Id,Name\n${vanished},x\n`;
  assert.equal(
    (await ingest(t, update, csv)).failed,
    `"sf__Id","sf__Error",Id,Name\n"","INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--","${vanished}","x"\n`,
  );
  t.org.settings.ingestFailedIds = 'given';
  assert.deepEqual(column((await ingest(t, update, csv)).failed, 'sf__Id'), [vanished]);
  const { json } = await t.call('/services/data/v52.0/jobs/ingest', { body: update });
  await upload(t, json.id, csv);
  await setState(t, json.id, 'UploadComplete');
  while ((await poll(t, json.id)).state !== 'JobComplete');
  const { text } = await t.call(`/services/data/v52.0/jobs/ingest/${json.id}/failedResults`);
  assert.match(text, /^"sf__Error",Id,Name\n"INVALID/);
});

test('an Id in an insert fails its row', async () => {
  await using t = await testOrg();
  const { failed } = await ingest(t, insert, `Id,Name\n${ids.acme},Again\n`);
  assert.match(column(failed, 'sf__Error')[0]!, /^INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call/);
});

const many = `Name\n${Array.from({ length: 500 }, (_, n) => `Row ${n}`).join('\n')}\n`;

test('results come in an order of their own, the same each time, or in that of the upload', async () => {
  await using t = await testOrg();
  const sent = many.trim().split('\n').slice(1);
  const names = (csv: string) => records(csv).map(({ Name }) => Name);
  const { job, successful } = await ingest(t, insert, many);
  assert.notDeepEqual(names(successful), sent);
  assert.deepEqual(column(successful, 'Name'), sent.toSorted());
  assert.equal((await t.call(`${jobs}/${job.id}/successfulResults/`)).text, successful);
  t.org.settings.ingestRowOrder = 'ascending';
  assert.deepEqual(names((await ingest(t, insert, many)).successful), sent);
});

test('results are written as the job is: header cells as they came, cells quoted', async () => {
  await using t = await testOrg();
  const dialect = { columnDelimiter: 'PIPE', lineEnding: 'CRLF' };
  const { successful, failed } = await ingest(t, { ...insert, ...dialect }, 'NAME|"Notes__c"\r\n"a|b"|"x ""y"""\r\n');
  assert.match(successful, /^"sf__Id"\|"sf__Created"\|NAME\|"Notes__c"\r\n"001[^"]+"\|"true"\|"a\|b"\|"x ""y"""\r\n$/);
  assert.equal(failed, '"sf__Id"|"sf__Error"|NAME|"Notes__c"\r\n');
});

test('results are CSV, and gzip when asked', async () => {
  await using t = await testOrg();
  const { job, successful } = await ingest(t, insert, many);
  const url = `${t.org.url}${jobs}/${job.id}/successfulResults`;
  const headers = { authorization: `Bearer ${t.org.accessToken}`, 'accept-encoding': 'gzip' };
  const { type, encoding, bytes } = await new Promise<{ type?: string; encoding?: string; bytes: Buffer }>(
    (resolve, reject) => {
      get(url, { headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            type: response.headers['content-type']!,
            encoding: response.headers['content-encoding']!,
            bytes: Buffer.concat(chunks),
          }),
        );
      }).on('error', reject);
    },
  );
  assert.deepEqual([type, encoding], ['text/csv; charset=UTF-8', 'gzip']);
  assert.equal(gunzipSync(bytes).toString(), successful);
});

test('results are there when the job has ended, not before', async () => {
  await using t = await testOrg({ bulkDelay: 3_600_000 });
  const { id } = await openJob(t, insert);
  await upload(t, id, 'Name\nNew\n');
  await setState(t, id, 'UploadComplete');
  assert.equal((await poll(t, id)).state, 'InProgress');
  for (const what of ['successfulResults', 'failedResults', 'unprocessedrecords']) {
    const { status, json } = await t.call(`${api}/jobs/ingest/${id}/${what}`);
    assert.deepEqual([status, json[0].errorCode], [400, 'INVALIDJOBSTATE']);
  }
});
