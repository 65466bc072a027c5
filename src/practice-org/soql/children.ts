import type { Row } from '../database.ts';
import { Refusal } from '../refusal.ts';
import type { OrgState } from '../state.ts';
import type { Column } from './columns.ts';
import { findRows, type Plan, planParsed } from './query.ts';
import { recordMaker } from './record-json.ts';

type ChildColumn = Column & { kind: 'children' };
type ChildAnswer = (id: string) => unknown;

/** Runs the subqueries of a plan for all parents at once; their LIMIT and OFFSET count for each parent. */
export async function childAnswers(
  state: OrgState,
  plan: Plan,
  version: string,
): Promise<(column: ChildColumn, id: string) => unknown> {
  const answers = new Map<ChildColumn, ChildAnswer>();
  for (const column of plan.columns)
    if (column.kind === 'children') answers.set(column, await childAnswer(state, plan, column, version));
  return (column, id) => answers.get(column)!(id);
}

async function childAnswer(state: OrgState, parent: Plan, column: ChildColumn, version: string): Promise<ChildAnswer> {
  const { limit, offset = 0 } = column.query;
  const plan = planParsed(
    state,
    { ...column.query, limit: undefined, offset: undefined },
    parent.scope.soql,
    parent.all,
  );
  if (plan.kind !== 'rows')
    throw new Refusal(400, 'MALFORMED_QUERY', 'aggregates are not allowed in a subquery of SELECT');
  const numbers = await findRows(state, plan);
  const { source } = plan.scope.object.table;
  const byParent = new Map<string, number[]>();
  for (let index = 0; index < numbers.size; index += 1) {
    const number = numbers.at(index);
    const id = source.row(number)[column.reference];
    if (typeof id !== 'string') continue;
    const list = byParent.get(id);
    if (list) list.push(number);
    else byParent.set(id, [number]);
  }
  const record = recordMaker(plan.scope, plan.columns, version, await childAnswers(state, plan, version));
  return (id) => {
    const found = byParent.get(id)?.slice(offset, limit === undefined ? undefined : offset + limit) ?? [];
    if (found.length === 0) return null;
    const rows: Row[] = found.map((number) => source.row(number));
    return { totalSize: rows.length, done: true, records: rows.map(record) };
  };
}
