import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { OrgRequests } from '../support/org-snapshot.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

const objects = [
  ...['Account', 'Contact', 'Lead', 'Opportunity', 'OpportunityLineItem', 'OpportunityContactRole', 'Product2'],
  ...['Pricebook2', 'PricebookEntry', 'Order', 'OrderItem', 'Campaign', 'CampaignMemberStatus', 'CampaignMember'],
  ...['Case', 'CaseComment', 'EmailMessage', 'Attachment', 'ContentDocument', 'ContentVersion', 'ContentDocumentLink'],
  'Project__c',
];

const text = (content: string) => Buffer.from(content).toString('base64');

describe('what the platform has its own rules for', () => {
  let rig: Rig;
  let restores: Restores;
  /** Ids of what was made for these tests, before the point was taken. */
  const made = { opportunity: '', order: '', campaign: '', case: '', document: '', versions: [] as string[] };

  before(async () => {
    rig = await Rig.start();
    restores = await Restores.start(rig, objects, prepare);
  });
  after(() => rig[Symbol.asyncDispose]());

  async function prepare(org: OrgRequests): Promise<void> {
    const [account] = await org.create('Account', [{ Name: 'Customer' }]);
    const people = await org.create('Contact', [
      { LastName: 'Buyer', AccountId: account! },
      { LastName: 'Payer', AccountId: account! },
    ]);
    const entries = await org.query(
      'SELECT Id, Pricebook2Id FROM PricebookEntry WHERE Pricebook2.IsStandard = true LIMIT 3',
    );
    const book = entries[0]!.Pricebook2Id!;
    await sell(
      org,
      account!,
      people,
      entries.map(({ Id }) => String(Id)),
      String(book),
    );
    [made.campaign] = (await org.create('Campaign', [{ Name: 'Fair', IsActive: true }])) as [string];
    await org.create('CampaignMemberStatus', [
      { CampaignId: made.campaign, Label: 'Came', SortOrder: 7, HasResponded: true, IsDefault: false },
    ]);
    const leads = await org.create('Lead', [{ LastName: 'Visitor', Company: 'Guests' }]);
    await org.create('CampaignMember', [
      { CampaignId: made.campaign, ContactId: people[0]!, LeadId: null, Status: 'Responded' },
      { CampaignId: made.campaign, ContactId: people[1]!, LeadId: null, Status: 'Sent' },
      { CampaignId: made.campaign, ContactId: null, LeadId: leads[0]!, Status: 'Sent' },
    ]);
    await complain(org, account!, people[0]!);
    const [project] = await org.create('Project__c', [{ Name: 'Rollout' }]);
    await share(org, [account!, made.opportunity, made.case, project!]);
  }

  async function sell(org: OrgRequests, account: string, people: string[], entries: string[], book: string) {
    [made.opportunity] = (await org.create('Opportunity', [
      { Name: 'Sale', StageName: 'Proposal', CloseDate: '2027-03-01', AccountId: account, Pricebook2Id: book },
    ])) as [string];
    await org.create(
      'OpportunityLineItem',
      entries.map((PricebookEntryId, n) => ({
        OpportunityId: made.opportunity,
        PricebookEntryId,
        Quantity: n + 1,
        UnitPrice: 10.5 * (n + 1),
        SortOrder: n + 1,
      })),
    );
    await org.create('OpportunityContactRole', [
      { OpportunityId: made.opportunity, ContactId: people[0]!, Role: 'Decision Maker', IsPrimary: true },
      { OpportunityId: made.opportunity, ContactId: people[1]!, Role: 'Influencer', IsPrimary: false },
    ]);
    [made.order] = (await org.create('Order', [
      { AccountId: account, Pricebook2Id: book, EffectiveDate: '2026-11-01', Status: 'Draft', PoNumber: '00042' },
    ])) as [string];
    await org.create(
      'OrderItem',
      entries.map((PricebookEntryId, n) => ({
        OrderId: made.order,
        PricebookEntryId,
        Quantity: 2,
        UnitPrice: n + 0.25,
      })),
    );
    await org.update('Order', [{ Id: made.order, Status: 'Activated' }]);
  }

  async function complain(org: OrgRequests, account: string, contact: string): Promise<void> {
    [made.case] = (await org.create('Case', [
      { Subject: 'It squeaks', Status: 'Closed', AccountId: account, ContactId: contact },
    ])) as [string];
    await org.create('CaseComment', [
      { ParentId: made.case, CommentBody: 'First', IsPublished: true },
      { ParentId: made.case, CommentBody: 'Second,\n"quoted"', IsPublished: false },
    ]);
    const [mail] = await org.create('EmailMessage', [
      { ParentId: made.case, Subject: 'Squeak', TextBody: 'It does.', Status: '3', FromAddress: 'a@example.com' },
    ]);
    const attachments = [
      { ParentId: made.case, Name: 'squeak.txt', Body: text('squeak') },
      { ParentId: mail!, Name: 'picture.bin', Body: Buffer.from([0, 255, 13, 10, 0]).toString('base64') },
    ];
    await org.create('Attachment', attachments);
  }

  async function share(org: OrgRequests, records: string[]): Promise<void> {
    for (let n = 1; n <= 3; n++) {
      const [version] = await org.create('ContentVersion', [
        {
          Title: 'Plan',
          PathOnClient: 'plan.txt',
          VersionData: text(`version ${n}`),
          ReasonForChange: n === 1 ? null : `change ${n}`,
          ...(n === 1 ? {} : { ContentDocumentId: made.document }),
        },
      ]);
      const [found] = await org.query(`SELECT ContentDocumentId FROM ContentVersion WHERE Id = '${version}'`);
      made.document = String(found!.ContentDocumentId);
      made.versions.push(version!);
    }
    await org.create(
      'ContentDocumentLink',
      records.map((LinkedEntityId, n) => ({
        ContentDocumentId: made.document,
        LinkedEntityId,
        ShareType: n === 0 ? 'I' : 'V',
        Visibility: n === 1 ? 'InternalUsers' : 'AllUsers',
      })),
    );
  }

  async function purge(ids: readonly string[]): Promise<void> {
    await restores.org.delete(ids);
    await restores.org.emptyRecycleBin(ids);
  }

  test('an opportunity comes back with its products and contact roles', async () => {
    const whole = await restores.before();
    await purge([made.opportunity]);
    const restored = await restores.restore(whole, 'before', '--ids', made.opportunity);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const { done } = restored.ran.json.result;
    const { OpportunityLineItem: lines, OpportunityContactRole: roles } = done;
    assert.deepEqual([done.Opportunity.inserted, lines.inserted, roles.inserted], [1, 3, 2]);
  });

  test('an order that was active is made as a draft and activated when its products stand', async () => {
    const whole = await restores.before();
    await restores.org.update('Order', [{ Id: made.order, Status: 'Draft' }]);
    await purge([made.order]);
    const restored = await restores.restore(whole, 'before', '--ids', made.order);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const [order] = await restores.org.query(
      `SELECT Status, PoNumber, TotalAmount FROM Order WHERE Id = '${restored.ids.get(made.order)}'`,
    );
    assert.deepEqual([order!.Status, order!.PoNumber, order!.TotalAmount], ['Activated', '00042', 7.5]);
  });

  test('a campaign comes back with its statuses, of which the platform makes two itself, and its members', async () => {
    const whole = await restores.before();
    await purge([made.campaign]);
    const restored = await restores.restore(whole, 'before', '--ids', made.campaign);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const { done } = restored.ran.json.result;
    assert.deepEqual([done.Campaign.inserted, done.CampaignMember.inserted], [1, 3]);
    assert.deepEqual([done.CampaignMemberStatus.inserted, done.CampaignMemberStatus.skipped], [1, 2]);
  });

  test('a case comes back closed, with its comments, e-mails and their attachments', async () => {
    const whole = await restores.before();
    const bodies = await bodiesOf('Attachment', 'Body');
    await purge([made.case]);
    const restored = await restores.restore(whole, 'before', '--ids', made.case);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const { done } = restored.ran.json.result;
    assert.deepEqual(
      [done.Case.inserted, done.CaseComment.inserted, done.EmailMessage.inserted, done.Attachment.inserted],
      [1, 2, 1, 2],
    );
    assert.deepEqual([...(await bodiesOf('Attachment', 'Body')).values()].sort(), [...bodies.values()].sort());
  });

  test('a file comes back with all its versions, bytes and links', async () => {
    const whole = await restores.before();
    await purge([made.document]);
    const restored = await restores.restore(whole, 'before', '--ids', made.document);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const bytes = await Promise.all(
      made.versions.map((id) => bytesOf('ContentVersion', restored.ids.get(id)!, 'VersionData')),
    );
    assert.deepEqual(
      bytes.map((one) => one.toString()),
      ['version 1', 'version 2', 'version 3'],
    );
    assert.equal(restored.ran.json.result.done.ContentDocumentLink.failed, 0);
  });

  async function bytesOf(object: string, id: string, field: string): Promise<Buffer> {
    const answer = await restores.org.send('GET', `/services/data/v67.0/sobjects/${object}/${id}/${field}`);
    assert.equal(answer.status, 200);
    return Buffer.from(await answer.arrayBuffer());
  }

  /** Id -> SHA-256 of the bytes of all rows. */
  async function bodiesOf(object: string, field: string): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const { Id } of await restores.org.query(`SELECT Id FROM ${object}`)) {
      const bytes = await bytesOf(object, String(Id), field);
      found.set(String(Id), createHash('sha256').update(bytes).digest('hex'));
    }
    return found;
  }
});
