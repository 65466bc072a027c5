import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { defaultSettings, type Settings } from '../../src/practice-org/settings.ts';
import { backedUp } from '../support/backed-up.ts';
import { foreignPrograms } from '../support/foreign-reader.ts';
import { differences, writerDifferences } from '../support/found-again.ts';
import { without } from '../support/tools.ts';

const skip = without(...foreignPrograms);
/** Without its counts, no object is known to be small: all that Bulk takes are read by Bulk. */
const allByBulk = { permissions: { ...defaultSettings().permissions, viewSetup: false } };

test('every value of an org is found again in its vault by age, zstd and tar', { skip }, async () => {
  await using backup = await backedUp();
  assert.deepEqual(differences(backup.rig.database, backup.reader), []);
  const { point } = backup.ran.json.result;
  // Two fields are hidden from the user.
  assert.equal(point.coverage, 99.9);
  assert.equal(point.id, backup.reader.point);
});

test('every value is found again by Bulk, in tiny pages of shuffled rows that are never compressed', {
  skip,
}, async () => {
  const database = sampleDatabase({ personAccounts: true, seed: 7, largestFile: 1 << 20 });
  const settings: Partial<Settings> = { ...allByBulk, rowOrder: 'shuffled', bulkPageBytes: 10_000, gzip: 'never' };
  await using backup = await backedUp({ database, settings });
  assert.deepEqual(differences(database, backup.reader), []);
  assert.deepEqual(writerDifferences(backup.reader, backup.writerIdentity), []);
  const { counts } = backup.rig.org.requests;
  assert.ok(counts['bulk.create']! > 40 && counts['bulk.results']! > 400, JSON.stringify(counts));
});

test('every value is found again by Bulk, with empty results of no bytes and plain numbers, all compressed', {
  skip,
}, async () => {
  const database = sampleDatabase({ personAccounts: true, seed: 8, largestFile: 1 << 20 });
  const settings: Partial<Settings> = {
    ...allByBulk,
    bulkEmptyResult: 'nothing',
    bulkScientific: false,
    gzip: 'always',
    headerCase: 'lower',
  };
  await using backup = await backedUp({ database, settings });
  assert.deepEqual(differences(database, backup.reader), []);
});
