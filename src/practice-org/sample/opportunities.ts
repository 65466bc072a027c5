import {
  addressOf,
  audit,
  boolean,
  date,
  email,
  id,
  int,
  isDeleted,
  number as numberField,
  owner,
  phone,
  picklist,
  recordType,
  reference,
  required,
  string,
  system,
  textarea,
  url,
  userOwner,
  views,
} from '../declaration.ts';
import type { Random } from '../random.ts';
import { dayFrom, type SampleObject, type SampleOrg, serial } from '../sample.ts';
import { torture } from '../torture.ts';
import { companyName, firstNames, lastNames, plainLetters, sentence } from '../words.ts';
import { description, recordTypes } from './accounts.ts';
import { addressCells } from './places.ts';

const stages = ['Prospecting', 'Qualification', 'Proposal', 'Negotiation', 'Closed Won', 'Closed Lost'];
const probabilities = [10, 20, 50, 75, 100, 0];
const leadSources = ['Web', 'Phone Inquiry', 'Partner Referral', 'Purchased List', 'Other'];

/** The first so many opportunities have products. */
const withLines = 600;

/** What a line of products says. */
function figuresOf(
  org: SampleOrg,
  random: Random,
): { product: number; quantity: number; price: number; total: number } {
  const product = random.int(0, org.size('Product2') - 1);
  const quantity = random.int(1, 40);
  const price = random.int(100, 900_000) / 100;
  return { product, quantity, price, total: Math.round(price * quantity * 100) / 100 };
}

/** The amount of an opportunity with products is their sum (restore 5.4); those of a deleted one went to its neighbour. */
function amountOfLines(number: number, org: SampleOrg): number {
  const neighbour = number + 1 < withLines && org.deleted('Opportunity', number + 1);
  const lines = [2 * number, 2 * number + 1, ...(neighbour ? [2 * number + 2, 2 * number + 3] : [])];
  const totals = lines.map((line) => figuresOf(org, org.random('OpportunityLineItem', line)).total);
  return Math.round(totals.reduce((sum, total) => sum + total, 0) * 100) / 100;
}

const opportunity: SampleObject = {
  declaration: {
    name: 'Opportunity',
    prefix: '006',
    label: 'Opportunity',
    recordTypes: recordTypes.Opportunity,
    more: { feedEnabled: true },
    fields: [
      id('Id'),
      isDeleted,
      reference('AccountId', 'Account', { children: 'Opportunities', parentCascades: true }),
      recordType(),
      boolean('IsPrivate'),
      string('Name', 120, { ...required, nameField: true, idLookup: true }),
      textarea('Description', 32000),
      picklist('StageName', [...stages, { value: 'Verbal "yes"', active: false }], { ...required }),
      numberField('Amount', 'currency', 18, 2),
      numberField('Probability', 'percent', 3, 0, { defaultedOnCreate: true }),
      numberField('ExpectedRevenue', 'currency', 18, 2, system),
      numberField('TotalOpportunityQuantity', 'double', 18, 2),
      date('CloseDate', required),
      picklist('Type', ['New Customer', 'Existing Customer - Upgrade']),
      string('NextStep', 255),
      picklist('LeadSource', leadSources),
      boolean('IsClosed', system),
      boolean('IsWon', system),
      picklist('ForecastCategoryName', ['Pipeline', 'Best Case', 'Commit', 'Omitted', 'Closed']),
      reference('CampaignId', 'Campaign', { children: 'Opportunities' }),
      boolean('HasOpportunityLineItem', system),
      reference('ContactId', 'Contact', { updateable: false, relationshipName: null }),
      reference('Pricebook2Id', 'Pricebook2', { children: 'Opportunities' }),
      userOwner,
      ...audit,
      date('LastActivityDate', system),
      int('FiscalQuarter', { ...system, compoundFieldName: 'Fiscal' }),
      int('FiscalYear', { ...system, compoundFieldName: 'Fiscal' }),
      string('Fiscal', 6, { ...system, byteLength: 6 }),
      ...views,
    ],
  },
  count: 800,
  deleted: (number) => number % 97 === 41,
  row: (number, org, random) => {
    const stage = random.int(0, stages.length - 1);
    const guessed = random.chance(85) ? random.int(50_000, 90_000_000) / 100 : null;
    const isScaled = org.scaled('Opportunity') || org.scaled('OpportunityLineItem');
    const amount = number < withLines && !isScaled ? amountOfLines(number, org) : guessed;
    const closeDate = dayFrom(org.now, random.int(-700, 200));
    const quarter = Math.floor((Number(closeDate.slice(5, 7)) - 1) / 3) + 1;
    return {
      AccountId: org.live('Account', number * 11),
      RecordTypeId: recordTypes.Opportunity[random.chance(70) ? 0 : 1].id,
      Name: `${companyName(random)} ${closeDate.slice(0, 4)}${org.tag('Opportunity', number)}`,
      Description: description(number, org, 'Opportunity', 400),
      StageName: number % 83 === 7 ? 'Verbal "yes"' : stages[stage]!,
      Amount: amount,
      Probability: probabilities[stage]!,
      ExpectedRevenue: amount === null ? null : Math.round(amount * probabilities[stage]!) / 100,
      TotalOpportunityQuantity: random.chance(30) ? random.int(1, 400) : null,
      CloseDate: closeDate,
      Type: random.pick(['New Customer', 'Existing Customer - Upgrade', null]),
      NextStep:
        number < torture.length
          ? torture[torture.length - 1 - number]!
          : random.chance(30)
            ? sentence(random, 6)
            : null,
      LeadSource: random.pick([...leadSources, null]),
      IsClosed: stage >= 4,
      IsWon: stage === 4,
      ForecastCategoryName: ['Pipeline', 'Pipeline', 'Best Case', 'Commit', 'Closed', 'Omitted'][stage]!,
      CampaignId: random.chance(40) ? org.live('Campaign', random.int(0, 24)) : null,
      HasOpportunityLineItem: number < withLines,
      Pricebook2Id: number < withLines ? org.id('Pricebook2', 0) : null,
      LastActivityDate: random.chance(40) ? dayFrom(org.now, -random.int(1, 700)) : null,
      FiscalQuarter: quarter,
      FiscalYear: Number(closeDate.slice(0, 4)),
      Fiscal: `${closeDate.slice(0, 4)} ${quarter}`,
    };
  },
};

