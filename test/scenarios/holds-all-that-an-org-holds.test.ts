import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../../src/practice-org/database.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { defaultSettings } from '../../src/practice-org/settings.ts';
import { backedUp } from '../support/backed-up.ts';
import { foreignPrograms } from '../support/foreign-reader.ts';
import { differences } from '../support/found-again.ts';
import { Rig } from '../support/rig.ts';
import { without } from '../support/tools.ts';

const skip = without(...foreignPrograms);
const options = { everyKind: true, personAccounts: true } as const;

/** What an org can hold, and which rows of the practice org are of that kind. */
const kinds: [kind: string, object: string, isOne: (row: Row) => boolean][] = [
  ['archived activities', 'Task', (row) => row.IsArchived === true],
  ['versions of files that are not the latest', 'ContentVersion', (row) => row.IsLatest === false],
  ['e-mails', 'EmailMessage', () => true],
  ['drafts of articles', 'Knowledge__kav', (row) => row.PublishStatus === 'Draft'],
  ['archived articles', 'Knowledge__kav', (row) => row.PublishStatus === 'Archived' && row.IsLatestVersion === true],
  ['archived versions', 'Knowledge__kav', (row) => row.PublishStatus === 'Archived' && row.IsLatestVersion === false],
  ['history', 'AccountHistory', () => true],
  ['posts of feeds', 'FeedItem', () => true],
  ['comments of feeds', 'FeedComment', () => true],
  ['feeds of an object', 'AccountFeed', () => true],
  ['shares that Bulk refuses', 'Automation_Settings__Share', () => true],
  ['custom settings', 'Automation_Settings__c', () => true],
  ['custom metadata beyond a page', 'Tax_Rate__mdt', () => true],
  ['big objects', 'Ledger__b', () => true],
  ['Person Accounts', 'Account', (row) => row.IsPersonAccount === true],
  ['contacts that are Person Accounts', 'Contact', (row) => row.IsPersonAccount === true],
  ['currencies', 'CurrencyType', () => true],
  ['rates of currencies', 'DatedConversionRate', () => true],
  ['amounts in another currency', 'Opportunity', (row) => row.CurrencyIsoCode === 'JPY'],
  ['links of files', 'ContentDocumentLink', () => true],
  ['members of folders', 'ContentFolderMember', () => true],
  ['items of folders', 'ContentFolderItem', () => true],
  ['comments on ideas', 'IdeaComment', () => true],
  ['votes', 'Vote', () => true],
  ['rows of more than 131,072 characters', 'Everything__c', (row) => Object.values(row).join('').length > 131_072],
  ['NUL bytes', 'Everything__c', (row) => Object.values(row).some((value) => String(value).includes('\0'))],
];

test('the practice org has every kind of row that an org can hold', () => {
  const { tables } = sampleDatabase(options);
  const counts = kinds.map(([kind, object, isOne]) => {
    const { source } = tables.get(object)!;
    return [kind, Array.from({ length: source.size }, (_, n) => source.row(n)).filter(isOne).length] as const;
  });
  assert.deepEqual(
    counts.filter(([, count]) => count === 0),
    [],
  );
});

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
  // Two fields are hidden from the user by field-level security, and count.
  const hidden = point.notCovered.filter(({ reason }: { reason: string }) => /field-level security/.test(reason));
  assert.deepEqual([hidden.length, point.coverage], [2, 99.9]);
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

test('a query whose formulas are too much for the org is asked in parts', { skip }, async () => {
  const database = sampleDatabase();
  const objects = ['Everything__c', 'Project__c'];
  await using backup = await backedUp({ database, settings: { queryFormulas: 2 } }, ['--objects', objects.join()]);
  assert.deepEqual(differences(database, backup.reader, { objects }), []);
});

test('files that the user sees without Query All Files come with their links', { skip }, async () => {
  const database = sampleDatabase();
  const permissions = { ...defaultSettings().permissions, queryAllFiles: false };
  const rig = await Rig.start({ database, settings: { permissions } });
  await using _ = rig;
  await rig.init();
  const ran = await rig.salvor('backup', '--json', '--objects', 'ContentDocument,ContentDocumentLink');
  assert.equal(ran.status, 3, ran.stderr);
  const user = database.facts.userId;
  const rows = (object: string) => {
    const { source } = database.tables.get(object)!;
    return Array.from({ length: source.size }, (_, n) => source.row(n)).filter((row) => row.IsDeleted !== true);
  };
  const seen = new Set(rows('ContentDocument').flatMap((row) => (row.OwnerId === user ? [row.Id] : [])));
  const links = rows('ContentDocumentLink').filter((row) => seen.has(row.ContentDocumentId!));
  const shown: { object: string; rows: number; path: string }[] = ran.json.result.point.objects;
  assert.ok(links.length > seen.size && seen.size > 0);
  assert.deepEqual(
    shown.map(({ object, rows: count, path }) => [object, count, path]),
    [
      ['ContentDocument', seen.size, 'rest'],
      ['ContentDocumentLink', links.length, 'sliced'],
    ],
  );
});
