import type { Way } from '../events.ts';
import type { RowFlow } from '../rows/batch.ts';
import type { ObjectDescribe, ObjectSummary } from '../schema/describe.ts';
import type { MetadataZip } from './metadata.ts';
import type { Slicing } from './sliced.ts';
import type { OrgWriter } from './writing.ts';

/** Who we are and where. */
export interface OrgIdentity {
  /** 18 characters. */
  readonly orgId: string;
  readonly userId: string;
  readonly username: string;
  /** Scheme and host, no trailing slash. */
  readonly instanceUrl: string;
  /** `67.0`; frozen for the run. */
  readonly apiVersion: string;
  readonly isSandbox: boolean;
  readonly organizationName: string;
}

/** An object that the org lists and does not describe. */
export interface NotDescribed {
  /** The org's own words. */
  readonly reason: string;
  /** True: there is no such object to describe; false: it failed this time. */
  readonly never: boolean;
}

/** How an object will be read, or why it cannot be: known before any row is asked for. */
export type ExtractionPlan =
  | {
      readonly way: Way;
      /** In the order in which they are selected: Id, SystemModstamp, IsDeleted (where the object has them), then the rest. */
      readonly fields: readonly string[];
      /** Fields that hold bytes and are fetched one by one (Attachment.Body, ContentVersion.VersionData, …). */
      readonly blobFields: readonly string[];
      /** Readable fields of the describe that are not selected, with the reason (compound whose parts are selected, …). */
      readonly leftOut: readonly { readonly field: string; readonly reason: string }[];
      /** Of a big object: fields that its index may consist of, the likely ones first. */
      readonly mayBeIndex?: readonly string[];
      /** Of an object that is read parent by parent. */
      readonly slicing?: Slicing;
      /** What changed cannot be asked for: the object is read as a whole each time. */
      readonly whole?: boolean;
    }
  | { readonly way: 'none'; readonly reason: string };

/** A border between two pages of a Bulk job: another reading can go on there, as long as the org has the job. */
export interface BulkPlace {
  readonly job: string;
  /** Of the page behind it; absent in front of the first. */
  readonly locator?: string | undefined;
  /** Rows in front of it. */
  readonly rows: number;
  /** The server's clock just before the job was made, in ISO 8601. */
  readonly started: string;
}

export interface ExtractRequest {
  readonly object: string;
  readonly plan: Exclude<ExtractionPlan, { way: 'none' }>;
  /** A SOQL condition, without WHERE. */
  readonly where?: string | undefined;
  /** True: rows in the recycle bin and archived rows too (queryAll). */
  readonly all: boolean;
  readonly rowsExpected?: number;
  /** Hands over what is behind this place of a job of the same request, and counts what is before it as read. Throws as any reading when the org has it no more. */
  readonly from?: BulkPlace | undefined;
  /** Told when a Bulk job was made and at each border between its pages, before a row behind it is handed over. */
  readonly onPlace?: (place: BulkPlace) => Promise<void>;
}

/** Known when the rows have run through. All counts were checked against each other by then. */
export interface ExtractionSummary {
  readonly way: Way;
  /** Rows parsed from the answer; equal to what every page and the job declared. */
  readonly rows: number;
  /** Bytes of CSV handed over. */
  readonly bytes: number;
  /** The server's clock just before the query began. */
  readonly started: Date;
  /** The server's clock after the last row. */
  readonly ended: Date;
  /** Id of the Bulk job, when there was one. */
  readonly job?: string;
}

/**
 * One reading of one object. `batches` can be walked once. When it ends without a throw, every row that the org
 * declared has been handed over, once; otherwise it throws a Fault (`count-mismatch`, `object-refused`, …). An `object-refused`
 * with `data.never` says that the org answers no such query, ever: the object cannot be read, rather than failed this time.
 */
export interface Extraction extends RowFlow {
  /** Resolves after `batches` has ended. */
  summary(): ExtractionSummary;
}

/** Rows that have one of `values` in `field`, which SOQL can filter by, however many there are. */
export interface Match {
  readonly field: string;
  /** As the vault's CSV has them. Texts are compared without case, as the org does. */
  readonly values: readonly string[];
  /** A further SOQL condition. */
  readonly where?: string;
}

/** How an object stands in the org. */
export interface Standing {
  /** Live rows, archived ones included. */
  readonly rows: number;
  /** The newest stamp of any row, in the recycle bin or not; undefined: it has none. */
  readonly newest: Date | undefined;
}

export interface Permissions {
  readonly viewAllData: boolean;
  readonly queryAllFiles: boolean;
  readonly viewEncryptedData: boolean;
  readonly viewSetup: boolean;
}

