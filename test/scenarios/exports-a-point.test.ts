import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { readXlsx } from 'hucre/xlsx';
import type { Value } from '../../src/practice-org/database.ts';
import { parseQuotedCsv } from '../support/foreign-csv.ts';
import { fieldsOf, sameValue } from '../support/found-again.ts';
import { Rig } from '../support/rig.ts';
import { run, without } from '../support/tools.ts';

const objects = ['Account', 'Attachment', 'Everything__c'];
const skip = without('unzip', 'sqlite3', 'age');
let rig: Rig;

before(async () => {
  rig = await Rig.start();
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--objects', [...objects, 'Meter_Reading__b'].join());
  assert.equal(ran.status, 0, ran.stderr);
});
after(() => rig[Symbol.asyncDispose]());

const file = (name: string) => path.join(rig.folder, name);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Live rows of the org, by Id. */
function rowsOf(object: string): Map<string, Readonly<Record<string, Value>>> {
  const { source } = rig.database.tables.get(object)!;
  const rows = Array.from({ length: source.size }, (_, n) => source.row(n)).filter((row) => row.IsDeleted !== true);
  return new Map(rows.map((row) => [String(row.Id), row]));
}

/** Compares a table that was read back with the org, cell by cell. */
function assertSame(
  object: string,
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
  same: (cell: unknown, value: Value, type: string) => boolean,
): void {
  const wanted = rowsOf(object);
  assert.equal(rows.length, wanted.size, object);
  const { readable } = fieldsOf(rig.database.tables.get(object)!);
  assert.deepEqual([...columns].sort(), readable.map(({ name }) => name).sort());
  for (const row of rows) {
    const org = wanted.get(String(row[columns.indexOf('Id')]))!;
    for (const { name, type } of readable) {
      const cell = row[columns.indexOf(name)];
      if (!same(cell, org[name] ?? null, type))
        assert.fail(
          `${object}.${name} of ${org.Id}: ${JSON.stringify(cell)?.slice(0, 80)} for ${JSON.stringify(org[name])?.slice(0, 80)}`,
        );
    }
  }
}

test('a zip of CSV has every value, every file in its bytes, and a manifest that says what it holds', {
  skip,
}, async () => {
  const ran = await rig.salvor('export', 'latest', '--to', 'org.zip', '--json');
  assert.equal(ran.status, 0, ran.stderr);
  const { result } = ran.json;
  assert.equal(statSync(file('org.zip')).mode & 0o777, 0o600);
  assert.equal(result.sha256, sha256(readFileSync(file('org.zip'))));
  run('unzip', ['-q', file('org.zip'), '-d', file('org')]);
  const manifest = JSON.parse(readFileSync(file('org/manifest.json'), 'utf8'));
  assert.equal(manifest.point, result.point);
  assert.deepEqual(manifest.objects, result.objects);
  assert.ok(manifest.notCovered.some(({ field }: { field?: string }) => field === 'Credit_Limit__c'));
  for (const { object, entry, sha256: digest, rows, columns } of manifest.objects) {
    const bytes = readFileSync(file(`org/${entry}`));
    assert.equal(sha256(bytes), digest);
    const [head, ...read] = parseQuotedCsv(bytes.toString('utf8'));
    assert.deepEqual(head, columns);
    assert.equal(read.length, rows);
    if (objects.includes(object))
      assertSame(object, head!, read, (cell, value, type) => sameValue(String(cell), value, type));
  }
  const [, ...list] = parseQuotedCsv(readFileSync(file('org/files.csv'), 'utf8'));
  const { blob } = rig.database.tables.get('Attachment')!;
  const stored = list.filter(([, , , , , place]) => place !== '');
  assert.equal(stored.length, manifest.files.count);
  const changed: string[] = [];
  for (const [object, id, field, , digest, place] of stored) {
    const bytes = readFileSync(file(`org/${place}`));
    assert.equal(object, 'Attachment');
    assert.ok(bytes.equals(blob!(id!, field!)!), place);
    assert.equal(sha256(bytes), digest);
    const name = String(rowsOf('Attachment').get(id!)!.Name);
    if (path.basename(place!) !== name) changed.push(name);
  }
  // Only names that some system refuses: a path, a device, quotes.
  assert.deepEqual(changed.map((name) => name.slice(0, 8)).sort(), ['../../et', 'Offer "Q', 'con.txt']);
});

