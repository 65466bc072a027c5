import type { Value } from '../database.ts';

/** A value as a client sends it: JSON as it came, or the text of a CSV cell. Files come as bytes. */
export type Given = Value | Buffer;

/** A lookup that names its target by a key instead of an Id: `{"Account": {"External_Key__c": "x"}}`, `Account.External_Key__c`. */
export interface KeyReference {
  /** Relationship name, without regard to case. */
  readonly relationship: string;
  /** Type of the target; needed where the lookup is polymorphic. */
  readonly object?: string;
  readonly keyField: string;
  readonly key: string;
}

/** One record as it is asked to be saved. A field that is absent is not touched; null clears it. */
export interface RecordInput {
  readonly fields: Readonly<Record<string, Given>>;
  readonly references?: readonly KeyReference[];
}

export interface SaveOptions {
  readonly api: 'rest' | 'bulk' | 'soap';
  /** Who saves; undefined: the user of the org. */
  readonly userId?: string | undefined;
  /** Nothing is saved when one record fails; the others answer ALL_OR_NONE_OPERATION_ROLLED_BACK. */
  readonly allOrNone: boolean;
  /** Assignment rules run for Case and Lead, or the default owner is put in (restore 6.2). */
  readonly assign: boolean;
  /** What an alert rule finds is saved all the same (restore 6.2). */
  readonly allowDuplicates: boolean;
}

export interface SaveError {
  /** `REQUIRED_FIELD_MISSING`; `statusCode` in Collections and SOAP, `errorCode` in single-record answers. */
  readonly code: string;
  readonly message: string;
  readonly fields: readonly string[];
}

/** What became of one record. `errors` is empty when it was saved. */
export interface SaveResult {
  /** Of the record that was saved; undefined when an insert failed. */
  readonly id: string | undefined;
  readonly created: boolean;
  readonly errors: readonly SaveError[];
}

/** Records of one transaction (restore 1.3). */
export const transactionRows = 200;
