import type { OrderByClause, Query } from '@jetstreamapp/soql-parser-js';
import type { Row, Value } from '../database.ts';
import { Refusal, unsupported } from '../refusal.ts';
import type { OrgState } from '../state.ts';
import { aggregate, compareValues, isAggregate } from './aggregate.ts';
import { type Column, columnsOf } from './columns.ts';
import { keyOf } from './compare.ts';
import { compile, leaves, type Node, tree } from './condition.ts';
import { fieldOperand, functionOperand, type Operand, type Scope } from './operands.ts';
import { noSuchType, parseSoql, positioned } from './parse.ts';
import { checkTreatment, hidesArchivedVersions, refuseUnsupported } from './restrictions.ts';
import { listed, type RowNumbers, type RowTest, rowReader, scan, visibility, visibleRows } from './rows.ts';

/** A query that was found to be answerable, not yet run. */
export interface Plan {
  readonly kind: 'rows' | 'count' | 'aggregate';
  readonly scope: Scope;
  readonly query: Query;
  /** Empty for counts and aggregates. */
  readonly columns: readonly Column[];
  readonly where: Node | undefined;
  /** queryAll. */
  readonly all: boolean;
}

/** Reads and checks SOQL. Throws a Refusal as Salesforce words it, or 501 with the name of what is not supported. */
export function planQuery(state: OrgState, soql: string, all: boolean): Plan {
  return planParsed(state, parseSoql(soql), soql, all);
}

export function planParsed(state: OrgState, query: Query, soql: string, all: boolean): Plan {
  const object = state.schema.object(query.sObject!);
  if (!object) throw noSuchType(soql, query.sObject!);
  refuseUnsupported(query);
  const { permissions, goneFields } = state.settings;
  const scope: Scope = {
    schema: state.schema,
    object,
    alias: query.sObjectAlias,
    soql,
    goneFields,
    masked: !permissions.viewEncryptedData,
  };
  const where = query.where && tree(query.where);
  const isCount = query.fields!.some(
    (f) =>
      f.type === 'FieldFunctionExpression' && f.functionName.toUpperCase() === 'COUNT' && f.parameters.length === 0,
  );
  if (isCount && query.fields!.length > 1)
    throw new Refusal(400, 'MALFORMED_QUERY', "unexpected token: 'COUNT()' must be selected alone");
  const isGrouped =
    query.groupBy !== undefined || query.fields!.some((f) => f.type === 'FieldFunctionExpression' && isAggregate(f));
  const kind = isCount && !query.groupBy ? 'count' : isGrouped ? 'aggregate' : 'rows';
  const columns = kind === 'rows' ? columnsOf(scope, query) : [];
  checkTreatment(object, query, where, permissions);
  const formulas = columns.filter((column) => column.kind === 'field' && column.operand.field?.calculated === true);
  if (formulas.length > state.settings.queryFormulas)
    throw new Refusal(
      400,
      'QUERY_TOO_COMPLICATED',
      'Query is either selecting too many fields or the filter conditions are too complicated.',
    );
  if (query.having && kind !== 'aggregate') throw new Refusal(400, 'MALFORMED_QUERY', "unexpected token: 'HAVING'");
  if (query.offset !== undefined && query.offset > 2000)
    throw new Refusal(
      400,
      'NUMBER_OUTSIDE_VALID_RANGE',
      positioned(soql, 'OFFSET', 'Maximum SOQL offset allowed is 2000'),
    );
  const plan: Plan = { kind, scope, query, columns, where, all };
  checkNames(state, plan);
  return plan;
}

/** Fields of WHERE and ORDER BY are looked up before anything runs, semi-joins and subqueries included. */
function checkNames(state: OrgState, plan: Plan): void {
  for (const leaf of plan.where ? leaves(plan.where) : []) {
    const operand = leaf.fn ? functionOperand(plan.scope, leaf.fn) : fieldOperand(plan.scope, leaf.field!);
    if (operand.field?.filterable === false) throw notAllowed(plan, operand, 'filtered');
    if (leaf.valueQuery) planParsed(state, leaf.valueQuery, plan.scope.soql, plan.all);
  }
  if (plan.where)
    compile(plan.where, {
      soql: plan.scope.soql,
      now: 0,
      operand: (leaf) => leafOperand(plan.scope, leaf),
      semiJoin: () => new Set(),
    });
  if (plan.kind === 'rows') for (const clause of [plan.query.orderBy ?? []].flat()) orderOperand(plan, clause);
  for (const column of plan.columns)
    if (column.kind === 'children') planParsed(state, column.query, plan.scope.soql, plan.all);
}

function leafOperand(
  scope: Scope,
  leaf: { field: string | undefined; fn: Parameters<typeof functionOperand>[1] | undefined },
): Operand {
  return leaf.fn ? functionOperand(scope, leaf.fn) : fieldOperand(scope, leaf.field!);
}

function notAllowed(plan: Plan, operand: Operand, how: string): Refusal {
  const message = `field '${operand.name}' can not be ${how} in a query call`;
  return new Refusal(400, 'INVALID_FIELD', positioned(plan.scope.soql, operand.name, message));
}

