import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { backedUp } from '../support/backed-up.ts';
import { foreignPrograms } from '../support/foreign-reader.ts';
import { differences } from '../support/found-again.ts';
import { without } from '../support/tools.ts';

const skip = without(...foreignPrograms);
const options = { everyKind: true, personAccounts: true } as const;

test('an org with every kind of object is in its vault value by value, and what is not is named', {
  skip,
}, async () => {
  const database = sampleDatabase(options);
  await using backup = await backedUp({ database, settings: { rowOrder: 'shuffled' } });
  assert.deepEqual(differences(database, backup.reader), []);

  const point = backup.ran.json.result.point;
  const reason = (object: string) =>
    point.notCovered.find((one: { object: string; field?: string }) => one.object === object && !one.field)?.reason;
  assert.equal(reason('Stock__x'), 'external objects: their data is kept in another system');
  assert.equal(reason('AccountChangeEvent'), 'change events are a stream, not stored records');
  assert.equal(point.coverage, 100);
});

test('what Bulk does not do is read by REST: big objects along their index, in its order', { skip }, async () => {
  const database = sampleDatabase(options);
  const objects = ['Ledger__b', 'Meter_Reading__b'];
  await using backup = await backedUp({ database, settings: { queryPageSize: 200, bulkBigObjects: false } }, [
    '--objects',
    objects.join(),
  ]);
  assert.deepEqual(differences(database, backup.reader, { objects }), []);
  for (const name of objects) {
    const { source } = database.tables.get(name)!;
    const index = database.tables.get(name)!.treatment.bigObjectIndex!;
    const { page, base } = backup.reader.object(name);
    const rows = base.flatMap(({ key }) => backup.reader.table(key).rows);
    const columns = index.map((field) => page.columns.indexOf(field));
    const inOrder = Array.from({ length: source.size }, (_, n) => index.map((field) => String(source.row(n)[field])));
    assert.deepEqual(
      rows.map((cells) => columns.map((column) => cells[column])),
      inOrder,
    );
  }
  const shown: { object: string; path: string }[] = backup.ran.json.result.point.objects;
  assert.deepEqual(
    shown.map(({ object }) => object),
    objects,
  );
});
