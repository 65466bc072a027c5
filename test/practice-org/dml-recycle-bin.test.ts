import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dmlOrg, said, stampNow } from './dml-org.ts';

const notInBin = 'UNDELETE_FAILED: Entity is not in the recycle bin';

/** A project with a milestone and an assignment, and a task on the project. */
function project(org: ReturnType<typeof dmlOrg>) {
  const root = org.make('Project__c', { Name: 'P' });
  const milestone = org.make('Milestone__c', { Name: 'M', Project__c: root });
  const contact = org.make('Contact', { LastName: 'C' });
  const assignment = org.make('Assignment__c', { Project__c: root, Contact__c: contact });
  const task = org.make('Task', { Subject: 'T', WhatId: root });
  return { root, milestone, contact, assignment, task };
}

test('what hangs on a row goes with it, and comes back with it but not alone', () => {
  const org = dmlOrg();
  const { root, milestone, assignment, task } = project(org);
  assert.deepEqual(said(org.remove([root])), ['saved']);
  const states = () =>
    (
      [
        ['Project__c', root],
        ['Milestone__c', milestone],
        ['Assignment__c', assignment],
        ['Task', task],
      ] as const
    ).map(([object, id]) => org.row(object, id)!.IsDeleted);
  assert.deepEqual(states(), [true, true, true, true]);
  assert.equal(org.row('Project__c', root)!.SystemModstamp, stampNow);
  assert.deepEqual(said(org.undelete([milestone, task])), [notInBin, notInBin]);
  assert.deepEqual(said(org.remove([root])), ['ENTITY_IS_DELETED: entity is deleted']);
  assert.deepEqual(said(org.undelete([root])), ['saved']);
  assert.deepEqual(states(), [false, false, false, false]);
  assert.deepEqual(said(org.undelete([root])), [notInBin]);
});

test('a child that was deleted before its parent stays in the bin when the parent comes back', () => {
  const org = dmlOrg();
  const { root, milestone, assignment } = project(org);
  org.remove([milestone]);
  org.remove([root]);
  assert.deepEqual(said(org.undelete([milestone])), [notInBin]);
  assert.deepEqual(said(org.undelete([root])), ['saved']);
  assert.equal(org.row('Assignment__c', assignment)!.IsDeleted, false);
  assert.equal(org.row('Milestone__c', milestone)!.IsDeleted, true);
  assert.deepEqual(said(org.undelete([milestone])), ['saved']);
});

test('lookups to a deleted row are emptied, and filled in again where nobody else did', () => {
  const org = dmlOrg();
  const parent = org.make('Account', { Name: 'parent' });
  const other = org.make('Account', { Name: 'other' });
  const [child, moved] = [0, 1].map(() => org.make('Account', { Name: 'child', ParentId: parent }));
  const invoice = org.make('Invoice__c', { Account__c: parent });
  const stamp = org.row('Account', child!)!.SystemModstamp;
  org.remove([parent]);
  assert.deepEqual([org.row('Account', child!)!.ParentId, org.row('Invoice__c', invoice)!.Account__c], [null, null]);
  assert.equal(org.row('Account', child!)!.SystemModstamp, stamp);
  org.update('Account', [{ Id: moved!, ParentId: other }]);
  org.undelete([parent]);
  assert.equal(org.row('Account', child!)!.ParentId, parent);
  assert.equal(org.row('Account', moved!)!.ParentId, other);
  assert.equal(org.row('Invoice__c', invoice)!.Account__c, parent);
});

test('a lookup that restricts keeps its target', () => {
  const org = dmlOrg();
  const account = org.make('Account', { Name: 'A' });
  const id = org.make('Project__c', { Name: 'P', Account__c: account });
  assert.deepEqual(
    org.remove([account])[0]!.errors.map(({ code }) => code),
    ['DELETE_FAILED'],
  );
  org.remove([id]);
  assert.deepEqual(said(org.remove([account])), ['saved']);
});

test('rows that lay in the bin from the start come back too, with those that went along', () => {
  const org = dmlOrg();
  const root = org.id('Project__c', 17);
  const children = () =>
    org
      .rows('Milestone__c')
      .lookup('Project__c', root)
      .map((number) => org.rows('Milestone__c').row(number));
  assert.deepEqual([...new Set(children().map((row) => row.IsDeleted))], [true]);
  assert.deepEqual(said(org.undelete([String(children()[0]!.Id)])), [notInBin]);
  assert.deepEqual(said(org.undelete([root])), ['saved']);
  assert.deepEqual([...new Set(children().map((row) => row.IsDeleted))], [false]);
});

test('purged and hard deleted rows are gone for good, and so are those of objects without a bin', () => {
  const org = dmlOrg();
  const { root, milestone, contact, assignment } = project(org);
  org.remove([root]);
  org.dml.emptyRecycleBin([root]);
  assert.deepEqual([org.row('Project__c', root), org.row('Milestone__c', milestone)], [undefined, undefined]);
  assert.deepEqual(said(org.undelete([root])), [notInBin]);
  assert.deepEqual(said(org.remove([contact], { hard: true })), ['saved']);
  assert.equal(org.row('Contact', contact), undefined);
  assert.equal(org.row('Assignment__c', assignment), undefined);
  const member = org.make('CampaignMember', {
    CampaignId: org.id('Campaign', 0),
    LeadId: org.make('Lead', { LastName: 'L', Company: 'C' }),
  });
  assert.deepEqual(said(org.remove([member])), ['saved']);
  assert.equal(org.row('CampaignMember', member), undefined);
  org.dml.emptyRecycleBin();
  assert.equal(org.row('Account', org.id('Account', 53)), undefined);
});

test('a unique value that was taken meanwhile keeps a row in the bin', () => {
  const org = dmlOrg();
  const id = org.make('Everything__c', { Name: 'x', Key__c: 'taken' });
  org.remove([id]);
  org.make('Everything__c', { Name: 'y', Key__c: 'TAKEN' });
  assert.match(said(org.undelete([id]))[0]!, /^DUPLICATE_VALUE/);
});

test('objects without undelete, and Ids that are none, are refused', () => {
  const org = dmlOrg();
  const role = org.id('OpportunityContactRole', 0);
  assert.deepEqual(said(org.remove([role, org.id('User', 3), 'x'])), [
    'saved',
    'INVALID_TYPE_FOR_OPERATION: entity type User does not support delete',
    'MALFORMED_ID: malformed id x',
  ]);
  assert.equal(org.row('OpportunityContactRole', role)!.IsDeleted, true);
  assert.deepEqual(said(org.undelete([role])), [notInBin]);
});
