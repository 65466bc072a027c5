import type { Describe } from '../database.ts';
import type { Draft } from './draft.ts';
import type { Saving } from './saving.ts';

/** Objects whose audit fields may be set on insert with the permission for it (restore 4.3); custom objects too. */
const objects = new Set(
  `Account ArticleVersion Attachment CampaignMember Case CaseComment Contact ContentNote ContentVersion Contract EmailMessage Event
  FeedComment FeedItem Idea IdeaComment Lead Opportunity Quote Question Task Vote WorkOrder`.split(/\s+/),
);
const audited = new Set(['CreatedDate', 'CreatedById', 'LastModifiedDate', 'LastModifiedById']);
const converted = new Set(['ConvertedDate', 'ConvertedAccountId', 'ConvertedContactId', 'ConvertedOpportunityId']);

/** The describe as somebody sees it who may set audit fields on insert. */
export function withAuditFields(describe: Describe): Describe {
  const isOwn = describe.name.endsWith('__c') && describe.customSetting !== true;
  if (!isOwn && !objects.has(describe.name)) return describe;
  const isAudit = (name: string) => audited.has(name) || (describe.name === 'Lead' && converted.has(name));
  const fields = describe.fields.map((field) => (isAudit(field.name) ? { ...field, createable: true } : field));
  return { ...describe, fields };
}

/** Dates of creation lie in the past and not behind those of change; a task with a parent keeps its own stamp of change. */
export function checkAudit(saving: Saving, draft: Draft): void {
  const { given, changes } = draft;
  const [created, modified] = [draft.text('CreatedDate'), draft.text('LastModifiedDate')];
  if (given.has('CreatedDate') && created !== null && created > saving.now)
    draft.fail('FIELD_INTEGRITY_EXCEPTION', 'Created Date: cannot be in the future', ['CreatedDate']);
  if (given.has('LastModifiedDate') && modified !== null && modified < (created ?? saving.now))
    draft.fail('FIELD_INTEGRITY_EXCEPTION', 'Last Modified Date: cannot be before Created Date', ['LastModifiedDate']);
  const hasParent = draft.object.name === 'Task' && (draft.get('WhoId') !== null || draft.get('WhatId') !== null);
  if (hasParent && given.has('LastModifiedDate')) delete changes.LastModifiedDate;
  if (hasParent && given.has('LastModifiedById')) delete changes.LastModifiedById;
}