/** A request as it goes over the wire, for questions on the wire itself. */
export interface RawRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Behind `/services/data/v67.0`: `/query?q=…`; or from `/services/` on. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A function is given the access token, which SOAP wants in the body. */
  readonly body?: string | ((accessToken: string) => string);
}

/** What the org answered, whatever it was. */
export interface RawAnswer {
  readonly status: number;
  /** Names as they were spelled, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The whole body. */
  readonly text: string;
}

/** The org as the operations see it. */
export interface Org {
  readonly identity: OrgIdentity;
  /** Requests sent so far by this client that count against the org's daily limit. */
  readonly apiCalls: number;
  /** The org's daily requests: used (by anybody) and allowed; from the newest answer. */
  readonly apiUsage: { readonly used: number; readonly max: number } | undefined;
  /** The server's clock, from the `Date` header of an answer made now. */
  serverTime(): Promise<Date>;
  permissions(): Promise<Permissions>;
  /** describeGlobal: every object that the user sees. */
  objects(): Promise<ObjectSummary[]>;
  /** Describes, in the order of `names`; an object that cannot be described stands there with the org's reason. */
  describe(names: readonly string[]): Promise<Map<string, ObjectDescribe | NotDescribed>>;
  /** Names of all fields that the org has of each object, readable or not (FieldDefinition); undefined where it does not tell. */
  fieldNames(objects: readonly string[]): Promise<(readonly string[] | undefined)[]>;
  /** Names of all objects that the org has, visible or not (EntityDefinition). */
  objectNames(): Promise<readonly string[]>;
  /** Approximate, cached by the org, cheap: for planning only (limits/recordCount). Missing: unknown. */
  approximateCounts(): Promise<Map<string, number>>;
  /**
   * Exact counts of live rows, archived ones included; undefined where the org refuses to count. `since`: only rows stamped then or
   * later, those in the recycle bin included. `where`: only rows that meet it. Several objects go into one API call.
   */
  counts(
    requests: readonly { object: ObjectDescribe; since?: Date; where?: string | undefined }[],
  ): Promise<(number | undefined)[]>;
  /**
   * Live rows of each object and the newest value of its field `stamp`, those in the recycle bin included; undefined where the org refuses to
   * tell. `where`: of rows that meet it. Five objects go into one API call.
   */
  standings(
    requests: readonly {
      readonly object: ObjectDescribe;
      readonly stamp: string;
      readonly where?: string | undefined;
    }[],
  ): Promise<(Standing | undefined)[]>;
  plan(object: ObjectDescribe): ExtractionPlan;
  /** Starts when `batches` is first asked for a batch. Falls back from Bulk to REST by itself; `summary().way` tells. */
  extract(request: ExtractRequest): Extraction;
  /**
   * The same for several readings of few rows each, in the order of `requests`: five of their queries go into one API call, made now. Their
   * first pages are in memory until they are read.
   */
  extractFew(requests: readonly ExtractRequest[]): Promise<Extraction[]>;
  /**
   * Rows with these Ids (18 characters) as they are now, in ascending order of their Ids; what the org does not have is left out. `fields`:
   * columns of the describe; Id comes first, named or not. `all`: rows in the recycle bin too. By as few calls as the number of Ids wants:
   * many of them may be cheaper found in the whole object. Errors as with `extract`.
   */
  records(
    object: ObjectDescribe,
    ids: readonly string[],
    fields: readonly string[],
    options?: { readonly all?: boolean },
  ): RowFlow;
  /** Rows that a long list picks, each once, in no order; `columns` are `fields`. `all` and errors as with `records`. */
  matching(
    object: ObjectDescribe,
    match: Match,
    fields: readonly string[],
    options?: { readonly all?: boolean },
  ): RowFlow;
  /** The bytes of one blob field, in order; throws when the stream is cut or shorter than the declared length. */
  blob(object: string, id: string, field: string): AsyncIterable<Buffer>;
  /**
   * The org's metadata (settings, code, layouts …) as zips of the Metadata API, one retrieval at a time. Throws `object-refused`,
   * `permission-missing` when the org does not hand it out.
   */
  metadata(): AsyncIterable<MetadataZip>;
  /** API calls that `metadata` takes, estimated by a few of them. Throws as it does. */
  metadataCalls(): Promise<number>;
  readonly writer: OrgWriter;
  /**
   * One request as it is, and the answer as it came, refusals too: nothing is read into it or tried again, but for a token that expired. Throws
   * `org-unreachable` and `answer-lost` where none came, `session-expired`, `api-budget`.
   */
  exchange(request: RawRequest): Promise<RawAnswer>;
  close(): Promise<void>;
}

/** Stops a run in time: asked before every request that counts. Throws `api-budget` when the request may not be sent. */
export interface ApiBudget {
  readonly maxPercent: number;
  readonly maxCalls?: number;
}
