/*
 * How much of what an org holds stands in a point of it: read back by age, zstd and tar, counted against the org's own database, and
 * compared value by value. What is not there has to be listed with a reason.
 *
 *   node test/bench/coverage.ts [--readme]     needs age, zstd, tar
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Database } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { loadDatabase } from '../../src/practice-org/load.ts';
import { defaultSettings, type Settings } from '../../src/practice-org/settings.ts';
import { backedUp } from '../support/backed-up.ts';
import { foreignPrograms } from '../support/foreign-reader.ts';
import { differences } from '../support/found-again.ts';
import { type Found, found } from '../support/found-figures.ts';
import { without } from '../support/tools.ts';
import { publish } from './figures.ts';

const missing = without(...foreignPrograms);
if (missing) throw new Error(missing);
const lines: string[][] = [];
const number = (value: number) => value.toLocaleString('en-US');
let failed = false;

async function measure(what: string, database: Database, settings: Partial<Settings> = {}): Promise<void> {
  await using backup = await backedUp({ database, settings });
  const wrong = differences(database, backup.reader);
  for (const sentence of wrong) process.stderr.write(`${sentence}\n`);
  failed ||= wrong.length > 0;
  const figures = found(database, backup.reader);
  const cell = ({ org, point, listed }: Found) =>
    `${number(org)} = ${number(point)}${listed > 0 ? ` + ${number(listed)}` : ''}`;
  const all = Object.values(figures);
  const share =
    (100 * all.reduce((sum, { point, listed }) => sum + point + listed, 0)) /
    all.reduce((sum, { org }) => sum + org, 0);
  const { objects, fields, rows, values, files } = figures;
  failed ||= all.some(({ org, point, listed }) => org !== point + listed);
  lines.push([
    what,
    ...[objects, fields, rows, values, files].map(cell),
    wrong.length === 0 ? `${Math.floor(share * 10) / 10} %` : `${wrong.length} differences`,
  ]);
}

const data = path.resolve(import.meta.dirname, '../../../shared/data');
const describes = path.join(data, 'describes');
const datasets = path.join(data, 'datasets');
/** Without its counts, no object is known to be small: all that Bulk takes are read by Bulk. */
const byBulk = { permissions: { ...defaultSettings().permissions, viewSetup: false } };

await measure('sample org, every kind of object', sampleDatabase({ everyKind: true, personAccounts: true }));
await measure('the same, big objects along their index', sampleDatabase({ everyKind: true }), {
  bulkBigObjects: false,
  queryPageSize: 500,
});
if (existsSync(data)) {
  await measure('recorded describes, by REST', (await loadDatabase({ describes, rows: 60 })).database);
  const both = await loadDatabase({ describes, datasets, rows: 60, seed: 5 });
  await measure('recorded describes and data sets, by Bulk', both.database, { ...byBulk, rowOrder: 'shuffled' });
}
publish(
  'coverage',
  'What the org holds = what stands in the point + what is listed there with the reason',
  ['org', 'objects', 'fields', 'rows', 'values', 'files', 'found or listed'],
  lines,
);
if (failed) process.exitCode = 1;
