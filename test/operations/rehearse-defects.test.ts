import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Row } from '../../src/practice-org/database.ts';
import { type Cells, cellRead, files, firstInsert, inserts, read, writes } from '../support/defects.ts';
import { type Defect, fewRows, RehearseRig } from '../support/rehearse-rig.ts';

/** What goes wrong on the way is found by the rehearsal, at the very record, and nothing else is blamed. */
interface Seeded {
  readonly title: string;
  /** Objects that are rehearsed. */
  readonly objects: readonly string[];
  readonly defect: Defect;
  /** Key and problem of each, ascending by key. */
  readonly finds: readonly (readonly [key: string, problem: string])[];
}

const database = fewRows();
const rig = await RehearseRig.start(database);
after(() => rig[Symbol.asyncDispose]());

function rowsOf(object: string): Row[] {
  const { source } = database.tables.get(object)!;
  return Array.from({ length: source.size }, (_, number) => source.row(number));
}

function rowWhere(object: string, is: (row: Row) => boolean): Row {
  const found = rowsOf(object).find(is);
  assert.ok(found, `no such row of ${object}`);
  return found;
}

const idOf = (row: Row) => String(row.Id);
const all = ['Everything__c'];

/** A value of Everything__c that `is` picks is changed on the way. */
function value(
  title: string,
  field: string,
  is: (value: string, row: Row) => boolean,
  change: (value: string) => string,
): Seeded {
  const picked = rowWhere('Everything__c', (row) => row[field] !== null && is(String(row[field]), row));
  const defect = cellRead('Everything__c', idOf(picked), field, change);
  return { title, objects: all, defect, finds: [[idOf(picked), `differs in ${field}`]] };
}

/** A cell of one row is another. */
function cell(
  title: string,
  object: string,
  objects: readonly string[],
  row: Row,
  field: string,
  change: (value: string) => string,
): Seeded {
  return {
    title,
    objects,
    defect: cellRead(object, idOf(row), field, change),
    finds: [[idOf(row), `differs in ${field}`]],
  };
}

const any = () => true;
const is = (wanted: string) => (text: string) => text === wanted;

