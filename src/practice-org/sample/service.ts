import {
  audit,
  autoNumber,
  boolean,
  datetime,
  email,
  id,
  isDeleted,
  owner,
  phone,
  picklist,
  recordType,
  reference,
  required,
  string,
  system,
  systemModstamp,
  textarea,
  views,
} from '../declaration.ts';
import { instant, type SampleObject, serial, setupTraits } from '../sample.ts';
import { longText, torture } from '../torture.ts';
import { prose, sentence } from '../words.ts';
import { description, recordTypes } from './accounts.ts';

const statuses = ['New', 'Working', 'Escalated', 'Closed'];
const statusValues = statuses.map((value) => ({ value, defaultValue: value === 'New' }));

/** The reason goes with the kind: a dependent picklist. */
const kinds = ['Mechanical', 'Electrical', 'Electronic', 'Structural', 'Other'];
const reasons = [
  { value: 'Installation', validFor: ['Mechanical', 'Electrical', 'Structural'] },
  { value: 'Equipment Complexity', validFor: ['Electronic'] },
  { value: 'Performance', validFor: ['Mechanical', 'Electrical', 'Electronic'] },
  { value: 'Breakdown', validFor: ['Mechanical', 'Electrical', 'Other'] },
  { value: 'Feedback', validFor: ['Other'], active: false },
];

const caseObject: SampleObject = {
  declaration: {
    name: 'Case',
    prefix: '500',
    label: 'Case',
    recordTypes: recordTypes.Case,
    more: { mergeable: true, feedEnabled: true },
    fields: [
      id('Id'),
      isDeleted,
      reference('MasterRecordId', 'Case', { ...system }),
      autoNumber('CaseNumber', { nameField: true, idLookup: true }),
      reference('ContactId', 'Contact', { children: 'Cases', restrictedDelete: true }),
      reference('AccountId', 'Account', { children: 'Cases', restrictedDelete: true }),
      reference('AssetId', 'Asset', { children: 'Cases' }),
      reference('ParentId', 'Case', { children: 'Cases' }),
      string('SuppliedName', 80),
      email('SuppliedEmail'),
      picklist('Type', kinds, { length: 40 }),
      recordType(),
      picklist('Status', statusValues, { ...required, defaultedOnCreate: true, length: 40 }),
      picklist('Reason', reasons, { length: 40, controllerName: 'Type' }),
      picklist('Origin', ['Email', 'Phone', 'Web'], { length: 40 }),
      string('Subject', 255),
      picklist('Priority', ['High', 'Medium', 'Low'], { length: 40 }),
      textarea('Description', 32000),
      boolean('IsClosed', system),
      datetime('ClosedDate', system),
      boolean('IsEscalated'),
      owner,
      ...audit,
      phone('ContactPhone', system),
      email('ContactEmail', system),
      textarea('Comments', 4000, { byteLength: 4000 }),
      ...views,
    ],
  },
  count: 700,
  deleted: (number) => number % 113 === 88,
  row: (number, org, random) => {
    const reason = random.pick(reasons);
    const closed = random.chance(55);
    return {
      MasterRecordId: org.deleted('Case', number) && number % 2 === 0 ? org.live('Case', number - 1) : null,
      CaseNumber: serial(number),
      ContactId: random.chance(85) ? org.live('Contact', number * 3) : null,
      AccountId: random.chance(85) ? org.live('Account', number * 7) : null,
      AssetId: random.chance(25) ? org.live('Asset', number) : null,
      ParentId: number > 10 && random.chance(10) ? org.live('Case', number >> 1) : null,
      SuppliedEmail: random.chance(20) ? `web${number}@example.org` : null,
      Type: random.pick(reason.validFor),
      RecordTypeId: recordTypes.Case[random.chance(80) ? 0 : 1].id,
      Status: closed ? 'Closed' : random.pick(statuses.slice(0, 3)),
      Reason: reason.value,
      Origin: random.pick(['Email', 'Phone', 'Web', null]),
      Subject: number < torture.length ? torture[number]! : sentence(random, 6),
      Priority: random.pick(['High', 'Medium', 'Low']),
      Description: description(number, org, 'Case', 500),
      IsClosed: closed,
      ClosedDate: closed ? instant(org.now - random.int(20, 500) * 86_400_000) : null,
      IsEscalated: random.chance(5),
      OwnerId: random.chance(35) ? org.id('Group', number % 2) : org.live('User', random.int(0, 19)),
    };
  },
};

const caseComment: SampleObject = {
  declaration: {
    name: 'CaseComment',
    prefix: '00a',
    label: 'Case Comment',
    more: { layoutable: false, mruEnabled: false },
    fields: [
      id('Id'),
      reference('ParentId', 'Case', { ...required, updateable: false, children: 'CaseComments', parentCascades: true }),
      boolean('IsPublished'),
      textarea('CommentBody', 4000),
      ...audit,
      isDeleted,
    ],
  },
  count: 500,
  row: (number, org, random) => ({
    ParentId: org.live('Case', number >> 1),
    IsPublished: random.chance(60),
    CommentBody: number < torture.length ? torture[number]! : prose(random, random.int(40, 400)),
  }),
};