const lineItem: SampleObject = {
  declaration: {
    name: 'OpportunityLineItem',
    prefix: '00k',
    label: 'Opportunity Product',
    more: { undeletable: false },
    fields: [
      id('Id'),
      reference('OpportunityId', 'Opportunity', {
        ...required,
        updateable: false,
        children: 'OpportunityLineItems',
        parentCascades: true,
      }),
      int('SortOrder', { permissionable: false }),
      reference('PricebookEntryId', 'PricebookEntry', {
        updateable: false,
        children: 'OpportunityLineItems',
        restrictedDelete: true,
      }),
      reference('Product2Id', 'Product2', { ...system, children: 'OpportunityLineItems' }),
      string('ProductCode', 255, system),
      string('Name', 376, { ...system, nameField: true }),
      numberField('Quantity', 'double', 12, 2, required),
      numberField('TotalPrice', 'currency', 18, 2),
      numberField('UnitPrice', 'currency', 18, 2),
      numberField('ListPrice', 'currency', 18, 2, system),
      date('ServiceDate'),
      string('Description', 255),
      ...audit,
      isDeleted,
    ],
  },
  count: 1200,
  loadedTogether: 40,
  row: (number, org, random) => {
    const { product, quantity, price, total } = figuresOf(org, random);
    return {
      OpportunityId: org.live('Opportunity', Math.min(number >> 1, withLines - 1)),
      SortOrder: (number % 2) + 1,
      PricebookEntryId: org.id('PricebookEntry', product),
      Product2Id: org.id('Product2', product),
      ProductCode: `P-${1000 + product}`,
      Name: `Line ${number + 1}${org.tag('OpportunityLineItem', number)}`,
      Quantity: quantity,
      UnitPrice: price,
      ListPrice: price,
      TotalPrice: total,
      ServiceDate: random.chance(30) ? dayFrom(org.now, random.int(-300, 300)) : null,
      Description: random.chance(20) ? sentence(random, 8) : null,
    };
  },
};

