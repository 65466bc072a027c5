/** What was found of the rows of one object, each counted once. */
export interface OrgCounts {
  /** Rows of the point that were judged. */
  readonly rows: number;
  /** Of these, the ones that the org has just so. */
  readonly equal: number;
  /** Made, changed or deleted behind the window in which the point read the object. No problem. */
  readonly since: number;
  /** Only fields differ that change without a stamp: formulas, roll-ups, auto numbers, lookups to a row that is gone or came back. No problem. */
  readonly stale: number;
  /** The org has neither the row nor a trace of it: nobody can say when it went. No problem. */
  readonly gone: number;
  /** They differ, and the object has no stamp that could say since when. No problem. */
  readonly undated: number;
  /** Problem: other values although the org stamped the row before the end of the window. */
  readonly different: number;
  /** Problem: in the org since before the end of the window, and not in the point. */
  readonly missing: number;
  /** Problem: deleted before the end of the window, and live in the point. */
  readonly undead: number;
}

export interface OrgObject extends OrgCounts {
  readonly object: string;
  /** What is stamped behind this time, by the org's clock, changed since. */
  readonly until: string;
  /** Name -> in how many of the `stale` rows it differs; most first. */
  readonly staleFields: Readonly<Record<string, number>>;
  /** Name -> in how many of the `different` rows it differs; most first. */
  readonly differentFields: Readonly<Record<string, number>>;
  /** Fields that the point has values of and that are not compared: the org hides them by now, or has another type for them. */
  readonly notCompared: readonly string[];
}

/** What a comparison of a point with its org came to. Ids and names, never values. */
export interface OrgCompared {
  readonly org: { readonly id: string; readonly name: string };
  /** The org's clock when the reading began. */
  readonly at: string;
  /** Only this part of the rows was judged, by their Ids. */
  readonly sample?: { readonly part: number; readonly of: number };
  /** In the order of their names, those without differences included. */
  readonly objects: readonly OrgObject[];
  readonly totals: OrgCounts;
  /** Objects of the point that were not judged, and why. */
  readonly notCompared: readonly { readonly object: string; readonly reason: string; readonly failed: boolean }[];
  /** Requests of the org's day that it took, the login included. */
  readonly apiCalls: number;
}
