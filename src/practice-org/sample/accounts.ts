import type { Value } from '../database.ts';
import {
  addressOf,
  audit,
  boolean,
  createdById,
  createdDate,
  date,
  datetime,
  email,
  type FieldDeclaration,
  id,
  int,
  isDeleted,
  number as numberField,
  phone,
  picklist,
  recordType,
  reference,
  required,
  string,
  system,
  textarea,
  url,
  userOwner,
  views,
} from '../declaration.ts';
import { recordId } from '../record-ids.ts';
import { dayFrom, type SampleObject, type SampleOrg, serial } from '../sample.ts';
import { longText, torture } from '../torture.ts';
import { companyName, firstNames, lastNames, plainLetters, prose } from '../words.ts';
import { addressCells } from './places.ts';

export const accountCount = 400;
export const contactCount = 1200;
const industries = [
  'Banking',
  'Biotechnology',
  'Education',
  'Energy',
  'Engineering',
  'Healthcare',
  'Retail',
  'Technology',
];
const recordTypeId = (number: number) => recordId('012', number);
/** Where each object's record types stand in table RecordType. */
export const recordTypes = {
  Account: [
    { developerName: 'Business_Account', name: 'Business Account', id: recordTypeId(0) },
    { developerName: 'Partner', name: 'Partner', id: recordTypeId(1) },
    { developerName: 'PersonAccount', name: 'Person Account', id: recordTypeId(2) },
  ],
  Opportunity: [
    { developerName: 'New_Business', name: 'New Business', id: recordTypeId(3) },
    { developerName: 'Renewal', name: 'Renewal', id: recordTypeId(4) },
  ],
  Case: [
    { developerName: 'Support', name: 'Support', id: recordTypeId(5) },
    { developerName: 'Internal', name: 'Internal, "restricted"', id: recordTypeId(6) },
  ],
} as const;

/** Every fifth account is a person, where the org has person accounts and neither object was asked for in volume. */
export function isPerson(number: number, org: SampleOrg): boolean {
  return org.personAccounts && !org.scaled('Account') && !org.scaled('Contact') && number % 5 === 4;
}

/** The account of a business contact: several contacts each, the first accounts more. */
export function accountOfContact(number: number, org: SampleOrg): number {
  const account = (number * 7) % org.size('Account');
  return isPerson(account, org) ? account - 1 : account;
}

/** The person account of the contact behind it; those contacts come last. */
function accountOfTwin(number: number): number {
  return (number - contactCount) * 5 + 4;
}

function person(number: number, org: SampleOrg, object: string) {
  const random = org.random(object, number, 1);
  const firstName = random.pick(firstNames);
  const lastName =
    number > 10 && number < 10 + torture.length ? torture[number - 10]!.slice(0, 80) : random.pick(lastNames);
  const address = `${plainLetters(firstName)}.${plainLetters(lastName).slice(0, 30) || 'x'}${serial(number)}@example.com`;
  return { firstName, lastName, name: `${firstName} ${lastName}`, email: address };
}

function accountFields(personAccounts: boolean): FieldDeclaration[] {
  const personName = { extraTypeInfo: 'switchablepersonname', compoundFieldName: 'Name', permissionable: false };
  const naming = { extraTypeInfo: 'switchablepersonname', compoundFieldName: 'Name' };
  return [
    id('Id'),
    isDeleted,
    reference('MasterRecordId', 'Account', { ...system }),
    // A person's name is made of its parts, so that no account must have one.
    string('Name', 255, { ...(personAccounts ? {} : required), nameField: true, ...naming }),
    ...(personAccounts
      ? [
          string('LastName', 80, { ...personName, nameField: true }),
          string('FirstName', 40, { ...personName, nameField: true }),
          picklist('Salutation', ['Mr.', 'Ms.', 'Dr.', 'Prof.'], { ...personName, length: 40, nameField: true }),
        ]
      : []),
    picklist('Type', [
      'Prospect',
      'Customer - Direct',
      'Customer - Channel',
      'Partner',
      { value: 'Legacy', active: false },
    ]),
    recordType(),
    reference('ParentId', 'Account', { children: 'ChildAccounts' }),
    ...addressOf('Billing'),
    ...addressOf('Shipping'),
    phone('Phone'),
    phone('Fax'),
    string('AccountNumber', 40),
    url('Website'),
    picklist('Industry', industries),
    numberField('AnnualRevenue', 'currency', 18, 0),
    int('NumberOfEmployees'),
    picklist('Rating', ['Hot', 'Warm', 'Cold']),
    textarea('Description', 32000),
    string('Site', 80),
    userOwner,
    ...audit,
    date('LastActivityDate', system),
    ...views,
    string('External_Key__c', 40, { externalId: true, unique: true, idLookup: true }),
    numberField('Open_Pipeline__c', 'currency', 18, 2, { calculated: true }),
    numberField('Credit_Limit__c', 'currency', 18, 0),
    ...(personAccounts
      ? [
          boolean('IsPersonAccount', system),
          reference('PersonContactId', 'Contact', { ...system }),
          email('PersonEmail'),
          phone('PersonMobilePhone'),
          date('PersonBirthdate'),
          string('PersonTitle', 80),
          ...addressOf('PersonMailing'),
          picklist('Newsletter__pc', ['weekly', 'monthly', 'never']),
        ]
      : []),
  ];
}

