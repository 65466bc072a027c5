import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isFault } from '../../../src/errors.ts';
import { rowCondition } from '../../../src/operations/select/condition.ts';
import { dateSpan } from '../../../src/operations/select/date-spans.ts';
import { encodeRows } from '../../../src/rows/csv.ts';
import type { ObjectDescribe } from '../../../src/schema/describe.ts';

const fields = [
  ['Id', 'id'],
  ['Name', 'string'],
  ['Code__c', 'string', { caseSensitive: true }],
  ['Amount', 'currency'],
  ['IsWon', 'boolean'],
  ['CloseDate', 'date'],
  ['CreatedDate', 'datetime'],
  ['Tags__c', 'multipicklist'],
  ['OwnerId', 'reference'],
] as const;
const opportunity = {
  name: 'Opportunity',
  fields: fields.map(([name, type, more = {}]) => ({ name, type, ...more })),
} as unknown as ObjectDescribe;

const now = new Date('2026-11-23T10:00:00Z');
const columns = [
  'OwnerId',
  'Id',
  ...fields.map(([name]) => name).filter((name) => name !== 'Id' && name !== 'OwnerId'),
];
const row: Record<string, string> = {
  Id: '006000000000001AAA',
  Name: 'Big (50%) deal',
  Code__c: 'abC',
  Amount: '1000.50',
  IsWon: 'true',
  CloseDate: '2026-11-20',
  CreatedDate: '2026-11-22T23:59:59.000Z',
  Tags__c: 'Red;Green',
  OwnerId: '005000000000001AAA',
};

function matches(condition: string, changes: Record<string, string> = {}): boolean {
  const batch = encodeRows([columns.map((name) => ({ ...row, ...changes })[name])]);
  return rowCondition(condition, opportunity, now).test(columns)(batch, 0);
}

const yes = [
  "Name = 'BIG (50%) DEAL'",
  "name LIKE 'big%'",
  "Name LIKE '%(50\\%)%'",
  "Name LIKE 'Big _50%'",
  "Name != 'x'",
  "Name <> 'x'",
  "Name > 'big'",
  'Name != null',
  "Name != ''",
  "Name IN ('x', 'big (50%) deal')",
  "Name NOT IN ('x', 'y')",
  "Code__c = 'abC'",
  'Amount = 1000.5',
  'Amount > 1000',
  'Amount <= 1000.50',
  'Amount IN (1, 1000.5)',
  'IsWon = TRUE',
  'IsWon != false',
  'CloseDate = 2026-11-20',
  'CloseDate < TODAY',
  'CloseDate = LAST_N_DAYS:3',
  'CloseDate = THIS_MONTH',
  'CreatedDate = YESTERDAY',
  'CreatedDate >= 2026-11-22T22:00:00Z',
  'CreatedDate < 2026-11-23T01:00:00+01:00',
  "Tags__c INCLUDES ('red')",
  "Tags__c INCLUDES ('blue', 'Green;Red')",
  "Tags__c EXCLUDES ('Blue')",
  "OwnerId = '005000000000001'",
  "OwnerId IN ('005000000000002AAA', '005000000000001AAA')",
  "NOT Name = 'x'",
  "(Name = 'x' OR Amount > 1) AND (NOT (IsWon = false))",
  "Amount > 1 AND IsWon = true AND Name LIKE '%DEAL'",
];
const no = [
  "Name = 'Big'",
  "Name LIKE 'big'",
  "Name LIKE '%50_)%' AND Name LIKE '%x%'",
  "Code__c = 'ABC'",
  'Amount = null',
  'Amount < 1000.5',
  "Name IN ('x')",
  'CloseDate = TODAY',
  'CloseDate > LAST_WEEK AND CloseDate < THIS_WEEK',
  'CreatedDate = TODAY',
  "Tags__c INCLUDES ('Red;Blue')",
  "Tags__c EXCLUDES ('red', 'blue')",
  "OwnerId = '00500000000000A'",
  "NOT Name LIKE '%deal'",
];

