import { setImmediate } from 'node:timers/promises';
import type { FieldFunctionExpression, FunctionExp, Query } from '@jetstreamapp/soql-parser-js';
import type { Row, Value } from '../database.ts';
import { Refusal, unsupported } from '../refusal.ts';
import { keyOf } from './compare.ts';
import { compile, tree } from './condition.ts';
import { fieldOperand, functionOperand, type Operand, type Scope } from './operands.ts';
import { positioned } from './parse.ts';
import { type RowNumbers, rowReader } from './rows.ts';

const aggregates = new Set(['COUNT', 'COUNT_DISTINCT', 'SUM', 'AVG', 'MIN', 'MAX']);

export function isAggregate(fn: Pick<FunctionExp, 'functionName'>): boolean {
  return aggregates.has((fn.functionName ?? '').toUpperCase());
}

/** One aggregated expression: adds rows, then has a value. */
interface Aggregate {
  readonly key: string;
  readonly type: string;
  readonly start: () => { add(row: Row): void; value(): Value };
}

interface Group {
  readonly values: Value[];
  readonly running: { add(row: Row): void; value(): Value }[];
}

export interface AggregateResult {
  /** Groups before LIMIT and OFFSET, in order. */
  readonly records: Record<string, Value | { type: string }>[];
}

/** Groups and aggregates (extract 2.6): aliases, else field names and `expr0`, `expr1`, … */
export async function aggregate(
  scope: Scope,
  query: Query,
  numbers: RowNumbers,
  now: number,
): Promise<AggregateResult> {
  const groupBy = [query.groupBy ?? []].flat().map((clause) => {
    if (!('field' in clause) && /^(ROLLUP|CUBE)$/i.test(clause.fn.functionName ?? ''))
      throw unsupported(`GROUP BY ${clause.fn.rawValue}`);
    const operand = 'field' in clause ? fieldOperand(scope, clause.field) : functionOperand(scope, clause.fn);
    if (operand.field?.groupable === false)
      throw new Refusal(
        400,
        'INVALID_FIELD',
        positioned(scope.soql, operand.name, `field '${operand.name}' can not be grouped in a query call`),
      );
    return operand;
  });
  const selected: Aggregate[] = [];
  const outputs = outputsOf(scope, query, groupBy, selected);
  const extra = (fn: FunctionExp): number => selected.push(aggregateOf(scope, fn, '')) - 1;
  const orders = ordersOf(scope, query, groupBy, extra);
  const having = query.having && havingTest(scope, query, groupBy, extra, now);

  const groups = new Map<string, Group>();
  if (groupBy.length === 0) groups.set('', { values: [], running: selected.map((one) => one.start()) });
  const keys = groupBy.map(keyOf);
  const read = rowReader(scope.object);
  for (let index = 0; index < numbers.size; index += 1) {
    if ((index & 8191) === 8191) await setImmediate();
    const row = read(numbers.at(index));
    const values = groupBy.map((operand) => operand.get(row));
    const key = groupBy.length === 0 ? '' : JSON.stringify(values.map((value, at) => keys[at]!(value)));
    let group = groups.get(key);
    if (!group) {
      group = { values, running: selected.map((one) => one.start()) };
      groups.set(key, group);
    }
    for (const one of group.running) one.add(row);
  }

  const found = [...groups.values()].filter((group) => !having || having(group));
  found.sort((a, b) => orders.reduce((sign, order) => sign || order(a, b), 0));
  return {
    records: found.map((group) => {
      const record: Record<string, Value | { type: string }> = { attributes: { type: 'AggregateResult' } };
      for (const { key, get } of outputs) record[key] = get(group);
      return record;
    }),
  };
}

function outputsOf(scope: Scope, query: Query, groupBy: readonly Operand[], selected: Aggregate[]) {
  let expression = 0;
  return (query.fields ?? []).map((field) => {
    if (field.type === 'FieldFunctionExpression' && isAggregate(field)) {
      const at = selected.push(aggregateOf(scope, field, field.alias ?? `expr${expression}`)) - 1;
      if (!field.alias) expression += 1;
      return { key: selected[at]!.key, get: (group: Group) => group.running[at]!.value() };
    }
    if (field.type === 'FieldSubquery' || field.type === 'FieldTypeof')
      throw new Refusal(400, 'MALFORMED_QUERY', 'subqueries and TYPEOF are not allowed with aggregates');
    const operand =
      field.type === 'FieldFunctionExpression'
        ? functionOperand(scope, field)
        : fieldOperand(
            scope,
            field.type === 'FieldRelationship' ? [...field.relationships, field.field].join('.') : field.field,
          );
    const at = groupBy.findIndex((group) => group.name === operand.name);
    if (at < 0) throw new Refusal(400, 'MALFORMED_QUERY', `Field must be grouped or aggregated: ${operand.name}`);
    const unnamed =
      field.type === 'FieldFunctionExpression'
        ? `expr${expression++}`
        : operand.name.slice(operand.name.lastIndexOf('.') + 1);
    const key = ('alias' in field && field.alias) || unnamed;
    const { type } = operand;
    const rest = (value: Value) =>
      type === 'datetime' && typeof value === 'string' ? value.replace(/Z$/, '+0000') : value;
    return { key, get: (group: Group) => rest(group.values[at]!) };
  });
}