const values: readonly Seeded[] = [
  value('a null is written over a value', 'Text__c', is('He said "no" twice'), () => ''),
  value('a picklist holds another value', 'City__c', is('Nairobi'), () => 'Istanbul'),
  value('a value of a combobox is another', 'Combo__c', is('something else'), () => 'one'),
  value('a value of a multi-select picklist is lost', 'Colours__c', is('red;green;blue'), () => 'red;blue'),
  value('an amount is rounded', 'Money__c', is('99.99'), () => '100'),
  value('an amount loses its point', 'Money__c', is('123456789.12'), () => '12345678912'),
  value('a number loses its sign', 'Money__c', is('-0.01'), () => '0.01'),
  value('a large number is read as a double of fewer digits', 'Number__c', is('999999999999999'), () => '1.0E15'),
  value('a small number becomes zero', 'Fraction__c', is('1e-7'), () => '0.0'),
  value('digits behind the point are cut', 'Fraction__c', is('0.3333333333333333'), () => '0.33'),
  value('a percentage becomes a share of one', 'Share__c', is('12.5'), () => '0.125'),
  value('a whole number is another by one', 'Whole__c', is('42'), () => '43'),
  value('a date is shifted by the time zone', 'Day__c', is('1970-01-01'), () => '1969-12-31'),
  value(
    'a datetime is shifted by daylight saving',
    'Moment__c',
    is('2026-03-29T01:30:00.000Z'),
    () => '2026-03-29T02:30:00.000Z',
  ),
  value(
    'seconds of a datetime are lost',
    'Moment__c',
    is('2038-01-19T03:14:08.000Z'),
    () => '2038-01-19T03:14:00.000Z',
  ),
  value('a time of day is shifted', 'Clock__c', is('12:00:00.000Z'), () => '13:00:00.000Z'),
  value('parts of a second of a time of day are lost', 'Clock__c', is('13:45:00.001Z'), () => '13:45:00.000Z'),
  value(
    'spaces at the start are trimmed',
    'Text__c',
    (text) => text.startsWith('  '),
    (text) => text.trimStart(),
  ),
  value(
    'a tab becomes a space',
    'Text__c',
    (text) => text.startsWith('\t'),
    (text) => text.replaceAll('\t', ' '),
  ),
  value(
    'a text is cut at 255 characters',
    'Long_Text__c',
    (text) => text.length > 300,
    (text) => text.slice(0, 255),
  ),
  value(
    'a long text is cut at 32,000 characters',
    'Long_Text__c',
    (text) => text.length > 100_000,
    (text) => text.slice(0, 32_000),
  ),
  value(
    'an emoji is broken',
    'Text__c',
    (text) => text.includes('😀'),
    (text) => text.replace('😀', '\ufffd'),
  ),
  value(
    'accents are composed another way',
    'Text__c',
    (text) => text.includes('e\u0301'),
    (text) => text.normalize('NFC'),
  ),
  value('lines run together', 'Text__c', is('first line\r\nsecond line'), () => 'first linesecond line'),
  value('the text null is taken for nothing', 'Text__c', is('null'), () => ''),
  value('the text #N/A is taken for nothing', 'Text__c', is('#N/A'), () => ''),
  value('leading zeros are lost', 'Text__c', is('0012'), () => '12'),
  value('a text that looks like a number is one', 'Text__c', is('1e5'), () => '100000'),
  value('a text that looks like a date is one', 'Text__c', is('2026-02-30'), () => '2026-03-02'),
  value(
    'markup is escaped',
    'Rich_Text__c',
    (text) => text.includes('<p>'),
    (text) => text.replaceAll('<', '&lt;'),
  ),
  value('a doubled quote is halved', 'Text__c', is('a "" pair inside'), () => 'a " pair inside'),
  value('backslashes are taken away', 'Text__c', is('back\\slash \\n \\" \\u0041'), (text) =>
    text.replaceAll('\\', ''),
  ),
  value(
    'a byte order mark is swallowed',
    'Text__c',
    (text) => text.startsWith('\ufeff'),
    (text) => text.slice(1),
  ),
  value('a boolean is inverted', 'Flag__c', is('true'), () => 'false'),
  value('the case of a text is lost', 'Text__c', is('NULL'), () => 'null'),
  value('the case of a key is lost', 'Key__c', is('key-00000003'), () => 'KEY-00000003'),
  value('an address of e-mail is another', 'Mail__c', is('a@b.example'), () => 'a@b.example.invalid'),
  value(
    'a URL is decoded',
    'Link__c',
    (text) => text.includes('%22'),
    (text) => decodeURIComponent(text),
  ),
  value('a phone number is formatted', 'Phone__c', is('(415) 555-1234 x9'), () => '+1 415 555 1234'),
  value('a latitude is cut', 'Place__Latitude__s', is('47.376887'), () => '47.38'),
  value(
    'a self-reference is lost',
    'Self__c',
    (parent, row) => parent !== row.Id,
    () => '',
  ),
  value(
    'a lookup loses the case of its Id',
    'Self__c',
    (id, row) => id !== row.Id && /[A-Z]/.test(id.slice(3, 15)),
    (id) => id.slice(0, 15).toLowerCase(),
  ),
];

const contact = rowWhere('Contact', (row) => row.AccountId !== null);
const otherAccount = idOf(rowWhere('Account', ({ Id }) => Id !== contact.AccountId));
const task = rowWhere('Task', ({ WhatId }) => String(WhatId).startsWith('001'));
const [assignment, otherProject] = [rowsOf('Assignment__c')[0]!, idOf(rowsOf('Project__c')[3]!)];
const owned = rowWhere('Project__c', ({ OwnerId }) => OwnerId !== database.facts.userId);
const [usual] = rowsOf('Account');
const typed = rowWhere('Account', ({ RecordTypeId }) => RecordTypeId !== null && RecordTypeId !== usual!.RecordTypeId);

const lookups: readonly Seeded[] = [
  cell('a lookup leads to the wrong row', 'Contact', ['Account', 'Contact'], contact, 'AccountId', () => otherAccount),
  cell('a polymorphic lookup leads to the wrong kind', 'Task', ['Account', 'Opportunity', 'Task'], task, 'WhatId', () =>
    idOf(rowsOf('Opportunity')[0]!),
  ),
  cell(
    'a junction has one master of another',
    'Assignment__c',
    ['Project__c', 'Assignment__c'],
    assignment,
    'Project__c',
    () => otherProject,
  ),
  cell('an owner is replaced by the user', 'Project__c', ['Project__c'], owned, 'OwnerId', () => ''),
  cell('a record type is dropped', 'Account', ['Account'], typed, 'RecordTypeId', () => ''),
];

const [first, second] = [rowsOf('Everything__c')[20]!, rowsOf('Everything__c')[21]!];
const swapped = (rows: Cells[]) =>
  rows.map((row) => {
    const other = row.Id === first.Id ? second : row.Id === second.Id ? first : undefined;
    return other && row.Text__c !== undefined ? { ...row, Text__c: String(other.Text__c) } : row;
  });
