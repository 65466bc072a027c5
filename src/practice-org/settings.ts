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
  /** `asked`: gzip when the request accepts it; the documentation allows the other two (extract 3.4). */
  gzip: 'asked' | 'never' | 'always';
  /** Case of the names of the Sforce headers. */
  headerCase: 'canonical' | 'lower' | 'upper';
  /** When the schema last changed, for If-Modified-Since; milliseconds since 1970. */
  schemaModified: number;
  /** Fields that the describe still shows and that queries refuse: object name -> field names. */
  goneFields: Record<string, readonly string[]>;
  /** `strict`: records of Collections need their attributes before all fields; both were recorded (restore 2 and 14). */
  collectionsAttributes: 'strict' | 'lenient';
  /** A field that is not there: the whole request of Collections is refused, or only the record (restore 12). */
  collectionsUnknownField: 'request' | 'record';
  /** SOAP refuses requests without a SOAPAction header (restore 3.2). */
  soapActionNeeded: boolean;
  /** Sessions opened from now on have tokens of this format; REST takes both, SOAP up to API 67 refuses JWT (restore 3.2). */
  accessTokens: 'opaque' | 'jwt';
  /** Spaces at the end of a text are not kept (restore 4.6). */
  trimsText: boolean;
  /** A lookup that is emptied because its target is deleted moves SystemModstamp and LastModifiedDate (restore 14). */
  blankedLookupsMoveStamps: boolean;
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
    gzip: 'asked',
    headerCase: 'canonical',
    schemaModified: Date.UTC(2026, 0, 15, 8, 30),
    goneFields: {},
    collectionsAttributes: 'strict',
    collectionsUnknownField: 'request',
    soapActionNeeded: true,
    accessTokens: 'opaque',
    trimsText: true,
    blankedLookupsMoveStamps: false,
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