function aggregateOf(scope: Scope, fn: FunctionExp | FieldFunctionExpression, key: string): Aggregate {
  const name = (fn.functionName ?? '').toUpperCase();
  const parameter = fn.parameters?.[0];
  if (!aggregates.has(name) || typeof parameter !== 'string') throw unsupported(`${fn.rawValue ?? name} in SOQL`);
  const operand = fieldOperand(scope, parameter);
  const { get, type } = operand;
  const isNumber = ['int', 'double', 'currency', 'percent', 'long'].includes(type);
  if ((name === 'SUM' || name === 'AVG') && !isNumber)
    throw new Refusal(
      400,
      'MALFORMED_QUERY',
      positioned(scope.soql, parameter, `field ${operand.name} does not support aggregate operator ${name}`),
    );
  const compared = keyOf(operand);
  const start = (): { add(row: Row): void; value(): Value } => {
    let count = 0;
    let sum = 0;
    let best: Value = null;
    const distinct = new Set<Value>();
    return {
      add(row) {
        const value = get(row);
        if (value === null) return;
        count += 1;
        if (isNumber) sum += Number(value);
        if (name === 'COUNT_DISTINCT') distinct.add(compared(value));
        const better =
          best === null || (name === 'MIN' ? compared(value)! < compared(best)! : compared(value)! > compared(best)!);
        if (better) best = value;
      },
      value() {
        if (name === 'COUNT') return count;
        if (name === 'COUNT_DISTINCT') return distinct.size;
        if (name === 'SUM') return count === 0 ? null : sum;
        if (name === 'AVG') return count === 0 ? null : sum / count;
        return type === 'datetime' && typeof best === 'string' ? best.replace(/Z$/, '+0000') : best;
      },
    };
  };
  return { key, type: name.startsWith('COUNT') ? 'int' : name === 'AVG' ? 'double' : type, start };
}

function ordersOf(scope: Scope, query: Query, groupBy: readonly Operand[], extra: (fn: FunctionExp) => number) {
  return [query.orderBy ?? []].flat().map((clause) => {
    const sign = clause.order === 'DESC' ? -1 : 1;
    const nullsLast = clause.nulls === 'LAST';
    let get: (group: Group) => Value;
    let key: (value: Value) => Value = (value) => value;
    if ('fn' in clause && isAggregate(clause.fn)) {
      const at = extra(clause.fn);
      get = (group) => group.running[at]!.value();
    } else {
      const operand = 'fn' in clause ? functionOperand(scope, clause.fn) : fieldOperand(scope, clause.field);
      const at = groupBy.findIndex((group) => group.name === operand.name);
      if (at < 0)
        throw new Refusal(400, 'MALFORMED_QUERY', `Ordered field must be grouped or aggregated: ${operand.name}`);
      get = (group) => group.values[at]!;
      key = keyOf(operand);
    }
    return (a: Group, b: Group) => compareValues(key(get(a)), key(get(b)), sign, nullsLast);
  });
}

function havingTest(
  scope: Scope,
  query: Query,
  groupBy: readonly Operand[],
  extra: (fn: FunctionExp) => number,
  now: number,
) {
  return compile<Group>(tree(query.having!), {
    soql: scope.soql,
    now,
    semiJoin: () => {
      throw unsupported('a subquery in HAVING');
    },
    operand: (leaf) => {
      if (leaf.fn && isAggregate(leaf.fn)) {
        const { type } = aggregateOf(scope, leaf.fn, '');
        const at = extra(leaf.fn);
        return { name: leaf.fn.rawValue ?? '', type, field: undefined, get: (group) => group.running[at]!.value() };
      }
      const operand = leaf.fn ? functionOperand(scope, leaf.fn) : fieldOperand(scope, leaf.field!);
      const at = groupBy.findIndex((group) => group.name === operand.name);
      if (at < 0) throw new Refusal(400, 'MALFORMED_QUERY', `Field must be grouped or aggregated: ${operand.name}`);
      return { ...operand, get: (group) => group.values[at]! };
    },
  });
}

/** Nulls come first unless said otherwise, whatever the direction. */
export function compareValues(a: Value, b: Value, sign: 1 | -1, nullsLast: boolean): number {
  if (a === null || b === null) return a === b ? 0 : (a === null) === nullsLast ? 1 : -1;
  return a === b ? 0 : a < b ? -sign : sign;
}
