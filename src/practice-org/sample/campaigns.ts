import {
  audit,
  boolean,
  date,
  id,
  int,
  isDeleted,
  number as numberField,
  picklist,
  reference,
  required,
  string,
  system,
  textarea,
  userOwner,
  views,
} from '../declaration.ts';
import { dayFrom, type SampleObject } from '../sample.ts';
import { description } from './accounts.ts';

const campaign: SampleObject = {
  declaration: {
    name: 'Campaign',
    prefix: '701',
    label: 'Campaign',
    fields: [
      id('Id'),
      isDeleted,
      string('Name', 80, { ...required, nameField: true }),
      reference('ParentId', 'Campaign', { children: 'ChildCampaigns' }),
      picklist('Type', ['Conference', 'Webinar', 'Trade Show', 'Email', 'Other'], { length: 40 }),
      picklist('Status', ['Planned', 'In Progress', 'Completed', 'Aborted'], { length: 40 }),
      date('StartDate'),
      date('EndDate'),
      numberField('ExpectedRevenue', 'currency', 18, 0),
      numberField('BudgetedCost', 'currency', 18, 0),
      numberField('ExpectedResponse', 'percent', 10, 2),
      boolean('IsActive'),
      textarea('Description', 32000),
      int('NumberOfLeads', { ...system, nillable: false, digits: 9 }),
      numberField('AmountWonOpportunities', 'currency', 18, 0, { ...system, nillable: false }),
      userOwner,
      ...audit,
      ...views,
    ],
  },
  count: 25,
  row: (number, org, random) => ({
    Name: `${random.pick(['Spring', 'Autumn', 'Partner', 'Customer'])} ${random.pick(['Days', 'Webinar', 'Fair', 'Mailing'])} ${2023 + (number % 4)}${org.tag('Campaign', number)}`,
    ParentId: number > 4 && number % 3 === 0 ? org.live('Campaign', number >> 2) : null,
    Type: random.pick(['Conference', 'Webinar', 'Trade Show', 'Email', 'Other']),
    Status: random.pick(['Planned', 'In Progress', 'Completed', 'Aborted']),
    StartDate: dayFrom(org.now, -random.int(100, 900)),
    EndDate: dayFrom(org.now, -random.int(1, 99)),
    ExpectedRevenue: random.int(1, 500) * 1000,
    BudgetedCost: random.int(1, 90) * 1000,
    ExpectedResponse: random.int(0, 10_000) / 100,
    IsActive: random.chance(50),
    Description: description(number, org, 'Campaign', 200),
    NumberOfLeads: random.int(0, 40),
    AmountWonOpportunities: random.int(0, 900) * 100,
  }),
};

/** Each campaign has its own statuses of members, two to begin with. */
const campaignMemberStatus: SampleObject = {
  declaration: {
    name: 'CampaignMemberStatus',
    prefix: '01Y',
    label: 'Campaign Member Status',
    more: { undeletable: false, layoutable: false, mruEnabled: false, searchable: false },
    fields: [
      id('Id'),
      isDeleted,
      reference('CampaignId', 'Campaign', {
        ...required,
        updateable: false,
        children: 'CampaignMemberStatuses',
        parentCascades: true,
      }),
      string('Label', 765, { ...required, nameField: true }),
      int('SortOrder'),
      boolean('IsDefault'),
      boolean('HasResponded'),
      ...audit,
    ],
  },
  count: (org) => org.size('Campaign') * 2,
  treatment: { noRecycleBin: true },
  row: (number, org) => ({
    CampaignId: org.id('Campaign', number >> 1),
    Label: number % 2 === 0 ? 'Sent' : 'Responded',
    SortOrder: 3 + (number % 2),
    IsDefault: number % 2 === 0,
    HasResponded: number % 2 === 1,
  }),
};

const campaignMember: SampleObject = {
  declaration: {
    name: 'CampaignMember',
    prefix: '00v',
    label: 'Campaign Member',
    more: { undeletable: false, mruEnabled: false },
    fields: [
      id('Id'),
      isDeleted,
      reference('CampaignId', 'Campaign', {
        ...required,
        updateable: false,
        children: 'CampaignMembers',
        parentCascades: true,
      }),
      reference('LeadId', 'Lead', { updateable: false, children: 'CampaignMembers', parentCascades: true }),
      reference('ContactId', 'Contact', { updateable: false, children: 'CampaignMembers', parentCascades: true }),
      picklist('Status', ['Sent', 'Responded'], { length: 40 }),
      boolean('HasResponded', system),
      date('FirstRespondedDate', system),
      ...audit,
      reference('LeadOrContactId', ['Contact', 'Lead'], { ...system, relationshipName: null }),
    ],
  },
  count: 600,
  treatment: { noRecycleBin: true },
  // A mailing list goes in as one load: hundreds of rows with the same second.
  loadedTogether: 300,
  row: (number, org, random) => {
    const leadId = number % 3 === 0 ? org.live('Lead', number >> 1) : null;
    const contactId = leadId ? null : org.live('Contact', number * 2);
    const responded = random.chance(20);
    return {
      CampaignId: org.live('Campaign', number % 25),
      LeadId: leadId,
      ContactId: contactId,
      LeadOrContactId: leadId ?? contactId,
      Status: responded ? 'Responded' : 'Sent',
      HasResponded: responded,
      FirstRespondedDate: responded ? dayFrom(org.now, -random.int(1, 300)) : null,
    };
  },
};

export const campaignObjects: readonly SampleObject[] = [campaign, campaignMemberStatus, campaignMember];
