import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, type Reply, type TestOrg, testOrg } from './client.ts';
import { id, ids } from './small-database.ts';

async function names(t: TestOrg, where: string, kind: 'query' | 'queryAll' = 'query'): Promise<string[]> {
  const { json, text, status } = await t.query(`SELECT Name FROM Account ${where}`, kind);
  assert.equal(status, 200, text);
  return json.records.map((record: { Name: string }) => record.Name);
}

function error({ status, json }: Reply): [number, string, string] {
  return [status, json[0].errorCode, json[0].message];
}

test('WHERE compares as Salesforce does: text without case, null unequal to everything, Ids in both lengths', async () => {
  await using t = await testOrg();
  const cases: [string, string[]][] = [
    ["WHERE Name = 'ACME'", ['Acme']],
    ["WHERE Name != 'acme'", ['Globex', 'initech']],
    ["WHERE Industry != 'Bank'", ['Globex', 'initech']],
    ['WHERE Industry = null', ['Globex', 'initech']],
    ["WHERE Industry = ''", ['Globex', 'initech']],
    ['WHERE Industry != null', ['Acme']],
    ['WHERE NumberOfEmployees > 3', ['Acme']],
    ['WHERE NumberOfEmployees < 4', ['Globex']],
    ['WHERE NumberOfEmployees >= 3 AND AnnualRevenue <= 100.0', ['Globex']],
    ["WHERE Name LIKE 'a%'", ['Acme']],
    ["WHERE Name LIKE '_lob%'", ['Globex']],
    ["WHERE Name IN ('acme','initech')", ['Acme', 'initech']],
    ["WHERE Name NOT IN ('acme','initech')", ['Globex']],
    ["WHERE Tags__c INCLUDES ('green;red')", ['Acme']],
    ["WHERE Tags__c INCLUDES ('blue','red')", ['Acme', 'Globex']],
    ["WHERE Tags__c EXCLUDES ('green')", ['Globex', 'initech']],
    [`WHERE Id = '${ids.globex.slice(0, 15)}'`, ['Globex']],
    [`WHERE Id IN ('${ids.globex}','${ids.acme}')`, ['Acme', 'Globex']],
    ["WHERE NOT (Name = 'Acme' OR Name = 'Globex')", ['initech']],
    ["WHERE (NOT Name = 'Acme') AND (Name LIKE 'g%' OR Name = 'initech')", ['Globex', 'initech']],
    ['WHERE SystemModstamp >= 2026-03-02T10:00:00Z', ['Globex', 'initech']],
    ['WHERE SystemModstamp > 2026-03-02T11:00:00.000+0100', ['initech']],
    ['WHERE Founded__c = 2001-02-03', ['Acme']],
    ['WHERE CALENDAR_YEAR(Founded__c) = 2001', ['Acme']],
    ["WHERE Parent.Name = 'acme'", ['Globex']],
    ["WHERE Owner.Name = 'The Queue'", ['Globex']],
    ["WHERE Owner.Type = 'User'", ['Acme', 'initech']],
    ["WHERE Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Person 1')", ['Acme']],
    ['WHERE Id NOT IN (SELECT AccountId FROM Contact)', ['initech']],
  ];
  for (const [where, expected] of cases) assert.deepEqual(await names(t, where), expected, where);
});

test('date literals are spans of the org’s clock', async () => {
  await using t = await testOrg({ clockSkew: Date.parse('2026-03-03T12:00:00Z') - Date.now() });
  const cases: [string, string[]][] = [
    ['CreatedDate = TODAY', ['initech']],
    ['CreatedDate = YESTERDAY', ['Globex']],
    ['CreatedDate = LAST_N_DAYS:1', ['Globex', 'initech']],
    ['CreatedDate < TODAY', ['Acme', 'Globex']],
    ['CreatedDate = THIS_MONTH', ['Acme', 'Globex', 'initech']],
    ['CreatedDate > THIS_YEAR', []],
    ['CreatedDate = N_DAYS_AGO:2', ['Acme']],
    ['Founded__c < LAST_N_YEARS:3', ['Acme']],
  ];
  for (const [where, expected] of cases) assert.deepEqual(await names(t, `WHERE ${where}`), expected, where);
});

