import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import { derivedField, systemField } from '../../schema/values.ts';
import type { Cells } from './platform.ts';

/** Why a field of a row is not restored. Stable: scripts match on it. */
export type LeftOutCode =
  | 'field-missing'
  | 'not-writable'
  | 'read-only'
  | 'audit-field'
  | 'number-given-anew'
  | 'platform-derives'
  | 'value-not-allowed'
  | 'too-long'
  | 'out-of-range'
  | 'masked'
  | 'reference-unresolved'
  | 'needs-incident';

export interface LeftOutReason {
  readonly field: string;
  readonly code: LeftOutCode;
  readonly reason: string;
}

/** What is wrong with a value in the target. */
type Problem = Pick<LeftOutReason, 'code' | 'reason'>;

const auditFields = new Set(['CreatedById', 'CreatedDate', 'LastModifiedById', 'LastModifiedDate']);
const neverWritten = new Set(['Id', 'IsDeleted', 'SystemModstamp']);

/** A field of the point that can be written to the target, and whether its values have to be looked at first. */
export interface WritableField {
  readonly name: string;
  /** Of the target. */
  readonly describe: FieldDescribe;
  /** True: a row without it cannot be made. */
  readonly required: boolean;
  /** Undefined: every value that the point may hold is allowed. */
  readonly check: ((value: string) => Problem | undefined) | undefined;
}

export interface Writable {
  readonly fields: readonly WritableField[];
  /** Fields of the point that cannot be written in any row. */
  readonly leftOut: readonly LeftOutReason[];
}

/** True for a field that has to be given when a row is made (field guide, restore 4.1). */
export function requiredOnCreate(field: FieldDescribe): boolean {
  const { createable, nillable, defaultedOnCreate, defaultValue, type } = field;
  return createable && !nillable && defaultedOnCreate !== true && (defaultValue ?? null) === null && type !== 'boolean';
}

/**
 * Fields among `columns` of the point that an insert may write, by the describes of both sides (field guide, restore 4). Case of names does
 * not matter.
 */
export function insertable(source: ObjectDescribe, target: ObjectDescribe, columns: readonly string[]): Writable {
  const of = new Map(target.fields.map((field) => [field.name.toLowerCase(), field]));
  const from = new Map(source.fields.map((field) => [field.name.toLowerCase(), field]));
  const fields: WritableField[] = [];
  const leftOut: LeftOutReason[] = [];
  for (const name of columns) {
    if (neverWritten.has(name)) continue;
    const known = from.get(name.toLowerCase());
    const field = of.get(name.toLowerCase());
    const why = field?.createable ? undefined : notCreateable(name, known, field);
    if (why) leftOut.push(why);
    if (!field?.createable || field.type === 'base64') continue;
    fields.push({ name, describe: field, required: requiredOnCreate(field), check: checkOf(known, field) });
  }
  return { fields, leftOut };
}

function notCreateable(
  name: string,
  source: FieldDescribe | undefined,
  target: FieldDescribe | undefined,
): LeftOutReason | undefined {
  if (auditFields.has(name)) {
    const reason = 'the user has no permission to set audit fields when records are made';
    return { field: name, code: 'audit-field', reason };
  }
  if (source?.autoNumber === true) {
    return { field: name, code: 'number-given-anew', reason: 'the platform numbers records that are made again' };
  }
  if (source && (derivedField(source) || systemField(source))) return undefined;
  if (!target) return { field: name, code: 'field-missing', reason: 'the org has no such field, or hides it' };
  if (source && !source.createable) return { field: name, code: 'read-only', reason: 'the platform sets it itself' };
  return { field: name, code: 'not-writable', reason: 'the field is read-only for this user' };
}

/** A check of the values of a field, where the target allows less than the org of the point did. */
function checkOf(
  source: FieldDescribe | undefined,
  target: FieldDescribe,
): ((value: string) => Problem | undefined) | undefined {
  const checks = [pickable(source, target), short(source, target), inRange(source, target), unmasked(source)].filter(
    (check) => check !== undefined,
  );
  if (checks.length === 0) return undefined;
  return (value) => {
    for (const check of checks) {
      const problem = check(value);
      if (problem) return problem;
    }
    return undefined;
  };
}

interface PicklistValue {
  readonly value: string;
  readonly active?: boolean;
}

function values(field: FieldDescribe): readonly PicklistValue[] {
  return (field.picklistValues as readonly PicklistValue[] | undefined) ?? [];
}

/** Restricted picklists take active values only; which of them a record type allows, no describe tells (field guide, restore 4.6). */
function pickable(source: FieldDescribe | undefined, target: FieldDescribe) {
  if (target.restrictedPicklist !== true) return undefined;
  const active = new Set(
    values(target).flatMap(({ value, active }) => (active === false ? [] : [value.toLowerCase()])),
  );
  const possible = source?.restrictedPicklist === true ? values(source) : undefined;
  if (possible?.every(({ value }) => active.has(value.toLowerCase()))) return undefined;
  const several = target.type === 'multipicklist';
  return (value: string): Problem | undefined => {
    const picked = several ? value.split(';') : [value];
    if (picked.every((one) => active.has(one.toLowerCase()))) return undefined;
    return { code: 'value-not-allowed', reason: 'its value is not among those that the restricted picklist has now' };
  };
}

const texts = new Set(['string', 'textarea', 'email', 'phone', 'url', 'encryptedstring', 'combobox', 'picklist']);

function short(source: FieldDescribe | undefined, target: FieldDescribe) {
  const { length, type } = target;
  if (!texts.has(type) || !length || (source && texts.has(source.type) && source.length <= length)) return undefined;
  return (value: string): Problem | undefined =>
    value.length > length ? { code: 'too-long', reason: `the field takes ${length} characters` } : undefined;
}

const numbers = new Set(['double', 'currency', 'percent']);

function inRange(source: FieldDescribe | undefined, target: FieldDescribe) {
  if (!numbers.has(target.type)) return undefined;
  const whole = (field: FieldDescribe) => Number(field.precision ?? 18) - Number(field.scale ?? 0);
  if (source && numbers.has(source.type) && whole(source) <= whole(target)) return undefined;
  const limit = 10 ** whole(target);
  return (value: string): Problem | undefined =>
    Math.abs(Number(value)) < limit ? undefined : { code: 'out-of-range', reason: 'the field takes fewer digits' };
}

/** Encrypted fields are read as stars without the permission to see them; stars are never written (field guide, restore 4.6). */
function unmasked(source: FieldDescribe | undefined) {
  if (source?.type !== 'encryptedstring' && source?.encrypted !== true) return undefined;
  return (value: string): Problem | undefined =>
    /^[*X]{4,}/.test(value) ? { code: 'masked', reason: 'the point holds it masked' } : undefined;
}

/** Required fields that are empty in the row. */
export function missing(fields: readonly WritableField[], cells: Cells): string[] {
  return fields.filter(({ name, required }) => required && cells(name) === '').map(({ name }) => name);
}
