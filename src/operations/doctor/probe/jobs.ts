import type { Asking } from './asking.ts';
import { codeOf } from './asking.ts';
import { NotAsked } from './question.ts';

export interface JobState {
  readonly id: string;
  readonly state: string;
  readonly errorMessage?: string;
  readonly numberRecordsProcessed?: number;
}

export interface IngestOutcome extends JobState {
  /** Bodies of the results, as they came. */
  readonly successful: string;
  readonly failed: string;
}

/** An ingest job as it is asked for; what is not named is for the org to say. */
export interface IngestRequest {
  readonly object: string;
  readonly operation: string;
  readonly externalIdFieldName?: string;
  readonly lineEnding?: string;
}

const ended = new Set(['JobComplete', 'Failed', 'Aborted']);
const mostWaits = 120;

/** Makes a Bulk query job. */
export async function queryJob(org: Asking, soql: string): Promise<string> {
  const answer = await org.json('POST', '/jobs/query', { operation: 'query', query: soql });
  if (answer.status >= 300) throw new NotAsked(`the org refused a Bulk query: ${codeOf(answer)}`);
  const { id } = JSON.parse(answer.text) as JobState;
  org.made.job(`/jobs/query/${id}`);
  return id;
}

/** Runs a Bulk query to its end and reads its results. */
export async function bulkQuery(org: Asking, soql: string) {
  const path = `/jobs/query/${await queryJob(org, soql)}`;
  const job = await ending(org, path);
  if (job.state !== 'JobComplete') throw new NotAsked(`a Bulk query ended as ${job.state}: ${job.errorMessage ?? ''}`);
  return { job, results: await org.send({ method: 'GET', path: `${path}/results`, headers: { accept: 'text/csv' } }) };
}

/** Makes an ingest job, open. */
export async function ingestJob(org: Asking, job: IngestRequest): Promise<string> {
  const answer = await org.json('POST', '/jobs/ingest', { contentType: 'CSV', ...job });
  if (answer.status >= 300) throw new NotAsked(`the org refused an ingest job: ${codeOf(answer)}`);
  const { id } = JSON.parse(answer.text) as JobState;
  org.made.job(`/jobs/ingest/${id}`);
  return id;
}

/** Runs an ingest job with this CSV to its end; records that it made are known. */
export async function ingest(org: Asking, job: IngestRequest, csv: string, headers = {}): Promise<IngestOutcome> {
  const answer = await org.json('POST', '/jobs/ingest', { contentType: 'CSV', lineEnding: 'LF', ...job }, headers);
  if (answer.status >= 300) throw new NotAsked(`the org refused an ingest job: ${codeOf(answer)}`);
  const path = `/jobs/ingest/${(JSON.parse(answer.text) as JobState).id}`;
  org.made.job(path);
  await org.send({ method: 'PUT', path: `${path}/batches`, headers: { 'content-type': 'text/csv' }, body: csv });
  await org.json('PATCH', path, { state: 'UploadComplete' });
  return outcomeOf(org, path, job.object);
}

/** How a closed job ended. */
export async function outcomeOf(org: Asking, path: string, object: string): Promise<IngestOutcome> {
  const state = await ending(org, path);
  const read = async (kind: string) =>
    (await org.send({ method: 'GET', path: `${path}/${kind}`, headers: { accept: 'text/csv' } })).text;
  const successful = await read('successfulResults');
  for (const id of idsIn(successful)) org.made.record(object, id);
  return { ...state, successful, failed: await read('failedResults') };
}

async function ending(org: Asking, path: string): Promise<JobState> {
  for (let waits = 0; waits < mostWaits; waits += 1) {
    const state = JSON.parse((await org.json('GET', path)).text) as JobState;
    if (ended.has(state.state)) return state;
    await org.wait(Math.min(100 * 2 ** waits, 2000));
  }
  throw new NotAsked('a job did not end in time');
}

/** The first cell of each line but the header, where it is an Id. */
export function idsIn(csv: string): string[] {
  return [...csv.matchAll(/^"?([A-Za-z0-9]{18})"?,/gm)].map(([, id]) => id!);
}

/** The cell of `sf__Error` in the one row of failed results. */
export function errorIn(failed: string): string {
  const row = failed.slice(failed.indexOf('\n') + 1);
  const cell = /^(?:"[^"]*"|[^",]*),(?:"((?:[^"]|"")*)"|([^",]*))/.exec(row);
  return (cell?.[1] ?? cell?.[2] ?? '').replaceAll('""', '"');
}