test('ORDER BY, LIMIT and OFFSET', async () => {
  await using t = await testOrg();
  assert.deepEqual(await names(t, 'ORDER BY Name DESC'), ['initech', 'Globex', 'Acme']);
  assert.deepEqual(await names(t, 'ORDER BY NumberOfEmployees'), ['initech', 'Globex', 'Acme']);
  assert.deepEqual(await names(t, 'ORDER BY NumberOfEmployees DESC NULLS LAST'), ['Acme', 'Globex', 'initech']);
  assert.deepEqual(await names(t, 'ORDER BY Parent.Name NULLS LAST, Name DESC'), ['Globex', 'initech', 'Acme']);
  assert.deepEqual(await names(t, 'ORDER BY Name LIMIT 1 OFFSET 1'), ['Globex']);
  assert.deepEqual(await names(t, 'LIMIT 2'), ['Acme', 'Globex']);
  assert.deepEqual(error(await t.query('SELECT Id FROM Account OFFSET 2001')).slice(0, 2), [
    400,
    'NUMBER_OUTSIDE_VALID_RANGE',
  ]);
});

test('queryAll adds the recycle bin and archived activities', async () => {
  await using t = await testOrg();
  assert.deepEqual(await names(t, '', 'queryAll'), ['Acme', 'Globex', 'initech', 'Gone']);
  assert.deepEqual(await names(t, 'WHERE IsDeleted = true', 'queryAll'), ['Gone']);
  assert.deepEqual(await names(t, 'WHERE IsDeleted = true'), []);
  assert.equal((await t.query('SELECT Id FROM Task')).json.totalSize, 1);
  assert.equal((await t.query('SELECT Id FROM Task', 'queryAll')).json.totalSize, 2);
});

test('parents are nested objects, children nested answers, both null when there are none', async () => {
  await using t = await testOrg();
  const { json } = await t.query(
    "SELECT name, Parent.Name, Owner.Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC LIMIT 1) FROM Account WHERE Name IN ('Globex','initech') ORDER BY Name",
  );
  assert.deepEqual(json, {
    totalSize: 2,
    done: true,
    records: [
      {
        attributes: { type: 'Account', url: `${api}/sobjects/Account/${ids.globex}` },
        Name: 'Globex',
        Parent: { attributes: { type: 'Account', url: `${api}/sobjects/Account/${ids.acme}` }, Name: 'Acme' },
        Owner: { attributes: { type: 'Group', url: `${api}/sobjects/Group/${ids.queue}` }, Name: 'The Queue' },
        Contacts: {
          totalSize: 1,
          done: true,
          records: [
            { attributes: { type: 'Contact', url: `${api}/sobjects/Contact/${id('003', 4)}` }, LastName: 'Person 4' },
          ],
        },
      },
      {
        attributes: { type: 'Account', url: `${api}/sobjects/Account/${ids.initech}` },
        Name: 'initech',
        Parent: null,
        Owner: { attributes: { type: 'User', url: `${api}/sobjects/User/${ids.otherUser}` }, Name: 'Other User' },
        Contacts: null,
      },
    ],
  });
});

test('TYPEOF chooses fields by the kind of parent', async () => {
  await using t = await testOrg();
  const soql = 'SELECT TYPEOF What WHEN Account THEN Name, AnnualRevenue ELSE Id END FROM Task';
  const { json } = await t.query(soql, 'queryAll');
  assert.deepEqual(
    json.records.map((record: { What: Record<string, unknown> }) => ({ ...record.What, attributes: undefined })),
    [
      { attributes: undefined, Name: 'Acme', AnnualRevenue: 10_000_000 },
      { attributes: undefined, Id: id('003', 1) },
    ],
  );
});

