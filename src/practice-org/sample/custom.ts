import {
  autoNumber,
  boolean,
  customFields,
  date,
  datetime,
  int,
  masterDetail,
  number as numberField,
  picklist,
  reference,
  richText,
  string,
  textarea,
} from '../declaration.ts';
import { dayFrom, instant, type SampleObject, serial } from '../sample.ts';
import { torture } from '../torture.ts';
import { companyName, prose, sentence } from '../words.ts';
import { description } from './accounts.ts';

const name = (length = 80) => string('Name', length, { nameField: true, idLookup: true, permissionable: false });
const numbered = autoNumber('Name', { nameField: true, idLookup: true, length: 80, permissionable: false });

/** Master of milestones and assignments. */
const project: SampleObject = {
  declaration: {
    name: 'Project__c',
    prefix: 'a00',
    label: 'Project',
    fields: customFields(name(), [
      reference('Account__c', 'Account', { children: 'Projects__r', restrictedDelete: true }),
      reference('Lead_Contact__c', 'Contact', { children: 'Projects__r' }),
      picklist('Stage__c', ['Idea', 'Planned', 'Running', 'Done', { value: 'On ice', active: false }], {
        restrictedPicklist: true,
      }),
      date('Start__c'),
      date('End__c'),
      numberField('Budget__c', 'currency', 16, 2),
      numberField('Milestone_Count__c', 'double', 18, 0, { calculated: true }),
      numberField('Total_Hours__c', 'double', 18, 1, { calculated: true }),
      numberField('Progress__c', 'percent', 18, 2, {
        calculated: true,
        calculatedFormula: 'IF(Milestone_Count__c = 0, 0, Done_Count__c / Milestone_Count__c)',
      }),
      richText('Charter__c', 32768),
      string('Code__c', 12, { externalId: true, unique: true, caseSensitive: true, idLookup: true }),
    ]),
  },
  count: 60,
  deleted: (number) => number % 29 === 17,
  row: (number, org, random) => ({
    Name: `${companyName(random)} rollout${org.tag('Project__c', number)}`,
    Account__c: org.live('Account', number * 3),
    Lead_Contact__c: random.chance(70) ? org.live('Contact', number * 9) : null,
    Stage__c: random.pick(['Idea', 'Planned', 'Running', 'Done', 'On ice']),
    Start__c: dayFrom(org.now, -random.int(30, 900)),
    End__c: random.chance(60) ? dayFrom(org.now, random.int(-29, 400)) : null,
    Budget__c: random.chance(80) ? random.int(100_000, 90_000_000) / 100 : null,
    Milestone_Count__c: 4,
    Total_Hours__c: random.int(0, 5000) / 10,
    Progress__c: random.int(0, 10_000) / 100,
    Charter__c: `<h1>${sentence(random, 3)}</h1><p>${description(number, org, 'Project__c', 900) ?? ''}</p><p><img src="https://example.com/a.png?x=1&amp;y=2" alt="a &quot;b&quot;"></p>`,
    // Differs from its neighbour by case only.
    Code__c: org.scaled('Project__c') ? `C-${serial(number)}` : `${number % 2 ? 'p' : 'P'}-${serial(number >> 1)}`,
  }),
};

const milestone: SampleObject = {
  declaration: {
    name: 'Milestone__c',
    prefix: 'a01',
    label: 'Milestone',
    fields: customFields(
      name(),
      [
        masterDetail('Project__c', 'Project__c', 'Milestones__r'),
        reference('Parent__c', 'Milestone__c', { children: 'Children__r' }),
        date('Due__c'),
        boolean('Done__c'),
        textarea('Notes__c', 131072),
      ],
      { owned: false },
    ),
  },
  count: 240,
  // They go with their project.
  deleted: (number, org) =>
    !org.scaled('Milestone__c') && !org.scaled('Project__c') && org.deleted('Project__c', number >> 2),
  row: (number, org, random) => ({
    Name: `${number % 4 === 0 ? 'Phase' : 'Step'} ${number + 1}${org.tag('Milestone__c', number)}`,
    Project__c: org.deleted('Milestone__c', number)
      ? org.id('Project__c', (number >> 2) % org.size('Project__c'))
      : org.live('Project__c', number >> 2),
    // A tree up to four levels deep.
    Parent__c: number % 4 === 0 ? null : org.live('Milestone__c', number - 1),
    Due__c: dayFrom(org.now, random.int(-600, 400)),
    Done__c: random.chance(50),
    Notes__c: random.chance(40) ? prose(random, random.int(50, 600)) : null,
  }),
};

