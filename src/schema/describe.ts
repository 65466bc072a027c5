/**
 * The parts of Salesforce's sObject describe that salvor reads. What the org sends is kept whole, unknown keys
 * included: a point stores it as it came (field guide, extract 2.2 and 2.3).
 */
export interface ObjectSummary {
  readonly name: string;
  readonly label: string;
  readonly keyPrefix: string | null;
  readonly queryable: boolean;
  readonly retrieveable: boolean;
  readonly replicateable: boolean;
  readonly createable: boolean;
  readonly custom: boolean;
  readonly customSetting: boolean;
  readonly deprecatedAndHidden: boolean;
  readonly [key: string]: unknown;
}

export interface FieldDescribe {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly length: number;
  readonly calculated: boolean;
  readonly nillable: boolean;
  readonly filterable: boolean;
  readonly createable: boolean;
  readonly updateable: boolean;
  readonly compoundFieldName: string | null;
  readonly referenceTo: readonly string[];
  readonly relationshipName: string | null;
  readonly deprecatedAndHidden: boolean;
  readonly [key: string]: unknown;
}

export interface ObjectDescribe extends ObjectSummary {
  readonly fields: readonly FieldDescribe[];
  readonly childRelationships: readonly {
    readonly childSObject: string;
    readonly field: string;
    readonly relationshipName: string | null;
    readonly cascadeDelete: boolean;
    readonly [key: string]: unknown;
  }[];
}