function account(personAccounts: boolean): SampleObject {
  return {
    declaration: {
      name: 'Account',
      prefix: '001',
      label: 'Account',
      recordTypes: recordTypes.Account.slice(0, personAccounts ? 3 : 2),
      more: { mergeable: true, feedEnabled: true },
      fields: accountFields(personAccounts),
    },
    count: accountCount,
    treatment: { hiddenFields: ['Credit_Limit__c'] },
    deleted: (number) => number % 57 === 53,
    row: (number, org, random) => {
      const people = isPerson(number, org) ? person(number, org, 'Account') : undefined;
      const name = number > 20 && number < 20 + torture.length ? torture[number - 20]! : companyName(random);
      const deleted = org.deleted('Account', number);
      return {
        Name: people?.name ?? name + org.tag('Account', number),
        // Every other deleted account lost a merge.
        MasterRecordId: deleted && number % 2 === 1 ? org.live('Account', number - 1) : null,
        Type: random.pick(['Prospect', 'Customer - Direct', 'Customer - Channel', 'Partner', 'Legacy', null]),
        RecordTypeId: recordTypes.Account[people ? 2 : random.chance(85) ? 0 : 1].id,
        ParentId: number > 8 && random.chance(35) ? org.live('Account', Math.floor(number / 6)) : null,
        ...addressCells(random, 'Billing'),
        ...(random.chance(40) && addressCells(random, 'Shipping')),
        Phone: `+41 44 ${serial(number)}`,
        AccountNumber: `A-${serial(number)}`,
        Website: random.chance(70) ? `https://www.example.com/${plainLetters(name)}?id=${number % 1000}` : null,
        Industry: random.pick([...industries, null]),
        AnnualRevenue: random.chance(70)
          ? random.int(100_000, 900_000)
          : random.chance(50) && !org.scaled('Account')
            ? random.int(1e7, 5e9)
            : null,
        NumberOfEmployees: random.chance(80) ? random.int(0, 5000) : null,
        Rating: random.pick(['Hot', 'Warm', 'Cold', null]),
        Description: description(number, org, 'Account', 300),
        Site: random.chance(20) ? 'Headquarters' : null,
        External_Key__c: `EXT-${serial(number)}`,
        Open_Pipeline__c: random.chance(50) ? random.int(0, 90_000_000) / 100 : null,
        Credit_Limit__c: random.int(1, 100) * 1000,
        LastActivityDate: random.chance(50) ? dayFrom(org.now, -random.int(1, 700)) : null,
        ...(people && personCells(people, number, org)),
      };
    },
  };
}

function personCells(people: ReturnType<typeof person>, number: number, org: SampleOrg): Record<string, Value> {
  const random = org.random('Account', number, 2);
  return {
    FirstName: people.firstName,
    LastName: people.lastName,
    Salutation: random.pick(['Mr.', 'Ms.', 'Dr.', null]),
    IsPersonAccount: true,
    PersonContactId: org.id('Contact', contactCount + (number - 4) / 5),
    PersonEmail: people.email,
    PersonMobilePhone: `+41 79 ${serial(number)}`,
    PersonBirthdate: dayFrom(0, random.int(-9000, 13_000)),
    ...addressCells(random, 'PersonMailing'),
    Newsletter__pc: random.pick(['weekly', 'monthly', 'never']),
    OwnerId: org.live('User', number % 20),
  };
}

