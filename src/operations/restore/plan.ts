import type { IdMap } from '../../rows/id-table.ts';
import type { PlannedRows } from './planned-rows.ts';

/**
 * What a restore will do, decided before anything is written. It holds Ids, fields and counts and no record value: values are read again from
 * the point when the plan is applied. `plan-file.ts` writes it to a file and reads it back.
 */

/**
 * `skip` the org already has it. `undelete` it lies in the recycle bin and comes back with its Id. `insert` it comes back under a new Id.
 * `relink` it stands in the org and a lookup of it was blanked by a deletion. `update` fields differ and are put back. `delete` it was made
 * after the point. `conflict` somebody changed it since, and it is kept.
 */
export const actions = ['skip', 'undelete', 'insert', 'relink', 'update', 'delete', 'conflict'] as const;
export type Action = (typeof actions)[number];

/** What happens to one row. An Id stands once, or twice when some of its fields are put back and others are a conflict. */
export interface PlannedRow {
  /** 18 characters: of the row in the point; of the row in the org for `delete`. */
  readonly id: string;
  readonly action: Action;
  /**
   * insert: from 0. A row refers only to rows of lower levels, of objects that stand before its own in the plan, and to rows that stand in
   * the org already; `later` names the lookups for which that cannot be.
   */
  readonly level: number;
  /** update, relink and undelete: the fields to be written (afterwards); conflict: the fields that somebody changed. */
  readonly fields: readonly string[];
  /** insert: fields that are not written at first but in a second pass: lookups of true cycles, what an activation needs last. */
  readonly later: readonly string[];
  /** insert: fields whose value cannot be restored; `leftOut` of the plan says why. */
  readonly without: readonly string[];
  /** Id under which the row stands in the org when that is another: another org, an earlier restore, rows that the platform makes itself. */
  readonly target?: string;
  /** update, relink, delete: print of the values that stood there when the plan was made (`nowPrint`). */
  readonly now?: string;
  /** skip, conflict: why, in a few words. Never a value. */
  readonly reason?: string;
  /**
   * insert: the platform makes the row itself, along with another (a person's contact): it is found by the keys of its object when that other
   * one stands, and never made.
   */
  readonly made?: true;
}

/** All of one object. Objects stand in the order in which their rows are inserted; deletes go backwards. */
export interface ObjectPlan {
  readonly object: string;
  readonly rows: PlannedRows;
  /** Objects whose inserts must be done level by level together with this one's, since they refer to each other; itself included. */
  readonly together: readonly string[];
  /**
   * Lists of fields that tell a row of this object that the platform makes along with others (a status of a campaign, an owner's link to a
   * file): before an insert, rows of the org with the same values, references mapped, are looked for by the first list whose cells are all
   * filled; one that is found is not made again, and differing fields are put back.
   */
  readonly keys?: readonly (readonly string[])[];
  /** True: only rows that are `made` are looked for by `keys`. */
  readonly keysOfMadeOnly?: true;
}

/** A row that is not restored at all. */
export interface Withheld {
  readonly object: string;
  readonly id: string;
  /** Stable: `object-missing`, `not-createable`, `required-missing`, `reference-unresolved`, `value-not-allowed`, `unique-taken` … */
  readonly code: string;
  readonly reason: string;
}

/** A field that is not restored in so many rows. */
export interface FieldLeftOut {
  readonly object: string;
  readonly field: string;
  readonly code: string;
  readonly reason: string;
  readonly rows: number;
}

/** What the plan is bound to, and what it says about itself. The first line of a plan file. */
export interface PlanHeader {
  readonly v: 1;
  readonly kind: 'plan';
  readonly tool: string;
  readonly vault: string;
  /** The point, and the SHA-256 of its signed record. */
  readonly point: { readonly id: string; readonly digest: string; readonly ended: string };
  /** The org that the point is of, 18 characters. */
  readonly sourceOrg: string;
  /** The org that is written to. */
  readonly org: { readonly id: string; readonly name: string; readonly isSandbox: boolean; readonly username: string };
  /** The org's clock when it was looked at. */
  readonly made: string;
  /** What was asked for, as the command line said it: shown, and compared when a restore goes on. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Print of the describe of each object that is touched, in the target (`schemaPrint`). */
  readonly schema: Readonly<Record<string, string>>;
  /** Digest of the restores into the org that the plan knows of (`earlierDigest`); '' when there is nothing to know. */
  readonly restores: string;
  /** Salt of the prints in `PlannedRow.now`. */
  readonly salt: string;
  readonly leftOut: readonly FieldLeftOut[];
  readonly withheld: readonly Withheld[];
  /** What no plan can foresee here, one sentence each. */
  readonly cannotForesee: readonly string[];
  readonly apiCalls: number;
  readonly predictedSeconds: number;
}

export interface Plan {
  readonly header: PlanHeader;
  /**
   * Id in the point -> Id in the org, for rows that are not restored but referred to and have another Id there: users, record types, and what an
   * earlier restore made again.
   */
  readonly references: IdMap;
  readonly objects: readonly ObjectPlan[];
}

/** One line of a plan for people and for `plan.steps` of the JSON result. */
export interface Step {
  readonly object: string;
  readonly action: Action;
  readonly rows: number;
}

/** False for a plan that would leave the org as it is. */
export function writesAnything({ objects }: Plan): boolean {
  const written = ['undelete', 'insert', 'relink', 'update', 'delete'] as const;
  return objects.some(({ rows }) => written.some((action) => rows.count(action) > 0));
}

/** Counts by object and action, in the order of the plan; actions without rows are left out. */
export function steps(plan: Pick<Plan, 'objects'>): Step[] {
  return plan.objects.flatMap(({ object, rows }) =>
    actions.flatMap((action) => {
      const count = rows.count(action);
      return count === 0 ? [] : [{ object, action, rows: count }];
    }),
  );
}
