import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { readXlsx } from 'hucre/xlsx';
import { Archive, fillWhileRead } from '../../../src/operations/export/archive.ts';
import { withoutFormula } from '../../../src/operations/export/csv.ts';
import { fileName } from '../../../src/operations/export/file-names.ts';
import { Workbook } from '../../../src/operations/export/workbook.ts';
import { encodeRows } from '../../../src/rows/csv.ts';

async function* batches(rows: string[][]) {
  yield encodeRows(rows);
}

const texts = [
  '=HYPERLINK("http://x")',
  '+1 555',
  'a\tb\nc',
  '\u0001\u000b_x0041_ <&>',
  'x'.repeat(40_000),
  `${'y'.repeat(32_766)}😀`,
];

test('a workbook holds texts as texts, splits long objects, shortens names and says what it cut', async () => {
  const archive = new Archive(new Date());
  const workbook = new Workbook(archive, 3);
  const fields = [
    { name: 'Id', type: 'id' },
    { name: 'Text', type: 'string' },
    { name: 'Big', type: 'double' },
    { name: 'Day', type: 'date' },
  ];
  const rows = texts.map((text, i) => [`Id${i}`, text, i === 0 ? '123456789012345678' : '1.5E3', '2026-11-22']);
  const added: { sheets: string[]; cut: number }[] = [];
  let bytes: Buffer = Buffer.alloc(0);
  await fillWhileRead(
    archive,
    async () => {
      added.push(await workbook.add('A_Very_Long_Name_Of_A_Custom_Object__c', fields, batches(rows)));
      added.push(await workbook.add('A_Very_Long_Name_Of_A_Custom_Object2__c', fields, batches([])));
      await workbook.end();
    },
    async (stream) => {
      bytes = await buffer(stream);
    },
  );
  assert.deepEqual(
    added.map(({ cut }) => cut),
    [2, 0],
  );
  const names = added.flatMap(({ sheets }) => sheets);
  assert.deepEqual(names, [
    'A_Very_Long_Name_Of_A_Custom_Ob',
    'A_Very_Long_Name_Of_A_Custom_~2',
    'A_Very_Long_Name_Of_A_Custom_~3',
    'A_Very_Long_Name_Of_A_Custom_~4',
  ]);
  const { sheets } = await readXlsx(bytes, { readStyles: true });
  assert.deepEqual(
    sheets.map(({ name }) => name),
    names,
  );
  const read = sheets.flatMap((sheet) => sheet.rows.slice(1));
  assert.deepEqual(
    read.map((row) => row[1]),
    [...texts.slice(0, 4), texts[4]!.slice(0, 32_767), texts[5]!.slice(0, 32_766)],
  );
  assert.deepEqual([read[0]![2], read[1]![2]], ['123456789012345678', 1500]);
  assert.equal(new Date(read[0]![3] as Date).toISOString(), '2026-11-22T00:00:00.000Z');
});

test('an archive ends when its content fails, and when nobody reads it', async () => {
  const failing = async (archive: Archive) => {
    await archive.add('one', Readable.from([Buffer.alloc(10)]));
    throw new Error('of the content');
  };
  const archive = new Archive(new Date());
  await assert.rejects(
    fillWhileRead(
      archive,
      () => failing(archive),
      (stream) => buffer(stream),
    ),
    /of the content/,
  );
  const unread = new Archive(new Date());
  async function* endless() {
    for (;;) yield Buffer.alloc(100_000);
  }
  const full = () => Promise.reject(new Error('disk full'));
  await assert.rejects(
    fillWhileRead(unread, async () => void (await unread.add('one', endless(), false)), full),
    /disk full/,
  );
});

test('what a spreadsheet takes for a formula gets an apostrophe, numbers do not', () => {
  const text = { type: 'string' };
  for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '＝1'])
    assert.equal(withoutFormula(formula, text), `'${formula}`);
  assert.equal(withoutFormula('a=1', text), 'a=1');
  assert.equal(withoutFormula('-5.5', { type: 'currency' }), '-5.5');
  assert.equal(withoutFormula('-5.5+A1', { type: 'currency' }), "'-5.5+A1");
});

test('files keep their names and never leave their folder', () => {
  const named = (name: string) => fileName('Attachment', ['Name'], [name], 'Body');
  assert.equal(named('naïve 🚀 notes.txt'), 'naïve 🚀 notes.txt');
  assert.equal(named('../../etc/passwd'), 'passwd');
  assert.equal(named('C:\\temp\\a.pdf'), 'a.pdf');
  assert.equal(named('..'), 'Body');
  assert.equal(named(''), 'Body');
  assert.equal(named('CON.txt'), '_CON.txt');
  assert.equal(named('a<b>:"|?*\n.txt'), 'a_b_______.txt');
  assert.match(named(`${'ü'.repeat(300)}.docx`), /^ü+\.docx$/);
  assert.equal(fileName('Document', ['Name', 'Type'], ['logo', 'png'], 'Body'), 'logo.png');
  assert.equal(
    fileName('ContentVersion', ['PathOnClient', 'Title', 'FileExtension'], ['', 'Plan', 'pdf'], 'VersionData'),
    'Plan.pdf',
  );
});
