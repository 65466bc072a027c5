import type { Answer, ApiRequest } from '../../answer.ts';
import type { OrgState } from '../../state.ts';
import { quoted } from '../csv.ts';
import { jobOrder } from '../order.ts';
import { type IngestJob, isTerminal } from './jobs.ts';
import { advance, invalidState } from './lifecycle.ts';
import { outcome } from './outcomes.ts';
import type { Upload } from './upload.ts';

const blockRows = 2000;

/** GET jobs/ingest/{id}/successfulResults (restore 1.6). */
export function successfulResults(state: OrgState, request: ApiRequest): Answer {
  const job = endedJob(state, request);
  const { outcomes } = job;
  const rows = outcomes?.rows(outcome.created, outcome.saved) ?? new Uint32Array();
  return csv(state, request, job, rows, ['sf__Id', 'sf__Created'], (row) => [
    outcomes!.id(row),
    String(outcomes!.isCreated(row)),
  ]);
}

/** GET jobs/ingest/{id}/failedResults: before API 53 without `sf__Id`. */
export function failedResults(state: OrgState, request: ApiRequest): Answer {
  const job = endedJob(state, request);
  const { outcomes } = job;
  const rows = outcomes?.rows(outcome.failed) ?? new Uint32Array();
  if (Number(job.version) < 53) return csv(state, request, job, rows, ['sf__Error'], (row) => [outcomes!.error(row)]);
  return csv(state, request, job, rows, ['sf__Id', 'sf__Error'], (row) => [outcomes!.id(row), outcomes!.error(row)]);
}

/** GET jobs/ingest/{id}/unprocessedrecords: only the columns of the upload; of a job of which no row was looked at, the upload itself. */
export function unprocessedRecords(state: OrgState, request: ApiRequest): Answer {
  const job = endedJob(state, request);
  const { outcomes, contents } = job;
  if (!outcomes) return { status: 200, headers: csvType, stream: whole(contents[0] ?? Buffer.alloc(0)) };
  return csv(state, request, job, outcomes.rows(outcome.unprocessed), [], () => []);
}

function endedJob(state: OrgState, request: ApiRequest): IngestJob {
  const job = state.ingestJobs.get(request.parts[0]!);
  advance(state, job);
  if (!isTerminal(job)) throw invalidState(`Results are not available in state ${job.state}`);
  return job;
}

const csvType = { 'Content-Type': 'text/csv; charset=UTF-8' };

async function* whole(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes;
}

/** Rows of the upload behind these columns of the org; the header cells of the upload stand as they came. */
function csv(
  state: OrgState,
  { fault }: ApiRequest,
  { upload, dialect }: IngestJob,
  rows: Uint32Array,
  names: readonly string[],
  own: (row: number) => readonly string[],
): Answer {
  const newline = dialect.lineEnding === 'LF' ? '\n' : '\r\n';
  const header = [...names.map(quoted), ...(upload ? [upload.headerText] : [])].join(dialect.delimiter) + newline;
  const { ingestRowOrder, seed } = state.settings;
  const order = jobOrder(rows.length, ingestRowOrder, seed);
  const size = fault?.name === 'lost-rows' ? Math.max(0, rows.length - fault.rows) : rows.length;
  const line = (place: number): string => {
    const row = rows[order.at(place)]!;
    return [...own(row).map(quoted), (upload as Upload).quotedRow(row)].join(dialect.delimiter) + newline;
  };
  return { status: 200, headers: csvType, stream: blocks(header, size, line) };
}

async function* blocks(header: string, size: number, line: (place: number) => string): AsyncGenerator<Buffer> {
  yield Buffer.from(header);
  for (let from = 0; from < size; from += blockRows) {
    const lines: string[] = [];
    for (let place = from; place < Math.min(size, from + blockRows); place += 1) lines.push(line(place));
    yield Buffer.from(lines.join(''));
  }
}