/** A junction: two masters. */
const assignment: SampleObject = {
  declaration: {
    name: 'Assignment__c',
    prefix: 'a02',
    label: 'Assignment',
    fields: customFields(
      numbered,
      [
        masterDetail('Project__c', 'Project__c', 'Assignments__r', 0),
        masterDetail('Contact__c', 'Contact', 'Assignments__r', 1),
        picklist('Role__c', ['Lead', 'Member', 'Guest']),
        numberField('Hours__c', 'double', 6, 1),
      ],
      { owned: false },
    ),
  },
  count: 300,
  row: (number, org, random) => ({
    Name: `AS-${serial(number)}`,
    Project__c: org.live('Project__c', number),
    Contact__c: org.live('Contact', number * 4 + 1),
    Role__c: random.pick(['Lead', 'Member', 'Guest', null]),
    Hours__c: random.chance(80) ? random.int(-50, 9000) / 10 : null,
  }),
};

/** Invoice and payment point at each other: neither can be made complete first. */
const invoice: SampleObject = {
  declaration: {
    name: 'Invoice__c',
    prefix: 'a03',
    label: 'Invoice',
    fields: customFields(numbered, [
      reference('Account__c', 'Account', { children: 'Invoices__r' }),
      reference('Last_Payment__c', 'Payment__c', { children: 'Invoices__r' }),
      reference('Corrects__c', 'Invoice__c', { children: 'Corrections__r' }),
      date('Issued__c'),
      numberField('Total__c', 'currency', 18, 2),
      numberField('Open__c', 'currency', 18, 2, { calculated: true, calculatedFormula: 'Total__c - Paid__c' }),
      picklist('Status__c', ['Draft', 'Sent', 'Paid', 'Void']),
    ]),
  },
  count: 200,
  row: (number, org, random) => ({
    Name: `INV-${serial(number)}`,
    Account__c: org.live('Account', number * 2),
    Last_Payment__c: number % 3 === 2 ? null : org.live('Payment__c', number),
    Corrects__c: number % 25 === 24 ? org.live('Invoice__c', number - 1) : null,
    Issued__c: dayFrom(org.now, -random.int(1, 900)),
    Total__c: random.int(100, 9_000_000) / 100,
    Open__c: random.int(0, 90_000) / 100,
    Status__c: random.pick(['Draft', 'Sent', 'Paid', 'Void']),
  }),
};

const payment: SampleObject = {
  declaration: {
    name: 'Payment__c',
    prefix: 'a04',
    label: 'Payment',
    fields: customFields(numbered, [
      reference('Invoice__c', 'Invoice__c', { children: 'Payments__r' }),
      reference('Payer__c', 'Contact', { children: 'Payments__r' }),
      numberField('Amount__c', 'currency', 18, 2),
      datetime('Received__c'),
      string('Reference__c', 140),
      int('Attempts__c'),
    ]),
  },
  count: 260,
  row: (number, org, random) => ({
    Name: `PAY-${serial(number)}`,
    Invoice__c: org.live('Invoice__c', number),
    Payer__c: random.chance(70) ? org.live('Contact', number * 3) : null,
    Amount__c: number % 17 === 0 ? -0.01 : random.int(100, 900_000) / 100,
    Received__c: instant(org.now - random.int(1, 900) * 86_400_000 - random.int(0, 86_399) * 1000),
    Reference__c: number < torture.length ? torture[number]! : `RF${random.int(10, 99)}${serial(number)}`,
    Attempts__c: random.int(0, 3),
  }),
};

export const customObjects: readonly SampleObject[] = [project, milestone, assignment, invoice, payment];
