import { isFault } from '../../../src/errors.ts';
import { rowCondition } from '../../../src/operations/select/condition.ts';
import { dateSpan } from '../../../src/operations/select/date-spans.ts';
import { parseWindow } from '../../../src/operations/select/window.ts';
import { sampleDatabase } from '../../../src/practice-org/generate.ts';
import { Refusal } from '../../../src/practice-org/refusal.ts';
import { Schema } from '../../../src/practice-org/schema.ts';
import { defaultSettings } from '../../../src/practice-org/settings.ts';
import { planQuery } from '../../../src/practice-org/soql/query.ts';
import type { OrgState } from '../../../src/practice-org/state.ts';
import { encodeRows } from '../../../src/rows/csv.ts';
import type { ObjectDescribe } from '../../../src/schema/describe.ts';
import { faults, type Parser } from '../parser.ts';

const field = (name: string, type: string, more: object = {}) => ({ name, type, ...more });
const describe = {
  name: 'Account',
  fields: [
    field('Id', 'id'),
    field('Name', 'string'),
    field('Code__c', 'string', { caseSensitive: true }),
    field('Amount__c', 'double'),
    field('CreatedDate', 'datetime'),
    field('Day__c', 'date'),
    field('Active__c', 'boolean'),
    field('Kinds__c', 'multipicklist'),
    field('OwnerId', 'reference'),
  ],
} as unknown as ObjectDescribe;
const now = new Date('2026-11-26T10:00:00Z');
const columns = describe.fields.map(({ name }) => name);
const cells = ['0015e00000AbCdEAAV', 'Acme', 'x', '1.50', '2026-11-20T10:00:00.000Z', '2026-11-20', 'true', 'a;b', ''];
const long = [cells[0]!, 'a'.repeat(400), 'a'.repeat(400), '1', '', '', '', '', ''];
const batch = encodeRows([cells, long, cells.map(() => '')]);

const settings = defaultSettings();
const database = sampleDatabase({ scale: { Account: 1, Contact: 1 } });
const state = {
  database,
  settings,
  schema: new Schema(database, settings),
  now: () => now.getTime(),
} as unknown as OrgState;

/** What is no SOQL takes the library that parses it time that grows faster than the text, and people type it themselves. */
const longest = 8192;
const text = (bytes: Buffer) => bytes.toString('utf8', 0, longest);

export const parser: Parser = {
  sources: [
    'src/operations/select',
    'src/practice-org/soql',
    'src/schema',
    'node_modules/@jetstreamapp/soql-parser-js',
  ],
  words: [
    ...[
      ' AND ',
      ' OR ',
      ' NOT ',
      '(',
      ')',
      ' IN ',
      ' NOT IN ',
      ' LIKE ',
      ' INCLUDES ',
      ' EXCLUDES ',
      '=',
      '!=',
      '<',
      '>=',
    ],
    ...[
      'null',
      'true',
      "'",
      "'a'",
      "'%a%'",
      '%',
      '_',
      '\\',
      "\\'",
      '\\u0041',
      'TODAY',
      'LAST_N_DAYS:7',
      'N_YEARS_AGO:3',
    ],
    ...['2026-11-20', '2026-11-20T10:00:00Z', '1.5', '-1', '1e9', 'USD1', ':x', ',', '.', '..', ' ', '\n', '/*', '//'],
    ...[
      'SELECT ',
      ' FROM ',
      'Account',
      'Contact',
      ' WHERE ',
      ' ORDER BY ',
      ' DESC',
      ' NULLS LAST',
      ' LIMIT ',
      ' OFFSET ',
    ],
    ...[
      'COUNT()',
      'MAX(',
      ' GROUP BY ',
      ' HAVING ',
      'FIELDS(ALL)',
      'toLabel(',
      'TYPEOF ',
      ' WHEN ',
      ' THEN ',
      ' END',
      ' ALL ROWS',
    ],
    ...[
      'Id',
      'Name',
      'Amount__c',
      'CreatedDate',
      'Day__c',
      'Kinds__c',
      'OwnerId',
      'Account.Name',
      '(SELECT Id FROM Contacts)',
    ],
  ],
  ways: {
    condition: {
      seeds: [
        "Name LIKE '%c_m%' AND (Amount__c >= 1.5 OR NOT Active__c = true)",
        "Kinds__c INCLUDES ('a;b', 'c') AND CreatedDate = LAST_N_DAYS:30",
        "Id IN ('0015e00000AbCdE', '0015e00000AbCdEAAV') AND Day__c < 2026-11-20 AND OwnerId = null",
        "Code__c NOT IN ('\\u0041', '\\n') OR CreatedDate > 2026-11-20T10:00:00Z",
      ],
      run(bytes) {
        const condition = rowCondition(text(bytes), describe, now);
        const test = condition.test(columns);
        return `${condition.fields.length} ${[0, 1, 2].map((row) => test(batch, row))}`;
      },
      foreseen: faults('usage'),
    },
    query: {
      seeds: [
        "SELECT Id, Name, Account.Name FROM Contact WHERE LastName LIKE 'a%' ORDER BY Name DESC NULLS LAST LIMIT 10 OFFSET 2",
        'SELECT COUNT() FROM Account WHERE CreatedDate = LAST_N_DAYS:3',
        'SELECT Industry, MAX(AnnualRevenue) m FROM Account GROUP BY Industry HAVING COUNT(Id) > 1',
        'SELECT Id, (SELECT Id FROM Contacts WHERE Name != null) FROM Account WHERE Id IN (SELECT AccountId FROM Contact)',
        'SELECT FIELDS(ALL) FROM Account LIMIT 200',
      ],
      run(bytes) {
        const { kind, columns: selected } = planQuery(state, text(bytes), false);
        return `${kind} ${Math.min(5, selected.length)}`;
      },
      foreseen: (error) => error instanceof Refusal,
    },
    window: {
      seeds: ['2026-11-22T09:00Z..2026-11-22T10:30Z', '2026-11-22..', '..2026-11-22T10:30:00.5+02:00'],
      run: (bytes) => typeof parseWindow(bytes.toString(), 'window').from,
      foreseen: faults('usage'),
    },
    'date-literal': {
      seeds: ['TODAY', 'LAST_N_DAYS:7', 'N_QUARTERS_AGO:2', 'NEXT_90_DAYS', 'THIS_WEEK'],
      run: (bytes) => dateSpan(bytes.toString(), now.getTime()) !== undefined,
      foreseen: (error) => isFault(error, 'usage'),
    },
  },
};
