import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { planFor } from '../../src/salesforce/plan.ts';
import { redact } from '../../src/salesforce/redact.ts';
import { and, select, text } from '../../src/salesforce/soql.ts';
import type { ObjectDescribe } from '../../src/schema/describe.ts';

function describe(name: string, fields: [string, string][], more: object = {}): ObjectDescribe {
  const list = fields.map(([field, type]) => ({ name: field, type }));
  return {
    name,
    queryable: true,
    replicateable: true,
    retrieveable: true,
    fields: list,
    ...more,
  } as unknown as ObjectDescribe;
}

test('Id, SystemModstamp and IsDeleted come first; compounds are left out, blobs are apart, unknown types are selected', () => {
  const plan = planFor(
    describe('Thing__c', [
      ['Name', 'string'],
      ['IsDeleted', 'boolean'],
      ['Id', 'id'],
      ['Home__c', 'location'],
      ['Home__Latitude__s', 'double'],
      ['BillingAddress', 'address'],
      ['BillingCity', 'string'],
      ['Body', 'base64'],
      ['SystemModstamp', 'datetime'],
      ['New__c', 'hologram'],
    ]),
  );
  assert.deepEqual(plan, {
    way: 'bulk',
    fields: ['Id', 'SystemModstamp', 'IsDeleted', 'Name', 'Home__Latitude__s', 'BillingCity', 'New__c'],
    blobFields: ['Body'],
    leftOut: [
      { field: 'Home__c', reason: 'compound: its parts are selected' },
      { field: 'BillingAddress', reason: 'compound: its parts are selected' },
    ],
  });
});

test('the way is known from the describe, and so is why there is none', () => {
  const id: [string, string][] = [['Id', 'id']];
  const way = (name: string, more?: object) => planFor(describe(name, id, more)).way;
  assert.equal(way('ContentDocumentLink'), 'sliced');
  assert.equal(way('Routing__mdt'), 'rest');
  assert.equal(way('TaskStatus'), 'rest');
  assert.equal(way('RecentlyViewed', { replicateable: false, retrieveable: false }), 'rest');
  assert.equal(way('Setting__Tag'), 'rest');
  for (const name of ['AccountChangeEvent', 'Order__e', 'Stock__x', 'Vote', 'ActivityHistory']) {
    const plan = planFor(describe(name, id));
    assert.ok(plan.way === 'none' && plan.reason.length > 10, name);
  }
  assert.equal(way('Account', { queryable: false }), 'none');
  const big = planFor(
    describe('Reading__b', [...id, ['At__c', 'datetime']], { replicateable: false, retrieveable: false }),
  );
  assert.deepEqual([big.way, big.way !== 'none' && big.fields], ['bulk', ['At__c']]);
});

const recorded = path.resolve(import.meta.dirname, '../../../shared/data/describes');

test('recorded describes of real orgs can be planned', {
  skip: existsSync(recorded) ? false : 'no ../shared/data',
}, () => {
  let planned = 0;
  for (const file of readdirSync(recorded)) {
    const object = JSON.parse(readFileSync(path.join(recorded, file), 'utf8')) as ObjectDescribe;
    if (!Array.isArray(object.fields)) continue;
    const plan = planFor(object);
    assert.ok(plan.way !== 'none', file);
    if (object.fields.some(({ name }) => name === 'Id')) assert.equal(plan.fields[0], 'Id', file);
    const apart = plan.blobFields.length + plan.leftOut.length;
    assert.equal(plan.fields.length + apart, object.fields.length, file);
    assert.equal(new Set(plan.fields).size, plan.fields.length, file);
    planned++;
  }
  assert.ok(planned > 10);
});

test('text in conditions is escaped', () => {
  assert.equal(
    select(['Id'], 'Account', and(`Name = ${text("O'Brien \\ \n")}`, undefined, 'IsDeleted = false')),
    "SELECT Id FROM Account WHERE (Name = 'O\\'Brien \\\\ \\n') AND (IsDeleted = false)",
  );
});

test('tokens, secrets and login URLs are taken out of text, error codes stay', () => {
  const line =
    'errorCode: X token 00D000000000001!AQ.x_y force://a:b:c@d Bearer abc.def eyJhbGciOiJIUzI1NiJ9.e30.sig code=123 "errorCode":"INVALID" known-secret';
  assert.equal(
    redact(line, ['known-secret']),
    'errorCode: X token [token] [login url] Bearer [token] [token] code=[secret] "errorCode":"INVALID" [secret]',
  );
});
