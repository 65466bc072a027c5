import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { dmlOrg, said, saved, stampNow } from './dml-org.ts';

test('a new row gets the next Id, stamps, owner, defaults and autonumbers, and what it was not given is empty', () => {
  const org = dmlOrg();
  const size = org.rows('Everything__c').size;
  const id = org.make('Everything__c', { Name: 'One', Money__c: 12.345, Flag__c: false });
  assert.equal(id > org.id('Everything__c', size - 1), true);
  const row = org.row('Everything__c', id)!;
  assert.equal(row.Name, 'One');
  assert.equal(row.Money__c, 12.35);
  assert.equal(row.Flag__c, false);
  assert.equal(row.City__c, 'Zürich');
  assert.equal(row.Auto__c, 'E-00000090');
  assert.equal(row.Text__c, null);
  assert.equal(row.Formula_Number__c, 24.7);
  const { userId } = org.database.facts;
  for (const field of ['OwnerId', 'CreatedById', 'LastModifiedById']) assert.equal(row[field], userId);
  for (const field of ['CreatedDate', 'LastModifiedDate', 'SystemModstamp']) assert.equal(row[field], stampNow);
  assert.deepEqual(Object.keys(row), Object.keys(org.rows('Everything__c').row(0)));
  assert.equal(org.row('Everything__c', org.make('Everything__c', { Name: 'Two' }))!.Flag__c, true);
});

test('a change touches what was sent and the stamps of change; null empties, what is absent stays', () => {
  const org = dmlOrg();
  const id = org.id('Account', 2);
  const before = org.row('Account', id)!;
  assert.deepEqual(said(org.update('Account', [{ Id: id, Name: 'Renamed  ', Phone: null }])), ['saved']);
  const { userId } = org.database.facts;
  assert.deepEqual(org.row('Account', id), {
    ...before,
    Name: 'Renamed',
    Phone: null,
    LastModifiedDate: stampNow,
    LastModifiedById: userId,
    SystemModstamp: stampNow,
  });
});

test('two orgs over one database do not see what the other writes', () => {
  const database = sampleDatabase();
  const [one, two] = [dmlOrg({}, database), dmlOrg({}, database)];
  const id = one.id('Account', 0);
  one.update('Account', [{ Id: id, Name: 'Mine' }]);
  assert.equal(one.row('Account', id)!.Name, 'Mine');
  assert.notEqual(two.row('Account', id)!.Name, 'Mine');
  assert.notEqual(database.tables.get('Account')!.source.row(0).Name, 'Mine');
});

test('what cannot be written is refused with the code of the platform', () => {
  const org = dmlOrg();
  const [contact, account] = [org.id('Contact', 0), org.id('Account', 0)];
  const gone = account.replace(/^001.{12}/, '0015e9999999999').slice(0, 15);
  assert.deepEqual(
    said([
      ...org.insert('Contact', [
        { FirstName: 'No last name' },
        { LastName: 'x', Id: contact },
        { LastName: 'x', Name: 'x', IsDeleted: false },
        { LastName: 'x', AccountId: contact },
        { LastName: 'x', AccountId: gone },
        { LastName: 'x', AccountId: 'North' },
        { LastName: 'x', AccountId: org.id('Account', 53) },
        { LastName: 'x'.repeat(81) },
        { LastName: 'x', Email: 'no address' },
      ]),
      ...org.insert('Project__c', [
        { Name: 'x', Budget__c: 1e14 },
        { Name: 'x', Stage__c: 'On ice' },
        { Name: 'x', Code__c: String(org.rows('Project__c').cell(3, 'Code__c')) },
      ]),
      ...org.update('Account', [
        { Id: org.id('Account', 53), Name: 'x' },
        { Id: gone, Name: 'x' },
        { Id: contact, Name: 'x' },
      ]),
      ...org.insert('AccountHistory', [{}]),
    ]),
    [
      'REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]',
      'INVALID_FIELD_FOR_INSERT_UPDATE: cannot specify Id in an insert call',
      'INVALID_FIELD_FOR_INSERT_UPDATE: Unable to create/update fields: Name, IsDeleted. Please check the security settings of this field and verify that it is read/write for your profile or permission set.',
      `MALFORMED_ID: Account ID: id value of incorrect type: ${contact}`,
      `INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: insufficient access rights on cross-reference id: ${gone}`,
      'MALFORMED_ID: Account ID: id value of incorrect type: North',
      'ENTITY_IS_DELETED: entity is deleted',
      `STRING_TOO_LONG: Last Name: data value too large: ${'x'.repeat(81)} (max length=80)`,
      'INVALID_EMAIL_ADDRESS: Email: invalid email address: no address',
      'NUMBER_OUTSIDE_VALID_RANGE: Budget: value outside of valid range on numeric field: 100000000000000',
      'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: Stage: bad value for restricted picklist field: On ice',
      `DUPLICATE_VALUE: duplicate value found: Code__c duplicates value on record with id: ${org.id('Project__c', 3)}`,
      'ENTITY_IS_DELETED: entity is deleted',
      'INVALID_CROSS_REFERENCE_KEY: invalid cross reference id',
      `MALFORMED_ID: Account ID: id value of incorrect type: ${contact}`,
      'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: entity type cannot be inserted: Account History',
    ],
  );
});

