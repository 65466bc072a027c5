import type { FunctionExp } from '@jetstreamapp/soql-parser-js';
import type { Row, Value } from '../database.ts';
import { id18 } from '../identifiers.ts';
import { Refusal, unsupported } from '../refusal.ts';
import type { Field, Schema, SObject } from '../schema.ts';
import { noSuchColumn, noSuchRelationship, positioned } from './parse.ts';

/** Something with a value in each row: a field, a field of a parent, a function of one. */
export interface Operand {
  /** As it is spelled in the schema: `Owner.Name`. */
  readonly name: string;
  readonly type: string;
  /** The field at the end of the path; undefined for functions and for `Type` of a polymorphic parent. */
  readonly field: Field | undefined;
  get(row: Row): Value;
}

/** One step of a path: from a row to its parent. */
export interface Step {
  readonly reference: Field;
  readonly targets: readonly SObject[];
}

/** Where names of one query are looked up. */
export interface Scope {
  readonly schema: Schema;
  readonly object: SObject;
  readonly alias: string | undefined;
  readonly soql: string;
  /** Fields that queries refuse although the describe shows them. */
  readonly goneFields: Readonly<Record<string, readonly string[]>>;
  readonly masked: boolean;
}

/** Follows `names` from `object` to the parent they lead to; several candidates when polymorphic. Throws INVALID_FIELD. */
export function steps(scope: Scope, names: readonly string[]): Step[] {
  if (names.length > 5)
    throw new Refusal(400, 'INVALID_FIELD', `relationship path ${names.join('.')} is longer than five levels`);
  let candidates: readonly SObject[] = [scope.object];
  return names.map((name) => {
    const reference = candidates.map((candidate) => candidate.relationship(name)).find((field) => field);
    const targets = (reference?.referenceTo ?? []).flatMap((target) => scope.schema.object(target) ?? []);
    if (!reference || targets.length === 0) throw noSuchRelationship(scope.soql, names.join('.'), name);
    candidates = targets;
    return { reference, targets };
  });
}

/** The parent row that one step leads to, with its object; undefined when the lookup is empty or dangling. */
export function parentOf(scope: Scope, step: Step, row: Row): { object: SObject; row: Row } | undefined {
  const id = row[step.reference.name];
  if (typeof id !== 'string') return undefined;
  const object =
    step.targets.length === 1
      ? step.targets[0]
      : scope.schema.objectOfId(
          id,
          step.targets.map((target) => target.name),
        );
  if (!object) return undefined;
  const number = object.table.source.find(/^[A-Za-z0-9]{15}$/.test(id) ? id18(id) : id);
  return number < 0 ? undefined : { object, row: object.table.source.row(number) };
}

/** The field `path` (`Name`, `Owner.Name`) of the scope's object. Throws INVALID_FIELD with the place. */
export function fieldOperand(scope: Scope, path: string): Operand {
  const parts = path.split('.');
  const own = parts.length > 1 && parts[0]!.toLowerCase();
  if (
    own &&
    (own === scope.alias?.toLowerCase() || (own === scope.object.name.toLowerCase() && !scope.object.relationship(own)))
  )
    parts.shift();
  const name = parts.pop()!;
  if (parts.length === 0) return ownField(scope, name, path);
  const way = steps(scope, parts);
  const last = way.at(-1)!;
  // Parents of several kinds are a Name, whose Type is the kind, whatever fields they have themselves.
  const isName = name.toLowerCase() === 'type' && (last.reference.referenceTo?.length ?? 0) > 1;
  const field = isName ? undefined : last.targets.map((target) => target.field(name)).find((found) => found);
  const isType = !field && name.toLowerCase() === 'type';
  if (!field && !isType) throw noSuchColumn(scope.soql, path, last.targets.length > 1 ? 'Name' : last.targets[0]!.name);
  const spelled = [...way.map((step) => step.reference.relationshipName), field?.name ?? 'Type'].join('.');
  return {
    name: spelled,
    type: field?.type ?? 'string',
    field,
    get: (row) => {
      let at: { object: SObject; row: Row } | undefined = { object: scope.object, row };
      for (const step of way) {
        at = parentOf(scope, step, at.row);
        if (!at) return null;
      }
      return field ? (at.row[field.name] ?? null) : at.object.name;
    },
  };
}

function ownField(scope: Scope, name: string, written: string): Operand {
  const field = scope.object.field(name);
  const gone = field && scope.goneFields[scope.object.name]?.includes(field.name);
  if (!field || gone) throw noSuchColumn(scope.soql, written, scope.object.name);
  const key = field.name;
  if (scope.masked && (field.encrypted === true || field.type === 'encryptedstring'))
    return { name: key, type: field.type, field, get: (row) => (row[key] == null ? null : '********') };
  return { name: key, type: field.type, field, get: (row) => row[key] ?? null };
}

const dateParts: Readonly<Record<string, (date: Date) => Value>> = {
  CALENDAR_YEAR: (date) => date.getUTCFullYear(),
  CALENDAR_QUARTER: (date) => Math.floor(date.getUTCMonth() / 3) + 1,
  CALENDAR_MONTH: (date) => date.getUTCMonth() + 1,
  DAY_IN_MONTH: (date) => date.getUTCDate(),
  DAY_IN_WEEK: (date) => date.getUTCDay() + 1,
  HOUR_IN_DAY: (date) => date.getUTCHours(),
  DAY_ONLY: (date) => date.toISOString().slice(0, 10),
};

/** A function of a field that is not an aggregate: date functions in GMT, toLabel. Others are refused by name. */
export function functionOperand(scope: Scope, fn: FunctionExp): Operand {
  const name = (fn.functionName ?? '').toUpperCase();
  const parameter = fn.parameters?.[0];
  const raw = fn.rawValue ?? name;
  const part = dateParts[name];
  if (typeof parameter !== 'string' || fn.parameters?.length !== 1 || !(part || name === 'TOLABEL'))
    throw unsupported(`${raw} in SOQL`);
  const inner = fieldOperand(scope, parameter);
  if (!part) {
    const labels = new Map(inner.field?.picklistValues?.map((entry) => [entry.value, entry.label ?? entry.value]));
    const label = (value: Value): Value => (typeof value === 'string' ? (labels.get(value) ?? value) : value);
    return { ...inner, name: raw, get: (row) => label(inner.get(row)) };
  }
  if (inner.type !== 'date' && inner.type !== 'datetime')
    throw new Refusal(
      400,
      'MALFORMED_QUERY',
      positioned(scope.soql, parameter, `field ${parameter} is not a date: ${raw}`),
    );
  return {
    name: raw,
    type: name === 'DAY_ONLY' ? 'date' : 'int',
    field: undefined,
    get: (row) => {
      const value = inner.get(row);
      return typeof value === 'string' ? part(new Date(value)) : null;
    },
  };
}
