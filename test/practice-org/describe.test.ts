import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { picklist, reference, string } from '../../src/practice-org/declaration.ts';
import { describeObjects, globalEntry } from '../../src/practice-org/describe.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';

const recorded = path.resolve(import.meta.dirname, '../../../shared/data/describes');
const skip = existsSync(recorded) ? false : '../shared/data is absent';

type Json = Record<string, unknown>;

function recordings(): (Json & { name: string; fields: Json[]; childRelationships: Json[] })[] {
  return readdirSync(recorded)
    .filter((file) => file !== 'minSObjects.json')
    .map((file) => JSON.parse(readFileSync(path.join(recorded, file), 'utf8')));
}

function kind(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

test('a sample describe has the keys of a recorded one, no more and no fewer', { skip }, () => {
  const newest = recordings().filter((describe) => Object.keys(describe).length === 45);
  assert.ok(newest.length > 10);
  const objectKeys = Object.keys(newest[0]!).sort();
  const fieldKeys = Object.keys(newest[0]!.fields[0]!).sort();
  const childKeys = Object.keys(
    newest.find((describe) => describe.childRelationships.length > 0)!.childRelationships[0]!,
  ).sort();
  for (const { describe } of sampleDatabase({ personAccounts: true }).tables.values()) {
    assert.deepEqual(Object.keys(describe).sort(), objectKeys, describe.name);
    for (const field of describe.fields)
      assert.deepEqual(Object.keys(field).sort(), fieldKeys, `${describe.name}.${field.name}`);
    for (const child of describe.childRelationships as Json[]) assert.deepEqual(Object.keys(child).sort(), childKeys);
  }
});

test('each key of a sample describe has a JSON type that recorded ones have too', { skip }, () => {
  const objectTypes = new Map<string, Set<string>>();
  const fieldTypes = new Map<string, Set<string>>();
  const note = (types: Map<string, Set<string>>, json: Json) => {
    for (const [key, value] of Object.entries(json)) types.set(key, (types.get(key) ?? new Set()).add(kind(value)));
  };
  for (const describe of recordings()) {
    note(objectTypes, describe);
    for (const field of describe.fields) note(fieldTypes, field);
  }
  // Never null in what was recorded, because no recorded field has them: masks, formulas' kin, help texts.
  for (const key of ['mask', 'maskType', 'calculatedFormula', 'controllerName', 'inlineHelpText']) {
    fieldTypes.set(key, (fieldTypes.get(key) ?? new Set()).add('string'));
  }
  fieldTypes.get('relationshipOrder')!.add('number');
  fieldTypes.get('defaultValue')!.add('boolean');
  for (const key of ['associateEntityType', 'associateParentEntity', 'keyPrefix'])
    objectTypes.get(key)!.add('string').add('null');
  const wrong: string[] = [];
  for (const { describe } of sampleDatabase().tables.values()) {
    for (const [key, value] of Object.entries(describe)) {
      if (!objectTypes.get(key)?.has(kind(value))) wrong.push(`${describe.name}.${key}: ${kind(value)}`);
    }
    for (const field of describe.fields) {
      for (const [key, value] of Object.entries(field)) {
        if (!fieldTypes.get(key)?.has(kind(value))) wrong.push(`${describe.name}.${field.name}.${key}: ${kind(value)}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test('what follows from the type agrees with recorded fields of the same object and name', { skip }, () => {
  const keys = [
    'type',
    'soapType',
    'length',
    'byteLength',
    'digits',
    'scale',
    'compoundFieldName',
    'calculated',
    'autoNumber',
    'relationshipName',
    'nameField',
    'polymorphicForeignKey',
    'queryByDistance',
    'extraTypeInfo',
  ];
  const tables = sampleDatabase().tables;
  const wrong: string[] = [];
  let compared = 0;
  for (const real of recordings()) {
    // Picklists grew from 40 to 255 characters after this one was recorded.
    if (real.name === 'Account' && real.fields.length < 100) continue;
    for (const field of tables.get(real.name)?.describe.fields ?? []) {
      const twin = real.fields.find((other) => other.name === field.name);
      if (!twin) continue;
      compared++;
      for (const key of keys) {
        if (JSON.stringify(field[key]) !== JSON.stringify(twin[key])) {
          wrong.push(
            `${real.name}.${field.name}.${key}: ${JSON.stringify(field[key])} for ${JSON.stringify(twin[key])}`,
          );
        }
      }
    }
  }
  assert.ok(compared > 200, `${compared} fields compared`);
  assert.deepEqual(wrong, []);
});

test('a field that depends on another carries a bit for each controlling value', () => {
  const fields = [
    picklist('Continent__c', ['Africa', 'Asia', 'Europe']),
    picklist('City__c', [{ value: 'Istanbul', validFor: ['Asia', 'Europe'] }, 'Atlantis'], {
      controllerName: 'Continent__c',
    }),
  ];
  const [describe] = describeObjects([{ name: 'Place__c', prefix: 'a77', label: 'Place', fields }]);
  const city = describe!.fields[1]!;
  assert.equal(city.dependentPicklist, true);
  assert.deepEqual(city.picklistValues, [
    { active: true, defaultValue: false, label: 'Istanbul', validFor: 'YA==', value: 'Istanbul' },
    { active: true, defaultValue: false, label: 'Atlantis', validFor: null, value: 'Atlantis' },
  ]);
});

test('child relationships are the lookups seen from the other side', () => {
  const account = sampleDatabase().tables.get('Account')!.describe;
  const children = account.childRelationships as Json[];
  const contacts = children.find((child) => child.childSObject === 'Contact');
  assert.equal(contacts?.relationshipName, 'Contacts');
  assert.equal(contacts?.cascadeDelete, true);
  assert.equal(children.find((child) => child.relationshipName === 'ChildAccounts')?.cascadeDelete, false);
  const histories = children.find((child) => child.childSObject === 'AccountHistory');
  assert.equal(histories?.cascadeDelete, true);
  assert.equal(children.find((child) => child.childSObject === 'Project__c')?.restrictedDelete, true);
});

test('labels in the plural are English', () => {
  const label = (text: string) =>
    describeObjects([
      { name: 'X__c', prefix: 'a77', label: text, fields: [string('Name', 80), reference('A__c', 'X__c')] },
    ])[0]!.labelPlural;
  assert.deepEqual(['Account', 'Opportunity', 'Business', 'Batch', 'Box'].map(label), [
    'Accounts',
    'Opportunities',
    'Businesses',
    'Batches',
    'Boxes',
  ]);
});

test('the entry in describeGlobal holds the keys that Salesforce sends there', () => {
  const entry = globalEntry(sampleDatabase().tables.get('Account')!.describe);
  assert.equal(Object.keys(entry).length, 28);
  assert.equal(entry.keyPrefix, '001');
  assert.equal('fields' in entry, false);
});
