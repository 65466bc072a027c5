import type { IdPart } from '../../rows/id-part.ts';
import type { SelectionRequest } from '../select/selection.ts';
import type { Window } from '../select/window.ts';
import type { Change } from './compare.ts';

/** What two states are compared in, and how thoroughly. */
export interface DiffRequest {
  readonly selection: SelectionRequest;
  /** Only these fields; empty: all that are compared. */
  readonly fields: readonly string[];
  /** True: derived fields and those of the system too. */
  readonly allFields: boolean;
  /** Id of a user: only rows that this user changed last. */
  readonly changedBy: string | undefined;
  /** Only rows last changed in this time. */
  readonly between: Window | undefined;
  /** True: all rows are read. False: against an org only what its stamps, counts and deletions point at. */
  readonly full: boolean;
  /** With `full`, only rows of this part of all Ids. */
  readonly part?: IdPart;
  /** Objects that are compared at the same time. */
  readonly parallel: number;
  /** True: records carry the values that differ. */
  readonly withValues: boolean;
}

/** One object in which the states differ, or might. */
export interface ObjectDiff {
  readonly object: string;
  readonly added: number;
  readonly changed: number;
  readonly deleted: number;
  /** Name -> in how many changed rows it differs; most first. */
  readonly fields: Readonly<Record<string, number>>;
  /** Fields of which only one side has values: gone from `to`, and new in it. */
  readonly fieldsGone: readonly string[];
  readonly fieldsNew: readonly string[];
  /** Why a point does not hold all rows of it: what it lacks is told as added, or is not told at all. */
  readonly incomplete?: string;
  /** The object itself stands on one side only, and why. */
  readonly only?: { readonly side: 'from' | 'to'; readonly reason: string };
}

/** One record that differs. */
export interface RecordDiff {
  readonly object: string;
  readonly id: string;
  readonly change: Change;
  /** Names; with values each with both. Of added and deleted records only with values: all that are filled. */
  readonly fields: readonly string[] | Readonly<Record<string, { readonly from: string; readonly to: string }>>;
  /** Of a deleted record, Id of the record whose deletion took it along, where the second point tells. */
  readonly deletedWith?: string;
}

export interface NotCompared {
  readonly object: string;
  readonly reason: string;
  /** True: it should have been possible. */
  readonly failed: boolean;
}

/** `result` of `salvor diff --json`, without records. */
export interface DiffResult {
  /** Id of a point. */
  readonly from: string;
  /** Id of a point, or `live`. */
  readonly to: string;
  /** Objects that differ, in the order of their names. */
  readonly objects: readonly ObjectDiff[];
  readonly notCompared: readonly NotCompared[];
  /** Rows that vanished from the org without a trace, so that nobody can say by whom and when: left out by `changedBy` and `between`. */
  readonly unattributed: number;
  /** How many objects were compared, those without differences included. */
  readonly compared: number;
}

/** Takes each record that differs, as it is found; objects come in any order. */
export type OnRecord = (record: RecordDiff) => void;
