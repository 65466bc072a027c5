import { type Answer, type ApiRequest, json } from '../answer.ts';
import { Refusal } from '../refusal.ts';
import type { Column } from '../soql/columns.ts';
import { noSuchColumn } from '../soql/parse.ts';
import { findRows, type Plan, planQuery } from '../soql/query.ts';
import { rowReader } from '../soql/rows.ts';
import type { OrgState } from '../state.ts';
import { type CsvDialect, delimiters, lineMaker } from './csv.ts';
import { jobJson } from './job-endpoints.ts';
import type { BulkJob } from './jobs.ts';
import { jobOrder } from './order.ts';
import { columnOperands } from './results.ts';

interface CreateBody {
  readonly operation?: unknown;
  readonly query?: unknown;
  readonly contentType?: unknown;
  readonly columnDelimiter?: unknown;
  readonly lineEnding?: unknown;
}

/** POST jobs/query: checks the SOQL at once, then runs it aside (extract 3.2, 3.6). */
export function createJob(state: OrgState, request: ApiRequest): Answer {
  const body = readBody(request.body);
  const { operation, columnDelimiter = 'COMMA', lineEnding = 'LF', contentType = 'CSV' } = body;
  if (operation !== 'query' && operation !== 'queryAll')
    throw new Refusal(400, 'INVALIDJOB', `InvalidJob : Unsupported operation: ${operation}`);
  if (typeof body.query !== 'string') throw new Refusal(400, 'INVALIDJOB', 'InvalidJob : query is required');
  if (contentType !== 'CSV')
    throw new Refusal(400, 'INVALIDJOB', `InvalidJob : Unsupported contentType: ${contentType}`);
  const delimiter = typeof columnDelimiter === 'string' ? delimiters[columnDelimiter] : undefined;
  if (!delimiter) throw new Refusal(400, 'INVALIDJOB', `InvalidJob : Unsupported columnDelimiter: ${columnDelimiter}`);
  if (lineEnding !== 'LF' && lineEnding !== 'CRLF')
    throw new Refusal(400, 'INVALIDJOB', `InvalidJob : Unsupported lineEnding: ${lineEnding}`);
  const plan = planQuery(state, body.query, operation === 'queryAll');
  if (request.fault?.name === 'field-gone') throw noSuchColumn(body.query, request.fault.field, plan.scope.object.name);
  refuseForBulk(plan, state);
  const dialect: CsvDialect = {
    delimiter,
    lineEnding: lineEnding === 'LF' ? '\n' : '\r\n',
    scientific: state.settings.bulkScientific,
  };
  const job = state.jobs.add({
    operation,
    plan,
    version: request.version,
    dialect,
    lineEnding,
    columnDelimiter: columnDelimiter as string,
    createdById: request.session!.userId,
    createdAt: state.now(),
    endedAt: undefined,
    state: 'UploadComplete',
    polls: 0,
    errorMessage: undefined,
    rows: undefined,
    stuck: false,
  });
  void run(state, job);
  return json(jobJson(job, false));
}

function readBody(body: Buffer): CreateBody {
  try {
    return JSON.parse(body.toString('utf8')) as CreateBody;
  } catch {
    throw new Refusal(400, 'JSON_PARSER_ERROR', 'the request body is not JSON');
  }
}

/** What Bulk refuses though REST answers it. */
function refuseForBulk(plan: Plan, { settings }: OrgState): void {
  const { object } = plan.scope;
  const { bulkRefused, customMetadata, bigObjectIndex } = object.table.treatment;
  const refusedBig = bigObjectIndex !== undefined && !settings.bulkBigObjects;
  if (bulkRefused || customMetadata || refusedBig || object.isSetup)
    throw new Refusal(400, 'INVALIDENTITY', `Entity '${object.name}' is not supported by the Bulk API.`);
  const refuse = (message: string) => new Refusal(400, 'FUNCTIONALITY_NOT_ENABLED', message);
  if (plan.kind !== 'rows') throw refuse('Aggregate functions and GROUP BY not supported in Bulk Query');
  if (plan.query.offset !== undefined) throw refuse('OFFSET not supported in Bulk Query');
  if (
    plan.query.fields!.some(
      (f) =>
        f.type === 'FieldFunctionExpression' &&
        f.functionName.toUpperCase() === 'FIELDS' &&
        String(f.parameters[0]).toUpperCase() !== 'STANDARD',
    )
  )
    throw refuse('Selecting all or custom FIELDS not supported in Bulk Query');
  for (const column of plan.columns) checkColumn(column, refuse);
}

function checkColumn(column: Column, refuse: (message: string) => Refusal): void {
  if (column.kind === 'children') throw refuse('Aggregate Relationships not supported in Bulk Query');
  if (column.kind === 'typeof') throw refuse('TYPEOF not supported in Bulk Query');
  const { type } = column.operand;
  if (type === 'address' || type === 'location') throw refuse('Selecting compound data not supported in Bulk Query');
  if (type === 'base64') throw new Refusal(400, 'FEATURENOTENABLED', 'FeatureNotEnabled : Binary field not supported');
}

/** Finds the rows. A job above the object's limit of unchunked rows fails as real ones do with ORDER BY or LIMIT. */
async function run(state: OrgState, job: BulkJob): Promise<void> {
  const { plan } = job;
  const { source, treatment } = plan.scope.object.table;
  const chunkable = !plan.query.orderBy && plan.query.limit === undefined;
  if (!chunkable && treatment.unchunkedLimit !== undefined && source.size > treatment.unchunkedLimit) {
    job.errorMessage = 'QUERY_TIMEOUT: Your query request was running for too long.';
    return;
  }
  try {
    const found = await findRows(state, plan);
    const { rowOrder, seed } = state.settings;
    const order = jobOrder(found.size, plan.query.orderBy ? 'ascending' : rowOrder, seed);
    job.rows = { found, order, lineBytes: lineBytes(job, found.size, (index) => found.at(index)) };
  } catch (error) {
    job.errorMessage = `InternalServerError : ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Mean of 50 lines spread over the job. */
function lineBytes(job: BulkJob, size: number, at: (index: number) => number): number {
  if (size === 0) return 1;
  const line = lineMaker(columnOperands(job), job.dialect);
  const read = rowReader(job.plan.scope.object);
  const samples = Math.min(50, size);
  let bytes = 0;
  for (let i = 0; i < samples; i += 1) bytes += Buffer.byteLength(line(read(at(Math.floor((i * size) / samples)))));
  return Math.max(1, bytes / samples);
}