describe('a condition on rows of a point', () => {
  for (const condition of yes) test(`takes the row: ${condition}`, () => assert.equal(matches(condition), true));
  for (const condition of no) test(`leaves the row: ${condition}`, () => assert.equal(matches(condition), false));

  test('null is equal to null only, and never less or more', () => {
    const empty = { Amount: '', Name: '', Tags__c: '', CloseDate: '' };
    for (const condition of [
      'Amount = null',
      "Name = ''",
      'Amount != 5',
      "Name NOT IN ('x')",
      "Tags__c EXCLUDES ('x')",
      'CloseDate != TODAY',
    ])
      assert.equal(matches(condition, empty), true, condition);
    for (const condition of [
      'Amount < 5',
      'Amount >= 0',
      "Name LIKE '%'",
      "Name < 'z'",
      "Tags__c INCLUDES ('x')",
      'CloseDate < TODAY',
    ])
      assert.equal(matches(condition, empty), false, condition);
  });

  test('quotes and other escapes stand for themselves', () => {
    assert.equal(matches("Name = 'O\\'Brien \\\\ \\n\\u00e9'", { Name: "o'brien \\ \né" }), true);
    assert.equal(matches("Name LIKE 'a\\_b.%'", { Name: 'a_b.c' }), true);
    assert.equal(matches("Name LIKE 'a\\_b.%'", { Name: 'axb.c' }), false);
  });

  test('names the fields that it looks at, once each', () => {
    assert.deepEqual(rowCondition("name = 'x' OR NAME = 'y' OR amount = 1", opportunity, now).fields, [
      'Name',
      'Amount',
    ]);
  });

  const refused: [string, RegExp][] = [
    ["Account.Name = 'x'", /related records: Account\.Name/],
    ['CALENDAR_YEAR(CloseDate) = 2026', /functions: CALENDAR_YEAR/],
    ['Id IN (SELECT OpportunityId FROM OpportunityLineItem)', /subqueries/],
    ['Name = :name', /:name|no SOQL condition/],
    ["Phone = '1'", /has no field Phone/],
    ["Amount = '5'", /Amount is of type currency/],
    ['Name = 5', /Name is of type string/],
    ["Amount LIKE '5%'", /compared by LIKE/],
    ["Name INCLUDES ('x')", /no multi-select picklist/],
    ["OwnerId = 'me'", /OwnerId is of type reference/],
    ['CloseDate = THIS_FISCAL_YEAR', /date literal THIS_FISCAL_YEAR/],
    ['Name = TODAY', /Name is no date/],
    ["Name = 'x' AND Name = 'y' OR Amount = 1", /parentheses|not to be read/],
    ["Name = 'x' LIMIT 1", /limit/],
    ["Name = 'x' ORDER BY Name", /orderBy/],
    ['nonsense', /no SOQL condition/],
    ['', /no SOQL condition/],
  ];
  for (const [condition, message] of refused) {
    test(`is refused: ${condition}`, () => {
      assert.throws(
        () => matches(condition),
        (error) => isFault(error, 'usage') && message.test(`${error.message} ${error.actions.join(' ')}`),
      );
    });
  }
});

test('date literals name spans of days, weeks from Sunday on, months, quarters and years', () => {
  const spans: Record<string, string> = {
    TODAY: '2026-11-23 2026-11-24',
    THIS_WEEK: '2026-11-22 2026-11-29',
    LAST_WEEK: '2026-11-15 2026-11-22',
    NEXT_MONTH: '2026-12-01 2027-01-01',
    THIS_QUARTER: '2026-10-01 2027-01-01',
    LAST_YEAR: '2025-01-01 2026-01-01',
    LAST_90_DAYS: '2026-08-25 2026-11-24',
    NEXT_90_DAYS: '2026-11-24 2027-02-22',
    'LAST_N_DAYS:1': '2026-11-22 2026-11-24',
    'NEXT_N_DAYS:2': '2026-11-24 2026-11-26',
    'LAST_N_WEEKS:2': '2026-11-08 2026-11-22',
    'LAST_N_MONTHS:12': '2025-11-01 2026-11-01',
    'NEXT_N_QUARTERS:1': '2027-01-01 2027-04-01',
    'N_DAYS_AGO:3': '2026-11-20 2026-11-21',
    'N_YEARS_AGO:1': '2025-01-01 2026-01-01',
  };
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  for (const [literal, expected] of Object.entries(spans)) {
    const { start, end } = dateSpan(literal.toLowerCase(), now.getTime())!;
    assert.equal(`${day(start)} ${day(end)}`, expected, literal);
  }
  assert.equal(dateSpan('SOMEDAY', 0), undefined);
});
