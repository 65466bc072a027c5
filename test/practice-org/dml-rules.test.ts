import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rule } from '../../src/practice-org/dml/rule.ts';
import { dmlOrg, said } from './dml-org.ts';

const org = (...rules: Rule[]) => dmlOrg({ rules });

test('a validation rule refuses what it holds for, on the occasions that it names', () => {
  const o = org({
    kind: 'validation',
    object: 'Account',
    on: ['insert'],
    when: {
      all: [
        { field: 'ParentId', is: 'blank' },
        { field: 'Type', equals: ['Partner'] },
      ],
    },
    field: 'ParentId',
    message: 'a partner needs a parent',
  });
  const [bad] = o.insert('Account', [{ Name: 'x', Type: 'Partner' }]);
  assert.deepEqual(bad!.errors, [
    { code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION', message: 'a partner needs a parent', fields: ['ParentId'] },
  ]);
  const id = o.make('Account', { Name: 'x', Type: 'Prospect' });
  assert.deepEqual(said(o.update('Account', [{ Id: id, Type: 'Partner' }])), ['saved']);
});

test('a condition may look at a parent, at a pattern, and at what changes', () => {
  const o = org(
    {
      kind: 'validation',
      object: 'Contact',
      when: { field: 'Account.Industry', equals: 'Banking' },
      message: 'no bankers',
    },
    {
      kind: 'validation',
      object: 'Contact',
      when: {
        not: {
          any: [
            { field: 'Phone', is: 'blank' },
            { field: 'Phone', matches: '^\\+' },
          ],
        },
      },
      message: 'no plus',
    },
    {
      kind: 'validation',
      object: 'Contact',
      on: ['update'],
      when: { field: 'LastName', is: 'changed' },
      message: 'names stay',
    },
  );
  const bank = o.make('Account', { Name: 'Bank', Industry: 'Banking' });
  const id = o.make('Contact', { LastName: 'x', Phone: '+1' });
  assert.deepEqual(
    said(
      o.insert('Contact', [
        { LastName: 'x', AccountId: bank },
        { LastName: 'x', Phone: '0' },
      ]),
    ),
    ['FIELD_CUSTOM_VALIDATION_EXCEPTION: no bankers', 'FIELD_CUSTOM_VALIDATION_EXCEPTION: no plus'],
  );
  assert.deepEqual(said(o.update('Contact', [{ Id: id, LastName: 'x' }])), ['saved']);
  assert.deepEqual(said(o.update('Contact', [{ Id: id, LastName: 'y' }])), [
    'FIELD_CUSTOM_VALIDATION_EXCEPTION: names stay',
  ]);
});

test('a trigger that throws fails its record; one that throws in every pass takes everybody down', () => {
  const fails = (how: 'record' | 'chunk'): Rule => ({
    kind: 'trigger',
    object: 'Account',
    name: 'Guard',
    when: { field: 'Phone', is: 'blank' },
    message: 'System.NullPointerException',
    fails: how,
  });
  const three: Record<string, string>[] = [{ Name: 'a' }, { Name: 'b', Phone: '1' }, { Name: 'c', Phone: '2' }];
  const thrown =
    'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: Guard: execution of BeforeInsert caused by: System.NullPointerException';
  assert.deepEqual(said(org(fails('record')).insert('Account', three)), [thrown, 'saved', 'saved']);
  const many = ['a', 'b', 'c', 'd', 'e'].map((Name) => ({ Name }));
  const retries =
    'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: Too many retries of batch save in the presence of Apex triggers with failures';
  const down = org(fails('chunk'));
  assert.deepEqual(said(down.insert('Account', many)), [thrown, thrown, thrown, retries, retries]);
  assert.equal(down.rows('Account').size, 400);
});

test('rules are off while the custom setting of the user, the profile or the org says so', () => {
  const o = org({
    kind: 'validation',
    object: 'Account',
    when: { field: 'Name', matches: '.' },
    message: 'no',
    bypass: { object: 'Automation_Settings__c', field: 'Bypass_Triggers__c' },
  });
  assert.deepEqual(said(o.insert('Account', [{ Name: 'x' }])), ['FIELD_CUSTOM_VALIDATION_EXCEPTION: no']);
  const { userId } = o.database.facts;
  const id = o.make('Automation_Settings__c', { SetupOwnerId: userId, Bypass_Triggers__c: true });
  assert.deepEqual(said(o.insert('Account', [{ Name: 'x' }])), ['saved']);
  o.remove([id]);
  assert.deepEqual(said(o.insert('Account', [{ Name: 'x' }])), ['FIELD_CUSTOM_VALIDATION_EXCEPTION: no']);
});

test('duplicate rules: alert passes when the client allows it, block never', () => {
  const o = org(
    { kind: 'duplicate', object: 'Lead', fields: ['Email'], action: 'alert' },
    { kind: 'duplicate', object: 'Contact', fields: ['LastName', 'Email'], action: 'block' },
  );
  const lead = { LastName: 'L', Company: 'C', Email: 'l@example.com' };
  o.make('Lead', lead);
  assert.deepEqual(said(o.insert('Lead', [lead])), ['DUPLICATES_DETECTED: Use one of these records?']);
  assert.deepEqual(said(o.insert('Lead', [lead], { allowDuplicates: true })), ['saved']);
  o.make('Contact', { LastName: 'L', Email: 'l@example.com' });
  const again = { LastName: 'l', Email: 'L@example.com' };
  assert.match(said(o.insert('Contact', [again], { allowDuplicates: true }))[0]!, /^DUPLICATES_DETECTED/);
});

test('assignment gives cases to the rule, else to the default owner, when it is asked for', () => {
  const o = dmlOrg();
  const [first, second] = [o.id('User', 1), o.id('User', 2)];
  o.settings.rules = [{ kind: 'assignment', object: 'Case', owner: first, when: { field: 'Origin', equals: 'Web' } }];
  o.settings.defaultCaseOwner = second;
  const owner = (fields: Record<string, string>, assign: boolean) =>
    o.row('Case', o.insert('Case', [fields], { assign })[0]!.id!)!.OwnerId;
  const mine = o.database.facts.userId;
  assert.equal(owner({ Origin: 'Web', OwnerId: mine }, true), first);
  assert.equal(owner({ Origin: 'Phone', OwnerId: mine }, true), second);
  assert.equal(owner({ Origin: 'Web', OwnerId: mine }, false), mine);
});

test('lookup filters, locks and a full storage stand in the way', () => {
  const o = dmlOrg();
  const account = o.id('Account', 0);
  o.settings.rules = [
    { kind: 'lookupFilter', object: 'Contact', field: 'AccountId', when: { field: 'Type', equals: 'Partner' } },
    { kind: 'lock', parent: account, times: 2 },
  ];
  const prospect = o.make('Account', { Name: 'x', Type: 'Prospect' });
  assert.deepEqual(said(o.insert('Contact', [{ LastName: 'x', AccountId: prospect }])), [
    'FIELD_FILTER_VALIDATION_EXCEPTION: Value does not exist or does not match filter criteria.',
  ]);
  const locked = `UNABLE_TO_LOCK_ROW: unable to obtain exclusive access to this record or 200 records: ${account}`;
  const child = () =>
    said(
      o.insert('Opportunity', [{ Name: 'x', StageName: 'Prospecting', CloseDate: '2027-01-01', AccountId: account }]),
    );
  assert.deepEqual([child(), child(), child()], [[locked], [locked], ['saved']]);
  o.settings.storageRows = 3;
  assert.deepEqual(said(o.insert('Account', [{ Name: 'third' }, { Name: 'fourth' }])), [
    'saved',
    'STORAGE_LIMIT_EXCEEDED: storage limit exceeded',
  ]);
});

test('owners: not blank, active, of the standard kind, a queue that takes the object', () => {
  const o = dmlOrg({ queueObjects: { Support: ['Case'] } });
  const lead = { LastName: 'x', Company: 'x' };
  const inactive = o.id('User', 5);
  assert.deepEqual(
    said([
      ...o.insert('Account', [
        { Name: 'x', OwnerId: null },
        { Name: 'x', OwnerId: inactive },
        { Name: 'x', OwnerId: o.id('User', 23) },
      ]),
      ...o.insert('Lead', [
        { ...lead, OwnerId: o.id('Group', 0) },
        { ...lead, OwnerId: o.id('Group', 3) },
        { ...lead, OwnerId: o.id('Group', 2) },
      ]),
    ]),
    [
      'INVALID_CROSS_REFERENCE_KEY: Owner ID: owner cannot be blank',
      `INACTIVE_OWNER_OR_USER: operation performed with inactive user [${inactive}] as owner of account`,
      'OP_WITH_INVALID_USER_TYPE_EXCEPTION: Operation not valid for this user type',
      'INVALID_OPERATION: Queue not associated with this SObject type',
      'INVALID_OPERATION: Queue not associated with this SObject type',
      'saved',
    ],
  );
  o.settings.permissions.updateInactiveOwners = true;
  assert.deepEqual(said(o.insert('Account', [{ Name: 'x', OwnerId: inactive }])), ['saved']);
});

test('record types of another object or not of the profile are refused, and narrow picklists unseen', () => {
  const o = dmlOrg({
    unavailableRecordTypes: ['Account.Partner'],
    recordTypeValues: { 'Account.Business_Account': { Industry: ['Retail'] } },
  });
  const [business, partner] = [o.id('RecordType', 0), o.id('RecordType', 1)];
  const types = o.object('Account').describe.recordTypeInfos as { developerName: string; available: boolean }[];
  assert.deepEqual(
    types.map(({ developerName, available }) => [developerName, available]),
    [
      ['Business_Account', true],
      ['Partner', false],
      ['Master', true],
    ],
  );
  assert.deepEqual(
    said(
      o.insert('Account', [
        { Name: 'x', RecordTypeId: partner },
        { Name: 'x', RecordTypeId: o.id('RecordType', 3) },
        { Name: 'x', Industry: 'Banking' },
        { Name: 'x', Industry: 'Banking', RecordTypeId: '012000000000000AAA' },
      ]),
    ),
    [
      `INVALID_CROSS_REFERENCE_KEY: Record Type ID: this ID value isn't valid for the user: ${partner}`,
      `INVALID_CROSS_REFERENCE_KEY: Record Type ID: this ID value isn't valid for the user: ${o.id('RecordType', 3)}`,
      'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: Industry: bad value for restricted picklist field: Banking',
      'saved',
    ],
  );
  assert.equal(o.row('Account', o.make('Account', { Name: 'x' }))!.RecordTypeId, business);
});

test('audit fields can be set with the permission, on insert alone, where the object allows it', () => {
  const o = dmlOrg();
  const old = {
    CreatedDate: '2020-01-02T03:04:05.000Z',
    CreatedById: o.id('User', 3),
    LastModifiedDate: '2020-01-03T00:00:00.000Z',
  };
  const createable = (object: string) => o.object(object).field('CreatedDate')!.createable;
  assert.equal(createable('Account'), false);
  assert.match(said(o.insert('Account', [{ Name: 'x', ...old }]))[0]!, /^INVALID_FIELD_FOR_INSERT_UPDATE/);
  o.settings.permissions.setAuditFields = true;
  assert.deepEqual(['Account', 'Everything__c', 'Product2'].map(createable), [true, true, false]);
  const row = o.row('Account', o.make('Account', { Name: 'x', ...old }))!;
  assert.deepEqual([row.CreatedDate, row.CreatedById, row.LastModifiedDate], Object.values(old));
  assert.match(
    said(o.upsert('Account', 'External_Key__c', [{ External_Key__c: 'n', Name: 'x', ...old }]))[0]!,
    /^INVALID_FIELD_FOR/,
  );
  assert.match(said(o.update('Account', [{ Id: String(row.Id), ...old }]))[0]!, /^INVALID_FIELD_FOR/);
});

test('without the right to edit nothing is written and describe says so; without Modify All only what is one’s own', () => {
  const o = dmlOrg();
  o.settings.permissions.editData = false;
  assert.equal(o.object('Account').describe.createable, false);
  const id = o.id('Account', 0);
  assert.deepEqual(said([...o.insert('Account', [{ Name: 'x' }]), ...o.update('Account', [{ Id: id, Name: 'x' }])]), [
    'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: entity type cannot be inserted: Account',
    'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY: entity type cannot be updated: Account',
  ]);
  Object.assign(o.settings.permissions, { editData: true, modifyAllData: false });
  const theirs = o.make('Account', { Name: 'theirs', OwnerId: o.id('User', 1) });
  const mine = o.make('Account', { Name: 'mine' });
  assert.deepEqual(said(o.remove([theirs, mine])), [
    'INSUFFICIENT_ACCESS_OR_READONLY: insufficient access rights on object id',
    'saved',
  ]);
});

test('parents must not close a circle; custom lookups may', () => {
  const o = dmlOrg();
  const top = o.make('Account', { Name: 'top' });
  const low = o.make('Account', { Name: 'low', ParentId: o.make('Account', { Name: 'middle', ParentId: top }) });
  assert.match(said(o.update('Account', [{ Id: top, ParentId: low }]))[0]!, /^CIRCULAR_DEPENDENCY/);
  const own = o.make('Everything__c', { Name: 'x' });
  assert.deepEqual(said(o.update('Everything__c', [{ Id: own, Self__c: own }])), ['saved']);
});
