import {
  audit,
  boolean,
  createdById,
  createdDate,
  datetime,
  id,
  isDeleted,
  number as numberField,
  picklist,
  reference,
  required,
  string,
  system,
  systemModstamp,
  textarea,
} from '../declaration.ts';
import { instant, type SampleObject, serial, setupTraits } from '../sample.ts';
import { torture } from '../torture.ts';
import { recordTypes } from './accounts.ts';

const readOnlyObject = { createable: false, updateable: false, deletable: false } as const;

const types = Object.entries(recordTypes).flatMap(([object, list]) => list.map((type) => ({ object, ...type })));

const recordTypeObject: SampleObject = {
  declaration: {
    name: 'RecordType',
    prefix: '012',
    label: 'Record Type',
    more: { ...setupTraits, deletable: false },
    fields: [
      id('Id'),
      string('Name', 80, { ...required, nameField: true }),
      string('DeveloperName', 80, required),
      string('NamespacePrefix', 15, system),
      string('Description', 255),
      picklist('SobjectType', Object.keys(recordTypes), { ...required, length: 40, updateable: false }),
      boolean('IsActive'),
      boolean('IsPersonType', system),
      ...audit,
    ],
  },
  count: types.length,
  row: (number) => ({
    Name: types[number]!.name,
    DeveloperName: types[number]!.developerName,
    SobjectType: types[number]!.object,
    IsActive: true,
    IsPersonType: types[number]!.developerName === 'PersonAccount',
  }),
};

/** A hierarchy custom setting: values for the org, a profile and a user. */
const customSetting: SampleObject = {
  declaration: {
    name: 'Automation_Settings__c',
    prefix: 'a06',
    label: 'Automation Settings',
    more: { ...setupTraits, customSetting: true, labelPlural: 'Automation Settings' },
    fields: [
      id('Id'),
      isDeleted,
      string('Name', 38, { nameField: true, idLookup: true, permissionable: false }),
      reference('SetupOwnerId', ['Organization', 'Profile', 'User'], { ...required, updateable: false }),
      ...audit,
      boolean('Bypass_Triggers__c'),
      string('Sender__c', 255),
      numberField('Threshold__c', 'double', 10, 2),
    ],
  },
  count: 3,
  treatment: { noRecycleBin: true },
  row: (number, org) => ({
    Name: `Automation Settings (${['Organization', 'Profile', 'User'][number]})`,
    SetupOwnerId: [org.id('Organization', 0), org.id('Profile', 3), org.id('User', 2)][number]!,
    Bypass_Triggers__c: number === 2,
    Sender__c: 'no-reply@practice-org.example',
    Threshold__c: [1e7, 0, -0.01][number]!,
  }),
};

/** A sibling of the custom setting that Bulk refuses. */
const customSettingShare: SampleObject = {
  declaration: {
    name: 'Automation_Settings__Share',
    prefix: '0sa',
    label: 'Share: Automation Settings',
    more: {
      ...setupTraits,
      keyPrefix: null,
      associateEntityType: 'Share',
      associateParentEntity: 'Automation_Settings__c',
    },
    fields: [
      id('Id'),
      reference('ParentId', 'Automation_Settings__c', {
        ...required,
        updateable: false,
        children: 'Shares',
        parentCascades: true,
      }),
      reference('UserOrGroupId', ['Group', 'User'], {
        ...required,
        updateable: false,
        relationshipName: 'UserOrGroup',
      }),
      picklist('RowCause', ['Owner', 'Manual'], { length: 40, updateable: false }),
      datetime('LastModifiedDate', system),
      reference('LastModifiedById', 'User', { ...system }),
      isDeleted,
    ],
  },
  count: 2,
  treatment: { bulkRefused: true, noRecycleBin: true },
  row: (number, org) => ({
    ParentId: org.id('Automation_Settings__c', number),
    UserOrGroupId: number ? org.id('Group', 3) : org.id('User', 3),
    RowCause: 'Manual',
  }),
};

const routing: SampleObject = {
  declaration: {
    name: 'Routing__mdt',
    prefix: 'm00',
    label: 'Routing',
    more: { ...setupTraits, ...readOnlyObject, labelPlural: 'Routings' },
    fields: [
      id('Id'),
      string('DeveloperName', 40, { nameField: false }),
      string('MasterLabel', 40, { nameField: true }),
      picklist('Language', ['en_US', 'de'], { ...system, length: 40 }),
      string('NamespacePrefix', 15, system),
      string('Label', 40),
      string('QualifiedApiName', 70, system),
      systemModstamp,
      string('Country__c', 2),
      textarea('Rule__c', 255),
      boolean('Active__c'),
    ],
  },
  count: 12,
  treatment: { customMetadata: true, bulkRefused: true, noRecycleBin: true },
  row: (number) => {
    const country = ['CH', 'DE', 'FR', 'US', 'JP', 'KE', 'BR', 'IS', 'PL', 'CA', 'NZ', 'NG'][number]!;
    return {
      DeveloperName: `Route_${country}`,
      MasterLabel: `Route ${country}`,
      Language: 'en_US',
      Label: `Route ${country}`,
      QualifiedApiName: `Route_${country}`,
      Country__c: country,
      Rule__c: torture[number * 2]!,
      Active__c: number % 4 !== 3,
    };
  },
};

