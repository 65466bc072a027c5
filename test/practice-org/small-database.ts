import type { Database, Describe, Row, Table, Treatment, Value } from '../../src/practice-org/database.ts';
import { withSuffix } from '../../src/practice-org/record-ids.ts';

/** A hand-made org, small enough to know every value. */
export type FieldSpec = string | [name: string, type: string, more?: Record<string, unknown>];

function field(spec: FieldSpec) {
  const [name, type, more] = typeof spec === 'string' ? [spec, 'string', {}] : [spec[0], spec[1], spec[2] ?? {}];
  return {
    name,
    type,
    label: name,
    length: type === 'string' ? 255 : 18,
    custom: name.endsWith('__c'),
    filterable: true,
    sortable: true,
    groupable: true,
    nillable: true,
    calculated: false,
    deprecatedAndHidden: false,
    compoundFieldName: null,
    referenceTo: [] as string[],
    relationshipName: null,
    ...more,
  };
}

export function lookup(name: string, relationshipName: string, ...referenceTo: string[]): FieldSpec {
  return [name, 'reference', { relationshipName, referenceTo }];
}

export function table(
  name: string,
  keyPrefix: string | null,
  fields: FieldSpec[],
  rows: readonly Record<string, Value>[],
  more: { describe?: Record<string, unknown>; treatment?: Treatment; blob?: Table['blob'] } = {},
): Table {
  const describe: Describe = {
    name,
    label: name,
    labelPlural: `${name}s`,
    keyPrefix,
    queryable: true,
    retrieveable: true,
    replicateable: true,
    custom: name.endsWith('__c'),
    customSetting: false,
    childRelationships: [],
    urls: { describe: `/services/data/v40.0/sobjects/${name}/describe` },
    fields: [['Id', 'id'] as FieldSpec, ...fields].map(field),
    ...more.describe,
  };
  const complete: Row[] = rows.map((row) => ({
    ...Object.fromEntries(describe.fields.map((f) => [f.name, null])),
    ...row,
  }));
  return {
    describe,
    treatment: more.treatment ?? {},
    source: {
      size: complete.length,
      row: (number) => complete[number]!,
      find: (id) => complete.findIndex((row) => row.Id === id),
    },
    ...(more.blob && { blob: more.blob }),
  };
}

export function id(prefix: string, number: number): string {
  return withSuffix(`${prefix}5e0000${String(number).padStart(6, '0')}`);
}

const readOnly = { createable: false, updateable: false };
const stamps: FieldSpec[] = [
  ['CreatedDate', 'datetime', readOnly],
  ['SystemModstamp', 'datetime', readOnly],
  ['IsDeleted', 'boolean', readOnly],
];

function stamp(day: number, isDeleted = false) {
  const at = `2026-03-${String(day).padStart(2, '0')}T10:00:00.000Z`;
  return { CreatedDate: at, SystemModstamp: at, IsDeleted: isDeleted };
}

export const ids = {
  org: id('00D', 1),
  backupUser: id('005', 1),
  otherUser: id('005', 2),
  queue: id('00G', 1),
  acme: id('001', 1),
  globex: id('001', 2),
  initech: id('001', 3),
  binned: id('001', 4),
};

export const nasty = 'Quote " comma , and\nnew line \u{1F9EF}';

