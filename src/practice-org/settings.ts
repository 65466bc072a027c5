import type { Rule } from './dml/rule.ts';

/** What the user of the practice org may do. Without one of these the org answers 200 with less, as Salesforce does (extract 1.8). */
export interface Permissions {
  /** False: of objects with an owner, only rows that the user owns. */
  viewAllData: boolean;
  /** False: only the user's own files, and ContentDocumentLink wants a filter. Needs viewAllData. */
  queryAllFiles: boolean;
  /** False: 403 on limits/recordCount. */
  viewSetup: boolean;
  /** False: values of encrypted fields are masked. */
  viewEncryptedData: boolean;
  /** True: hidden fields that the describe still knows are shown. */
  viewAllFields: boolean;
  /** False: 403 API_DISABLED_FOR_ORG on everything. */
  apiEnabled: boolean;
  /** False: nothing may be created, changed or deleted, and describe says so. */
  editData: boolean;
  /** False: only rows that the user owns may be changed or deleted. */
  modifyAllData: boolean;
  /** CreatedDate and its kin may be set on insert, where the object allows it (restore 4.3). */
  setAuditFields: boolean;
  /** Rows may be given to users that are not active (restore 4.4). */
  updateInactiveOwners: boolean;
  /** Rows may be deleted past the recycle bin (restore 1.7). */
  bulkHardDelete: boolean;
}

/**
 * Order of rows in Bulk results, which Salesforce does not guarantee (extract 3.6). `chunked`: chunks of 100,000 rows, ascending
 * inside, in random order, as PK chunking leaves them. `shuffled`: a permutation of all rows.
 */
export type RowOrder = 'ascending' | 'chunked' | 'shuffled';

