import type { FieldRelationship, FieldSubquery, FieldTypeOf, Query } from '@jetstreamapp/soql-parser-js';
import type { Row, Value } from '../database.ts';
import { Refusal, unsupported } from '../refusal.ts';
import type { Field, SObject } from '../schema.ts';
import { leaves, tree } from './condition.ts';
import { fieldOperand, functionOperand, type Operand, type Scope, type Step, steps } from './operands.ts';
import { noSuchChildRelationship, noSuchRelationship } from './parse.ts';

/** What a query selects from each row, in the order of the SELECT list. */
export type Column =
  /** A field of the object itself, or a function of one. `key`: name in the answer. */
  | { readonly kind: 'field'; readonly key: string; readonly operand: Operand }
  /** A field of a parent. */
  | { readonly kind: 'parent'; readonly way: readonly Step[]; readonly operand: Operand }
  | {
      readonly kind: 'children';
      readonly key: string;
      readonly child: SObject;
      readonly reference: string;
      readonly query: Query;
    }
  | { readonly kind: 'typeof'; readonly step: Step; readonly branches: readonly Branch[] };

export interface Branch {
  /** Undefined: ELSE. */
  readonly object: SObject | undefined;
  readonly fields: readonly string[];
}

export function columnsOf(scope: Scope, query: Query): Column[] {
  const columns: Column[] = [];
  for (const field of query.fields ?? []) {
    switch (field.type) {
      case 'Field': {
        if (field.alias) throw new Refusal(400, 'MALFORMED_QUERY', 'only aggregate expressions use field aliasing');
        const operand = fieldOperand(scope, field.field);
        columns.push({ kind: 'field', key: operand.name, operand });
        break;
      }
      case 'FieldRelationship':
        columns.push(parentColumn(scope, field));
        break;
      case 'FieldFunctionExpression': {
        if (field.functionName.toUpperCase() === 'FIELDS') {
          columns.push(...allFields(scope, query, String(field.parameters[0])));
          break;
        }
        const operand = functionOperand(scope, field);
        columns.push({ kind: 'field', key: field.alias ?? operand.field?.name ?? operand.name, operand });
        break;
      }
      case 'FieldSubquery':
        columns.push(childColumn(scope, field));
        break;
      case 'FieldTypeof':
        columns.push(typeofColumn(scope, field));
        break;
      default:
        throw unsupported(`${(field as { type: string }).type} in SELECT`);
    }
  }
  refuseDuplicates(columns);
  return columns;
}

function refuseDuplicates(columns: readonly Column[]): void {
  const seen = new Set<string>();
  for (const column of columns) {
    if (column.kind !== 'field' && column.kind !== 'parent') continue;
    const { name } = column.operand;
    if (seen.has(name)) throw new Refusal(400, 'INVALID_FIELD', `duplicate field selected: ${name}`);
    seen.add(name);
  }
}

function parentColumn(scope: Scope, field: FieldRelationship & { alias?: string }): Column {
  if (field.alias) throw new Refusal(400, 'MALFORMED_QUERY', 'only aggregate expressions use field aliasing');
  const operand = fieldOperand(scope, [...field.relationships, field.field].join('.'));
  const names = operand.name.split('.').slice(0, -1);
  if (names.length === 0) return { kind: 'field', key: operand.name, operand };
  return { kind: 'parent', way: steps(scope, names), operand };
}

function childColumn(scope: Scope, { subquery }: FieldSubquery): Column {
  const relationship = scope.object.childRelationship(subquery.relationshipName);
  const child = relationship && scope.schema.object(relationship.childSObject);
  if (!relationship || !child) throw noSuchChildRelationship(scope.soql, subquery.relationshipName);
  const query: Query = { ...subquery, sObject: child.name };
  return { kind: 'children', key: relationship.relationshipName!, child, reference: relationship.field, query };
}

function typeofColumn(scope: Scope, field: FieldTypeOf): Column {
  const step = steps(scope, [field.field])[0]!;
  if (step.targets.length < 2) throw noSuchRelationship(scope.soql, field.field, field.field);
  const branches = field.conditions.map((condition): Branch => {
    const object = condition.objectType
      ? step.targets.find((t) => t.name.toLowerCase() === condition.objectType!.toLowerCase())
      : undefined;
    if (condition.objectType && !object) throw unsupported(`TYPEOF ${field.field} WHEN ${condition.objectType}`);
    const known = object ?? step.targets.find((target) => condition.fieldList.every((name) => target.field(name)));
    const inner = known && { ...scope, object: known, alias: undefined };
    const fields = condition.fieldList.map((name) => (inner ? fieldOperand(inner, name).name : name));
    if (fields.some((name) => name.includes('.'))) throw unsupported('a relationship inside TYPEOF');
    return { object, fields };
  });
  return { kind: 'typeof', step, branches };
}

/** FIELDS(ALL | CUSTOM | STANDARD); the first two want a LIMIT of at most 200 or as many Ids (extract 2.6). */
function allFields(scope: Scope, query: Query, which: string): Column[] {
  const kind = which.toUpperCase();
  const ids = query.where ? leaves(tree(query.where)).find((leaf) => leaf.field?.toLowerCase() === 'id') : undefined;
  const few = ids && (Array.isArray(ids.value) ? ids.value.length <= 200 : ids.value !== undefined);
  if (kind !== 'STANDARD' && !few && (query.limit === undefined || query.limit > 200))
    throw new Refusal(400, 'MALFORMED_QUERY', 'The SOQL FIELDS function must have a LIMIT of at most 200');
  return scope.object.fields
    .filter((field) => kind === 'ALL' || (field.custom === true) === (kind === 'CUSTOM'))
    .map((field) => ({ kind: 'field', key: field.name, operand: fieldOperand(scope, field.name) }));
}

/** Parts of a compound field by their key in the answer: `city` -> `BillingCity`. */
export function compoundParts(object: SObject, compound: Field): { key: string; field: string }[] {
  const prefix = compound.name.replace(/(?:Address|__c)$/, '');
  return object.fields
    .filter((field) => field.compoundFieldName === compound.name)
    .map((field) => {
      const key = field.name
        .slice(field.name.startsWith(prefix) ? prefix.length : 0)
        .replace(/__s$/, '')
        .replace(/^_+/, '');
      return { key: key.charAt(0).toLowerCase() + key.slice(1), field: field.name };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The nested object of an address or location; null when all its parts are empty. */
export function compoundValue(
  parts: readonly { key: string; field: string }[],
  row: Row,
): Record<string, Value> | null {
  if (parts.every(({ field }) => (row[field] ?? null) === null)) return null;
  return Object.fromEntries(parts.map(({ key, field }) => [key, row[field] ?? null]));
}