const contactRole: SampleObject = {
  declaration: {
    name: 'OpportunityContactRole',
    prefix: '00K',
    label: 'Opportunity Contact Role',
    more: { undeletable: false, mruEnabled: false, searchable: false },
    fields: [
      id('Id'),
      reference('OpportunityId', 'Opportunity', {
        ...required,
        updateable: false,
        children: 'OpportunityContactRoles',
        parentCascades: true,
      }),
      reference('ContactId', 'Contact', { ...required, children: 'OpportunityContactRoles', parentCascades: true }),
      picklist('Role', ['Decision Maker', 'Economic Buyer', 'Influencer', 'Other'], { length: 40 }),
      boolean('IsPrimary'),
      ...audit,
      isDeleted,
    ],
  },
  count: 500,
  row: (number, org, random) => ({
    OpportunityId: org.live('Opportunity', number),
    ContactId: org.live('Contact', number * 5),
    Role: random.pick(['Decision Maker', 'Economic Buyer', 'Influencer', 'Other', null]),
    // One role of an opportunity is the primary one; that of a deleted one went to its neighbour.
    IsPrimary: !org.deleted('Opportunity', number),
  }),
};

const lead: SampleObject = {
  declaration: {
    name: 'Lead',
    prefix: '00Q',
    label: 'Lead',
    more: { mergeable: true, feedEnabled: true },
    fields: [
      id('Id'),
      isDeleted,
      reference('MasterRecordId', 'Lead', { ...system }),
      string('LastName', 80, { ...required, extraTypeInfo: 'personname', compoundFieldName: 'Name' }),
      string('FirstName', 40, { extraTypeInfo: 'personname', compoundFieldName: 'Name', permissionable: false }),
      string('Name', 121, { ...system, ...required, nameField: true, extraTypeInfo: 'personname' }),
      string('Title', 128),
      string('Company', 255, required),
      ...addressOf(''),
      phone('Phone'),
      email('Email', { idLookup: true }),
      url('Website'),
      textarea('Description', 32000),
      picklist('LeadSource', leadSources),
      picklist(
        'Status',
        [
          { value: 'Open - Not Contacted', defaultValue: true },
          'Working - Contacted',
          'Closed - Converted',
          'Closed - Not Converted',
        ],
        { ...required, defaultedOnCreate: true },
      ),
      numberField('AnnualRevenue', 'currency', 18, 0),
      int('NumberOfEmployees'),
      owner,
      boolean('IsConverted', { updateable: false, permissionable: false }),
      date('ConvertedDate', system),
      reference('ConvertedAccountId', 'Account', system),
      reference('ConvertedContactId', 'Contact', system),
      reference('ConvertedOpportunityId', 'Opportunity', system),
      boolean('IsUnreadByOwner'),
      ...audit,
      ...views,
    ],
  },
  count: 400,
  deleted: (number) => number % 89 === 61,
  row: (number, org, random) => {
    const [firstName, lastName] = [random.pick(firstNames), random.pick(lastNames)];
    const converted = number % 6 === 5;
    return {
      MasterRecordId: org.deleted('Lead', number) && number % 2 === 0 ? org.live('Lead', number - 1) : null,
      FirstName: random.chance(95) ? firstName : null,
      LastName: lastName,
      Name: `${firstName} ${lastName}`,
      Title: random.pick(['CEO', 'Buyer', 'Engineer', null]),
      Company: companyName(random) + org.tag('Lead', number),
      ...addressCells(random, ''),
      Phone: random.chance(60) ? `+1 415 ${serial(number)}` : null,
      Email: `${plainLetters(firstName)}.${plainLetters(lastName)}${serial(number)}@example.net`,
      Website: random.chance(30) ? 'https://example.net' : null,
      Description: description(number, org, 'Lead', 150),
      LeadSource: random.pick([...leadSources, null]),
      Status: converted
        ? 'Closed - Converted'
        : random.pick(['Open - Not Contacted', 'Working - Contacted', 'Closed - Not Converted']),
      AnnualRevenue: random.chance(40) ? random.int(10_000, 900_000) : null,
      NumberOfEmployees: random.chance(40) ? random.int(0, 900) : null,
      OwnerId: random.chance(40) ? org.id('Group', 2) : org.live('User', random.int(0, 19)),
      ...(converted && {
        IsConverted: true,
        ConvertedDate: dayFrom(org.now, -random.int(30, 600)),
        ConvertedAccountId: org.live('Account', number),
        ConvertedContactId: org.live('Contact', number),
        ConvertedOpportunityId: random.chance(60) ? org.live('Opportunity', number) : null,
      }),
      IsUnreadByOwner: random.chance(30),
    };
  },
};

export const opportunityObjects: readonly SampleObject[] = [opportunity, lineItem, contactRole, lead];
