import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Database, Row, Table } from '../../src/practice-org/database.ts';
import { danglingReferences, defaultNow, sampleDatabase } from '../../src/practice-org/generate.ts';
import { recordId, recordNumber, withSuffix } from '../../src/practice-org/record-ids.ts';
import { torture } from '../../src/practice-org/torture.ts';

function* rowsOf(table: Table): Generator<Row> {
  for (let number = 0; number < table.source.size; number++) yield table.source.row(number);
}

/** Objects whose Id column is not a key of their own. */
const withoutOwnIds = new Set(['RecentlyViewed', 'Meter_Reading__b']);
const databases: [string, Database][] = [
  ['plain', sampleDatabase()],
  ['with person accounts', sampleDatabase({ personAccounts: true, seed: 7 })],
  ['scaled', sampleDatabase({ scale: { Account: 9000, Contact: 12_000, Project__c: 500, User: 100 } })],
];

for (const [name, database] of databases) {
  test(`${name}: a row has just the fields of its describe, in the types of the REST API`, () => {
    for (const table of database.tables.values()) {
      const types = new Map(
        table.describe.fields
          .filter((field) => !['address', 'location', 'base64'].includes(field.type))
          .map((field) => [field.name, field]),
      );
      for (const row of rowsOf(table)) {
        assert.deepEqual(Object.keys(row), [...types.keys()]);
        for (const [key, value] of Object.entries(row)) {
          const problem = misfit(value, types.get(key)!);
          assert.equal(problem, undefined, `${table.describe.name}.${key} of ${row.Id}: ${problem}`);
        }
      }
    }
  });

  test(`${name}: Ids are valid, ascending and found again`, () => {
    for (const table of database.tables.values()) {
      if (withoutOwnIds.has(table.describe.name)) continue;
      let last = '';
      let number = 0;
      for (const row of rowsOf(table)) {
        const id = String(row.Id);
        assert.equal(withSuffix(id.slice(0, 15)), id);
        assert.ok(id > last);
        if (table.describe.keyPrefix) assert.equal(id.slice(0, 3), table.describe.keyPrefix);
        assert.equal(table.source.find(id), number);
        last = id;
        number++;
      }
      assert.equal(table.source.find('001000000000000AAA'), -1);
    }
  });

  test(`${name}: live rows point only at live rows that exist, but for the declared ones`, () => {
    const live = new Set<string>();
    for (const table of database.tables.values()) {
      for (const row of rowsOf(table)) if (row.IsDeleted !== true && row.Id) live.add(String(row.Id));
    }
    const dangling = new Set<string>();
    let resolved = 0;
    for (const table of database.tables.values()) {
      const lookups = table.describe.fields.filter((field) => field.type === 'reference').map((field) => field.name);
      for (const row of rowsOf(table)) {
        if (row.IsDeleted === true) continue;
        for (const field of lookups) {
          if (row[field] === null) continue;
          if (live.has(String(row[field]))) resolved++;
          else dangling.add(`${table.describe.name}.${field}`);
        }
      }
    }
    assert.ok(resolved > 30_000);
    assert.deepEqual([...dangling], danglingReferences);
  });

  test(`${name}: references name the object that they may point at`, () => {
    const objects = new Map(
      [...database.tables.values()].map((table) => [table.describe.keyPrefix, table.describe.name]),
    );
    for (const table of database.tables.values()) {
      for (const field of table.describe.fields.filter((each) => each.type === 'reference')) {
        const allowed = field.referenceTo as string[];
        for (const row of rowsOf(table)) {
          const object = row[field.name] && objects.get(String(row[field.name]).slice(0, 3));
          if (object) assert.ok(allowed.includes(object), `${table.describe.name}.${field.name} points at ${object}`);
        }
      }
    }
  });

  test(`${name}: stamps are whole seconds in order, none after now`, () => {
    for (const table of database.tables.values()) {
      let last = '';
      for (const row of rowsOf(table)) {
        const stamps = [row.CreatedDate, row.LastModifiedDate, row.SystemModstamp]
          .filter((stamp) => stamp !== undefined)
          .map(String);
        for (const stamp of stamps) assert.match(stamp, /\.000Z$/);
        assert.deepEqual([...stamps].sort(), stamps);
        assert.ok(stamps.every((stamp) => stamp <= defaultNow.toISOString()));
        if (row.CreatedDate) assert.ok(String(row.CreatedDate) >= last);
        last = String(row.CreatedDate ?? '');
      }
    }
  });

  test(`${name}: unique fields and auto numbers are unique`, () => {
    for (const table of database.tables.values()) {
      for (const field of table.describe.fields.filter((each) => each.unique === true || each.autoNumber === true)) {
        const seen = new Set<unknown>();
        for (const row of rowsOf(table)) {
          const value = row[field.name];
          if (value === null) continue;
          assert.ok(!seen.has(value), `${table.describe.name}.${field.name}: ${value} twice`);
          seen.add(value);
        }
      }
    }
  });
}