test('counts and aggregates', async () => {
  await using t = await testOrg();
  assert.deepEqual((await t.query('SELECT COUNT() FROM Contact')).json, { totalSize: 5, done: true, records: [] });
  assert.equal((await t.query('SELECT SUM(NumberOfEmployees) FROM Contact')).json[0].errorCode, 'INVALID_FIELD');
  const { json } = await t.query(
    'SELECT COUNT(Id), SUM(NumberOfEmployees), AVG(AnnualRevenue) average, MIN(Name), MAX(CreatedDate) FROM Account',
  );
  assert.deepEqual(json.records, [
    {
      attributes: { type: 'AggregateResult' },
      expr0: 3,
      expr1: 15,
      average: 5_000_050,
      expr2: 'Acme',
      expr3: '2026-03-03T10:00:00.000+0000',
    },
  ]);
  const groups = await t.query(
    'SELECT Account.Name, COUNT(Id) c FROM Contact GROUP BY Account.Name HAVING COUNT(Id) > 1 ORDER BY Account.Name DESC',
  );
  assert.deepEqual(groups.json.records, [
    { attributes: { type: 'AggregateResult' }, Name: 'Globex', c: 2 },
    { attributes: { type: 'AggregateResult' }, Name: 'Acme', c: 2 },
  ]);
  const distinct = await t.query('SELECT COUNT_DISTINCT(AccountId) FROM Contact');
  assert.equal(distinct.json.records[0].expr0, 2);
  assert.equal(
    (await t.query('SELECT N__c, COUNT(Id) FROM Number__c GROUP BY N__c')).json[0].errorCode,
    'EXCEEDED_ID_LIMIT',
  );
});

test('large results come in pages by locators that end in the offset', async () => {
  await using t = await testOrg();
  const first = await t.query('SELECT Id FROM Number__c');
  assert.equal(first.json.totalSize, 4500);
  assert.equal(first.json.done, false);
  assert.equal(first.json.records.length, 2000);
  assert.match(first.json.nextRecordsUrl, /^\/services\/data\/v67\.0\/query\/0r8[A-Za-z0-9]{15}-2000$/);
  const second = await t.call(first.json.nextRecordsUrl);
  assert.match(second.json.nextRecordsUrl, /-4000$/);
  const third = await t.call(second.json.nextRecordsUrl);
  assert.deepEqual([third.json.done, third.json.records.length, third.json.nextRecordsUrl], [true, 500, undefined]);
  const hinted = await t.call(`${api}/query?q=SELECT+Id+FROM+Number__c`, {
    headers: { 'sforce-query-options': 'batchSize=250' },
  });
  assert.equal(hinted.json.records.length, 250);
  const wrong = await t.call(`${api}/query/0r8000000000000AAA-2000`);
  assert.deepEqual(error(wrong), [400, 'INVALID_QUERY_LOCATOR', 'invalid query locator']);
  t.org.settings.queryLocatorSeconds = 0;
  assert.equal(error(await t.call(first.json.nextRecordsUrl))[1], 'INVALID_QUERY_LOCATOR');
});

test('wrong names are refused with the place', async () => {
  await using t = await testOrg();
  const reference = 'Please reference your WSDL or the describe call for the appropriate names.';
  assert.deepEqual(error(await t.query('SELECT Id, BadField FROM Account')), [
    400,
    'INVALID_FIELD',
    `\nSELECT Id, BadField FROM Account\n           ^\nERROR at Row:1:Column:12\nNo such column 'BadField' on entity 'Account'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. ${reference}`,
  ]);
  assert.deepEqual(error(await t.query('SELECT Id, FirstName, LastName FROM XYZZY ')), [
    400,
    'INVALID_TYPE',
    `\nSELECT Id, FirstName, LastName FROM XYZZY\n                                    ^\nERROR at Row:1:Column:37\nsObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. ${reference}`,
  ]);
  assert.match(
    error(await t.query('SELECT Nope.Name FROM Account'))[2],
    /Didn't understand relationship 'Nope' in field path/,
  );
  assert.match(
    error(await t.query('SELECT Id, (SELECT Id FROM Nopes) FROM Account'))[2],
    /Didn't understand relationship 'Nopes' in FROM part of query call/,
  );
  assert.match(
    error(await t.query("SELECT Id FROM Account WHERE Notes__c = 'x'"))[2],
    /field 'Notes__c' can not be filtered in a query call/,
  );
  assert.match(error(await t.query('SELECT Id FROM Account ORDER BY Notes__c'))[2], /can not be sorted/);
  assert.match(
    error(await t.query('SELECT Id FROM Account WHERE Name = 5'))[2],
    /must be of type string and should be enclosed in quotes/,
  );
  assert.match(
    error(await t.query("SELECT Id FROM Account WHERE AnnualRevenue = 'x'"))[2],
    /must be of type currency and should not be enclosed in quotes/,
  );
  const badId = error(await t.query("SELECT Id FROM Account WHERE Id = 'somethingwonky'"));
  assert.equal(badId[1], 'INVALID_QUERY_FILTER_OPERATOR');
  assert.match(badId[2], /invalid ID field: somethingwonky$/);
});

