import {
  audit,
  boolean,
  combobox,
  date,
  datetime,
  id,
  int,
  isDeleted,
  picklist,
  reference,
  required,
  string,
  system,
  textarea,
  userOwner,
} from '../declaration.ts';
import { recordId } from '../record-ids.ts';
import { dayFrom, instant, type SampleObject, type SampleOrg, setupTraits } from '../sample.ts';
import { torture } from '../torture.ts';
import { sentence } from '../words.ts';
import { description } from './accounts.ts';

const subjects = ['Call', 'Send Letter', 'Send Quote', 'Other', 'Meeting'];
const whats = ['Account', 'Opportunity', 'Case', 'Project__c', 'Order', 'Campaign'] as const;

/** Activities may stand on a record of many objects. */
function what(number: number, org: SampleOrg): string {
  return org.live(whats[number % whats.length]!, number * 3);
}

function who(number: number, org: SampleOrg): string | null {
  if (number % 4 === 3) return null;
  return number % 4 === 0 ? org.live('Lead', number) : org.live('Contact', number * 3);
}

const relations = [
  reference('WhoId', ['Contact', 'Lead'], { children: 'Tasks', parentCascades: true }),
  reference('WhatId', [...whats].sort(), { children: 'Tasks', parentCascades: true }),
];

const notStarted = { value: 'Not Started', defaultValue: true };

const task: SampleObject = {
  declaration: {
    name: 'Task',
    prefix: '00T',
    label: 'Task',
    fields: [
      id('Id'),
      ...relations,
      combobox('Subject', subjects, { nameField: true }),
      date('ActivityDate'),
      picklist('Status', [notStarted, 'In Progress', 'Completed', 'Waiting on someone else'], {
        ...required,
        defaultedOnCreate: true,
        length: 40,
      }),
      picklist('Priority', ['High', { value: 'Normal', defaultValue: true }, 'Low'], {
        ...required,
        defaultedOnCreate: true,
        length: 40,
      }),
      boolean('IsHighPriority', system),
      userOwner,
      textarea('Description', 32000),
      isDeleted,
      reference('AccountId', 'Account', { ...system }),
      boolean('IsClosed', system),
      ...audit,
      boolean('IsArchived', system),
      int('CallDurationInSeconds'),
      picklist('CallType', ['Internal', 'Inbound', 'Outbound'], { length: 40 }),
      datetime('ReminderDateTime', { permissionable: false }),
      boolean('IsReminderSet'),
      reference('RecurrenceActivityId', 'Task', { ...system, relationshipName: null, children: 'RecurringTasks' }),
      picklist('TaskSubtype', ['Task', 'Email', 'Call'], { length: 40 }),
      datetime('CompletedDateTime', system),
    ],
  },
  count: 900,
  deleted: (number) => number % 131 === 90,
  row: (number, org, random) => {
    // Closed more than a year ago: only queryAll shows it.
    const archived = number % 5 === 2;
    const closed = archived || random.chance(50);
    const whatId = number % 97 === 13 ? recordId('a99', number) : random.chance(70) ? what(number, org) : null;
    return {
      WhoId: who(number, org),
      WhatId: whatId,
      Subject: number < torture.length ? torture[number]! : random.pick(subjects),
      ActivityDate: archived ? dayFrom(org.now, -random.int(400, 900)) : dayFrom(org.now, random.int(-300, 60)),
      Status: closed ? 'Completed' : random.pick(['Not Started', 'In Progress', 'Waiting on someone else']),
      Priority: random.pick(['High', 'Normal', 'Low']),
      Description: description(number, org, 'Task', 200),
      IsClosed: closed,
      IsArchived: archived,
      CallDurationInSeconds: random.chance(10) ? random.int(0, 3600) : null,
      CallType: random.chance(10) ? 'Outbound' : null,
      TaskSubtype: random.pick(['Task', 'Email', 'Call']),
      CompletedDateTime: closed ? instant(org.now - random.int(20, 900) * 86_400_000) : null,
    };
  },
};