function misfit(value: unknown, field: { readonly type: string; readonly [key: string]: unknown }): string | undefined {
  if (value === null) return undefined;
  if (field.type === 'boolean') return typeof value === 'boolean' ? undefined : 'not a boolean';
  if (['int', 'double', 'currency', 'percent'].includes(field.type)) {
    if (typeof value !== 'number' || !Number.isFinite(value) || Object.is(value, -0)) return 'not a number';
    return field.type === 'int' && !Number.isInteger(value) ? 'not a whole number' : undefined;
  }
  if (field.type === 'anyType') return undefined;
  if (typeof value !== 'string') return 'not text';
  if (value === '') return 'empty text, which Salesforce stores as null';
  if (!value.isWellFormed()) return 'half a character';
  if (field.type === 'date') return /^\d{4}-\d\d-\d\d$/.test(value) ? undefined : 'not a date';
  if (field.type === 'datetime')
    return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/.test(value) ? undefined : 'not a datetime';
  if (field.type === 'time') return /^\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) ? undefined : 'not a time';
  if (value.length > Number(field.length)) return `${value.length} characters of ${field.length}`;
  if (field.type === 'picklist' && field.restrictedPicklist === true) {
    const values = (field.picklistValues as { value: string }[]).map((entry) => entry.value);
    return values.includes(value) ? undefined : `not one of ${values}`;
  }
  return undefined;
}

test('the same seed gives the same rows, another seed others', () => {
  const digest = (database: Database) => {
    const hash = createHash('sha256');
    for (const table of database.tables.values()) for (const row of rowsOf(table)) hash.update(JSON.stringify(row));
    return hash.digest('hex');
  };
  assert.equal(digest(sampleDatabase({ seed: 3 })), digest(sampleDatabase({ seed: 3 })));
  assert.notEqual(digest(sampleDatabase({ seed: 3 })), digest(sampleDatabase({ seed: 4 })));
});

test('the sample is small: about 11,000 rows and 75 files', () => {
  const { tables } = sampleDatabase();
  const rows = [...tables.values()].reduce((sum, table) => sum + table.source.size, 0);
  assert.ok(rows > 8000 && rows < 13_000, `${rows} rows`);
  assert.ok(tables.size >= 50);
});

test('a file has the bytes, the size and the MD5 that its row says; one is 40 MiB, one empty, and contents repeat', () => {
  const versions = sampleDatabase().tables.get('ContentVersion')!;
  const sizes: number[] = [];
  const sums = new Set<unknown>();
  for (const row of rowsOf(versions)) {
    const bytes = versions.blob!(String(row.Id), 'VersionData')!;
    assert.equal(bytes.length, row.ContentSize);
    assert.equal(createHash('md5').update(bytes).digest('hex'), row.Checksum);
    sizes.push(bytes.length);
    sums.add(row.Checksum);
  }
  assert.equal(Math.max(...sizes), 40 << 20);
  assert.equal(Math.min(...sizes), 0);
  assert.ok(sums.size < sizes.length);
  for (const name of ['Attachment', 'Document']) {
    const table = sampleDatabase().tables.get(name)!;
    for (const row of rowsOf(table)) {
      assert.equal(table.blob!(String(row.Id), 'Body')?.length ?? 0, row.BodyLength);
      assert.equal(table.blob!(String(row.Id), 'Name'), undefined);
    }
  }
});

test('exactly one version of each document is the latest, the one that the document names', () => {
  const { tables } = sampleDatabase();
  const latest = new Map<unknown, unknown>();
  for (const row of rowsOf(tables.get('ContentVersion')!)) {
    if (row.IsLatest === true) latest.set(row.ContentDocumentId, row.Id);
  }
  for (const row of rowsOf(tables.get('ContentDocument')!))
    assert.equal(latest.get(row.Id), row.LatestPublishedVersionId);
});

