import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { backedUp } from '../support/backed-up.ts';
import { foreignPrograms } from '../support/foreign-reader.ts';
import { differences } from '../support/found-again.ts';
import { without } from '../support/tools.ts';

const skip = without(...foreignPrograms);

test('every value is found again when rows in wild order are sorted through the spill into several segments', {
  skip,
}, async () => {
  const objects = ['Account', 'Everything__c'];
  const database = sampleDatabase({ scale: { Account: 60_000, Everything__c: 30_000 } });
  const settings = { rowOrder: 'shuffled', bulkPageBytes: 9_000_000 } as const;
  await using backup = await backedUp({ database, settings }, ['--objects', objects.join()]);
  assert.deepEqual(differences(database, backup.reader, { objects }), []);
  const { base, page } = backup.reader.object('Everything__c');
  assert.ok(base.length > 1);
  assert.equal(page.way, 'bulk');
  // More than is sorted in memory.
  assert.ok(page.bytes > 32 * 1024 * 1024, page.bytes);
  assert.equal(backup.reader.object('Account').page.deleted, 1047);
});

test('every value is found again when chunks of ascending rows come in any order', { skip }, async () => {
  const database = sampleDatabase({ scale: { CampaignMember: 210_000 } });
  const settings = { rowOrder: 'chunked', seed: 3 } as const;
  await using backup = await backedUp({ database, settings }, ['--objects', 'CampaignMember']);
  assert.deepEqual(differences(database, backup.reader, { objects: ['CampaignMember'] }), []);
  const { base, page } = backup.reader.object('CampaignMember');
  assert.equal(page.way, 'bulk');
  assert.ok(base.length > 1);
});
