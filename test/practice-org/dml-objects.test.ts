import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { dmlOrg, said, stampNow } from './dml-org.ts';

type Org = ReturnType<typeof dmlOrg>;

test('names of people are made of their parts', () => {
  const org = dmlOrg();
  const id = org.make('Contact', { FirstName: 'Ada', LastName: 'Lindqvist' });
  assert.equal(org.row('Contact', id)!.Name, 'Ada Lindqvist');
  org.update('Contact', [{ Id: id, FirstName: null }]);
  assert.equal(org.row('Contact', id)!.Name, 'Lindqvist');
});

test('a contact stands in a direct relation to its account, which the platform makes and keeps', () => {
  const org = dmlOrg();
  const [one, two] = ['one', 'two'].map((Name) => org.make('Account', { Name }));
  const contact = org.make('Contact', { LastName: 'C', AccountId: one! });
  const relations = () => org.where('AccountContactRelation', 'ContactId', contact);
  const pairs = () => relations().map((row) => [row.AccountId, row.IsDirect]);
  assert.deepEqual(pairs(), [[one, true]]);
  assert.match(
    said(org.insert('AccountContactRelation', [{ AccountId: one!, ContactId: contact }]))[0]!,
    /^DUPLICATE_VALUE/,
  );
  assert.match(said(org.remove([String(relations()[0]!.Id)]))[0]!, /^INVALID_OPERATION: A direct relationship/);
  org.make('AccountContactRelation', { AccountId: two!, ContactId: contact, Roles: 'Influencer' });
  org.update('Contact', [{ Id: contact, AccountId: two! }]);
  assert.deepEqual(pairs(), [[two, true]]);
  org.remove([contact]);
  assert.deepEqual(pairs(), []);
});

test('a person account and its contact are one', () => {
  const org = dmlOrg({}, sampleDatabase({ personAccounts: true }));
  const RecordTypeId = org.id('RecordType', 2);
  const id = org.make('Account', {
    RecordTypeId,
    FirstName: 'Ada',
    LastName: 'Lindqvist',
    PersonEmail: 'ada@example.com',
  });
  const account = org.row('Account', id)!;
  const contact = org.row('Contact', String(account.PersonContactId))!;
  assert.deepEqual([account.Name, account.IsPersonAccount], ['Ada Lindqvist', true]);
  assert.deepEqual(
    [contact.Name, contact.Email, contact.AccountId, contact.IsPersonAccount],
    ['Ada Lindqvist', 'ada@example.com', id, true],
  );
  org.update('Account', [{ Id: id, LastName: 'Berg' }]);
  assert.equal(org.row('Contact', String(contact.Id))!.Name, 'Ada Berg');
  assert.deepEqual(
    said([
      ...org.insert('Account', [
        { RecordTypeId, LastName: 'x', Name: 'x' },
        { RecordTypeId },
        { Name: 'x', PersonEmail: 'ada@example.com' },
        { Name: 'x', PersonContactId: String(contact.Id) },
      ]),
      ...org.remove([String(contact.Id)]),
    ]).map((text) => text.replace(/:.*/, '')),
    [
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      'REQUIRED_FIELD_MISSING',
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      'INVALID_PERSON_ACCOUNT_OPERATION',
    ],
  );
});

function opportunity(org: Org, more: Record<string, string | number> = {}): string {
  return org.make('Opportunity', { Name: 'O', StageName: 'Prospecting', CloseDate: '2027-05-01', ...more });
}

test('the stage of an opportunity brings its probability, forecast and end along', () => {
  const org = dmlOrg();
  const id = opportunity(org, { Amount: 1000 });
  const read = () => {
    const row = org.row('Opportunity', id)!;
    return [row.Probability, row.ForecastCategoryName, row.IsClosed, row.IsWon, row.ExpectedRevenue, row.Fiscal];
  };
  assert.deepEqual(read(), [10, 'Pipeline', false, false, 100, '2027 2']);
  org.update('Opportunity', [{ Id: id, StageName: 'Closed Won', Probability: 90 }]);
  assert.deepEqual(read(), [90, 'Closed', true, true, 900, '2027 2']);
});