/** What the contact of a person account shares with it: all that it has (restore 4.7). */
function twinCells(account: number, org: SampleOrg): Record<string, Value> {
  const cells = personCells(person(account, org, 'Account'), account, org);
  const mailing = Object.entries(cells).filter(([field]) => field.startsWith('PersonMailing'));
  return {
    ...Object.fromEntries(mailing.map(([field, value]) => [field.slice('Person'.length), value])),
    Salutation: cells.Salutation!,
    Phone: `+41 44 ${serial(account)}`,
    MobilePhone: cells.PersonMobilePhone!,
    Title: null,
    Department: null,
    LeadSource: null,
    Birthdate: cells.PersonBirthdate!,
    Description: description(account, org, 'Account', 300),
    HasOptedOutOfEmail: false,
    IsEmailBounced: false,
    EmailBouncedReason: null,
    EmailBouncedDate: null,
    Newsletter__c: cells.Newsletter__pc!,
    OwnerId: cells.OwnerId!,
  };
}

/** Prose of about so many characters; the texts that break parsers for the first rows, and a few very long ones. */
export function description(number: number, org: SampleOrg, object: string, characters: number): string | null {
  if (number < torture.length) return torture[number]!;
  const random = org.random(object, number, 3);
  if (!org.scaled(object)) {
    if (number === torture.length) return longText(32_000);
    if (random.chance(30)) return null;
  }
  return prose(random, random.int(characters >> 2, characters));
}

function contactFields(personAccounts: boolean): FieldDeclaration[] {
  const naming = { extraTypeInfo: 'personname', compoundFieldName: 'Name', permissionable: false };
  return [
    id('Id'),
    isDeleted,
    reference('MasterRecordId', 'Contact', { ...system }),
    reference('AccountId', 'Account', { children: 'Contacts', parentCascades: true }),
    ...(personAccounts ? [boolean('IsPersonAccount', system)] : []),
    string('LastName', 80, { ...required, ...naming }),
    string('FirstName', 40, naming),
    picklist('Salutation', ['Mr.', 'Ms.', 'Dr.', 'Prof.'], { ...naming, length: 40 }),
    string('Name', 121, { ...system, ...required, nameField: true, extraTypeInfo: 'personname' }),
    ...addressOf('Mailing'),
    phone('Phone'),
    phone('MobilePhone'),
    reference('ReportsToId', 'Contact', { children: 'DirectReports' }),
    email('Email', { idLookup: true }),
    string('Title', 128),
    string('Department', 80),
    picklist('LeadSource', ['Web', 'Phone Inquiry', 'Partner Referral', 'Purchased List', 'Other']),
    date('Birthdate'),
    textarea('Description', 32000),
    userOwner,
    boolean('HasOptedOutOfEmail'),
    ...audit,
    date('LastActivityDate', system),
    ...views,
    string('EmailBouncedReason', 255, { permissionable: false }),
    datetime('EmailBouncedDate', { permissionable: false }),
    boolean('IsEmailBounced', system),
    picklist('Newsletter__c', ['weekly', 'monthly', 'never']),
    string('Social_Number__c', 20),
  ];
}