const meters = 5;
/** A big object: its index is meter, then time; Id is empty. */
const meterReading: SampleObject = {
  declaration: {
    name: 'Meter_Reading__b',
    prefix: 'b00',
    label: 'Meter Reading',
    more: { ...setupTraits, updateable: false, deletable: false, replicateable: false, searchable: false },
    fields: [
      id('Id'),
      createdById,
      createdDate,
      systemModstamp,
      string('Meter__c', 20, required),
      datetime('Read_At__c', required),
      numberField('Value__c', 'double', 18, 3),
      string('Note__c', 255),
    ],
  },
  count: 500,
  treatment: { bigObjectIndex: ['Meter__c', 'Read_At__c'], noRecycleBin: true },
  row: (number, org, random) => {
    const perMeter = Math.ceil(org.size('Meter_Reading__b') / meters);
    return {
      Id: null,
      Meter__c: `METER-${Math.floor(number / perMeter)}`,
      // The newest first, as an index in descending order gives them.
      Read_At__c: instant(org.now - ((number % perMeter) + 1) * 3_600_000),
      Value__c: random.int(0, 2_000_000_000) / 1000,
      Note__c: number < torture.length ? torture[number]! : null,
    };
  },
};

function noQuery(name: string, queryable: boolean): SampleObject['treatment'] {
  const message = `entity type ${name} does not support query`;
  return queryable ? { queryError: { status: 400, errorCode: 'INVALID_TYPE_FOR_OPERATION', message } } : {};
}

const platformEvent: SampleObject = {
  declaration: {
    name: 'Order_Shipped__e',
    prefix: 'e00',
    label: 'Order Shipped',
    more: {
      ...setupTraits,
      queryable: false,
      updateable: false,
      deletable: false,
      retrieveable: false,
      replicateable: false,
      searchable: false,
      labelPlural: 'Orders Shipped',
    },
    fields: [
      string('ReplayId', 1000, system),
      createdDate,
      createdById,
      string('Order_Number__c', 30),
      numberField('Parcels__c', 'double', 4, 0),
    ],
  },
  count: 0,
  row: () => ({}),
};

/** Says that it can be queried; it cannot (field guide, extract 4.1). */
const changeEvent: SampleObject = {
  declaration: {
    name: 'AccountChangeEvent',
    prefix: '7pL',
    label: 'Account Change Event',
    more: {
      ...setupTraits,
      ...readOnlyObject,
      keyPrefix: null,
      associateEntityType: 'ChangeEvent',
      associateParentEntity: 'Account',
      retrieveable: false,
      replicateable: false,
      searchable: false,
    },
    fields: [
      id('Id'),
      string('ReplayId', 1000, system),
      { name: 'ChangeEventHeader', type: 'complexvalue', more: system },
      string('Name', 255),
    ],
  },
  count: 0,
  treatment: noQuery('AccountChangeEvent', true)!,
  row: () => ({}),
};

/** Rows of another system, fetched when asked for; there is no Bulk and no count. */
const external: SampleObject = {
  declaration: {
    name: 'Stock__x',
    prefix: 'x00',
    label: 'Stock',
    more: { ...setupTraits, ...readOnlyObject, replicateable: false },
    fields: [
      id('Id'),
      string('ExternalId', 255, { nameField: true, unique: true }),
      string('DisplayUrl', 1000, { groupable: false }),
      string('Warehouse__c', 40),
      numberField('Pieces__c', 'double', 18, 0),
    ],
  },
  count: 20,
  treatment: {
    bulkRefused: true,
    noRecycleBin: true,
    queryError: {
      status: 400,
      errorCode: 'EXTERNAL_OBJECT_EXCEPTION',
      message: 'There was an unexpected error: the external system could not be reached',
    },
  },
  row: (number, _org, random) => ({
    ExternalId: `W1/${serial(number)}`,
    DisplayUrl: `https://erp.example.com/stock/${number}`,
    Warehouse__c: 'W1',
    Pieces__c: random.int(0, 999),
  }),
};

/** Ends in an internal error every time (field guide, extract 2.9). */
const gack: SampleObject = {
  declaration: {
    name: 'RecordActionHistory',
    prefix: '0jX',
    label: 'Record Action History',
    more: { ...setupTraits, ...readOnlyObject, keyPrefix: null, replicateable: false },
    fields: [
      id('Id'),
      reference('ParentRecordId', ['Account', 'Case'], { ...system }),
      string('State', 40, system),
      createdDate,
    ],
  },
  count: 0,
  treatment: {
    queryError: {
      status: 500,
      errorCode: 'UNKNOWN_EXCEPTION',
      message:
        'An unexpected error occurred. Please include this ErrorId if you contact support: 1133111327-118855 (1126216936)',
    },
  },
  row: () => ({}),
};

/** An object of the platform that says itself that no query works. */
const feedSignal: SampleObject = {
  declaration: {
    name: 'FeedSignal',
    prefix: '0QJ',
    label: 'Feed Signal',
    more: {
      ...setupTraits,
      ...readOnlyObject,
      keyPrefix: null,
      queryable: false,
      retrieveable: false,
      replicateable: false,
    },
    fields: [id('Id'), isDeleted, createdDate, createdById, systemModstamp],
  },
  count: 0,
  row: () => ({}),
};

export const oddObjects: readonly SampleObject[] = [
  recordTypeObject,
  customSetting,
  customSettingShare,
  routing,
  meterReading,
  platformEvent,
  changeEvent,
  external,
  gack,
  feedSignal,
];