const event: SampleObject = {
  declaration: {
    name: 'Event',
    prefix: '00U',
    label: 'Event',
    fields: [
      id('Id'),
      reference('WhoId', ['Contact', 'Lead'], { children: 'Events', parentCascades: true }),
      reference('WhatId', [...whats].sort(), { children: 'Events', parentCascades: true }),
      combobox('Subject', subjects, { nameField: true }),
      string('Location', 255),
      boolean('IsAllDayEvent'),
      datetime('ActivityDateTime'),
      date('ActivityDate'),
      int('DurationInMinutes'),
      datetime('StartDateTime'),
      datetime('EndDateTime'),
      textarea('Description', 32000),
      reference('OwnerId', ['Calendar', 'User'], { nillable: false, defaultedOnCreate: true, permissionable: false }),
      boolean('IsPrivate'),
      picklist('ShowAs', ['Busy', 'OutOfOffice', 'Free'], { length: 40 }),
      isDeleted,
      ...audit,
      boolean('IsArchived', system),
      boolean('IsRecurrence'),
      reference('RecurrenceActivityId', 'Event', { ...system, relationshipName: null, children: 'RecurringEvents' }),
    ],
  },
  count: 350,
  row: (number, org, random) => {
    const archived = number % 7 === 3;
    const start =
      org.now - random.int(archived ? 400 : -30, archived ? 900 : 350) * 86_400_000 - random.int(0, 40) * 900_000;
    const minutes = random.pick([15, 30, 60, 90]);
    return {
      WhoId: who(number + 1, org),
      WhatId: random.chance(60) ? what(number, org) : null,
      Subject: random.pick(subjects),
      Location: random.chance(40) ? 'Zürich; room "Säntis", 2nd floor' : null,
      ActivityDateTime: instant(start),
      ActivityDate: instant(start).slice(0, 10),
      DurationInMinutes: minutes,
      StartDateTime: instant(start),
      EndDateTime: instant(start + minutes * 60_000),
      Description: description(number, org, 'Event', 160),
      ShowAs: random.pick(['Busy', 'OutOfOffice', 'Free']),
      IsArchived: archived,
    };
  },
};

const note: SampleObject = {
  declaration: {
    name: 'Note',
    prefix: '002',
    label: 'Note',
    more: { layoutable: false },
    fields: [
      id('Id'),
      isDeleted,
      reference('ParentId', ['Account', 'Contact', 'Opportunity'], {
        ...required,
        updateable: false,
        children: 'Notes',
        parentCascades: true,
      }),
      string('Title', 80, { ...required, nameField: true }),
      boolean('IsPrivate'),
      textarea('Body', 32000),
      userOwner,
      ...audit,
    ],
  },
  count: 60,
  row: (number, org, random) => ({
    ParentId: org.live(['Account', 'Contact', 'Opportunity'][number % 3]!, number * 4),
    Title: sentence(random, 4),
    Body: description(number, org, 'Note', 600),
  }),
};

/** What the user looked at last: rows of other objects, described as queryable, not replicateable. */
const recentlyViewed: SampleObject = {
  declaration: {
    name: 'RecentlyViewed',
    prefix: '0e0',
    label: 'Recently Viewed',
    more: {
      ...setupTraits,
      keyPrefix: null,
      createable: false,
      updateable: false,
      deletable: false,
      replicateable: false,
      retrieveable: false,
      searchable: false,
    },
    fields: [
      id('Id'),
      string('Name', 255, { ...system, nameField: true }),
      string('LastName', 80, system),
      string('FirstName', 40, system),
      picklist('Type', ['Account', 'Contact'], system),
      string('Alias', 8, system),
      reference('ProfileId', 'Profile', { ...system }),
      boolean('IsActive', system),
      datetime('LastViewedDate', system),
      datetime('LastReferencedDate', system),
    ],
  },
  count: 20,
  treatment: { bulkRefused: true, noRecycleBin: true },
  row: (number, org) => ({
    Id: org.live('Account', number),
    Name: `Recent ${number + 1}`,
    Type: 'Account',
    LastViewedDate: instant(org.now - number * 3_600_000),
    LastReferencedDate: instant(org.now - number * 3_600_000),
  }),
};

export const activityObjects: readonly SampleObject[] = [task, event, note, recentlyViewed];