/** Switches of the practice org. All may be changed while it runs, except host and port. */
export interface Settings {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Newest API version offered, as a number: 67. */
  newestVersion: number;
  /** How far the server's clock is ahead of this machine's, in milliseconds; negative: behind. */
  clockSkew: number;
  permissions: Permissions;
  /** API requests that the org allows a day; counted on every answer. */
  dailyRequests: number;
  /** Requests that others have used up already today. */
  requestsUsedByOthers: number;
  /** A session dies after this many requests; Infinity: never. */
  sessionRequests: number;
  /** A session dies after this many seconds; Infinity: never. */
  sessionSeconds: number;
  /** A refresh gives a new refresh token and ends the old one. */
  refreshTokenRotation: boolean;
  /** The user presses Deny on the authorization page. */
  authorizationDenied: boolean;
  /** Largest page of a REST query; the row width makes it smaller. */
  queryPageSize: number;
  /** Formulas that a query may select before it is QUERY_TOO_COMPLICATED (extract 2.6). */
  queryFormulas: number;
  /** Query locators live this long, in seconds. */
  queryLocatorSeconds: number;
  /** EntityDefinition, FieldDefinition and UserPermissionAccess stand in describeGlobal, as in a real org. Queries reach them either way. */
  setupObjectsListed: boolean;
  rowOrder: RowOrder;
  /** Seed of the permutations of `rowOrder`. */
  seed: number;
  /** Polls of a Bulk job that still say UploadComplete. */
  bulkPollsQueued: number;
  /** Polls after those that say InProgress. */
  bulkPollsInProgress: number;
  /** A Bulk job is not complete before this many milliseconds. */
  bulkDelay: number;
  /** Rows in a page of Bulk results when the client names no maxRecords. */
  bulkPageRows: number;
  /** Bytes of a page of Bulk results, about: pages are cut by an estimate from their first rows. */
  bulkPageBytes: number;
  /** Bulk results of no row: the header line, or nothing at all. */
  bulkEmptyResult: 'header' | 'nothing';
  /** Doubles of 10,000,000 and more, and below 0.001, in scientific notation in CSV (`1.0E7`). */
  bulkScientific: boolean;
  /** Bulk reads big objects; else INVALIDENTITY (extract 11). */
  bulkBigObjects: boolean;
  /** Status of the answer to the creation of an ingest job; 200 or 201 (restore 12). */
  ingestCreateStatus: number;
  /** Creating an ingest job with its data in one request closes it too (restore 12). */
  ingestMultipartCloses: boolean;
  /** Closing an ingest job that was given no data: JobComplete with 0 rows, or refused (restore 12). */
  ingestCloseWithoutData: 'complete' | 'refused';
  /** Bytes of an upload that are taken. Salesforce says 150 MB after base64; clients send 145 MB as it is (restore 1.4). */
  ingestUploadBytes: number;
  /** Characters of a cell; newer documentation may mean 131,072 (restore 14). */
  ingestCellCharacters: number;
  /** Newlines inside cells may differ from the job's; otherwise they fail the job (restore 14). */
  ingestMixedNewlines: boolean;
  /** `#N/A` in a relationship column: clears the lookup, or is looked for as any other key (restore 12). */
  ingestReferenceNull: 'clears' | 'key';
  /** `#N/A` on insert over a field with a default: null, or the default (restore 12). */
  ingestNullOverDefault: 'null' | 'default';
  /** Order of rows in the results of ingest jobs. */
  ingestRowOrder: RowOrder;
  /** `sf__Id` of rows that failed to be updated: empty, or the Id of the row (restore 12). */
  ingestFailedIds: 'empty' | 'given';
  /** Between the errors of a row that has several (restore 12). */
  ingestErrorSeparator: string;
  /** Internal batches that are worked on at the same time (restore 1.3). */
  ingestParallelBatches: number;
  /** Internal batches at work at the same time lock each other's parents out (restore 1.3). */
  ingestLocks: boolean;
  /** Simulated work on each row, in milliseconds; a batch that takes more than 5 minutes is tried again (restore 1.3). */
  ingestRowMilliseconds: number;
  /** Jobs in a page of the list of ingest jobs. */
  ingestListPage: number;
  /** Internal batches that the org allows in 24 hours (restore 1.4). */
  dailyBulkBatches: number;
  /** Rows of ingest jobs that the org allows in 24 hours; no result tells of the others (restore 1.4). */
  dailyBulkRows: number;
  /** `asked`: gzip when the request accepts it; the documentation allows the other two (extract 3.4). */
  gzip: 'asked' | 'never' | 'always';
  /** Case of the names of the Sforce headers. */
  headerCase: 'canonical' | 'lower' | 'upper';
  /** When the schema last changed, for If-Modified-Since; milliseconds since 1970. */
  schemaModified: number;
  /** Fields that the describe still shows and that queries refuse: object name -> field names. */
  goneFields: Record<string, readonly string[]>;
  /**
   * `strict`: records of Collections need their attributes before all fields. Both were recorded (restore 2 and 14); clients that
   * many use, jsforce among them, send them later.
   */
  collectionsAttributes: 'strict' | 'lenient';
  /** A field that is not there: the whole request of Collections is refused, or only the record (restore 12). */
  collectionsUnknownField: 'request' | 'record';
  /** Files that a retrieval of the Metadata API may have; more of them fail it with LIMIT_EXCEEDED. */
  metadataFiles: number;
  /** SOAP refuses requests without a SOAPAction header (restore 3.2). */
  soapActionNeeded: boolean;
  /** Sessions opened from now on have tokens of this format; REST takes both, SOAP up to API 67 refuses JWT (restore 3.2). */
  accessTokens: 'opaque' | 'jwt';
  /** Spaces at the end of a text are not kept (restore 4.6). */
  trimsText: boolean;
  /** What people set up in the org and what gets in the way of writes. */
  rules: readonly Rule[];
  /** Owner of new cases where assignment rules are to run and none holds; null: the user. */
  defaultCaseOwner: string | null;
  /** Objects that a queue takes, by its DeveloperName; a queue that is not named takes all. */
  queueObjects: Record<string, readonly string[]>;
  /** Record types that the profile has not: `Account.Partner`. */
  unavailableRecordTypes: readonly string[];
  /** Picklist values that a record type has: `{"Account.Partner": {"Industry": ["Banking"]}}`; describe does not show it. */
  recordTypeValues: Record<string, Record<string, readonly string[]>>;
  /** Countries that addresses may name, where the org has state and country picklists; null: it has none. */
  countries: readonly string[] | null;
  /** So many rows may still be made before the storage is full, counted from the start of the org. */
  storageRows: number;
  /** E-mails that are no drafts cannot be changed (restore 5.4). */
  emailsLocked: boolean;
  /** What a circle of parents is refused with (restore 5.6). */
  circleCode: 'CIRCULAR_DEPENDENCY' | 'FIELD_INTEGRITY_EXCEPTION';
  /** A lookup that is emptied because its target is deleted moves SystemModstamp and LastModifiedDate (restore 14). */
  blankedLookupsMoveStamps: boolean;
  /** A deletion stamps LastModifiedById and LastModifiedDate: they tell who deleted a row in the recycle bin, and when. Else SystemModstamp alone. */
  deletesMoveStamps: boolean;
}

