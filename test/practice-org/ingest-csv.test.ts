import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import type { Dialect } from '../../src/practice-org/bulk/ingest/jobs.ts';
import { BadCsv, quoteRow, splitRow } from '../../src/practice-org/bulk/ingest/scan.ts';
import { Upload } from '../../src/practice-org/bulk/ingest/upload.ts';
import { testOrg } from './client.ts';
import { column, counters, ingest } from './ingest-client.ts';
import { nasty } from './small-database.ts';

const comma: Dialect = { columnDelimiter: 'COMMA', delimiter: ',', lineEnding: 'LF' };
const crlf: Dialect = { ...comma, lineEnding: 'CRLF' };
const limits = { mixedNewlines: false, cellCharacters: 32_000 };

async function read(text: string, dialect = comma, mixedNewlines = false): Promise<string[][]> {
  const upload = await Upload.read(Buffer.from(text), dialect, { ...limits, mixedNewlines });
  return [upload.header, ...Array.from({ length: upload.size }, (_, row) => upload.row(row))];
}

async function refusal(text: string | Buffer, dialect = comma): Promise<string> {
  try {
    await Upload.read(Buffer.from(text), dialect, limits);
  } catch (error) {
    if (error instanceof BadCsv) return error.message;
    throw error;
  }
  return 'taken';
}

test('cells are taken as they stand: quotes, newlines and delimiters in quotes, spaces, empty cells', async () => {
  assert.deepEqual(await read('A,"B"\n1,"x ""y"", z"\n'), [
    ['A', 'B'],
    ['1', 'x "y", z'],
  ]);
  assert.deepEqual(await read('A,B\n not a quote ,x'), [
    ['A', 'B'],
    [' not a quote ', 'x'],
  ]);
  assert.deepEqual(await read('A,B\n,\n"",""\nx,'), [
    ['A', 'B'],
    ['', ''],
    ['', ''],
    ['x', ''],
  ]);
  assert.deepEqual(await read('A,B\n"one\ntwo",""""\n'), [
    ['A', 'B'],
    ['one\ntwo', '"'],
  ]);
  assert.deepEqual(await read('A\r\n"one\r\ntwo"\r\nthree\r\n', crlf), [['A'], ['one\r\ntwo'], ['three']]);
  assert.deepEqual(await read('A;B\n1,5;2\n', { ...comma, delimiter: ';' }), [
    ['A', 'B'],
    ['1,5', '2'],
  ]);
});

test('empty lines are no rows, quoted empty cells are', async () => {
  assert.deepEqual(await read('\nA\n\nx\n""\n\n'), [['A'], ['x'], ['']]);
  assert.deepEqual(await read('A,B\n'), [['A', 'B']]);
});

test('what makes a CSV unreadable', async () => {
  const unescaped = 'InvalidBatch : Failed to parse CSV. Found unescaped quote';
  const lineEnding = 'ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is';
  const cases: [string, Dialect, string][] = [
    ['\uFEFFA\nx\n', comma, unescaped],
    ['A,B\nx"y,z\n', comma, unescaped],
    ['A,B\n"John", "Smith"\n', comma, unescaped],
    ['A,B\n"John" ,Smith\n', comma, unescaped],
    ['A\n"open\n', comma, 'InvalidBatch : Failed to parse CSV. EOF reached before closing an opened quote'],
    ['A\r\nx\r\n', comma, `${lineEnding} LF`],
    ['A\n"x\r\ny"\n', comma, `${lineEnding} LF`],
    ['A\rx\r', comma, `${lineEnding} LF`],
    ['A\nx\n', crlf, `${lineEnding} CRLF`],
    ['A\r\n"x\ny"\r\n', crlf, `${lineEnding} CRLF`],
    ['A,B\nx\n', comma, 'InvalidBatch : Failed to parse CSV. Row 1 has 1 cells, the header 2'],
    ['A\nx,y\n', comma, 'InvalidBatch : Failed to parse CSV. Row 1 has 2 cells, the header 1'],
    ['', comma, 'InvalidBatch : Failed to parse CSV. There is no header row'],
    [`A\n${'x'.repeat(32_001)}\n`, comma, 'InvalidBatch : Failed to parse CSV. A cell is longer than 32000 characters'],
    [`${'x'.repeat(32_000)},A\n`, comma, 'InvalidBatch : The header row is longer than 32000 characters'],
  ];
  for (const [text, dialect, message] of cases)
    assert.equal(await refusal(text, dialect), message, JSON.stringify(text.slice(0, 40)));
  assert.match(await refusal(Buffer.from([0x41, 0x0a, 0xff, 0x0a])), /not UTF-8/);
});

test('limits count characters, not bytes and not the quotes around them', async () => {
  assert.equal(await refusal(`A\n"${'é'.repeat(31_999)}"""\n`), 'taken');
  const wide = (cells: number, cell: string) =>
    `${Array.from({ length: cells }, (_, n) => `c${n}`)}\n${Array(cells).fill(cell)}\n`;
  assert.equal(await refusal(wide(13, 'x'.repeat(31_000))), 'InvalidBatch : A record is longer than 400000 characters');
  assert.equal(await refusal(wide(5_001, '')), 'InvalidBatch : A record has more than 5000 fields');
  assert.equal(await refusal(wide(5_000, '')), 'taken');
});