const emailMessage: SampleObject = {
  declaration: {
    name: 'EmailMessage',
    prefix: '02s',
    label: 'Email Message',
    fields: [
      id('Id'),
      reference('ParentId', 'Case', { children: 'EmailMessages', parentCascades: true }),
      reference('ActivityId', 'Task', {}),
      ...audit,
      textarea('TextBody', 32000),
      textarea('HtmlBody', 131072, { htmlFormatted: false }),
      textarea('Headers', 32000),
      string('Subject', 3000, { groupable: false }),
      string('FromName', 1000, { groupable: false }),
      string('FromAddress', 1000, { groupable: false }),
      textarea('ToAddress', 4000),
      boolean('Incoming'),
      boolean('HasAttachment', system),
      picklist(
        'Status',
        [
          { value: '0', label: 'New' },
          { value: '1', label: 'Read' },
          { value: '3', label: 'Sent' },
          { value: '5', label: 'Draft' },
        ],
        required,
      ),
      datetime('MessageDate'),
      isDeleted,
      reference('ReplyToEmailMessageId', 'EmailMessage', {}),
      reference('RelatedToId', ['Account', 'Case', 'Opportunity'], {
        children: 'Emails',
        relationshipName: 'RelatedTo',
      }),
    ],
  },
  count: 300,
  row: (number, org, random) => {
    const text = number < torture.length ? torture[number]! : prose(random, random.int(80, 900));
    return {
      ParentId: org.live('Case', number * 2),
      TextBody: text,
      HtmlBody:
        number === 5
          ? longText(131_072)
          : `<html><body><p>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\n', '<br>\r\n')}</p></body></html>`,
      Headers: `Received: from mail.example.com\r\n\tby mx.practice-org.example\r\nMessage-ID: <${serial(number)}@example.com>`,
      Subject: `Re: ${sentence(random, 5)}`,
      FromName: '"Support, Practice Org"',
      FromAddress: 'support@practice-org.example',
      ToAddress: `customer${number}@example.com; "O'Brien, Siobhán" <s@example.com>`,
      Incoming: random.chance(50),
      Status: random.pick(['0', '1', '3']),
      MessageDate: instant(org.now - random.int(1, 900) * 86_400_000),
      ReplyToEmailMessageId: number > 3 && random.chance(30) ? org.live('EmailMessage', number - 1) : null,
      RelatedToId: random.chance(50) ? org.live('Opportunity', number) : org.live('Case', number * 2),
    };
  },
};

/** A picklist of the platform as an object: no audit fields, Bulk refuses it. */
const caseStatus: SampleObject = {
  declaration: {
    name: 'CaseStatus',
    prefix: '01J',
    label: 'Case Status Value',
    more: { ...setupTraits, createable: false, updateable: false, deletable: false },
    fields: [
      id('Id'),
      string('MasterLabel', 255, { nameField: true, ...system }),
      string('ApiName', 255, system),
      { name: 'SortOrder', type: 'int', more: system },
      boolean('IsDefault', system),
      boolean('IsClosed', system),
      ...audit,
    ],
  },
  count: statuses.length,
  treatment: { bulkRefused: true, noRecycleBin: true },
  row: (number) => ({
    MasterLabel: statuses[number]!,
    ApiName: statuses[number]!,
    SortOrder: number + 1,
    IsDefault: number === 0,
    IsClosed: number === 3,
  }),
};

const hours = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'];
const businessHours: SampleObject = {
  declaration: {
    name: 'BusinessHours',
    prefix: '01m',
    label: 'Business Hours',
    more: { ...setupTraits, deletable: false },
    fields: [
      id('Id'),
      string('Name', 80, { ...required, nameField: true }),
      boolean('IsActive'),
      boolean('IsDefault'),
      ...hours.flatMap((name) => [
        { name: `${name}StartTime`, type: 'time', more: {} },
        { name: `${name}EndTime`, type: 'time', more: {} },
      ]),
      picklist('TimeZoneSidKey', ['Europe/Zurich', 'America/Los_Angeles'], { ...required, length: 40 }),
      ...audit,
    ],
  },
  count: 2,
  row: (number) => ({
    Name: number === 0 ? 'Default' : 'Night shift',
    IsActive: true,
    IsDefault: number === 0,
    ...Object.fromEntries(
      hours.flatMap((name) => [
        [`${name}StartTime`, number === 0 ? '08:00:00.000Z' : '22:30:00.000Z'],
        [`${name}EndTime`, number === 0 ? '17:30:00.000Z' : '05:59:59.999Z'],
      ]),
    ),
    TimeZoneSidKey: 'Europe/Zurich',
  }),
};

/** Wants a filter by its parents in every query, and no permission takes that away (field guide, extract 4.2). */
const vote: SampleObject = {
  declaration: {
    name: 'Vote',
    prefix: '083',
    label: 'Vote',
    more: { ...setupTraits, updateable: false },
    fields: [
      id('Id'),
      isDeleted,
      reference('ParentId', ['Case', 'Product2'], { ...required, updateable: false, children: 'Votes' }),
      picklist('Type', ['Up', 'Down'], { ...required, length: 40 }),
      { name: 'CreatedDate', type: 'datetime', more: { ...system, nillable: false, defaultedOnCreate: true } },
      reference('CreatedById', 'User', { ...system, nillable: false }),
      systemModstamp,
    ],
  },
  count: 30,
  treatment: {
    requiredFilter: {
      fields: ['ParentId', 'Parent.Type', 'Id'],
      message:
        "Implementation restriction: When querying the Vote object, you must filter using the following syntax: ParentId = [single ID], Parent.Type = [single Type], Id = [single ID], or Id IN [list of ID's].",
    },
  },
  row: (number, org, random) => ({
    ParentId: number % 2 ? org.live('Case', number) : org.id('Product2', number),
    Type: random.pick(['Up', 'Down']),
  }),
};

export const serviceObjects: readonly SampleObject[] = [
  caseObject,
  caseComment,
  emailMessage,
  caseStatus,
  businessHours,
  vote,
];