export function smallDatabase(): Database {
  const accounts = table(
    'Account',
    '001',
    [
      'Name',
      ['AnnualRevenue', 'currency'],
      ['NumberOfEmployees', 'int'],
      ['Industry', 'picklist', { picklistValues: [{ value: 'Bank', label: 'Banking', active: true }] }],
      ['Tags__c', 'multipicklist'],
      ['Notes__c', 'textarea', { length: 32000, filterable: false, sortable: false, groupable: false }],
      ['Secret__c', 'string'],
      ['Code__c', 'string', { externalId: true, idLookup: true, unique: true }],
      ['Founded__c', 'date'],
      ['Opens__c', 'time'],
      ['BillingStreet', 'textarea', { length: 255, compoundFieldName: 'BillingAddress' }],
      ['BillingCity', 'string', { compoundFieldName: 'BillingAddress' }],
      ['BillingLatitude', 'double', { compoundFieldName: 'BillingAddress' }],
      ['BillingAddress', 'address', { filterable: false, sortable: false, groupable: false }],
      ['Place__Latitude__s', 'double', { compoundFieldName: 'Place__c' }],
      ['Place__Longitude__s', 'double', { compoundFieldName: 'Place__c' }],
      ['Place__c', 'location', { filterable: false, sortable: false, groupable: false }],
      lookup('ParentId', 'Parent', 'Account'),
      lookup('OwnerId', 'Owner', 'User', 'Group'),
      ...stamps,
    ],
    [
      {
        Id: ids.acme,
        Name: 'Acme',
        AnnualRevenue: 10_000_000,
        NumberOfEmployees: 12,
        Industry: 'Bank',
        Tags__c: 'red;green',
        Notes__c: nasty,
        Secret__c: 'hidden',
        Code__c: 'A-1',
        Founded__c: '2001-02-03',
        Opens__c: '08:30:00.000Z',
        BillingCity: 'Oslo',
        BillingLatitude: 59.9,
        Place__Latitude__s: 1.5,
        Place__Longitude__s: 2,
        OwnerId: ids.backupUser,
        ...stamp(1),
      },
      {
        Id: ids.globex,
        Name: 'Globex',
        AnnualRevenue: 100,
        NumberOfEmployees: 3,
        Tags__c: 'red',
        Code__c: 'twice',
        ParentId: ids.acme,
        OwnerId: ids.queue,
        ...stamp(2),
      },
      { Id: ids.initech, Name: 'initech', Code__c: 'twice', OwnerId: ids.otherUser, ...stamp(3) },
      { Id: ids.binned, Name: 'Gone', Code__c: 'gone', OwnerId: ids.otherUser, ...stamp(4, true) },
    ],
    {
      describe: {
        childRelationships: [
          { childSObject: 'Contact', field: 'AccountId', relationshipName: 'Contacts', cascadeDelete: true },
          { childSObject: 'Account', field: 'ParentId', relationshipName: 'ChildAccounts', cascadeDelete: false },
        ],
      },
      treatment: { hiddenFields: ['Secret__c', 'Ghost__c'], unchunkedLimit: 3 },
    },
  );
  const contacts = table(
    'Contact',
    '003',
    [
      ['LastName', 'string', { nillable: false }],
      ['Email', 'email'],
      lookup('AccountId', 'Account', 'Account'),
      ...stamps,
    ],
    Array.from({ length: 5 }, (_, n) => ({
      Id: id('003', n + 1),
      LastName: `Person ${n + 1}`,
      Email: n === 4 ? null : `p${n + 1}@example.org`,
      AccountId: n < 2 ? ids.acme : n < 4 ? ids.globex : null,
      ...stamp(n + 5),
    })),
  );
  const users = table(
    'User',
    '005',
    ['Name', ['Email', 'email'], 'Username'],
    [
      { Id: ids.backupUser, Name: 'Backup User', Email: 'backup@example.org', Username: 'backup@small.example' },
      { Id: ids.otherUser, Name: 'Other User', Email: 'other@example.org', Username: 'other@small.example' },
    ],
  );
  const tasks = table(
    'Task',
    '00T',
    ['Subject', lookup('WhatId', 'What', 'Account', 'Contact'), ['IsArchived', 'boolean'], ...stamps],
    [
      { Id: id('00T', 1), Subject: 'Call', WhatId: ids.acme, IsArchived: false, ...stamp(1) },
      { Id: id('00T', 2), Subject: 'Old', WhatId: id('003', 1), IsArchived: true, ...stamp(1) },
    ],
  );
  const attachments = table(
    'Attachment',
    '00P',
    ['Name', ['Body', 'base64', { filterable: false }], ['BodyLength', 'int'], ...stamps],
    [{ Id: id('00P', 1), Name: 'a.bin', BodyLength: 300, ...stamp(1) }],
    { blob: () => Buffer.alloc(300, 0xfe) },
  );
  const links = table(
    'ContentDocumentLink',
    '06A',
    [
      ['ContentDocumentId', 'reference'],
      ['LinkedEntityId', 'reference'],
    ],
    [{ Id: id('06A', 1), ContentDocumentId: id('069', 1), LinkedEntityId: ids.acme }],
    {
      treatment: {
        requiredFilter: {
          fields: ['ContentDocumentId', 'LinkedEntityId'],
          message: 'Implementation restriction: ContentDocumentLink requires a filter by a single Id',
          unlessPermission: 'PermissionsQueryAllFiles',
        },
      },
    },
  );
  const documents = table(
    'ContentDocument',
    '069',
    ['Title', lookup('OwnerId', 'Owner', 'User')],
    [
      { Id: id('069', 1), Title: 'mine', OwnerId: ids.backupUser },
      { Id: id('069', 2), Title: 'theirs', OwnerId: ids.otherUser },
    ],
  );
  const settings = table(
    'Routing__mdt',
    'm00',
    ['DeveloperName'],
    Array.from({ length: 3 }, (_, n) => ({ Id: id('m00', n + 1), DeveloperName: `R${n}` })),
    { treatment: { customMetadata: true, bulkRefused: true } },
  );
  const numbers = table(
    'Number__c',
    'a00',
    [['N__c', 'double'], ...stamps],
    Array.from({ length: 4500 }, (_, n) => ({ Id: id('a00', n), N__c: n, ...stamp(1) })),
  );
  const history = table('RecordActionHistory', '0JI', ['Note'], [], {
    treatment: {
      queryError: { status: 500, errorCode: 'UNKNOWN_EXCEPTION', message: 'An unexpected error occurred.' },
    },
  });
  const change = table('AccountChangeEvent', null, ['Name'], [], { describe: { queryable: false } });
  const big = table(
    'Reading__b',
    'b00',
    ['Meter__c', ['At__c', 'datetime']],
    [{ Id: id('b00', 1), Meter__c: 'm1', At__c: '2026-03-01T10:00:00.000Z' }],
    { treatment: { bigObjectIndex: ['Meter__c', 'At__c'] } },
  );
  const groups = table('Group', '00G', ['Name'], [{ Id: ids.queue, Name: 'The Queue' }]);
  const organizations = table('Organization', '00D', ['Name'], [{ Id: ids.org, Name: 'Small Org' }]);
  const all = [
    accounts,
    contacts,
    users,
    tasks,
    attachments,
    links,
    documents,
    settings,
    numbers,
    history,
    change,
    big,
    groups,
    organizations,
  ];
  return {
    facts: {
      organizationId: ids.org,
      organizationName: 'Small Org',
      isSandbox: true,
      instanceName: 'TST1',
      userId: ids.backupUser,
      username: 'backup@small.example',
    },
    tables: new Map(all.map((one) => [one.describe.name, one])),
  };
}
