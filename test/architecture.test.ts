import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';

const src = path.resolve(import.meta.dirname, '../src');

/** What operations may see of salesforce: interfaces, and the pure rules of Bulk's CSV. */
const salesforceInterface = ['salesforce/org.ts', 'salesforce/writing.ts', 'salesforce/bulk-csv.ts'];

/** Which folders of src/ each folder may import from, besides itself and the base files. */
const arrows: Record<string, readonly string[]> = {
  base: [],
  schema: [],
  rows: ['schema'],
  age: [],
  store: [],
  vault: ['schema', 'rows', 'age', 'store/store.ts'],
  salesforce: ['schema', 'rows'],
  operations: ['schema', 'rows', 'age', 'vault', 'store/store.ts', ...salesforceInterface],
  'practice-org': [],
  cli: ['schema', 'rows', 'age', 'store', 'vault', 'salesforce', 'operations', 'practice-org'],
};

/** Packages that may be imported, and where. Everything else is Node's own. */
const packages: Record<string, readonly string[]> = {
  undici: ['salesforce', 'cli/notify'],
  'csv-parse': ['rows/csv.ts', 'practice-org'],
  '@aws-sdk/client-s3': ['store/s3.ts', 'store/s3-bucket.ts'],
  'age-encryption': ['age'],
  '@scure/base': ['age'],
  // `--where` is evaluated on rows of a point, which no org is asked about.
  '@jetstreamapp/soql-parser-js': ['practice-org', 'salesforce', 'operations/select'],
  '@xmldom/xmldom': ['practice-org/soap'],
  yazl: ['operations/export', 'practice-org/soap'],
  zod: ['vault', 'cli', 'salesforce', 'operations'],
  commander: ['cli'],
  inquirer: ['cli'],
  ora: ['cli'],
  chalk: ['cli'],
  keytar: ['cli/secrets.ts'],
};

/** What `--help` and `--version` must not load: these may only be imported dynamically from cli/. */
const heavy = ['salesforce', 'store', 'vault', 'operations', 'practice-org', 'age'];

interface Import {
  file: string;
  specifier: string;
  dynamic: boolean;
  typeOnly: boolean;
}

function imports(): Import[] {
  const found: Import[] = [];
  for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = path.relative(src, path.join(entry.parentPath, entry.name)).split(path.sep).join('/');
    const text = readFileSync(path.join(src, file), 'utf8');
    for (const m of text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\s+from\s+)?'([^']+)'/gm)) {
      found.push({ file, specifier: m[2]!, dynamic: false, typeOnly: Boolean(m[1]) });
    }
    for (const m of text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)) {
      found.push({ file, specifier: m[1]!, dynamic: true, typeOnly: false });
    }
  }
  return found;
}

function folderOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : 'base';
}

function matches(file: string, allowed: readonly string[]): boolean {
  return allowed.some((place) => file === place || file.startsWith(`${place}/`));
}

test('arrows between the folders of src/ point one way', () => {
  const wrong: string[] = [];
  for (const { file, specifier } of imports()) {
    if (!specifier.startsWith('.')) continue;
    const target = path.posix.join(path.posix.dirname(file), specifier);
    const from = folderOf(file);
    const to = folderOf(target);
    if (from === to || to === 'base') continue;
    if (!matches(target, arrows[from] ?? [])) wrong.push(`${file} -> ${target}`);
  }
  assert.deepEqual(wrong, []);
});

test('packages are imported only where the table says', () => {
  const wrong: string[] = [];
  for (const { file, specifier } of imports()) {
    if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
    assert.ok(!builtinModules.includes(specifier), `${file}: write node:${specifier}`);
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    if (!matches(file, packages[name] ?? [])) wrong.push(`${file} -> ${name}`);
  }
  assert.deepEqual(wrong, []);
});

test('cli loads the heavy folders only on demand', () => {
  const wrong = imports().filter(({ file, specifier, dynamic, typeOnly }) => {
    if (folderOf(file) !== 'cli' || dynamic || typeOnly || !specifier.startsWith('.')) return false;
    return heavy.includes(folderOf(path.posix.join(path.posix.dirname(file), specifier)));
  });
  assert.deepEqual(
    wrong.map(({ file, specifier }) => `${file} -> ${specifier}`),
    [],
  );
});

test('only cli/ and the practice org listener touch the terminal', () => {
  const wrong: string[] = [];
  for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = path.relative(src, path.join(entry.parentPath, entry.name)).split(path.sep).join('/');
    if (folderOf(file) === 'cli') continue;
    if (/\bconsole\.|process\.(stdout|stderr|stdin|exit)\b/.test(readFileSync(path.join(src, file), 'utf8')))
      wrong.push(file);
  }
  assert.deepEqual(wrong, []);
});

test('no drawer is named utils, helpers, common or types, and no file passes 400 lines', () => {
  const wrong: string[] = [];
  for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
    if (/^(utils?|helpers?|common|types?|constants|misc)(\.ts)?$/.test(entry.name)) wrong.push(entry.name);
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const lines = readFileSync(path.join(entry.parentPath, entry.name), 'utf8').split('\n').length;
    if (lines > 400) wrong.push(`${entry.name}: ${lines} lines`);
  }
  assert.deepEqual(wrong, []);
});