test('what cannot be read is MALFORMED_QUERY, what is not supported is named', async () => {
  await using t = await testOrg();
  for (const soql of [
    'SELECT FROM Account',
    '',
    'SELECT Id FROM Account WHERE',
    "SELECT Id FROM Account WHERE Name = 'a' OR Name = 'b' AND Name = 'c'",
  ])
    assert.equal(error(await t.query(soql))[1], 'MALFORMED_QUERY', soql);
  for (const [soql, named] of [
    ['SELECT FORMAT(AnnualRevenue) FROM Account', /FORMAT\(AnnualRevenue\)/],
    ['SELECT Name, COUNT(Id) FROM Account GROUP BY ROLLUP(Name)', /ROLLUP\(Name\)/],
    ['SELECT Id FROM Account USING SCOPE mine', /USING SCOPE mine/],
    ['SELECT Id FROM Account FOR VIEW', /FOR VIEW/],
  ] as const) {
    const [status, code, message] = error(await t.query(soql));
    assert.deepEqual([status, code], [501, 'PRACTICE_ORG_UNSUPPORTED']);
    assert.match(message, named);
  }
});

test('FIELDS() needs a small LIMIT except for STANDARD', async () => {
  await using t = await testOrg();
  assert.equal(error(await t.query('SELECT FIELDS(ALL) FROM Account'))[1], 'MALFORMED_QUERY');
  const all = (await t.query('SELECT FIELDS(ALL) FROM Account LIMIT 1')).json.records[0];
  assert.equal(all.Name, 'Acme');
  assert.equal(all.Tags__c, 'red;green');
  assert.equal('Secret__c' in all, false);
  const standard = (await t.query('SELECT FIELDS(STANDARD) FROM Account')).json.records[0];
  assert.equal('Tags__c' in standard, false);
  const custom = (await t.query('SELECT FIELDS(CUSTOM) FROM Account LIMIT 200')).json.records[0];
  assert.equal('Name' in custom, false);
});

test('hidden fields do not exist for queries, but FieldDefinition lists them', async () => {
  await using t = await testOrg();
  assert.equal(error(await t.query('SELECT Secret__c FROM Account'))[1], 'INVALID_FIELD');
  const { json } = await t.query(
    "SELECT QualifiedApiName, EntityDefinition.Label FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Account'",
  );
  const known = json.records.map((record: { QualifiedApiName: string }) => record.QualifiedApiName);
  assert.equal(known.includes('Secret__c') && known.includes('Ghost__c') && known.includes('Name'), true);
  assert.equal(json.records[0].EntityDefinition.Label, 'Account');
  assert.equal(
    (await t.query("SELECT Id FROM FieldDefinition WHERE EntityDefinitionId = 'Contact'")).json.totalSize,
    7,
  );
  assert.match(
    error(await t.query('SELECT Id FROM FieldDefinition'))[2],
    /^FieldDefinition: a filter on a reified column is required/,
  );
  const entities = await t.query('SELECT QualifiedApiName FROM EntityDefinition WHERE IsQueryable = false');
  assert.deepEqual(
    entities.json.records.map((r: { QualifiedApiName: string }) => r.QualifiedApiName),
    ['AccountChangeEvent'],
  );
  t.org.settings.goneFields = { Account: ['Name'] };
  assert.equal(error(await t.query('SELECT Name FROM Account'))[1], 'INVALID_FIELD');
});

