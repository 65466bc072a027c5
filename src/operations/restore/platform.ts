/**
 * What the platform does by itself when rows are made again, object by object (field guide, restore 5.4, 5.7, 9). Everything else about an
 * object is read from its describe.
 */

/** A cell of the row by field name; '' when the point does not have it. */
export type Cells = (field: string) => string;

export interface PlatformRules {
  /** Objects that are made before this one although no lookup that can be written says so. */
  readonly after?: readonly string[];
  /** Why no row of it is ever inserted: the platform makes them along with others, or they cannot be made at all. */
  readonly never?: { readonly code: 'not-createable'; readonly reason: string };
  /** Rows that the platform makes along with others: they are found again, never made. */
  readonly made?: (cells: Cells) => boolean;
  /** As `never`, for one row. */
  readonly neverRow?: (cells: Cells) => string | undefined;
  /** Fields that tell a row of it that the platform has made already; the first of these lists whose cells are all filled. */
  readonly keys?: readonly (readonly string[])[];
  /** True: only rows that are `made` are looked for by `keys`. */
  readonly keysOfMadeOnly?: true;
  /** Fields that are not sent on insert since the platform derives them or acts on them, with the reason. */
  readonly without?: (cells: Cells) => Readonly<Record<string, string>>;
  /** Fields that the platform derives whenever a row is written, with the reason. */
  readonly derives?: (cells: Cells) => Readonly<Record<string, string>>;
  /** Fields that the platform fills when nothing is sent for them: where the point has nothing there, nothing is what is written. */
  readonly fills?: readonly string[];
  /** Fields that these rules look at beside those that rules of several objects do. */
  readonly reads?: readonly string[];
  /** True for a row that nobody can change once it is made: all of it is sent at once. */
  readonly frozen?: (cells: Cells) => boolean;
  /** Fields that are written when everything else stands. */
  readonly later?: (cells: Cells) => readonly string[];
}

/** True for the status in which orders and contracts are made. */
export function isDraft(status: string): boolean {
  return /^(draft|entwurf)$/i.test(status);
}

const activated = (cells: Cells) => cells('Status') !== '' && !isDraft(cells('Status'));
const history = { code: 'not-createable', reason: 'history is written by the platform alone' } as const;

const because = (field: string, reason: string): Readonly<Record<string, string>> => ({ [field]: reason });

const rules: Readonly<Record<string, PlatformRules>> = {
  Account: {
    reads: ['Name'],
    derives: (cells) =>
      cells('IsPersonAccount') === 'true' ? because('Name', 'the platform makes it of the names of the person') : {},
  },
  AccountContactRelation: { keys: [['AccountId', 'ContactId']] },
  CampaignMember: {
    keys: [
      ['CampaignId', 'ContactId'],
      ['CampaignId', 'LeadId'],
    ],
    after: ['CampaignMemberStatus'],
  },
  CampaignMemberStatus: { keys: [['CampaignId', 'Label']] },
  Case: { without: () => ({ Comments: 'the platform would make a comment of it' }), fills: ['AccountId'] },
  EmailMessage: { frozen: () => true },
  Lead: { frozen: (cells) => cells('IsConverted') === 'true' },
  Contact: {
    keys: [['AccountId', 'IsPersonAccount']],
    keysOfMadeOnly: true,
    made: (cells) => cells('IsPersonAccount') === 'true',
  },
  ContentDocument: { made: () => true },
  ContentDocumentLink: { keys: [['ContentDocumentId', 'LinkedEntityId']], after: ['ContentVersion'] },
  ContentVersion: {
    without: (cells) => ({
      ContentBodyId: 'the bytes are sent instead',
      ...(cells('FirstPublishLocationId') === ''
        ? {}
        : { FirstPublishLocationId: 'its links are restored themselves' }),
    }),
  },
  Contract: { later: (cells) => (activated(cells) ? ['Status'] : []) },
  Event: {
    neverRow: (cells) => (cells('IsChild') === 'true' ? 'the platform makes it for an invitee' : undefined),
  },
  Opportunity: {
    without: (cells): Record<string, string> => ({
      ContactId: 'the platform would make a contact role of it; those are restored themselves',
      ...(cells('HasOpportunityLineItem') === 'true' ? { Amount: 'it follows from the line items' } : {}),
    }),
    later: (cells) => (cells('SyncedQuoteId') === '' ? [] : ['SyncedQuoteId']),
  },
  OpportunityContactRole: { keys: [['OpportunityId', 'ContactId', 'Role']] },
  OpportunityLineItem: {
    without: (cells): Record<string, string> =>
      cells('UnitPrice') === '' ? {} : { TotalPrice: 'it follows from quantity and unit price' },
  },
  Order: { later: (cells) => (activated(cells) ? ['Status'] : []) },
  PricebookEntry: {
    keys: [
      ['Pricebook2Id', 'Product2Id', 'CurrencyIsoCode'],
      ['Pricebook2Id', 'Product2Id'],
    ],
  },
};

/** Objects whose rows are setup or metadata: referred to, never restored. */
const reference = new Set([
  ...['User', 'Profile', 'PermissionSet', 'PermissionSetAssignment', 'UserRole', 'UserLicense', 'Group', 'GroupMember'],
  ...['QueueSobject', 'RecordType', 'Organization', 'BusinessHours', 'EmailTemplate', 'Folder', 'CurrencyType'],
]);

/** True for objects that other rows refer to and that a restore maps and never writes (field guide, restore 4.4, 4.5). */
export function isReferenceOnly(object: string): boolean {
  return reference.has(object);
}

export function platformRules(object: string): PlatformRules {
  const own = rules[object];
  if (own) return own;
  if (object.endsWith('History') || object.endsWith('__History')) return { never: history };
  if (object.endsWith('Share')) {
    return {
      neverRow: (cells) =>
        cells('RowCause') === 'Manual' || /__c$/.test(cells('RowCause'))
          ? undefined
          : 'the platform works it out again',
    };
  }
  return {};
}