function orderOperand(plan: Plan, clause: OrderByClause): Operand {
  if ('fn' in clause && isAggregate(clause.fn)) throw unsupported(`ORDER BY ${clause.fn.rawValue} without GROUP BY`);
  const operand = 'fn' in clause ? functionOperand(plan.scope, clause.fn) : fieldOperand(plan.scope, clause.field);
  if (operand.field?.sortable === false) throw notAllowed(plan, operand, 'sorted');
  return operand;
}

/** As `visibility`, less the versions of Knowledge articles that a query like this one does not find. */
function visibleTo(state: OrgState, { scope, all, where }: Plan): RowTest | undefined {
  const visible = visibility(scope.object, all, state.settings.permissions, state.database.facts);
  if (!hidesArchivedVersions(scope.object, where)) return visible;
  return (row) => !(row.PublishStatus === 'Archived' && row.IsLatestVersion === false) && visible?.(row) !== false;
}

/** The test of WHERE and of what the user may see; undefined: all rows pass. Runs the semi-joins. */
async function rowTest(state: OrgState, plan: Plan): Promise<RowTest | undefined> {
  const visible = visibleTo(state, plan);
  if (!plan.where) return visible;
  const joins = new Map<Query, Set<Value>>();
  for (const leaf of leaves(plan.where))
    if (leaf.valueQuery) joins.set(leaf.valueQuery, await semiJoin(state, plan, leaf.valueQuery));
  const matches = compile<Row>(plan.where, {
    soql: plan.scope.soql,
    now: state.now(),
    operand: (leaf) => leafOperand(plan.scope, leaf),
    semiJoin: (query) => joins.get(query)!,
  });
  return visible ? (row) => visible(row) && matches(row) : matches;
}

async function semiJoin(state: OrgState, outer: Plan, query: Query): Promise<Set<Value>> {
  const plan = planParsed(state, query, outer.scope.soql, outer.all);
  const column = plan.columns[0];
  if (plan.columns.length !== 1 || (column?.kind !== 'field' && column?.kind !== 'parent'))
    throw new Refusal(400, 'MALFORMED_QUERY', 'a semi-join selects one field');
  const key = keyOf(column.operand);
  const values = new Set<Value>();
  const numbers = await findRows(state, plan);
  const read = rowReader(plan.scope.object);
  for (let index = 0; index < numbers.size; index += 1) values.add(key(column.operand.get(read(numbers.at(index)))));
  return values;
}

/** The rows of a plan in its order, LIMIT and OFFSET applied. */
export async function findRows(state: OrgState, plan: Plan): Promise<RowNumbers> {
  const { limit, offset = 0, orderBy } = plan.query;
  const aggregated = plan.kind === 'aggregate';
  const until = orderBy || aggregated || limit === undefined ? undefined : limit + offset;
  const { object } = plan.scope;
  const { permissions } = state.settings;
  const found =
    plan.where || until !== undefined || object.table.treatment.archivedVersions
      ? await scan(object, await rowTest(state, plan), until)
      : await visibleRows(object, plan.all, permissions, state.database.facts);
  if (aggregated || (!orderBy && offset === 0)) return found;
  const sorted = orderBy
    ? sort(plan, found, [orderBy].flat())
    : Uint32Array.from({ length: found.size }, (_, index) => found.at(index));
  return listed(sorted.subarray(offset, limit === undefined ? undefined : offset + limit));
}

function sort(plan: Plan, found: RowNumbers, clauses: readonly OrderByClause[]): Uint32Array {
  const read = rowReader(plan.scope.object);
  const orders = clauses.map((clause) => ({
    operand: orderOperand(plan, clause),
    sign: clause.order === 'DESC' ? (-1 as const) : (1 as const),
    nullsLast: clause.nulls === 'LAST',
  }));
  const keys = orders.map(({ operand }) => {
    const key = keyOf(operand);
    return Array.from({ length: found.size }, (_, index) => key(operand.get(read(found.at(index)))));
  });
  const positions = Uint32Array.from({ length: found.size }, (_, index) => index);
  positions.sort((a, b) => {
    for (const [at, { sign, nullsLast }] of orders.entries()) {
      const order = compareValues(keys[at]![a]!, keys[at]![b]!, sign, nullsLast);
      if (order !== 0) return order;
    }
    return a - b;
  });
  return positions.map((position) => found.at(position));
}

/** Records of an aggregate plan, LIMIT and OFFSET applied. */
export async function aggregateRecords(state: OrgState, plan: Plan): Promise<Record<string, unknown>[]> {
  const { limit, offset = 0 } = plan.query;
  const { records } = await aggregate(plan.scope, plan.query, await findRows(state, plan), state.now());
  const page = records.slice(offset, limit === undefined ? undefined : offset + limit);
  if (page.length > 2000)
    throw new Refusal(
      400,
      'EXCEEDED_ID_LIMIT',
      'Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch',
    );
  return page;
}