test('mixed newlines inside cells are a switch', async () => {
  assert.deepEqual(await read('A\n"x\r\ny"\n', comma, true), [['A'], ['x\r\ny']]);
  assert.deepEqual(await read('A\r\n"x\ny\r\nz"\r\n', crlf, true), [['A'], ['x\ny\r\nz']]);
});

test('whatever csv-stringify writes is read back', async () => {
  const cell = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '"', '""', ',', '\n', '\r\n', ';', nasty));
  const table = fc
    .integer({ min: 1, max: 5 })
    .chain((columns) =>
      fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 20 }),
    );
  const dialects = fc.constantFrom<Dialect>(comma, crlf, { ...comma, delimiter: '\t' }, { ...crlf, delimiter: '|' });
  await fc.assert(
    fc.asyncProperty(table, dialects, fc.boolean(), async (rows, dialect, quoted) => {
      const newline = dialect.lineEnding === 'LF' ? '\n' : '\r\n';
      const options = { delimiter: dialect.delimiter, record_delimiter: newline, quoted, quoted_empty: true };
      const text = stringify(rows, { ...options, quoted_match: /[\r\n]/ });
      assert.deepEqual(await read(text, dialect, true), rows);
    }),
    { numRuns: 300 },
  );
});

test('a row is quoted cell by cell, and quoted ones stay as they came', () => {
  const rows: [string, string][] = [
    ['a,b', '"a","b"'],
    [',', '"",""'],
    ['"a",b,"c"', '"a","b","c"'],
    ['a,"b, ""c""",', '"a","b, ""c""",""'],
    ['"a","b"', '"a","b"'],
    ['"a",', '"a",""'],
    [',"a"', '"","a"'],
    ['""', '""'],
  ];
  for (const [text, quoted] of rows) {
    assert.equal(quoteRow(text, ','), quoted);
    assert.deepEqual(splitRow(quoted, ','), splitRow(text, ','));
  }
});

test('a bad header fails the job with no row looked at, and the upload comes back as unprocessed', async () => {
  await using t = await testOrg();
  const cases: [string, string, string][] = [
    ['Account', 'Name,Nope__c,Neither', 'InvalidBatch : Field name not found : Nope__c'],
    ['Account', 'Name,Secret__c', 'InvalidBatch : Field name not found : Secret__c'],
    ['Account', 'Name, Code__c', 'InvalidBatch : Field name not found :  Code__c'],
    ['Account', 'Name,', 'InvalidBatch : Field name not found : '],
    [
      'Account',
      'Account:Parent.Code__c',
      'InvalidBatch : type is not needed for non polymorphic foreign key references: Parent',
    ],
    ['Account', 'Ancestor.Code__c', 'InvalidBatch : Unable to find relationship: Ancestor'],
    ['Account', 'Account:Parent', 'InvalidBatch : Field name not found : Account:Parent'],
    ['Account', 'Parent.Parent.Code__c', 'InvalidBatch : Field name not found : Parent.Parent.Code__c'],
    ['Account', 'Parent.Name', 'InvalidBatch : Field name not found : Parent.Name'],
    ['Account', 'ParentId,Parent.Code__c', 'InvalidBatch : Field name duplicated : Parent.Code__c'],
    ['Task', 'What.Code__c', 'InvalidBatch : Field name not found : What.Code__c'],
    ['Task', 'What:Account.Code__c', 'InvalidBatch : Unable to find relationship: Account'],
    ['Task', 'User:What.Username', 'InvalidBatch : Field name not found : User:What.Username'],
    ['Attachment', 'Name,Body', 'FeatureNotEnabled : Binary field not supported'],
  ];
  for (const [object, header, message] of cases) {
    const csv = `${header}\n${'x,'.repeat(header.split(',').length).slice(0, -1)}\n`;
    const { job, unprocessed, failed } = await ingest(t, { object, operation: 'insert' }, csv);
    assert.deepEqual([job.state, ...counters(job), job.errorMessage], ['Failed', 0, 0, message]);
    assert.equal(unprocessed, csv);
    assert.deepEqual(column(failed, 'sf__Error'), []);
  }
});

test('what each operation wants of the header', async () => {
  await using t = await testOrg();
  const message = async (body: Record<string, unknown>, csv: string) =>
    (await ingest(t, { object: 'Account', ...body }, csv)).job.errorMessage;
  assert.match(await message({ operation: 'delete' }, 'Id,Name\n,\n'), /takes the column Id and no other/);
  assert.match(await message({ operation: 'delete' }, 'Name\nx\n'), /takes the column Id and no other/);
  assert.equal(
    await message({ operation: 'upsert', externalIdFieldName: 'Code__c' }, 'Name\nx\n'),
    'InvalidBatch : Field name not found : Code__c',
  );
});

test('an unreadable CSV hands back what was uploaded, be it readable or not', async () => {
  await using t = await testOrg();
  const csv = 'Name,Code__c\n"John", "Smith"\n';
  const { job, unprocessed, successful } = await ingest(t, { object: 'Account', operation: 'insert' }, csv);
  assert.deepEqual([job.state, ...counters(job)], ['Failed', 0, 0]);
  assert.equal(unprocessed, csv);
  assert.equal(successful, '"sf__Id","sf__Created"\n');
});