test('text that is no value of its type is told in the words of each API', () => {
  const org = dmlOrg();
  const bad = { Name: 'x', Day__c: '2026-02-30', Flag__c: 'perhaps', Whole__c: '1.5' };
  const codes = (api: 'rest' | 'bulk') =>
    org
      .insert('Everything__c', [bad], { api })[0]!
      .errors.map(({ code, message, fields }) => [code, message, ...fields]);
  assert.deepEqual(codes('bulk'), [
    ['INVALID_FIELD', "'2026-02-30' is not a valid value for the type xsd:date", 'Day__c'],
    ['INVALID_FIELD', "'perhaps' is not a valid value for the type xsd:boolean", 'Flag__c'],
    ['INVALID_FIELD', "'1.5' is not a valid value for the type xsd:int", 'Whole__c'],
  ]);
  assert.deepEqual(
    codes('rest').map(([code]) => code),
    ['JSON_PARSER_ERROR', 'JSON_PARSER_ERROR', 'JSON_PARSER_ERROR'],
  );
  const good = {
    Name: 'x',
    Day__c: '2026-02-28',
    Flag__c: '0',
    Whole__c: '7',
    Moment__c: '2026-02-28T01:30:00.999+02:00',
  };
  const row = org.row('Everything__c', saved(org.insert('Everything__c', [good], { api: 'bulk' })[0]!))!;
  assert.deepEqual(
    [row.Day__c, row.Flag__c, row.Whole__c, row.Moment__c],
    ['2026-02-28', false, 7, '2026-02-27T23:30:00.000Z'],
  );
});

test('unique fields know no capitals unless they say so', () => {
  const org = dmlOrg();
  org.make('Everything__c', { Name: 'x', Key__c: 'One' });
  assert.match(said(org.insert('Everything__c', [{ Name: 'y', Key__c: 'oNE' }]))[0]!, /^DUPLICATE_VALUE/);
  org.make('Project__c', { Name: 'x', Code__c: 'One' });
  assert.deepEqual(said(org.insert('Project__c', [{ Name: 'y', Code__c: 'oNE' }])), ['saved']);
});

