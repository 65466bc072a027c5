import { type Answer, type ApiRequest, json } from '../answer.ts';
import { notFound, Refusal } from '../refusal.ts';
import type { Operand } from '../soql/operands.ts';
import { rowReader } from '../soql/rows.ts';
import type { OrgState } from '../state.ts';
import { headerLine, lineMaker } from './csv.ts';
import { advance } from './job-endpoints.ts';
import type { BulkJob, JobRows } from './jobs.ts';

/** Bytes handed over at once, about. */
const blockBytes = 512 * 1024;

/** The fields of a job's SELECT list in the order of its CSV columns: as asked; before API 50 by name (extract 3.5). */
export function columnOperands(job: BulkJob): Operand[] {
  const operands = job.plan.columns.flatMap((column) =>
    column.kind === 'field' || column.kind === 'parent' ? [column.operand] : [],
  );
  return Number(job.version) >= 50 ? operands : operands.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The job with its rows, when its results may be read; throws 404, 409, 400. */
function completeJob(state: OrgState, request: ApiRequest): { job: BulkJob; rows: JobRows } {
  const job = state.jobs.get(request.parts[0]!);
  if (job.version !== request.version)
    throw new Refusal(409, 'API_VERSION_MISMATCH', `the job was created with API version ${job.version}`);
  advance(state, job);
  if (job.state !== 'JobComplete' || !job.rows)
    throw new Refusal(400, 'INVALIDJOBSTATE', `InvalidJobState : results are not available in state ${job.state}`);
  return { job, rows: job.rows };
}

/** GET jobs/query/{id}/results (extract 3.4). */
export function jobResults(state: OrgState, request: ApiRequest): Answer {
  const { job, rows } = completeJob(state, request);
  const { fault } = request;
  const { size } = rows.order;
  const from = placeOf(request.query.get('locator'), size);
  const length = pageRows(state, rows, request.query.get('maxRecords'));
  const end = Math.min(size, from + length);
  const next = fault?.name === 'dropped-page' ? end + length : fault?.name === 'wrong-locator' ? end + 1 : end;
  const headers: Record<string, string> = {
    'Content-Type': 'text/csv; charset=UTF-8',
    'Sforce-NumberOfRecords': String(end - from + (fault?.name === 'wrong-record-count' ? fault.by : 0)),
    'Sforce-Locator': next >= size ? 'null' : Buffer.from(String(next)).toString('base64').replaceAll('=', ''),
  };
  if (fault?.name === 'no-locator') delete headers['Sforce-Locator'];
  const isRepeat = fault?.name === 'repeated-page' && from >= length;
  const first = isRepeat ? from - length : from;
  const last = isRepeat ? from : fault?.name === 'lost-rows' ? Math.max(from, end - fault.rows) : end;
  return { status: 200, headers, stream: page(state, job, rows, first, last) };
}

/** GET jobs/query/{id}/resultPages: five result URLs at once, from API 58 on. */
export function resultPages(state: OrgState, request: ApiRequest): Answer {
  if (Number(request.version) < 58) throw notFound();
  const { job, rows } = completeJob(state, request);
  const { size } = rows.order;
  const length = pageRows(state, rows, null);
  const base = `/services/data/v${request.version}/jobs/query/${job.id}`;
  const locator = (place: number) => Buffer.from(String(place)).toString('base64').replaceAll('=', '');
  let place = placeOf(request.query.get('locator'), size);
  const pages: { resultUrl: string }[] = [];
  for (; pages.length < 5 && (place < size || pages.length === 0); place += length)
    pages.push({ resultUrl: `${base}/results?locator=${locator(place)}` });
  if (place >= size) return json({ resultPages: pages, done: true });
  return json({ resultPages: pages, nextRecordsUrl: `${base}/resultPages?locator=${locator(place)}`, done: false });
}

function placeOf(locator: string | null, size: number): number {
  if (locator === null) return 0;
  const text = Buffer.from(locator, 'base64').toString('latin1');
  const place = /^\d+$/.test(text) ? Number(text) : -1;
  if (place < 0 || (place >= size && place > 0))
    throw new Refusal(400, 'INVALIDQUERYLOCATOR', `InvalidQueryLocator : ${locator}`);
  return place;
}

function pageRows(state: OrgState, rows: JobRows, maxRecords: string | null): number {
  const { bulkPageRows, bulkPageBytes } = state.settings;
  const asked = maxRecords === null ? bulkPageRows : Number(maxRecords);
  if (!Number.isInteger(asked) || asked < 1)
    throw new Refusal(400, 'INVALIDMAXRECORDS', `maxRecords must be a positive number: ${maxRecords}`);
  return Math.max(1, Math.min(asked, Math.floor(bulkPageBytes / rows.lineBytes)));
}

/** One page: the header line, then the rows of these places. */
async function* page(state: OrgState, job: BulkJob, rows: JobRows, from: number, to: number): AsyncGenerator<Buffer> {
  const operands = columnOperands(job);
  if (from >= to && state.settings.bulkEmptyResult === 'nothing') return;
  yield Buffer.from(
    headerLine(
      operands.map((operand) => operand.name),
      job.dialect,
    ),
  );
  const blockRows = Math.max(1, Math.floor(blockBytes / rows.lineBytes));
  const fast = fastPath(job, operands);
  const line = lineMaker(operands, job.dialect);
  const read = rowReader(job.plan.scope.object);
  for (let place = from; place < to; ) {
    const end = Math.min(to, place + blockRows);
    const block = fast && fastBlock(fast, rows, place, end);
    if (block) {
      yield block.bytes;
      place = block.next;
      continue;
    }
    let text = '';
    for (; place < end; place += 1) text += line(read(rows.found.at(rows.order.at(place))));
    yield Buffer.from(text);
  }
}

type FastPath = (from: number, to: number) => Buffer | undefined;

/** The source's own CSV, where the job is plain: own fields, the default dialect. */
function fastPath(job: BulkJob, operands: readonly Operand[]): FastPath | undefined {
  const { source } = job.plan.scope.object.table;
  const { delimiter, lineEnding, scientific } = job.dialect;
  const plainFields = operands.every((operand) => operand.field?.name === operand.name && !job.plan.scope.masked);
  if (!source.csv || !plainFields || delimiter !== ',' || lineEnding !== '\n' || !scientific) return undefined;
  const names = operands.map((operand) => operand.name);
  return (from, to) => source.csv!(names, from, to);
}

/** Rows of the places from `place` on, up to `end`. Undefined: the source has no fast path for these rows. */
function fastBlock(
  fast: FastPath,
  rows: JobRows,
  place: number,
  end: number,
): { bytes: Buffer; next: number } | undefined {
  const parts: Buffer[] = [];
  let next = place;
  while (next < end) {
    const [first, length] = consecutive(rows, next, end);
    const bytes = fast(first, first + length);
    if (!bytes) return undefined;
    parts.push(bytes);
    next += length;
  }
  return { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), next };
}

/** The row at this place, and how many rows from it on follow each other by number and place. */
function consecutive({ found, order }: JobRows, place: number, end: number): [first: number, length: number] {
  const index = order.at(place);
  const longest = Math.min(end - place, order.run(place));
  const first = found.at(index);
  if (found.isWhole) return [first, longest];
  let length = 1;
  while (length < longest && found.at(index + length) === first + length) length += 1;
  return [first, length];
}