test('the contact of a new opportunity becomes its primary role, and a second primary demotes the first', () => {
  const org = dmlOrg();
  const [first, second] = [org.id('Contact', 1), org.id('Contact', 2)];
  const id = opportunity(org, { ContactId: first });
  org.make('OpportunityContactRole', { OpportunityId: id, ContactId: second, IsPrimary: true });
  assert.deepEqual(
    org.where('OpportunityContactRole', 'OpportunityId', id).map((row) => [row.ContactId, row.IsPrimary]),
    [
      [first, false],
      [second, true],
    ],
  );
});

test('a product has a standard price first, one price a book, and lines go by active entries of the book', () => {
  const org = dmlOrg();
  const product = org.make('Product2', { Name: 'Pump', ProductCode: 'P1', IsActive: true });
  const [standard, partners] = [org.id('Pricebook2', 0), org.id('Pricebook2', 1)];
  const entry = (Pricebook2Id: string, more = {}) => ({
    Pricebook2Id,
    Product2Id: product,
    UnitPrice: 10,
    IsActive: true,
    ...more,
  });
  assert.deepEqual(said(org.insert('PricebookEntry', [entry(partners)])), [
    'STANDARD_PRICE_NOT_DEFINED: Before creating a custom price, create a standard price.',
  ]);
  const id = org.make('PricebookEntry', entry(standard));
  assert.deepEqual(
    said(org.insert('PricebookEntry', [entry(standard), entry(partners, { UseStandardPrice: true, UnitPrice: 9 })])),
    [
      'FIELD_INTEGRITY_EXCEPTION: This price definition already exists in this price book',
      'FIELD_INTEGRITY_EXCEPTION: the unit price is not the standard price',
    ],
  );
  const custom = org.make('PricebookEntry', entry(partners, { IsActive: false }));
  assert.deepEqual(
    [org.row('PricebookEntry', custom)!.Name, org.row('PricebookEntry', custom)!.ProductCode],
    ['Pump', 'P1'],
  );
  const parent = opportunity(org, { Pricebook2Id: standard, Amount: 5 });
  const line = (more: object) => ({ OpportunityId: parent, PricebookEntryId: id, Quantity: 2, ...more });
  const codes = said(
    org.insert('OpportunityLineItem', [
      line({ UnitPrice: 1, TotalPrice: 2 }),
      line({}),
      line({ PricebookEntryId: custom, UnitPrice: 1 }),
      line({ PricebookEntryId: org.id('PricebookEntry', 60), UnitPrice: 1 }),
    ]),
  );
  assert.deepEqual(
    codes.map((text) => text.replace(/:.*/, '')),
    ['FIELD_INTEGRITY_EXCEPTION', 'REQUIRED_FIELD_MISSING', 'FIELD_INTEGRITY_EXCEPTION', 'FIELD_INTEGRITY_EXCEPTION'],
  );
  const made = org.row('OpportunityLineItem', org.make('OpportunityLineItem', line({ TotalPrice: 30 })))!;
  assert.deepEqual(
    [made.UnitPrice, made.TotalPrice, made.ListPrice, made.Product2Id, made.Name],
    [15, 30, 10, product, 'O Pump'],
  );
  const totals = () => [org.row('Opportunity', parent)!.Amount, org.row('Opportunity', parent)!.HasOpportunityLineItem];
  assert.deepEqual(totals(), [30, true]);
  assert.match(said(org.remove([id]))[0]!, /^DELETE_FAILED/);
  org.remove([String(made.Id)]);
  assert.deepEqual(totals(), [30, false]);
});