test('objects with restrictions refuse as theirs do', async () => {
  await using t = await testOrg();
  assert.deepEqual(error(await t.query('SELECT Id FROM RecordActionHistory')), [
    500,
    'UNKNOWN_EXCEPTION',
    'An unexpected error occurred.',
  ]);
  assert.deepEqual(error(await t.query('SELECT Id FROM AccountChangeEvent')), [
    400,
    'INVALID_TYPE_FOR_OPERATION',
    'entity type AccountChangeEvent does not support query',
  ]);
  assert.equal(error(await t.query('SELECT COUNT() FROM Reading__b'))[1], 'BIG_OBJECT_UNSUPPORTED_OPERATION');
  assert.equal(
    error(await t.query('SELECT Id FROM Reading__b WHERE At__c > 2026-01-01T00:00:00Z'))[1],
    'BIG_OBJECT_UNSUPPORTED_OPERATION',
  );
  assert.equal(
    (await t.query("SELECT Meter__c FROM Reading__b WHERE Meter__c = 'm1' AND At__c > 2026-01-01T00:00:00Z")).json
      .totalSize,
    1,
  );
  t.org.settings.queryPageSize = 2;
  assert.match(error(await t.query('SELECT Id FROM Routing__mdt'))[2], /does not support queryMore\(\)/);
});

test('without View All Data or Query All Files there is less, with 200', async () => {
  await using t = await testOrg();
  const count = async (object: string) => (await t.query(`SELECT COUNT() FROM ${object}`)).json.totalSize;
  assert.deepEqual([await count('Account'), await count('ContentDocument')], [3, 2]);
  assert.equal((await t.query('SELECT Id FROM ContentDocumentLink')).status, 200);
  t.org.settings.permissions.queryAllFiles = false;
  assert.deepEqual([await count('Account'), await count('ContentDocument')], [3, 1]);
  assert.equal(error(await t.query('SELECT Id FROM ContentDocumentLink'))[1], 'MALFORMED_QUERY');
  const filtered = await t.query(`SELECT Id FROM ContentDocumentLink WHERE ContentDocumentId IN ('${id('069', 1)}')`);
  assert.equal(filtered.json.totalSize, 1);
  t.org.settings.permissions.viewAllData = false;
  assert.deepEqual([await count('Account'), await count('Contact')], [1, 5]);
  const { json } = await t.query('SELECT PermissionsViewAllData, PermissionsQueryAllFiles FROM UserPermissionAccess');
  assert.equal(json.records[0].PermissionsViewAllData, false);
});

test('columns=true tells the sf CLI what a query selects', async () => {
  await using t = await testOrg();
  const soql = encodeURIComponent('SELECT Id, AnnualRevenue, Parent.Name, (SELECT Id FROM Contacts) FROM Account');
  const { json } = await t.call(`${api}/query?q=${soql}&columns=true`);
  assert.equal(json.entityName, 'Account');
  assert.equal(json.idSelected, true);
  assert.equal(json.keyPrefix, '001');
  assert.deepEqual(
    json.columnMetadata.map((column: Record<string, unknown>) => [
      column.columnName,
      column.apexType,
      column.aggregate,
    ]),
    [
      ['Id', 'Id', false],
      ['AnnualRevenue', 'Double', false],
      ['Parent', null, false],
      ['Contacts', null, true],
    ],
  );
  const [parent, contacts] = json.columnMetadata.slice(2);
  assert.equal(parent.foreignKeyName, 'ParentId');
  assert.equal(parent.joinColumns[0].columnName, 'Name');
  assert.deepEqual(
    contacts.joinColumns.map((column: Record<string, unknown>) => [column.columnName, column.apexType]),
    [['Id', 'Id']],
  );
});
