import {
  createdById,
  createdDate,
  datetime,
  id,
  number as numberField,
  picklist,
  reference,
  required,
  string,
  system,
  systemModstamp,
} from '../declaration.ts';
import { instant, type SampleObject, serial, setupTraits } from '../sample.ts';
import { torture } from '../torture.ts';

import { byParentObjects } from './by-parent.ts';
import { currencyObjects } from './currencies.ts';
import { feedObjects } from './feeds.ts';
import { knowledgeObjects } from './knowledge.ts';

const entries = 2600;
/** An index of three fields, whose last one falls; far more rows than a page has. */
const ledger: SampleObject = {
  declaration: {
    name: 'Ledger__b',
    prefix: 'b01',
    label: 'Ledger',
    more: { ...setupTraits, updateable: false, deletable: false, replicateable: false, searchable: false },
    fields: [
      id('Id'),
      createdById,
      createdDate,
      systemModstamp,
      string('Note__c', 255),
      // In the describe they stand in another order than in the index.
      datetime('At__c', required),
      reference('Account__c', 'Account', { ...required, relationshipName: 'Account__r' }),
      numberField('Book__c', 'double', 18, 0, required),
    ],
  },
  count: entries,
  treatment: { bigObjectIndex: ['Book__c', 'Account__c', 'At__c'], noRecycleBin: true },
  row: (number, org) => {
    const book = Math.floor(number / (entries / 2));
    const inBook = number % (entries / 2);
    // One account has most of a book.
    const account = inBook < 1000 ? 0 : inBook - 1000;
    return {
      Id: null,
      Note__c: number < torture.length ? torture[number]! : null,
      At__c: instant(org.now - inBook * 60_000),
      Account__c: org.live('Account', account),
      Book__c: book * 10,
    };
  },
};

/** More than one query of custom metadata may give. */
const rates: SampleObject = {
  declaration: {
    name: 'Tax_Rate__mdt',
    prefix: 'm01',
    label: 'Tax Rate',
    more: { ...setupTraits, createable: false, updateable: false, deletable: false },
    fields: [
      id('Id'),
      string('DeveloperName', 40),
      string('MasterLabel', 40, { nameField: true }),
      picklist('Language', ['en_US'], { ...system, length: 40 }),
      string('QualifiedApiName', 70, system),
      systemModstamp,
      numberField('Rate__c', 'double', 6, 4),
    ],
  },
  count: 4321,
  treatment: { customMetadata: true, bulkRefused: true, noRecycleBin: true },
  row: (number) => ({
    DeveloperName: `Rate_${serial(number)}`,
    MasterLabel: `Rate ${number}`,
    Language: 'en_US',
    QualifiedApiName: `Rate_${serial(number)}`,
    Rate__c: (number % 250) / 1000,
  }),
};

/** Objects that few orgs use and that answer queries unlike the rest (field guide, extract 4). */
export const rareObjects: readonly SampleObject[] = [
  ...byParentObjects,
  ...currencyObjects,
  ...feedObjects,
  ...knowledgeObjects,
  ledger,
  rates,
];