export function defaultSettings(): Settings {
  return {
    host: '127.0.0.1',
    port: 0,
    newestVersion: 67,
    clockSkew: 0,
    permissions: {
      viewAllData: true,
      queryAllFiles: true,
      viewSetup: true,
      viewEncryptedData: true,
      viewAllFields: false,
      apiEnabled: true,
      editData: true,
      modifyAllData: true,
      setAuditFields: false,
      updateInactiveOwners: false,
      bulkHardDelete: false,
    },
    dailyRequests: 100_000,
    requestsUsedByOthers: 0,
    sessionRequests: Number.POSITIVE_INFINITY,
    sessionSeconds: Number.POSITIVE_INFINITY,
    refreshTokenRotation: false,
    authorizationDenied: false,
    queryPageSize: 2000,
    queryFormulas: Number.POSITIVE_INFINITY,
    queryLocatorSeconds: 2 * 24 * 3600,
    setupObjectsListed: false,
    rowOrder: 'ascending',
    seed: 1,
    bulkPollsQueued: 0,
    bulkPollsInProgress: 0,
    bulkDelay: 0,
    bulkPageRows: 250_000,
    bulkPageBytes: 1_000_000_000,
    bulkEmptyResult: 'header',
    bulkScientific: true,
    bulkBigObjects: true,
    ingestCreateStatus: 200,
    ingestMultipartCloses: true,
    ingestCloseWithoutData: 'complete',
    ingestUploadBytes: 150_000_000,
    ingestCellCharacters: 32_000,
    ingestMixedNewlines: false,
    ingestReferenceNull: 'key',
    ingestNullOverDefault: 'null',
    ingestRowOrder: 'shuffled',
    ingestFailedIds: 'empty',
    ingestErrorSeparator: ';',
    ingestParallelBatches: 4,
    ingestLocks: true,
    ingestRowMilliseconds: 0,
    ingestListPage: 1000,
    dailyBulkBatches: 15_000,
    dailyBulkRows: 150_000_000,
    gzip: 'asked',
    headerCase: 'canonical',
    schemaModified: Date.UTC(2026, 0, 15, 8, 30),
    goneFields: {},
    collectionsAttributes: 'lenient',
    collectionsUnknownField: 'request',
    metadataFiles: 10_000,
    soapActionNeeded: true,
    accessTokens: 'opaque',
    trimsText: true,
    rules: [],
    defaultCaseOwner: null,
    queueObjects: {},
    unavailableRecordTypes: [],
    recordTypeValues: {},
    countries: null,
    storageRows: Number.POSITIVE_INFINITY,
    emailsLocked: true,
    circleCode: 'CIRCULAR_DEPENDENCY',
    blankedLookupsMoveStamps: false,
    deletesMoveStamps: true,
  };
}

/** Changes `settings` in place; permissions are merged one by one. Throws on an unknown name. */
export function applySettings(settings: Settings, changes: Partial<Settings>): void {
  const target = settings as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(changes)) {
    if (!(name in target)) throw new TypeError(`the practice org has no setting ${name}`);
    if (name === 'permissions') Object.assign(settings.permissions, value);
    else target[name] = value;
  }
}