test('a database has typed columns, Id as primary key, and every value', { skip }, async () => {
  const ran = await rig.salvor('export', 'latest', '--to', 'org.db', '--format', 'sqlite', '--json');
  assert.equal(ran.status, 0, ran.stderr);
  const query = (sql: string) => JSON.parse(run('sqlite3', ['-json', file('org.db'), sql]).toString('utf8'));
  for (const { object, table, columns } of ran.json.result.objects) {
    const rows: Record<string, unknown>[] = query(`SELECT * FROM ${table}`);
    if (!objects.includes(object)) continue;
    const read = rows.map((row) => columns.map((name: string) => row[name]));
    assertSame(object, columns, read, (cell, value, type) => {
      if (value === null || value === '') return cell === null;
      if (typeof value === 'boolean') return cell === (value ? 1 : 0);
      if (typeof value === 'number') return cell === value;
      if (typeof cell === 'number') return cell === Number(value);
      // The program prints a text up to its NUL.
      return typeof cell === 'string' && sameValue(cell, String(value).split('\0')[0]!, type);
    });
  }
  const [key] = query("SELECT name, type, pk FROM pragma_table_info('Account') WHERE pk > 0");
  assert.deepEqual(key, { name: 'Id', type: 'TEXT', pk: 1 });
  assert.equal(query("SELECT count(*) AS n FROM Account WHERE typeof(NumberOfEmployees) = 'text'")[0].n, 0);
  const [{ json }] = query('SELECT json FROM salvor_manifest');
  assert.equal(JSON.parse(json).record.digest.length, 64);
});

test('a workbook with files, encrypted to a recipient, of selected rows; what it cuts is told', { skip }, async () => {
  const recipient = /age1\w+/.exec(readFileSync(rig.env.SALVOR_IDENTITY_FILE!, 'utf8'))![0];
  const ran = await rig.salvor(
    ...[
      'export',
      'latest',
      '--format',
      'xlsx',
      '--with-files',
      '--to',
      'some.age',
      '--encrypt-to',
      recipient,
      '--json',
    ],
    ...['--objects', 'Attachment,Everything__c', '--fields', 'Name,Long_Text__c', '--exclude', '*__b'],
  );
  assert.equal(
    ran.status,
    ran.json.result.objects.some((one: { cutCells?: number }) => one.cutCells) ? 3 : 0,
    ran.stderr,
  );
  run('age', ['-d', '-i', rig.env.SALVOR_IDENTITY_FILE!, '-o', file('some.zip'), file('some.age')]);
  run('unzip', ['-q', file('some.zip'), '-d', file('some')]);
  const { sheets } = await readXlsx(readFileSync(file('some/data.xlsx')));
  assert.deepEqual(
    sheets.map(({ name }) => name),
    ['Attachment', 'Everything__c', 'salvor'],
  );
  const [head, ...rows] = sheets[0]!.rows;
  assert.deepEqual(head, ['Id', 'Name']);
  const wanted = rowsOf('Attachment');
  assert.equal(rows.length, wanted.size);
  for (const [id, name] of rows) assert.equal(name, wanted.get(String(id))!.Name);
  assert.equal(JSON.parse(readFileSync(file('some/manifest.json'), 'utf8')).format, 'xlsx');
  assert.ok(readdirSync(file('some/files/Attachment')).length > 0);
});

test('it replaces no file, leaves none behind, and needs an identity', async () => {
  const only = ['--objects', 'Account', '--no-files'];
  assert.equal((await rig.salvor('export', 'latest', '--to', 'vault', ...only)).status, 2);
  const { SALVOR_IDENTITY_FILE: identity, ...env } = rig.env;
  rig.env = env;
  const ran = await rig.salvor('export', 'latest', '--to', 'none.zip', ...only);
  rig.env = { ...env, SALVOR_IDENTITY_FILE: identity! };
  assert.equal(ran.status, 68);
  assert.deepEqual(
    readdirSync(rig.folder).filter((name) => /none|partial/.test(name)),
    [],
  );
});
