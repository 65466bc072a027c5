import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { type PracticeOrg, startPracticeOrg } from '../../src/practice-org/server.ts';
import { api } from './client.ts';

/** Plain HTTP with the org's session. */
function client(org: PracticeOrg) {
  const call = async (path: string, method = 'GET', body?: unknown) => {
    const response = await fetch(`${org.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${org.accessToken}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  };
  const query = async (soql: string, kind = 'query') => {
    const { text } = await call(`${api}/${kind}?q=${encodeURIComponent(soql)}`);
    return JSON.parse(text) as { totalSize: number; records: Record<string, unknown>[]; nextRecordsUrl?: string };
  };
  const bulk = async (soql: string): Promise<string[]> => {
    const created = await call(`${api}/jobs/query`, 'POST', { operation: 'query', query: soql });
    const { id } = JSON.parse(created.text) as { id: string };
    let state = 'UploadComplete';
    while (state !== 'JobComplete') state = JSON.parse((await call(`${api}/jobs/query/${id}`)).text).state;
    return (await call(`${api}/jobs/query/${id}/results`)).text.trimEnd().split('\n').slice(1);
  };
  return { call, query, bulk };
}

test('queries, counts, getUpdated, getDeleted and blobs see writes at once', async () => {
  await using org = await startPracticeOrg(sampleDatabase());
  const { call, query } = client(org);
  const minute = 60_000;
  const created = await call(`${api}/sobjects/Account`, 'POST', { Name: 'Written' });
  assert.equal(created.status, 201);
  const { id } = JSON.parse(created.text) as { id: string };
  const count = async (kind?: string) =>
    (await query("SELECT COUNT() FROM Account WHERE Name = 'Written'", kind)).totalSize;
  assert.equal(await count(), 1);
  assert.deepEqual(
    (await query(`SELECT Name, Owner.Username FROM Account WHERE Id = '${id}'`)).records[0]!.Name,
    'Written',
  );
  org.settings.clockSkew = 2 * minute;
  const within = (kind: string) => {
    const at = (minutes: number) => encodeURIComponent(new Date(Date.now() + minutes * minute).toISOString());
    return `${api}/sobjects/Account/${kind}?start=${at(-3)}&end=${at(5)}`;
  };
  assert.deepEqual(JSON.parse((await call(within('updated'))).text).ids, [id]);
  assert.equal((await call(`${api}/sobjects/Account/${id}`, 'DELETE')).status, 204);
  assert.deepEqual([await count(), await count('queryAll')], [0, 1]);
  org.settings.clockSkew = 4 * minute;
  const { deletedRecords } = JSON.parse((await call(within('deleted'))).text);
  assert.deepEqual(
    deletedRecords.map((record: { id: string }) => record.id).filter((each: string) => each === id),
    [id],
  );
  const file = { PathOnClient: 'a.txt', VersionData: Buffer.from('bytes').toString('base64') };
  const version = JSON.parse((await call(`${api}/sobjects/ContentVersion`, 'POST', file)).text) as { id: string };
  assert.equal((await call(`${api}/sobjects/ContentVersion/${version.id}/VersionData`)).text, 'bytes');
});

test('Bulk results and cached counts of a large object are right once it was written to', async () => {
  await using org = await startPracticeOrg(sampleDatabase({ scale: { Account: 20_000 } }));
  const { call, query, bulk } = client(org);
  const soql = 'SELECT Id, Phone FROM Account';
  const before = await bulk(soql);
  assert.equal((await query('SELECT COUNT() FROM Account')).totalSize, before.length);
  const [changed, gone] = [before[10_000]!, before[12_000]!].map((line) => line.slice(1, 19));
  await call(`${api}/sobjects/Account/${changed}`, 'PATCH', { Phone: 'Changed, "here"' });
  assert.equal((await call(`${api}/sobjects/Account/${gone}`, 'DELETE')).status, 204);
  const made = JSON.parse((await call(`${api}/sobjects/Account`, 'POST', { Name: 'Made', Phone: '1' })).text) as {
    id: string;
  };
  const expected = before
    .filter((line) => !line.includes(gone!))
    .map((line) => (line.includes(changed!) ? `"${changed}","Changed, ""here"""` : line));
  expected.push(`"${made.id}","1"`);
  assert.deepEqual(await bulk(soql), expected);
  assert.equal((await query('SELECT COUNT() FROM Account')).totalSize, expected.length);
});

test('a cursor that was open before a write still gives every row that it found', async () => {
  await using org = await startPracticeOrg(sampleDatabase());
  const { call, query } = client(org);
  org.settings.queryPageSize = 200;
  const first = await query('SELECT Id FROM Account');
  const id = String(first.records[0]!.Id);
  await call(`${api}/sobjects/Account`, 'POST', { Name: 'later' });
  await call(`${api}/sobjects/Account/${id}`, 'PATCH', { Name: 'changed' });
  let found = first.records.length;
  for (let next = first.nextRecordsUrl; next !== undefined; ) {
    const page = JSON.parse((await call(next)).text) as typeof first;
    found += page.records.length;
    next = page.nextRecordsUrl;
  }
  assert.equal(found, first.totalSize);
});
