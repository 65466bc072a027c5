import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadDatabase } from '../../src/practice-org/load.ts';
import { defaultSettings } from '../../src/practice-org/settings.ts';
import { backedUp } from '../support/backed-up.ts';
import { foreignPrograms } from '../support/foreign-reader.ts';
import { differences } from '../support/found-again.ts';
import { project } from '../support/rig.ts';
import { without } from '../support/tools.ts';

const data = path.resolve(project, '../shared/data');
const skip = without(...foreignPrograms) || (existsSync(data) ? false : '../shared/data is absent');
/** Without its counts, no object is known to be small: all that Bulk takes are read by Bulk. */
const allByBulk = { permissions: { ...defaultSettings().permissions, viewSetup: false } };

test('an org made of recorded describes is in its vault value by value, read by REST', { skip }, async () => {
  const { database } = await loadDatabase({ describes: path.join(data, 'describes'), rows: 60 });
  await using backup = await backedUp({ database });
  assert.deepEqual(differences(database, backup.reader), []);
  // The columns of a recorded Account are more than fit into the URL of a query.
  assert.ok(backup.reader.object('Account').page.columns.length > 200);
});

test('an org made of the data sets of others is in its vault value by value', { skip }, async () => {
  const { database } = await loadDatabase({ datasets: path.join(data, 'datasets') });
  await using backup = await backedUp({ database });
  assert.deepEqual(differences(database, backup.reader), []);
});

test('data sets on recorded describes are in the vault value by value, read by Bulk', { skip }, async () => {
  const { database } = await loadDatabase({
    describes: path.join(data, 'describes'),
    datasets: path.join(data, 'datasets'),
    rows: 60,
    seed: 5,
  });
  await using backup = await backedUp({ database, settings: { ...allByBulk, rowOrder: 'shuffled' } });
  assert.deepEqual(differences(database, backup.reader), []);
});
