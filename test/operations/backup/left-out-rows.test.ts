import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../../src/errors.ts';
import { leftOutRows } from '../../../src/operations/backup/left-out-rows.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { startPracticeOrg } from '../../../src/practice-org/server.ts';
import type { ObjectDescribe } from '../../../src/schema/describe.ts';
import { id, table } from '../../practice-org/small-database.ts';
import { OrgRequests } from '../../support/org-snapshot.ts';

const names = ['a', 'A', 'b', 'c', null];
const numbers = [null, -1, 0, 1, 2.5];
const dates = ['2026-01-01', '2026-06-30', null];

const { facts, tables } = sampleDatabase();
const rows = names.flatMap((Name__c, n) =>
  numbers.flatMap((Size__c, m) =>
    dates.map((Day__c, k) => ({
      ...{
        Id: id('a0N', 100 * n + 10 * m + k),
        Name: 'x',
        IsDeleted: false,
        SystemModstamp: '2026-03-01T10:00:00.000Z',
      },
      ...{ Name__c, Size__c, Day__c, Done__c: (n + m + k) % 2 === 0 },
    })),
  ),
);
const thing = table(
  'Thing__c',
  'a0N',
  [
    'Name',
    ['SystemModstamp', 'datetime'],
    ['IsDeleted', 'boolean'],
    'Name__c',
    ['Size__c', 'double'],
    ['Day__c', 'date'],
    ['Done__c', 'boolean'],
    ['Twice__c', 'double', { calculated: true }],
    ['Long__c', 'textarea', { filterable: false }],
  ],
  rows,
);
const describe = thing.describe as unknown as ObjectDescribe;

/** Whether a condition certainly holds for a row: null compares with nothing but null. */
type Row = (typeof rows)[number];
const cases: readonly [string, (row: Row) => boolean][] = [
  ["Name__c = 'a'", ({ Name__c }) => Name__c?.toLowerCase() === 'a'],
  ["Name__c != 'a'", ({ Name__c }) => Name__c !== null && Name__c.toLowerCase() !== 'a'],
  ["NOT Name__c = 'a'", ({ Name__c }) => Name__c !== null && Name__c.toLowerCase() !== 'a'],
  ['Name__c = null', ({ Name__c }) => Name__c === null],
  ['Name__c != null', ({ Name__c }) => Name__c !== null],
  ["Name__c LIKE 'a%'", ({ Name__c }) => Name__c?.toLowerCase() === 'a'],
  ["(NOT Name__c LIKE 'a%')", ({ Name__c }) => Name__c !== null && Name__c.toLowerCase() !== 'a'],
  ["Name__c IN ('a', 'c')", ({ Name__c }) => Name__c !== null && /^[ac]$/i.test(Name__c)],
  ["Name__c NOT IN ('a', 'c')", ({ Name__c }) => Name__c === 'b'],
  ['Size__c > 0', ({ Size__c }) => Size__c !== null && Size__c > 0],
  ['NOT Size__c > 0', ({ Size__c }) => Size__c !== null && Size__c <= 0],
  ['Size__c <= 1 AND Size__c != 0', ({ Size__c }) => Size__c !== null && Size__c <= 1 && Size__c !== 0],
  ['Done__c = true', ({ Done__c }) => Done__c],
  ['Done__c != true', ({ Done__c }) => !Done__c],
  ['Day__c < 2026-03-01', ({ Day__c }) => Day__c === '2026-01-01'],
  [
    "NOT (Name__c = 'a' AND Size__c > 0)",
    ({ Name__c, Size__c }) => (Name__c !== null && Name__c.toLowerCase() !== 'a') || (Size__c !== null && Size__c <= 0),
  ],
  [
    "(Name__c = 'b' OR Done__c = true) AND Day__c = null",
    (row) => (row.Name__c === 'b' || row.Done__c) && row.Day__c === null,
  ],
];

test('a condition leaves out rows for which it certainly holds, and the two parts are all rows', async () => {
  const org = await startPracticeOrg({ facts, tables: new Map([...tables, ['Thing__c', thing]]) });
  try {
    const requests = new OrgRequests(org);
    const ids = async (where: string) =>
      (await requests.query(`SELECT Id FROM Thing__c WHERE ${where}`)).map((row) => String(row.Id)).sort();
    for (const [text, holds] of cases) {
      const { kept, out } = leftOutRows(describe, [text]);
      const wanted = (left: boolean) =>
        rows
          .filter((row) => holds(row) === left)
          .map((row) => row.Id)
          .sort();
      assert.deepEqual(await ids(out), wanted(true), `${text}: ${out}`);
      assert.deepEqual(await ids(kept), wanted(false), `${text}: ${kept}`);
    }
    const several = leftOutRows(describe, ["Name__c = 'a'", 'Size__c > 0']);
    const both = rows.filter((row) => cases[0]![1](row) || (row.Size__c ?? 0) > 0);
    assert.deepEqual(await ids(several.out), both.map((row) => row.Id).sort());
    assert.equal((await ids(several.kept)).length, rows.length - both.length);
  } finally {
    await org.close();
  }
});

test('what a row could begin to meet without being changed is refused', () => {
  for (const [text, why] of [
    ['CreatedDate < LAST_N_DAYS:90', /no such field/],
    ['SystemModstamp < LAST_N_DAYS:90', /relative date/],
    ['Twice__c > 4', /formulas/],
    ["Owner.Name = 'x'", /another record/],
    ["Long__c = 'x'", /does not filter/],
    ['IsDeleted = true', /without a stamp/],
    ["Nothing__c = 'x'", /no such field/],
    ["Name__c = 'a' AND", /no SOQL condition|not to be read/],
    ['Id IN (SELECT Id FROM Account)', /subqueries/],
  ] as const) {
    assert.throws(
      () => leftOutRows(describe, [text]),
      (error) => isFault(error, 'config-invalid') && why.test(error.message) && /Thing__c/.test(error.message),
      text,
    );
  }
});
