import type { Value } from '../database.ts';
import type { Field, SObject } from '../schema.ts';

/** What saving looks at of an object again and again, worked out once. */
export interface SavePlan {
  readonly byName: ReadonlyMap<string, Field>;
  /** Not to be left out or emptied: describe says so, and nothing fills them in (restore 4.1). */
  readonly required: readonly Field[];
  readonly autoNumbers: readonly string[];
  readonly unique: readonly Field[];
  readonly references: readonly Field[];
  /** Fields with a closed list of values. */
  readonly restricted: readonly { readonly field: Field; readonly values: ReadonlySet<string> }[];
  /** What a new row has where the client sent nothing. */
  readonly defaults: readonly (readonly [string, Value])[];
  readonly stamps: ReadonlySet<string>;
}

const plans = new WeakMap<SObject, SavePlan>();

export function planOf(object: SObject): SavePlan {
  let plan = plans.get(object);
  if (!plan) {
    plan = makePlan(object);
    plans.set(object, plan);
  }
  return plan;
}

const stampFields = ['CreatedDate', 'CreatedById', 'LastModifiedDate', 'LastModifiedById', 'SystemModstamp'];

/** Described as not to be left out, and filled in by the platform all the same (restore 5.1). */
const filledIn = new Set(['ContentVersion.ContentDocumentId']);

function makePlan({ name, fields }: SObject): SavePlan {
  return {
    byName: new Map(fields.map((field) => [field.name.toLowerCase(), field])),
    required: fields.filter((field) => isRequired(field) && !filledIn.has(`${name}.${field.name}`)),
    autoNumbers: fields.filter((field) => field.autoNumber === true).map((field) => field.name),
    unique: fields.filter((field) => field.unique === true && field.autoNumber !== true),
    references: fields.filter((field) => field.type === 'reference'),
    restricted: fields
      .filter((field) => field.restrictedPicklist === true)
      .map((field) => ({ field, values: activeValues(field) })),
    defaults: fields.flatMap((field): (readonly [string, Value])[] => {
      const value = defaultOf(field);
      return value === null ? [] : [[field.name, value]];
    }),
    stamps: new Set(stampFields.filter((name) => fields.some((field) => field.name === name))),
  };
}

function isRequired(field: Field): boolean {
  const isCreateable = field.createable !== false;
  return isCreateable && field.nillable === false && field.type !== 'boolean' && field.type !== 'id';
}

export function activeValues(field: Field): Set<string> {
  const values = (field.picklistValues ?? []) as readonly { value: string; active?: boolean }[];
  return new Set(values.filter((entry) => entry.active !== false).map((entry) => entry.value));
}

function defaultOf(field: Field): Value {
  if (field.autoNumber === true || field.calculated === true) return null;
  const { defaultValue } = field;
  if (typeof defaultValue === 'string' || typeof defaultValue === 'number') return defaultValue;
  if (typeof defaultValue === 'boolean') return defaultValue || null;
  const values = (field.picklistValues ?? []) as readonly { value: string; defaultValue?: boolean }[];
  return values.find((entry) => entry.defaultValue === true)?.value ?? null;
}
