import type { Kind } from './kind.ts';
import { event, task } from './kinds/activities.ts';
import { campaign, campaignMember, campaignMemberStatus } from './kinds/campaigns.ts';
import { bodyHolder, contentDocumentLink, contentVersion } from './kinds/files.ts';
import { contactRole, lineItem, opportunity } from './kinds/opportunities.ts';
import { contract, order, orderItem } from './kinds/orders.ts';
import { account, accountContactRelation, contact, lead, user } from './kinds/people.ts';
import { pricebookEntry } from './kinds/price-books.ts';
import { assignment, everything, invoice, milestone, payment } from './kinds/sample-org.ts';
import { asset, caseKind, emailMessage } from './kinds/service.ts';

const kinds: Readonly<Record<string, Kind>> = {
  Account: account,
  AccountContactRelation: accountContactRelation,
  Asset: asset,
  Assignment__c: assignment,
  Attachment: bodyHolder,
  Campaign: campaign,
  CampaignMember: campaignMember,
  CampaignMemberStatus: campaignMemberStatus,
  Case: caseKind,
  Contact: contact,
  ContentDocumentLink: contentDocumentLink,
  ContentVersion: contentVersion,
  Contract: contract,
  Document: bodyHolder,
  EmailMessage: emailMessage,
  Event: event,
  Everything__c: everything,
  Invoice__c: invoice,
  Lead: lead,
  Milestone__c: milestone,
  Opportunity: opportunity,
  OpportunityContactRole: contactRole,
  OpportunityLineItem: lineItem,
  Order: order,
  OrderItem: orderItem,
  Payment__c: payment,
  PricebookEntry: pricebookEntry,
  Task: task,
  User: user,
};

const plain: Kind = {};

export function kindOf(object: string): Kind {
  return kinds[object] ?? plain;
}
