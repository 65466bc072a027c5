import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/salesforce/connect.ts';
import type { ObjectDescribe } from '../../src/schema/describe.ts';
import { json, noWaits, ScriptedOrg, testContext, token } from './scripted-org.ts';

const open = (org: ScriptedOrg) =>
  connect(testContext(), { kind: 'token', accessToken: token, instanceUrl: org.url }, noWaits());

const names = Array.from({ length: 60 }, (_, i) => `Object_${i}__c`);
const fields = [
  { name: 'Id', type: 'id' },
  { name: 'IsDeleted', type: 'boolean' },
];
const described = (name: string) => ({ name, queryable: true, replicateable: true, retrieveable: true, fields });

interface Part {
  url: string;
  referenceId: string;
}

test('describes come 25 to a call; one that fails for the moment is asked again, one that is refused has a reason', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  org.on('POST', '/composite', (call, response) => {
    const parts: Part[] = JSON.parse(call.body).compositeRequest;
    assert.ok(parts.length <= 25);
    const compositeResponse = parts.map(({ url, referenceId }) => {
      const name = url.split('/').at(-2)!;
      if (name === 'Object_7__c')
        return { httpStatusCode: 404, body: [{ errorCode: 'NOT_FOUND', message: 'gone' }], referenceId };
      if (name === 'Object_8__c') return { httpStatusCode: 406, body: null, referenceId };
      return { httpStatusCode: 200, body: described(name), referenceId };
    });
    json(response, 200, { compositeResponse: compositeResponse.reverse() });
  });
  org.on('GET', '/sobjects/Object_8__c/describe', (_call, response) => json(response, 200, described('Object_8__c')));
  const client = await open(org);
  const found = await client.describe(names);
  assert.deepEqual([...found.keys()], names);
  for (const [name, object] of found) {
    if (name === 'Object_7__c') assert.match('reason' in object ? String(object.reason) : '', /NOT_FOUND: gone/);
    else assert.equal('reason' in object ? object.reason : object.name, name);
  }
  assert.equal(org.callsTo('/composite').length, 3);
  assert.equal(org.callsTo('/describe').length, 1);
  await client.close();
});

test('where composites are refused, describes and counts are asked one by one', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  for (const name of names.slice(0, 3)) {
    org.on('GET', `/sobjects/${name}/describe`, (_call, response) => json(response, 200, described(name)));
  }
  org.on('GET', '/queryAll', (call, response) => {
    const soql = call.query.get('q')!;
    const name = /FROM (\S+)/.exec(soql)![1]!;
    assert.equal(soql, `SELECT COUNT() FROM ${name} WHERE IsDeleted = false`);
    if (name === 'Object_1__c') json(response, 400, [{ errorCode: 'QUERY_TIMEOUT', message: 'too long' }]);
    else json(response, 200, { totalSize: 42, done: true, records: [] });
  });
  const client = await open(org);
  const found = [...(await client.describe(names.slice(0, 3))).values()] as ObjectDescribe[];
  assert.deepEqual(await client.counts(found.map((object) => ({ object }))), [42, undefined, 42]);
  await client.close();
});

test('counts go five to a call, and objects that cannot be counted are not asked', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  org.on('POST', '/composite', (call, response) => {
    const parts: Part[] = JSON.parse(call.body).compositeRequest;
    assert.ok(parts.length <= 5);
    json(response, 200, {
      compositeResponse: parts.map(({ url, referenceId }) => ({
        httpStatusCode: 200,
        body: { totalSize: Number(/Object_(\d+)__c/.exec(url)![1]), done: true, records: [] },
        referenceId,
      })),
    });
  });
  const client = await open(org);
  const objects = [...names.slice(0, 12).map(described), described('Reading__b')] as unknown as ObjectDescribe[];
  const counts = await client.counts([
    ...objects.map((object) => ({ object })),
    { object: objects[0]!, since: new Date('2026-01-01') },
  ]);
  assert.deepEqual(counts, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, undefined, undefined]);
  assert.equal(org.callsTo('/composite').length, 3);
  await client.close();
});

test('names of fields come five objects to a call; what does not come whole is asked alone, and paged', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const page = (fields: readonly string[], totalSize = fields.length) => ({
    totalSize,
    done: true,
    records: fields.map((QualifiedApiName) => ({ QualifiedApiName })),
  });
  const many = Array.from({ length: 2100 }, (_, i) => `Field_${String(i).padStart(5, '0')}__c`);
  org.on('POST', '/composite', (call, response) => {
    const parts: Part[] = JSON.parse(call.body).compositeRequest;
    assert.ok(parts.length <= 5);
    const compositeResponse = parts.map(({ url, referenceId }) => {
      const object = /Object_(\d+)__c/.exec(url)![1]!;
      if (object === '1')
        return { httpStatusCode: 400, body: [{ errorCode: 'INVALID_TYPE', message: '' }], referenceId };
      if (object === '2') return { httpStatusCode: 503, body: null, referenceId };
      const body = { 3: page(many.slice(0, 2000)), 4: page([]), 5: page(['Id'], 2) }[object] ?? page(['Id', object]);
      return { httpStatusCode: 200, body, referenceId };
    });
    json(response, 200, { compositeResponse });
  });
  const client = await open(org);
  const alone: string[] = [];
  org.on('GET', '/query', (call, response) => {
    const soql = call.query.get('q')!;
    const object = /Object_(\d+)__c/.exec(soql)![1]!;
    alone.push(object);
    const last = /QualifiedApiName > '([^']+)'/.exec(soql)?.[1] ?? '';
    json(response, 200, page(object === '3' ? many.filter((name) => name > last).slice(0, 2000) : ['Id', object]));
  });
  const found = await client.fieldNames(names.slice(0, 7));
  const own = (object: number) => ['Id', String(object)];
  assert.deepEqual(found, [own(0), undefined, own(2), many, undefined, own(5), own(6)]);
  assert.equal(org.callsTo('/composite').length, 2);
  assert.deepEqual(alone.sort(), ['2', '3', '3', '5']);
  await client.close();
});

test('names of objects come in batches that fit without queryMore', async () => {
  await using org = await ScriptedOrg.startWithIdentity();
  const all = Array.from({ length: 4500 }, (_, i) => `Object_${String(i).padStart(5, '0')}__c`);
  const identity = org.callsTo('/query').length;
  org.on('GET', '/query', (call, response) => {
    const soql = call.query.get('q')!;
    if (!soql.includes('EntityDefinition')) {
      const record = soql.includes('Organization')
        ? { Id: '00D000000000001EAA' }
        : { Id: '005000000000001AAA', Username: 'u' };
      return json(response, 200, { totalSize: 1, done: true, records: [record] });
    }
    const last = /QualifiedApiName > '([^']+)'/.exec(soql)?.[1] ?? '';
    const records = all.filter((name) => name > last).slice(0, 2000);
    json(response, 200, {
      totalSize: records.length,
      done: true,
      records: records.map((QualifiedApiName) => ({ QualifiedApiName })),
    });
  });
  const client = await open(org);
  assert.deepEqual(await client.objectNames(), all);
  assert.equal(org.callsTo('/query').length - identity, 5);
  await client.close();
});