test('every text that breaks parsers stands in the org, and so do the long ones', () => {
  const { tables } = sampleDatabase();
  const texts = new Set<unknown>();
  let longest = 0;
  for (const name of ['Account', 'Case', 'EmailMessage', 'Everything__c']) {
    for (const row of rowsOf(tables.get(name)!)) {
      for (const value of Object.values(row)) {
        texts.add(value);
        if (typeof value === 'string') longest = Math.max(longest, value.length);
      }
    }
  }
  assert.deepEqual(
    torture.filter((text) => !texts.has(text)),
    [],
  );
  assert.equal(longest, 131_072);
  assert.ok([...texts].some((text) => typeof text === 'string' && text.length === 32_000));
});

test('deleted accounts took their contacts along; some lost a merge', () => {
  const { tables } = sampleDatabase();
  const accounts = [...rowsOf(tables.get('Account')!)];
  const gone = new Set(accounts.filter((row) => row.IsDeleted === true).map((row) => row.Id));
  const contacts = [...rowsOf(tables.get('Contact')!)].filter((row) => gone.has(row.AccountId as string));
  assert.ok(gone.size > 3 && contacts.length > 5);
  assert.deepEqual(
    contacts.filter((row) => row.IsDeleted !== true),
    [],
  );
  const losers = accounts.filter((row) => row.MasterRecordId !== null);
  assert.ok(losers.length > 0 && losers.every((row) => row.IsDeleted === true));
});

test('person accounts and their twin contacts name each other', () => {
  const { tables } = sampleDatabase({ personAccounts: true });
  const contacts = tables.get('Contact')!.source;
  const people = [...rowsOf(tables.get('Account')!)].filter((row) => row.IsPersonAccount === true);
  assert.equal(people.length, 80);
  for (const account of people) {
    const twin = contacts.row(contacts.find(String(account.PersonContactId)));
    assert.equal(twin.AccountId, account.Id);
    assert.equal(twin.IsPersonAccount, true);
    assert.equal(twin.LastName, account.LastName);
    assert.equal(twin.Email, account.PersonEmail);
  }
  assert.equal(
    sampleDatabase()
      .tables.get('Account')!
      .describe.fields.some((field) => field.name === 'IsPersonAccount'),
    false,
  );
});

test('permission sets tell what the login user may do', () => {
  const granted = (database: Database) => {
    const { tables, facts } = database;
    const sets = tables.get('PermissionSet')!.source;
    const all = [...rowsOf(tables.get('PermissionSetAssignment')!)]
      .filter((row) => row.AssigneeId === facts.userId)
      .map((row) => sets.row(sets.find(String(row.PermissionSetId))));
    return (name: string) => all.some((set) => set[name] === true);
  };
  const full = granted(sampleDatabase());
  for (const name of ['ViewAllData', 'QueryAllFiles', 'ViewEncryptedData', 'ViewSetup', 'ApiEnabled']) {
    assert.equal(full(`Permissions${name}`), true, name);
  }
  assert.equal(full('PermissionsModifyAllData'), false);
  const less = granted(sampleDatabase({ withoutPermissions: ['PermissionsQueryAllFiles'] }));
  assert.equal(less('PermissionsQueryAllFiles'), false);
  assert.equal(less('PermissionsViewAllData'), true);
});

test('hidden fields are fields of their object', () => {
  const hidden = [...sampleDatabase().tables.values()].flatMap(({ describe, treatment }) =>
    (treatment.hiddenFields ?? []).map((name) => describe.fields.some((field) => field.name === name)),
  );
  assert.deepEqual(hidden, [true, true]);
});

test('a record Id gives its number back, and a changed one gives none', () => {
  for (const number of [0, 1, 61, 62, 3844, 999_999, 62 ** 5 - 1]) {
    assert.equal(recordNumber('001', recordId('001', number)), number);
  }
  assert.equal(recordId('001', 0).length, 18);
  assert.equal(recordNumber('003', recordId('001', 5)), -1);
  assert.equal(recordNumber('001', `${recordId('001', 5).slice(0, 17)}B`), -1);
});
