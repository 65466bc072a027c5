import { type Answer, type ApiRequest, json } from '../answer.ts';
import { Refusal } from '../refusal.ts';
import { childAnswers } from '../soql/children.ts';
import type { Column } from '../soql/columns.ts';
import { noSuchColumn } from '../soql/parse.ts';
import { aggregateRecords, findRows, type Plan, planQuery } from '../soql/query.ts';
import { recordMaker } from '../soql/record-json.ts';
import type { OrgState } from '../state.ts';
import { columnMetadata } from './column-metadata.ts';
import type { Cursor } from './cursors.ts';

/** GET query and queryAll (extract 2.6). */
export async function query(state: OrgState, request: ApiRequest): Promise<Answer> {
  const soql = request.query.get('q');
  if (soql === null) throw new Refusal(400, 'MALFORMED_QUERY', 'A query string has to be specified');
  const plan = planQuery(state, soql, request.endpoint === 'queryAll');
  if (request.fault?.name === 'field-gone') throw noSuchColumn(soql, request.fault.field, plan.scope.object.name);
  if (request.query.get('columns') === 'true') return json(columnMetadata(plan));
  if (plan.kind === 'count') {
    const by = request.fault?.name === 'count-off' ? request.fault.by : 0;
    return json({ totalSize: (await findRows(state, plan)).size + by, done: true, records: [] });
  }
  if (plan.kind === 'aggregate') {
    const records = await aggregateRecords(state, plan);
    return json({ totalSize: records.length, done: true, records });
  }
  const numbers = await findRows(state, plan);
  const record = recordMaker(
    plan.scope,
    plan.columns,
    request.version,
    await childAnswers(state, plan, request.version),
  );
  const { source, treatment } = plan.scope.object.table;
  const pageSize = pageSizeOf(state, request, plan);
  if (treatment.customMetadata && numbers.size > pageSize)
    throw new Refusal(
      400,
      'EXCEEDED_ID_LIMIT',
      `${plan.scope.object.name} does not support queryMore(), use LIMIT to restrict the results to a single batch`,
    );
  const cursor = {
    object: plan.scope.object.name,
    numbers,
    pageSize,
    row: (number: number) => source.row(number),
    record,
  };
  if (numbers.size <= pageSize) return json(page(request, { ...cursor, id: '', openedAt: 0 }, 0));
  return json(page(request, state.cursors.open(cursor), 0));
}

/** GET query/{locator}. */
export function queryMore(state: OrgState, request: ApiRequest): Answer {
  const locator = request.parts[0]!;
  if (request.fault?.name === 'locator-expired') state.cursors.close(locator.slice(0, 18));
  const { cursor, offset } = state.cursors.at(locator);
  return json(page(request, cursor, offset));
}

function page(request: ApiRequest, cursor: Cursor, offset: number): Record<string, unknown> {
  const totalSize = cursor.numbers.size;
  const end = Math.min(totalSize, offset + cursor.pageSize);
  const records = [];
  for (let index = offset; index < end; index += 1) records.push(cursor.record(cursor.row(cursor.numbers.at(index))));
  if (end >= totalSize || request.fault?.name === 'early-done') return { totalSize, done: true, records };
  const nextRecordsUrl = `/services/data/v${request.version}/query/${cursor.id}-${end}`;
  return { totalSize, done: false, nextRecordsUrl, records };
}

/** Wide rows make small pages, 2000 to 200; one row where a blob field is selected. The client's batchSize is a hint downwards. */
function pageSizeOf(state: OrgState, request: ApiRequest, plan: Plan): number {
  const width = plan.columns.reduce((sum, column) => sum + widthOf(column), 0);
  if (width === Number.POSITIVE_INFINITY) return 1;
  const byWidth = width <= 20 ? 2000 : width <= 40 ? 1000 : width <= 80 ? 500 : 200;
  const asked = Number(/batchSize\s*=\s*(\d+)/i.exec(request.headers['sforce-query-options'] ?? '')?.[1] ?? 2000);
  return Math.max(1, Math.min(byWidth, Math.max(200, asked), state.settings.queryPageSize));
}

function widthOf(column: Column): number {
  if (column.kind === 'children') return 20;
  if (column.kind === 'typeof') return 2;
  const { type, field } = column.operand;
  if (type === 'base64') return Number.POSITIVE_INFINITY;
  return type === 'textarea' && (field?.length ?? 0) > 4000 ? 20 : 1;
}