test('orders and contracts begin as drafts; an order is activated alone and with items, a contract never goes back', () => {
  const org = dmlOrg();
  const AccountId = org.id('Account', 0);
  const order = { AccountId, EffectiveDate: '2026-12-01', Pricebook2Id: org.id('Pricebook2', 0) };
  const invalid = (kind: string) =>
    `FAILED_ACTIVATION: Choose a valid ${kind} status and save your changes. Ask your admin for details.`;
  assert.deepEqual(said(org.insert('Order', [{ ...order, Status: 'Activated' }])), [invalid('order')]);
  const id = org.make('Order', { ...order, Status: 'Draft' });
  const activate = (more = {}) => said(org.update('Order', [{ Id: id, Status: 'Activated', ...more }]))[0];
  assert.equal(activate(), 'FAILED_ACTIVATION: An order must have at least one product.');
  const item = { OrderId: id, PricebookEntryId: org.id('PricebookEntry', 0), Quantity: 2, UnitPrice: 3 };
  org.make('OrderItem', item);
  assert.equal(org.row('Order', id)!.TotalAmount, 6);
  assert.equal(activate({ PoNumber: '1' }), invalid('order'));
  assert.equal(activate(), 'saved');
  assert.equal(activate(), 'saved');
  assert.match(said(org.insert('OrderItem', [item]))[0]!, /^FIELD_INTEGRITY_EXCEPTION/);
  assert.match(
    said(org.update('Order', [{ Id: id, AccountId: org.id('Account', 1) }]))[0]!,
    /^FIELD_INTEGRITY_EXCEPTION/,
  );
  assert.match(said(org.remove([id]))[0]!, /^DELETE_FAILED/);
  assert.deepEqual(said(org.update('Order', [{ Id: id, Status: 'Draft' }])), ['saved']);
  const contract = { AccountId, StartDate: '2026-01-31', ContractTerm: 12 };
  assert.deepEqual(said(org.insert('Contract', [{ ...contract, Status: 'Activated' }])), [invalid('contract')]);
  const term = org.make('Contract', contract);
  assert.deepEqual([org.row('Contract', term)!.Status, org.row('Contract', term)!.EndDate], ['Draft', '2027-01-30']);
  assert.deepEqual(said(org.update('Contract', [{ Id: term, Status: 'Activated' }])), ['saved']);
  assert.deepEqual(said(org.update('Contract', [{ Id: term, Status: 'Draft' }])), [invalid('contract')]);
});

test('a campaign has two statuses of members from the start; a member stands in it once', () => {
  const org = dmlOrg();
  const id = org.make('Campaign', { Name: 'Fair' });
  assert.deepEqual(
    org.where('CampaignMemberStatus', 'CampaignId', id).map((row) => [row.Label, row.IsDefault, row.HasResponded]),
    [
      ['Sent', true, false],
      ['Responded', false, true],
    ],
  );
  org.make('CampaignMemberStatus', { CampaignId: id, Label: 'Came', HasResponded: true, IsDefault: true });
  assert.match(said(org.insert('CampaignMemberStatus', [{ CampaignId: id, Label: 'came' }]))[0]!, /^DUPLICATE_VALUE/);
  const ContactId = org.id('Contact', 1);
  const member = org.row('CampaignMember', org.make('CampaignMember', { CampaignId: id, ContactId }))!;
  assert.deepEqual(
    [member.Status, member.HasResponded, member.FirstRespondedDate, member.LeadOrContactId],
    ['Came', true, stampNow.slice(0, 10), ContactId],
  );
  assert.deepEqual(said(org.insert('CampaignMember', [{ CampaignId: id, ContactId }])), [
    'DUPLICATE_VALUE: Already a campaign member.',
  ]);
  org.remove([id]);
  assert.deepEqual(
    [org.row('CampaignMember', String(member.Id)), org.where('CampaignMemberStatus', 'CampaignId', id)],
    [undefined, []],
  );
});

test('a file makes its document and its owner’s link; the next version becomes the latest', () => {
  const org = dmlOrg();
  const [first, second] = [Buffer.from('first'), Buffer.from('second one')];
  const one = org.make('ContentVersion', {
    Title: 'Plan',
    PathOnClient: 'a/plan.txt',
    VersionData: first,
    FirstPublishLocationId: org.id('Account', 0),
  });
  const version = org.row('ContentVersion', one)!;
  const md5 = createHash('md5').update(first).digest('hex');
  assert.deepEqual(
    [
      version.ContentSize,
      version.Checksum,
      version.FileExtension,
      version.FileType,
      version.VersionNumber,
      version.IsLatest,
    ],
    [5, md5, 'txt', 'TEXT', '1', true],
  );
  const document = String(version.ContentDocumentId);
  const { userId } = org.database.facts;
  const links = org.where('ContentDocumentLink', 'ContentDocumentId', document);
  assert.deepEqual(
    links.map((row) => [row.LinkedEntityId, row.ShareType]),
    [
      [userId, 'I'],
      [org.id('Account', 0), 'V'],
    ],
  );
  assert.deepEqual(said(org.insert('ContentDocumentLink', [{ ContentDocumentId: document, LinkedEntityId: userId }])), [
    `DUPLICATE_VALUE: Document with ID: ${document} is already linked with the entity with ID: ${userId}`,
  ]);
  const two = org.make('ContentVersion', {
    ContentDocumentId: document,
    PathOnClient: 'plan2.txt',
    VersionData: second,
  });
  const latest = org.row('ContentDocument', document)!;
  assert.deepEqual([latest.LatestPublishedVersionId, latest.ContentSize, latest.Title], [two, 10, 'plan2']);
  assert.deepEqual(
    [org.row('ContentVersion', one)!.IsLatest, org.row('ContentVersion', two)!.VersionNumber],
    [false, '2'],
  );
  const table = org.database.tables.get('ContentVersion')!;
  assert.deepEqual([table.blob(one, 'VersionData'), table.blob(two, 'VersionData')], [first, second]);
  assert.match(said(org.insert('ContentVersion', [{ PathOnClient: 'x' }]))[0]!, /^REQUIRED_FIELD_MISSING/);
  assert.match(
    said(org.insert('ContentDocument', [{ Title: 'x' }]))[0]!,
    /entity type cannot be inserted: Content Document$/,
  );
});

