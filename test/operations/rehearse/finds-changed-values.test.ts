import type { Row } from '../../../src/practice-org/database.ts';
import { cellRead } from '../../support/defects.ts';
import { idOf, rowsOf, rowWhere, type Seeded, testSeeded, userId } from '../../support/seeded-defects.ts';

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
const owned = rowWhere('Project__c', ({ OwnerId }) => OwnerId !== userId);
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

await testSeeded('is found', [...values, ...lookups]);
await testSeeded('is no difference', harmless);