function contact(personAccounts: boolean): SampleObject {
  return {
    declaration: {
      name: 'Contact',
      prefix: '003',
      label: 'Contact',
      more: { mergeable: true, feedEnabled: true },
      fields: contactFields(personAccounts),
    },
    count: (org) => contactCount + (isPerson(4, org) ? Math.ceil((org.size('Account') - 4) / 5) : 0),
    treatment: { hiddenFields: ['Social_Number__c'] },
    // Those of a deleted account went with it.
    deleted: (number, org) => {
      if (org.scaled('Contact') || org.scaled('Account')) return number % 101 === 77;
      if (number >= contactCount) return org.deleted('Account', accountOfTwin(number));
      return number % 101 === 77 || org.deleted('Account', accountOfContact(number, org));
    },
    row: (number, org, random) => {
      const twin = isPerson(4, org) && number >= contactCount ? accountOfTwin(number) : -1;
      const who = twin < 0 ? person(number, org, 'Contact') : person(twin, org, 'Account');
      const cascaded = !org.scaled('Contact') && number % 101 !== 77;
      const parent = accountOfContact(number, org);
      const accountId = cascaded ? org.id('Account', parent) : org.live('Account', parent);
      return {
        AccountId: twin >= 0 ? org.id('Account', twin) : number % 29 === 0 ? null : accountId,
        ...(twin >= 0 && { IsPersonAccount: true }),
        LastName: who.lastName,
        FirstName: who.firstName,
        Salutation: random.pick(['Mr.', 'Ms.', 'Dr.', null]),
        Name: who.name,
        ...addressCells(random, 'Mailing'),
        Phone: random.chance(60) ? `+41 44 ${serial(number)}` : null,
        MobilePhone: `+41 79 ${serial(number)}`,
        ReportsToId: twin < 0 && number > 10 && random.chance(50) ? org.live('Contact', number >> 2) : null,
        Email: who.email,
        Title: random.pick(['CEO', 'CFO', 'Buyer', 'Head of "Everything"', 'Engineer', null]),
        Department: random.pick(['Purchasing', 'Finance', 'R&D', null]),
        LeadSource: random.pick(['Web', 'Phone Inquiry', 'Partner Referral', 'Other', null]),
        Birthdate: random.chance(30) ? dayFrom(0, random.int(-12_000, 13_000)) : null,
        Description: description(number, org, 'Contact', 160),
        HasOptedOutOfEmail: random.chance(10),
        IsEmailBounced: number % 211 === 5,
        EmailBouncedReason: number % 211 === 5 ? '550 5.1.1 <unknown>; "no such user"' : null,
        EmailBouncedDate: number % 211 === 5 ? `${dayFrom(org.now, -40)}T03:04:05.000Z` : null,
        Newsletter__c: random.pick(['weekly', 'monthly', 'never', null]),
        Social_Number__c: `756.${serial(number)}`,
        LastActivityDate: random.chance(40) ? dayFrom(org.now, -random.int(1, 700)) : null,
        ...(twin >= 0 && twinCells(twin, org)),
      };
    },
  };
}

/** What a person changed on an account: audit rows without SystemModstamp, values of any type. */
const accountHistory: SampleObject = {
  declaration: {
    name: 'AccountHistory',
    prefix: '017',
    label: 'Account History',
    more: {
      keyPrefix: null,
      layoutable: false,
      createable: false,
      updateable: false,
      undeletable: false,
      triggerable: false,
      searchable: false,
      associateEntityType: 'History',
      associateParentEntity: 'Account',
    },
    fields: [
      id('Id'),
      isDeleted,
      reference('AccountId', 'Account', { ...system, nillable: false, children: 'Histories', parentCascades: true }),
      createdById,
      createdDate,
      picklist('Field', ['AnnualRevenue', 'Name', 'Owner', 'created', 'Rating'], { ...system, nillable: false }),
      picklist('DataType', ['Text', 'DateTime', 'Double', 'EntityId', 'Boolean'], system),
      { name: 'OldValue', type: 'anyType', more: system },
      { name: 'NewValue', type: 'anyType', more: system },
    ],
  },
  count: 300,
  row: (number, org, random) => {
    const field = random.pick(['AnnualRevenue', 'Name', 'Owner', 'created', 'Rating']);
    const value = (): Value => {
      if (field === 'AnnualRevenue') return random.int(1000, 20_000_000);
      if (field === 'Owner') return org.live('User', random.int(0, 19));
      return field === 'Rating' ? random.pick(['Hot', 'Cold', null]) : random.pick(torture);
    };
    return {
      AccountId: org.live('Account', number * 3),
      Field: field,
      DataType: field === 'AnnualRevenue' ? 'Double' : field === 'Owner' ? 'EntityId' : 'Text',
      ...(field !== 'created' && { OldValue: value(), NewValue: value() }),
    };
  },
};

export function accountObjects({ personAccounts }: { personAccounts: boolean }): SampleObject[] {
  return [account(personAccounts), contact(personAccounts), accountHistory];
}