test('cases, comments, e-mails, converted leads, assets and activities have rules of their own', () => {
  const org = dmlOrg();
  const contact = org.make('Contact', { LastName: 'C', Email: 'c@example.com', AccountId: org.id('Account', 0) });
  const id = org.make('Case', { ContactId: contact, Comments: 'heard' });
  const row = org.row('Case', id)!;
  assert.deepEqual(
    [row.Status, row.IsClosed, row.ContactEmail, row.AccountId, row.Comments],
    ['New', false, 'c@example.com', org.id('Account', 0), null],
  );
  assert.deepEqual(
    org.where('CaseComment', 'ParentId', id).map((comment) => comment.CommentBody),
    ['heard'],
  );
  org.update('Case', [{ Id: id, Status: 'Closed' }]);
  assert.deepEqual([org.row('Case', id)!.IsClosed, org.row('Case', id)!.ClosedDate], [true, stampNow]);
  const mail = org.make('EmailMessage', { ParentId: id, Status: '3' });
  assert.equal(org.row('EmailMessage', mail)!.RelatedToId, id);
  const task = org.make('Task', { Subject: 'T', WhatId: id, Status: 'Completed' });
  assert.deepEqual(
    [org.row('Task', task)!.IsClosed, org.row('Task', task)!.AccountId, org.row('Task', task)!.Priority],
    [true, org.id('Account', 0), 'Normal'],
  );
  const event = org.make('Event', { Subject: 'E', StartDateTime: '2027-01-01T10:00:00Z', DurationInMinutes: 30 });
  assert.equal(org.row('Event', event)!.EndDateTime, '2027-01-01T10:30:00.000Z');
  const codes = said([
    ...org.update('EmailMessage', [{ Id: mail, Subject: 'x' }]),
    ...org.update('Lead', [{ Id: org.id('Lead', 5), Title: 'x' }]),
    ...org.insert('Asset', [{ Name: 'x' }]),
    ...org.update('Task', [{ Id: org.id('Task', 2), Subject: 'x' }]),
  ]).map((text) => text.replace(/:.*/, ''));
  assert.deepEqual(codes, [
    'INVALID_OPERATION',
    'CANNOT_UPDATE_CONVERTED_LEAD',
    'FIELD_INTEGRITY_EXCEPTION',
    'ENTITY_IS_ARCHIVED',
  ]);
});

test('what is computed of children follows them', () => {
  const org = dmlOrg();
  const invoice = org.make('Invoice__c', { Total__c: 100 });
  const payment = org.make('Payment__c', { Invoice__c: invoice, Amount__c: 30 });
  assert.equal(org.row('Invoice__c', invoice)!.Open__c, 70);
  org.remove([payment]);
  assert.equal(org.row('Invoice__c', invoice)!.Open__c, 100);
  const project = org.make('Project__c', { Name: 'P' });
  org.make('Milestone__c', { Name: 'M', Project__c: project, Done__c: true });
  org.make('Milestone__c', { Name: 'M', Project__c: project });
  const { Milestone_Count__c, Progress__c } = org.row('Project__c', project)!;
  assert.deepEqual([Milestone_Count__c, Progress__c], [2, 50]);
});
