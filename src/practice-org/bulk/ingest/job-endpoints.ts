import { type Answer, type ApiRequest, json } from '../../answer.ts';
import type { OrgFault } from '../../faults.ts';
import { mix } from '../../random.ts';
import { Refusal, unsupported } from '../../refusal.ts';
import { jsonBody } from '../../rest/record-input.ts';
import type { OrgState } from '../../state.ts';
import { jobJson, polledJson } from './job-json.ts';
import { type Halt, isTerminal } from './jobs.ts';
import { abort, advance, close, invalidState } from './lifecycle.ts';

/** PUT jobs/ingest/{id}/batches: 201 whatever the content is (restore 1.1). */
export function uploadContent(state: OrgState, request: ApiRequest): Answer {
  const job = state.ingestJobs.get(request.parts[0]!);
  if (job.state !== 'Open') throw invalidState(`Uploading to a job in state ${job.state} is not allowed`);
  const { 'content-type': contentType = '', 'content-encoding': encoding } = request.headers;
  if (!/^text\/csv\b/i.test(contentType))
    throw new Refusal(415, 'UNSUPPORTED_MEDIA_TYPE', `Content-Type of an upload is text/csv, not ${contentType}`);
  if (encoding !== undefined && encoding !== 'identity') throw unsupported(`uploads with Content-Encoding ${encoding}`);
  const { ingestUploadBytes } = state.settings;
  if (request.body.length > ingestUploadBytes)
    throw new Refusal(
      400,
      'CLIENTINPUTERROR',
      `ClientInputError : The upload has ${request.body.length} bytes, more than ${ingestUploadBytes}`,
    );
  if (request.fault?.name !== 'lost-upload') job.contents.push(request.body);
  return { status: 201 };
}

/** PATCH jobs/ingest/{id} with `{"state":"UploadComplete"}` or `{"state":"Aborted"}`. */
export function changeState(state: OrgState, request: ApiRequest): Answer {
  const job = state.ingestJobs.get(request.parts[0]!);
  const { state: wanted } = jsonBody(request);
  const { fault } = request;
  if (wanted === 'Aborted') abort(state, job);
  else if (wanted === 'UploadComplete') {
    if (isJobFault(fault)) job.halt = haltOf(fault);
    close(state, job);
  } else throw invalidState(`Invalid job state ${wanted}`);
  return json(jobJson(job));
}

type JobFault = Extract<OrgFault, { name: 'job-failed' | 'job-stuck' }>;

function isJobFault(fault: OrgFault | undefined): fault is JobFault {
  return fault?.name === 'job-failed' || fault?.name === 'job-stuck';
}

function haltOf(fault: JobFault): Halt {
  const afterRows = fault.afterRows ?? 0;
  if (fault.name === 'job-stuck') return { work: 'stuck', afterRows, errorMessage: undefined };
  return { work: 'failed', afterRows, errorMessage: fault.errorMessage };
}

/** GET jobs/ingest/{id}. */
export function pollIngestJob(state: OrgState, request: ApiRequest): Answer {
  const job = state.ingestJobs.get(request.parts[0]!);
  const { fault } = request;
  if (isJobFault(fault) && !isTerminal(job)) {
    job.halt = haltOf(fault);
    if (job.work === 'done') {
      job.work = job.halt.work;
      job.errorMessage = job.halt.errorMessage;
    }
  }
  if (job.state !== 'Open') job.polls += 1;
  advance(state, job);
  return json(polledJson(job, fault?.name === 'wrong-processed-count' ? fault.by : 0));
}

/** DELETE jobs/ingest/{id}: its data and results are gone with it. Open jobs are aborted first (restore 1.1). */
export function deleteIngestJob(state: OrgState, request: ApiRequest): Answer {
  const job = state.ingestJobs.get(request.parts[0]!);
  advance(state, job);
  if (job.state === 'Open' || job.state === 'InProgress')
    throw invalidState(`Deleting a job in state ${job.state} is not allowed`);
  state.ingestJobs.delete(job);
  return { status: 204 };
}

/** GET jobs/ingest: pages of jobs, in no order that means anything (restore 1.1). */
export function listIngestJobs(state: OrgState, request: ApiRequest): Answer {
  const { seed, ingestListPage } = state.settings;
  const jobType = request.query.get('jobType') ?? 'V2Ingest';
  const from = Number(request.query.get('queryLocator') ?? 0);
  const jobs = jobType === 'V2Ingest' ? state.ingestJobs.all() : [];
  if (!Number.isInteger(from) || from < 0 || (from > 0 && from >= jobs.length))
    throw new Refusal(400, 'INVALIDQUERYLOCATOR', `InvalidQueryLocator : ${request.query.get('queryLocator')}`);
  const places = jobs.map((_, index) => index).sort((a, b) => mix(seed, a) - mix(seed, b));
  const page = places.slice(from, from + ingestListPage).map((place) => jobs[place]!);
  for (const job of page) advance(state, job);
  const next = from + page.length;
  const done = next >= jobs.length;
  const url = `/services/data/v${request.version}/jobs/ingest?queryLocator=${next}&jobType=${jobType}`;
  return json({ done, records: page.map((job) => polledJson(job)), nextRecordsUrl: done ? null : url });
}
