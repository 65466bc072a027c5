/**
 * What the practice org holds. `server.ts` and its neighbours speak the protocols over it; `sample/`, `generate.ts` and
 * `load.ts` fill it. Rows may be stored or computed from a seed, so that an object of millions of rows starts at once.
 */

/** A cell as the REST API types it. Text for dates, times and datetimes (`2024-04-16T19:00:00.000Z`); null for empty. */
export type Value = string | number | boolean | null;

/** One record: field API name -> value. Blob fields are absent here and come from `Table.blob`. */
export type Row = Readonly<Record<string, Value>>;

/** Describe JSON as Salesforce sends it, all keys (field guide, extract 2.3). */
export type Describe = Readonly<Record<string, unknown>> & {
  readonly name: string;
  readonly keyPrefix: string | null;
  readonly queryable: boolean;
  readonly fields: readonly (Readonly<Record<string, unknown>> & { readonly name: string; readonly type: string })[];
};

/** Rows by number, in creation order; the numbers are dense from 0 and never change their meaning. */
export interface RowSource {
  readonly size: number;
  row(number: number): Row;
  /** The number of the row with this 18-character Id, or -1. */
  find(id: string): number;
  /** Optional, for computed rows: one cell without the rest of its row. Filters over millions of rows read by it. */
  cell?(number: number, field: string): Value;
  /** Optional, for rows that can be written: grows with every write. */
  readonly version?: number;
  /** Optional, for rows that can be written: how the Ids of new rows begin, and the number in the first of them. Default: behind those that there are. */
  readonly newIds?: { readonly prefix: string; readonly from: number };
  /** Optional: numbers of rows that are gone for good, which nothing finds any more. Who holds their number may still read them. */
  readonly purged?: ReadonlySet<number>;
  /**
   * Optional fast path for large computed objects: rows `from` to `to` (exclusive) as Bulk API 2.0 CSV lines (every cell quoted,
   * LF, no header) with just `fields`, in that order; undefined when these fields or rows have no fast path.
   */
  csv?(fields: readonly string[], from: number, to: number): Buffer | undefined;
}

/** How the org treats an object beyond what its describe says (field guide, extract 4). */
export interface Treatment {
  /** Bulk refuses it: INVALIDENTITY. */
  readonly bulkRefused?: boolean;
  /** Every query ends with this error though describe says queryable. */
  readonly queryError?: { readonly status: number; readonly errorCode: string; readonly message: string };
  /** A query needs an equality or IN filter on one of these fields, else MALFORMED_QUERY with this message. */
  readonly requiredFilter?: {
    readonly fields: readonly string[];
    readonly message: string;
    readonly unlessPermission?: string;
    /** IN does not do. */
    readonly single?: boolean;
  };
  /** Index fields of a big object, in order; filters only on these, no COUNT. */
  readonly bigObjectIndex?: readonly string[];
  /** Knowledge: archived versions behind the latest are found by their article and `IsLatestVersion = false` only. */
  readonly archivedVersions?: boolean;
  /** Custom metadata: no queryMore, Bulk refuses. */
  readonly customMetadata?: boolean;
  /** Fields that exist and that field-level security hides: absent from describe, INVALID_FIELD when queried, present in FieldDefinition. */
  readonly hiddenFields?: readonly string[];
  /** Deleted rows vanish at once instead of going to the recycle bin. */
  readonly noRecycleBin?: boolean;
  /** ORDER BY or LIMIT in Bulk above this many rows fails with QUERY_TIMEOUT. */
  readonly unchunkedLimit?: number;
}

export interface Table {
  readonly describe: Describe;
  readonly treatment: Treatment;
  readonly source: RowSource;
  /** Bytes of a blob field; undefined when the row has none. */
  blob?(id: string, field: string): Buffer | undefined;
  /** The same piece by piece, where the source need not hold it in one; undefined: ask `blob`. */
  pieces?(id: string, field: string): { readonly size: number; chunks(): Iterable<Buffer> } | undefined;
}

export interface OrgFacts {
  /** 18 characters, 00D… */
  readonly organizationId: string;
  readonly organizationName: string;
  readonly isSandbox: boolean;
  readonly instanceName: string;
  /** The user that logs in; a row of table User. */
  readonly userId: string;
  readonly username: string;
}

export interface Database {
  readonly facts: OrgFacts;
  /** By API name. Object names in URLs and SOQL are matched without regard to case. */
  readonly tables: ReadonlyMap<string, Table>;
}