const withPhone = rowsOf('Contact').filter(({ MobilePhone }) => MobilePhone !== null);
const notes = rowsOf('Note');
const projects = rowsOf('Project__c');
const isNote = (record: Readonly<Record<string, unknown>>) => record.Title === notes[0]!.Title;
const selves = rowsOf('Everything__c').filter(({ Id, Self__c }) => Id === Self__c);
const nowhere = '0025e0U007zzzzzAAA';

const rows: readonly Seeded[] = [
  {
    title: 'values are swapped between two rows',
    objects: all,
    defect: read('Everything__c', swapped),
    finds: [
      [idOf(first), 'differs in Text__c'],
      [idOf(second), 'differs in Text__c'],
    ],
  },
  {
    title: 'a field is dropped in all rows',
    objects: ['Contact'],
    defect: read('Contact', (all) =>
      all.map((row) => (row.MobilePhone === undefined ? row : { ...row, MobilePhone: '' })),
    ),
    finds: withPhone.map((row) => [idOf(row), 'differs in MobilePhone']),
  },
  {
    title: 'a row is lost',
    objects: ['Note'],
    defect: read('Note', (all) => all.filter(({ Id }) => Id !== notes[0]!.Id)),
    finds: [[idOf(notes[0]!), 'is not in the org']],
  },
  {
    title: 'a page of a segment is read in the place of another',
    objects: ['Note'],
    defect: read('Note', (all) =>
      all.map((row, n) => (row.Title === undefined ? row : { ...row, Title: all[(n + 1) % all.length]!.Title! })),
    ),
    finds: notes.map((row) => [idOf(row), 'differs in Title']),
  },
  {
    title: 'a row is made twice',
    objects: ['Note'],
    defect: firstInsert('Note', isNote, async (record, insert) => (await insert([record, record]))[1]!),
    finds: [['Note', 'the org has 1 that the point does not have']],
  },
  {
    title: 'an error is swallowed',
    objects: ['Note'],
    defect: firstInsert('Note', isNote, async () => ({ id: nowhere, created: true, errors: [] })),
    finds: [[idOf(notes[0]!), 'is not in the org']],
  },
  {
    title: 'a row is refused',
    objects: ['Note'],
    defect: inserts('Note', async (records, insert) => {
      const done = await insert(records.filter((record) => !isNote(record)));
      const error = { code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', message: 'no notes today', fields: [] };
      return records.map((record) => (isNote(record) ? { errors: [error] } : done.shift()!));
    }),
    finds: [[idOf(notes[0]!), 'is not in the org: the org refused it with FIELD_CUSTOM_VALIDATION_EXCEPTION']],
  },
  {
    title: 'the Id map has two rows exchanged',
    objects: ['Project__c'],
    defect: inserts('Project__c', async (records, insert) => {
      const [one, other, ...more] = await insert(records);
      return other ? [{ ...one!, id: other.id! }, { ...other, id: one!.id! }, ...more] : [one!];
    }),
    finds: projects.slice(1, 3).map((row) => [idOf(row), 'differs in']),
  },
  {
    title: 'rows come back as the same record',
    objects: ['Project__c'],
    defect: inserts('Project__c', async (records, insert) => {
      const done = await insert(records);
      return done.map((one) => ({ ...one, id: done[0]!.id! }));
    }),
    finds: [
      ['Project__c', 'the org has 3 that the point does not have'],
      ...projects.slice(2).map((row) => [idOf(row), 'came back as the same record as another row'] as const),
    ],
  },
  {
    title: 'a row is made as one of another object',
    objects: ['Note', 'Task'],
    defect: firstInsert(
      'Note',
      isNote,
      async ({ Title }, _insert, writer) =>
        (await writer.insert('Task', [{ Subject: Title!, Status: 'Completed', Priority: 'Low' }]))[0]!,
    ),
    finds: [
      [idOf(notes[0]!), 'is not in the org'],
      ['Task', 'the org has 1 that the point does not have'],
    ],
  },
  {
    title: 'a row that was deleted before the point comes back',
    objects: ['Opportunity'],
    defect: firstInsert('Opportunity', any, async (record, insert) => {
      const deleted = { Name: 'deleted', StageName: record.StageName!, CloseDate: record.CloseDate! };
      return (await insert([record, deleted]))[0]!;
    }),
    finds: [['Opportunity', 'the org has 1 that the point does not have']],
  },
  {
    title: 'the second pass of circles is forgotten',
    objects: all,
    defect: writes((writer) => ({
      update: async (object, records, options) =>
        object === 'Everything__c' && records.some((record) => 'Self__c' in record)
          ? records.map(({ Id }) => ({ id: Id!, errors: [] }))
          : writer.update(object, records, options),
    })),
    finds: selves.map((row) => [idOf(row), 'differs in Self__c']),
  },
  {
    title: 'a child is made before its parent',
    objects: ['Account', 'Contact'],
    defect: firstInsert(
      'Contact',
      ({ AccountId }) => Boolean(AccountId),
      async (record, insert) => (await insert([{ ...record, AccountId: '0015e0U007zzzzzAAA' }]))[0]!,
    ),
    finds: [
      [idOf(contact), 'is not in the org: the org refused it with INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY'],
    ],
  },
];

const versions = rowsOf('ContentVersion');
const library = ['ContentDocument', 'ContentVersion', 'ContentDocumentLink'];
const links = rowsOf('ContentDocumentLink');
const attachment = rowsOf('Attachment')[0]!;
const latest = versions[2]!;

const fileDefects: readonly Seeded[] = [
  {
    title: 'a byte of a file is another',
    objects: library,
    defect: files(
      ({ PathOnClient }) => PathOnClient === latest.PathOnClient,
      (bytes) => Buffer.concat([bytes.subarray(1), bytes.subarray(0, 1)]),
    ),
    finds: versions.slice(0, 3).map((row) => [idOf(row), 'differs in VersionData']),
  },
  {
    title: 'a file is cut short',
    objects: ['Attachment'],
    defect: files(
      ({ Name }) => Name === attachment.Name,
      (bytes) => bytes.subarray(0, -1),
    ),
    finds: [[idOf(attachment), 'differs in Body']],
  },
  {
    title: 'versions of a file come in another order',
    objects: library,
    defect: read('ContentVersion', (all) => {
      const order = all.filter(({ ContentDocumentId }) => ContentDocumentId === latest.ContentDocumentId);
      return all.map((row) =>
        order.includes(row) && row.VersionNumber !== undefined
          ? { ...row, VersionNumber: String(4 - Number(row.VersionNumber)) }
          : row,
      );
    }),
    finds: [
      [idOf(versions[0]!), 'differs in IsLatest, VersionNumber'],
      [idOf(latest), 'differs in IsLatest, VersionNumber'],
      [String(latest.ContentDocumentId), 'differs in LatestPublishedVersionId'],
    ],
  },
  {
    title: 'a link of a file is missing',
    objects: library,
    defect: inserts('ContentDocumentLink', async (records) =>
      records.map(({ LinkedEntityId }) => ({ id: `06A5e0Uzz${LinkedEntityId!.slice(9)}`, created: true, errors: [] })),
    ),
    // The first one the platform makes itself, with the file of the user.
    finds: links.slice(1).map((row) => [idOf(row), 'is not in the org']),
  },
];

const campaigns = ['Campaign', 'CampaignMemberStatus'];
const platformMade: readonly Seeded[] = [
  {
    title: 'rows that the platform makes along with others are made again',
    objects: campaigns,
    defect: firstInsert('Campaign', any, async (record, insert, writer) => {
      const [made] = await insert([record]);
      await writer.insert('CampaignMemberStatus', [{ CampaignId: made!.id!, Label: 'Sent again' }]);
      return made!;
    }),
    finds: [['CampaignMemberStatus', 'the org has 1 that the point does not have']],
  },
];

const harmless: readonly Seeded[] = [
  { title: 'nothing goes wrong', objects: [], defect: {}, finds: [] },
  {
    ...value(
      'the order of a multi-select picklist is another',
      'Colours__c',
      is('red;green;blue'),
      () => 'blue;red;green',
    ),
    finds: [],
  },
  { ...value('a number has more zeros', 'Money__c', is('99.99'), () => '99.9900'), finds: [] },
  {
    ...value(
      'line ends are those of another system',
      'Text__c',
      is('first line\r\nsecond line'),
      () => 'first line\nsecond line',
    ),
    finds: [],
  },
];

for (const { title, objects, defect, finds } of [...values, ...lookups, ...rows, ...fileDefects, ...platformMade]) {
  test(`is found: ${title}`, () => expectFound(objects, defect, finds));
}
for (const { title, objects, defect } of harmless) {
  test(`is no difference: ${title}`, () => expectFound(objects, defect, []));
}

async function expectFound(objects: readonly string[], defect: Defect, finds: Seeded['finds']): Promise<void> {
  const { rung, certificate } = await rig.rehearse(objects, defect);
  const found = rung.problems.map(({ key, problem }) => [key, problem] as const).sort();
  const expected = [...finds].sort();
  assert.deepEqual(
    found.map(([key, problem], n) => [key, problem.startsWith(expected[n]?.[1] ?? '\0') ? expected[n]![1] : problem]),
    expected,
  );
  assert.equal(certificate.ok, finds.length === 0);
}