test('an upsert creates, updates, or refuses keys that stand twice, in the call or in the org', () => {
  const org = dmlOrg();
  const key = String(org.rows('Account').cell(5, 'External_Key__c'));
  const results = org.upsert('Account', 'External_Key__c', [
    { External_Key__c: key, Name: 'known' },
    { External_Key__c: 'new', Name: 'new' },
    { External_Key__c: 'twice', Name: 'a' },
    { External_Key__c: 'TWICE', Name: 'b' },
  ]);
  assert.deepEqual(said(results), [
    'saved',
    'saved',
    'DUPLICATE_VALUE: Duplicate external id specified: twice',
    'DUPLICATE_VALUE: Duplicate external id specified: TWICE',
  ]);
  assert.deepEqual(
    results.map(({ created }) => created),
    [false, true, false, false],
  );
  assert.equal(results[0]!.id, org.id('Account', 5));
  const email = 'same@example.com';
  for (const LastName of ['a', 'b']) org.make('Contact', { LastName, Email: email });
  assert.match(said(org.upsert('Contact', 'Email', [{ Email: email, LastName: 'c' }]))[0]!, /^DUPLICATE_EXTERNAL_ID/);
  assert.deepEqual(
    org.upsert('Account', 'Id', [{ Id: null, Name: 'blank' }]).map(({ created }) => created),
    [true],
  );
});

test('a lookup may name its target by a key; one that is not found fails the record', () => {
  const org = dmlOrg();
  const account = org.id('Account', 5);
  const key = String(org.rows('Account').cell(5, 'External_Key__c'));
  const by = (value: string) => ({ relationship: 'Account', keyField: 'External_Key__c', key: value });
  assert.equal(org.insertWith('Contact', { LastName: 'x' }, [by(key)]), 'saved');
  const last = org.rows('Contact').size - 1;
  assert.equal(org.rows('Contact').cell(last, 'AccountId'), account);
  assert.equal(
    org.insertWith('Contact', { LastName: 'x' }, [by('c9')]),
    'INVALID_FIELD: Foreign key external ID: c9 not found for field External_Key__c in entity Account',
  );
});

test('one bad record leaves the others alone and a gap in Ids and autonumbers', () => {
  const org = dmlOrg();
  const results = org.insert('Payment__c', [{ Amount__c: 1 }, { Invoice__c: 'x' }, { Amount__c: 3 }]);
  assert.deepEqual(said(results), ['saved', 'MALFORMED_ID: Invoice: id value of incorrect type: x', 'saved']);
  const names = results.flatMap(({ id }) => (id === undefined ? [] : [org.row('Payment__c', id)!.Name]));
  // The first pass used up two.
  assert.deepEqual(names, ['PAY-00000262', 'PAY-00000263']);
  assert.equal(org.rows('Payment__c').size, 262);
});

test('all or none: nothing is saved, and the good ones say why', () => {
  const org = dmlOrg();
  const results = org.insert('Account', [{ Name: 'good' }, { Phone: '1' }], { allOrNone: true });
  assert.deepEqual(said(results), [
    'ALL_OR_NONE_OPERATION_ROLLED_BACK: Record rolled back because not all records were valid and the request was using AllOrNone header',
    'REQUIRED_FIELD_MISSING: Required fields are missing: [Name]',
  ]);
  assert.deepEqual(
    results.map(({ id }) => id),
    [undefined, undefined],
  );
  assert.equal(org.rows('Account').size, 400);
});

test('a transaction takes back everything inside when it throws: rows, deletes, files', () => {
  const org = dmlOrg();
  const account = org.id('Account', 0);
  const before = org.row('Account', account);
  const sizes = () =>
    ['Account', 'ContentVersion', 'ContentDocument', 'ContentDocumentLink'].map((n) => org.rows(n).size);
  const start = sizes();
  assert.throws(() =>
    org.dml.transaction(() => {
      org.update('Account', [{ Id: account, Name: 'changed' }]);
      org.make('Account', { Name: 'new' });
      org.make('ContentVersion', { PathOnClient: 'a.txt', VersionData: Buffer.from('a') });
      assert.deepEqual(said(org.remove([org.id('Project__c', 0)])), ['saved']);
      throw new Error('no');
    }),
  );
  assert.deepEqual(sizes(), start);
  assert.deepEqual(org.row('Account', account), before);
  assert.equal(org.row('Project__c', org.id('Project__c', 0))!.IsDeleted, false);
  assert.deepEqual(said(org.undelete([org.id('Project__c', 0)])), [
    'UNDELETE_FAILED: Entity is not in the recycle bin',
  ]);
});
