import type { Row } from '../database.ts';
import type { Field, SObject } from '../schema.ts';
import { type Column, compoundParts, compoundValue } from './columns.ts';
import { parentOf, type Scope } from './operands.ts';

/** A record as the REST API types it (extract 2.6): nested parents, `+0000`, blob fields as URLs. */
export type RecordJson = Record<string, unknown>;

/** Makes the JSON of one row; `children` gives the answer of a subquery for a parent Id. */
export function recordMaker(
  scope: Scope,
  columns: readonly Column[],
  version: string,
  children: (column: Column & { kind: 'children' }, id: string) => unknown,
): (row: Row) => RecordJson {
  const writers = columns.map((column) => writerOf(scope, column, version, children));
  return (row) => {
    const record: RecordJson = { attributes: attributes(scope.object, row, version) };
    for (const write of writers) write(record, row);
    return record;
  };
}

type Writer = (record: RecordJson, row: Row) => void;

function writerOf(
  scope: Scope,
  column: Column,
  version: string,
  children: (column: Column & { kind: 'children' }, id: string) => unknown,
): Writer {
  if (column.kind === 'field') return fieldWriter(scope, column, version);
  if (column.kind === 'parent') return (record, row) => writeParent(scope, column, version, record, row);
  if (column.kind === 'typeof') return (record, row) => writeTypeof(scope, column, version, record, row);
  return (record, row) => {
    record[column.key] = children(column, row.Id as string);
  };
}

function fieldWriter(scope: Scope, { key, operand }: Column & { kind: 'field' }, version: string): Writer {
  const { field, name, type } = operand;
  if (field && field.name === name && key === name && !scope.masked) {
    const value = fieldValue(scope.object, field, version);
    return (record, row) => {
      record[key] = value(row);
    };
  }
  return (record, row) => {
    const value = operand.get(row);
    record[key] = type === 'datetime' ? restDateTime(value) : value;
  };
}

function writeTypeof(
  scope: Scope,
  column: Column & { kind: 'typeof' },
  version: string,
  record: RecordJson,
  row: Row,
): void {
  const key = column.step.reference.relationshipName!;
  const parent = parentOf(scope, column.step, row);
  const branch =
    parent && (column.branches.find((b) => b.object === parent.object) ?? column.branches.find((b) => !b.object));
  record[key] = null;
  if (!parent || !branch) return;
  const nested: RecordJson = { attributes: attributes(parent.object, parent.row, version) };
  for (const name of branch.fields) {
    const field = parent.object.field(name);
    nested[name] = field ? fieldValue(parent.object, field, version)(parent.row) : null;
  }
  record[key] = nested;
}

function writeParent(
  scope: Scope,
  column: Column & { kind: 'parent' },
  version: string,
  record: RecordJson,
  row: Row,
): void {
  let at: { object: SObject; row: Row } | undefined = { object: scope.object, row };
  let target = record;
  for (const step of column.way) {
    at = parentOf(scope, step, at.row);
    const key = step.reference.relationshipName!;
    if (!at) {
      target[key] = null;
      return;
    }
    target[key] ??= { attributes: attributes(at.object, at.row, version) };
    target = target[key] as RecordJson;
  }
  const field = column.operand.field && at.object.field(column.operand.field.name);
  const name = column.operand.name.slice(column.operand.name.lastIndexOf('.') + 1);
  target[name] = field ? fieldValue(at.object, field, version)(at.row) : column.operand.field ? null : at.object.name;
}

export function attributes(object: SObject, row: Row, version: string): { type: string; url: string } {
  return { type: object.name, url: `/services/data/v${version}/sobjects/${object.name}/${row.Id ?? row.DurableId}` };
}

/** A field's value for REST, as a function of the row. */
export function fieldValue(object: SObject, field: Field, version: string): (row: Row) => unknown {
  const { name, type } = field;
  if (type === 'address' || type === 'location') {
    const parts = compoundParts(object, field);
    return (row) => compoundValue(parts, row);
  }
  if (type === 'datetime') return (row) => restDateTime(row[name] ?? null);
  if (type === 'base64')
    return (row) => (object.table.blob ? `/services/data/v${version}/sobjects/${object.name}/${row.Id}/${name}` : null);
  return (row) => row[name] ?? null;
}

function restDateTime(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/Z$/, '+0000') : value;
}
