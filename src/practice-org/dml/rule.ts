import type { Value } from '../database.ts';

/** A test of a record. `field` may lead to a parent: `Account.Industry`. */
export type Condition =
  | { readonly field: string; readonly is: 'blank' | 'set' | 'changed' }
  | { readonly field: string; readonly equals: Value | readonly Value[] }
  /** A regular expression that some part of the text matches. */
  | { readonly field: string; readonly matches: string }
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

export type Occasion = 'insert' | 'update' | 'delete' | 'undelete';

interface Automation {
  readonly object: string;
  /** Insert and update without it. */
  readonly on?: readonly Occasion[];
  /** Off while a row of this custom setting for the user, its profile or the org has the checkbox set; the nearest row counts. */
  readonly bypass?: { readonly object: string; readonly field: string };
}

/** Refuses a record that `when` holds for: FIELD_CUSTOM_VALIDATION_EXCEPTION unless `code` says otherwise. */
export interface ValidationRule extends Automation {
  readonly kind: 'validation';
  readonly when: Condition;
  readonly message: string;
  readonly field?: string;
  readonly code?: string;
}

/**
 * Apex that throws: CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY with `Name: execution of BeforeInsert caused by: message`. `record`: every
 * record that `when` holds for fails. `chunk`: one more record fails in each pass, until nobody is saved (restore 1.3).
 */
export interface TriggerRule extends Automation {
  readonly kind: 'trigger';
  readonly name: string;
  readonly message: string;
  readonly when?: Condition;
  readonly fails?: 'record' | 'chunk';
}

/** Refuses a record that agrees with a live one in all `fields`; `alert` lets it pass when the client allows it (restore 6.2). */
export interface DuplicateRule extends Automation {
  readonly kind: 'duplicate';
  readonly fields: readonly string[];
  readonly action: 'alert' | 'block';
}

/** Gives new cases or leads to `owner`; the first that holds counts. */
export interface AssignmentRule {
  readonly kind: 'assignment';
  readonly object: string;
  readonly owner: string;
  readonly when?: Condition;
}

/** A lookup takes only targets that `when` holds for (restore 5.6). */
export interface LookupFilter {
  readonly kind: 'lookupFilter';
  readonly object: string;
  readonly field: string;
  readonly when: Condition;
  readonly message?: string;
}

/** The next `times` saves of rows that point at `parent`, or of itself, find it locked (restore 1.3). */
export interface RowLock {
  readonly kind: 'lock';
  readonly parent: string;
  readonly times: number;
}

/** What people set up in an org and what gets in the way of writes. */
export type Rule = ValidationRule | TriggerRule | DuplicateRule | AssignmentRule | LookupFilter | RowLock;
