export interface FindRequest {
  /** An Id, or a text. */
  readonly find: string;
  /** Take it as a text, also where it could be an Id. */
  readonly asText: boolean;
  /** Where a text is looked for: names of objects (`*` stands for any characters) and of fields. */
  readonly objects: readonly string[];
  readonly fields: readonly string[];
  /** Records of a text that are told. */
  readonly limit: number;
  /** True: a change of derived fields and stamps makes a version too. */
  readonly allFields: boolean;
  readonly withValues: boolean;
}

/** How a version came to be. */
export type VersionChange = 'seen' | 'changed' | 'deleted' | 'returned';

/** A record as it stood in some points, one behind the other. */
export interface Version {
  readonly object: string;
  readonly id: string;
  /** `seen`: no earlier point of this org has the record; `deleted`: these points do not have it any more. */
  readonly change: VersionChange;
  /** The change happened between these points; null: the oldest point of this org has it already. */
  readonly from: string | null;
  readonly to: string;
  /** The last point that has it so, and how many do. */
  readonly lastPoint: string;
  readonly points: number;
  /** When the first and the last of these points ended. */
  readonly first: string;
  readonly last: string;
  /** Id of the user who changed or deleted it, and when, as far as the record or its tombstone tells. */
  readonly changedBy: string | null;
  readonly changedAt: string | null;
  /** Of a deleted version, Id of the record whose deletion took it along, where its tombstone tells. */
  readonly deletedWith: string | null;
  /** Names of the fields that changed; with values each with both: of the first version all that are filled. */
  readonly fields: readonly string[] | Readonly<Record<string, { readonly from: string; readonly to: string }>>;
}

/** `result` of `salvor find --json`. */
export interface Found {
  readonly find: string;
  /** Points that were looked at. */
  readonly points: number;
  /** Of each record oldest first. */
  readonly versions: readonly Version[];
  /** True: there are more records with the text. */
  readonly more: boolean;
  /** What was not looked at, and why. */
  readonly notSearched: readonly { readonly point?: string; readonly object?: string; readonly reason: string }[];
}
