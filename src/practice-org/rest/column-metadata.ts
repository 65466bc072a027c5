import { type Column, columnsOf } from '../soql/columns.ts';
import type { Plan } from '../soql/query.ts';

const apexTypes: Readonly<Record<string, string>> = {
  id: 'Id',
  reference: 'Id',
  boolean: 'Boolean',
  int: 'Integer',
  long: 'Long',
  double: 'Double',
  currency: 'Double',
  percent: 'Double',
  date: 'Date',
  datetime: 'Datetime',
  time: 'Time',
  base64: 'Blob',
  address: 'Address',
  location: 'Location',
};
const numbers = new Set(['int', 'long', 'double', 'currency', 'percent']);

/** The answer to `columns=true`, by which the sf CLI learns the columns of a query. */
export function columnMetadata(plan: Plan): Record<string, unknown> {
  const { object } = plan.scope;
  return {
    columnMetadata: plan.kind === 'rows' ? plan.columns.map((column) => ofColumn(plan, column)) : aggregates(plan),
    entityName: object.name,
    groupBy: plan.query.groupBy !== undefined,
    idSelected: plan.columns.some((column) => column.kind === 'field' && column.key === 'Id'),
    keyPrefix: object.describe.keyPrefix,
  };
}

function ofColumn(plan: Plan, column: Column): Record<string, unknown> {
  if (column.kind === 'children') {
    const scope = { ...plan.scope, object: column.child, alias: column.query.sObjectAlias };
    const inner = columnsOf(scope, column.query).map((child) => ofColumn(plan, child));
    return { ...entry(column.key, column.key, 'string', false, true, inner), ...untyped };
  }
  if (column.kind === 'typeof') {
    const name = column.step.reference.relationshipName!;
    return entry(name, name, 'string', false, false, []);
  }
  const { operand } = column;
  const flat = entry(
    operand.name.slice(operand.name.lastIndexOf('.') + 1),
    operand.name,
    operand.type,
    operand.field?.custom === true,
    false,
    [],
  );
  if (column.kind === 'field') return flat;
  let nested = flat;
  for (const step of [...column.way].reverse()) {
    const name = step.reference.relationshipName!;
    const foreignKeyName = step.reference.name;
    nested = { ...entry(name, name, 'string', false, false, [nested]), ...untyped, foreignKeyName };
  }
  return nested;
}

function aggregates(plan: Plan): Record<string, unknown>[] {
  let expression = 0;
  return plan.query.fields!.map((field) => {
    if (field.type === 'FieldFunctionExpression') {
      const name = field.alias ?? (field.parameters.length === 0 ? field.functionName : `expr${expression++}`);
      return {
        ...entry(name, name, 'double', false, true, []),
        apexType: null,
        displayName: field.alias ?? `${field.functionName}(${field.parameters.join(',')})`,
      };
    }
    const name = 'field' in field ? field.field : '';
    return entry(name, name, plan.scope.object.field(name)?.type ?? 'string', false, false, []);
  });
}

/** Relationships and subqueries have no type of their own. */
const untyped = { apexType: null, textType: false };

function entry(
  columnName: string,
  displayName: string,
  type: string,
  custom: boolean,
  aggregate: boolean,
  joinColumns: readonly unknown[],
): Record<string, unknown> {
  const isText = !(type in apexTypes);
  return {
    aggregate,
    apexType: apexTypes[type] ?? 'String',
    booleanType: type === 'boolean',
    columnName,
    custom,
    displayName,
    foreignKeyName: null,
    insertable: false,
    joinColumns,
    numberType: numbers.has(type),
    textType: isText,
    updatable: false,
  };
}
