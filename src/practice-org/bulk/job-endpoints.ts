import { type Answer, type ApiRequest, json } from '../answer.ts';
import { Refusal } from '../refusal.ts';
import type { OrgState } from '../state.ts';
import type { BulkJob } from './jobs.ts';

/** GET jobs/query/{id}. */
export function pollJob(state: OrgState, request: ApiRequest): Answer {
  const job = state.jobs.get(request.parts[0]!);
  const { fault } = request;
  if (fault?.name === 'job-failed') {
    end(state, job, 'Failed');
    job.errorMessage = fault.errorMessage;
  }
  if (fault?.name === 'job-stuck') job.stuck = true;
  job.polls += 1;
  advance(state, job);
  return json(jobJson(job, true, fault?.name === 'wrong-processed-count' ? fault.by : 0));
}

/** PATCH jobs/query/{id} with `{"state":"Aborted"}`. */
export function abortJob(state: OrgState, request: ApiRequest): Answer {
  const job = state.jobs.get(request.parts[0]!);
  let wanted: unknown;
  try {
    wanted = (JSON.parse(request.body.toString('utf8')) as { state?: unknown }).state;
  } catch {
    throw new Refusal(400, 'JSON_PARSER_ERROR', 'the request body is not JSON');
  }
  if (wanted !== 'Aborted') throw new Refusal(400, 'INVALIDJOBSTATE', `InvalidJobState : Invalid job state ${wanted}`);
  advance(state, job);
  if (isTerminal(job))
    throw new Refusal(400, 'INVALIDJOBSTATE', `InvalidJobState : Aborting a job in state ${job.state} is not allowed`);
  end(state, job, 'Aborted');
  return json(jobJson(job, true));
}

/** DELETE jobs/query/{id}: 204, and everything about the job is 404 from here on. */
export function deleteJob(state: OrgState, request: ApiRequest): Answer {
  const job = state.jobs.get(request.parts[0]!);
  advance(state, job);
  if (!isTerminal(job))
    throw new Refusal(400, 'INVALIDJOBSTATE', `InvalidJobState : Deleting a job in state ${job.state} is not allowed`);
  state.jobs.delete(job.id);
  return { status: 204 };
}

/** GET jobs/query. */
export function listJobs(state: OrgState): Answer {
  for (const job of state.jobs.all()) advance(state, job);
  const records = state.jobs.all().map((job) => jobJson(job, true));
  return json({ done: true, nextRecordsUrl: null, records });
}

function isTerminal(job: BulkJob): boolean {
  return job.state === 'JobComplete' || job.state === 'Failed' || job.state === 'Aborted';
}

function end(state: OrgState, job: BulkJob, as: BulkJob['state']): void {
  job.state = as;
  job.endedAt = state.now();
}

/** Moves the job to the state that its polls, its age and its query have reached. */
export function advance(state: OrgState, job: BulkJob): void {
  if (isTerminal(job)) return;
  const { bulkPollsQueued, bulkPollsInProgress, bulkDelay } = state.settings;
  const ready = job.rows !== undefined || job.errorMessage !== undefined;
  if (job.stuck) job.state = 'InProgress';
  else if (job.polls <= bulkPollsQueued && bulkPollsQueued > 0) job.state = 'UploadComplete';
  else if (job.polls <= bulkPollsQueued + bulkPollsInProgress && bulkPollsInProgress > 0) job.state = 'InProgress';
  else if (!ready || state.now() - job.createdAt < bulkDelay) job.state = 'InProgress';
  else end(state, job, job.rows ? 'JobComplete' : 'Failed');
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '+0000');
}

/** The job as its endpoints show it; `polled` adds what only GET tells (extract 3.2, 3.3). */
export function jobJson(job: BulkJob, polled: boolean, processedBy = 0): Record<string, unknown> {
  const complete = job.state === 'JobComplete';
  return {
    id: job.id,
    operation: job.operation,
    object: job.plan.scope.object.name,
    createdById: job.createdById,
    createdDate: time(job.createdAt),
    systemModstamp: time(job.endedAt ?? job.createdAt),
    state: job.state,
    concurrencyMode: 'Parallel',
    contentType: 'CSV',
    apiVersion: Number(job.version),
    ...(polled && { jobType: 'V2Query' }),
    lineEnding: job.lineEnding,
    columnDelimiter: job.columnDelimiter,
    ...(polled && {
      numberRecordsProcessed: complete ? (job.rows?.found.size ?? 0) + processedBy : 0,
      retries: 0,
      totalProcessingTime: complete ? Math.max(0, (job.endedAt ?? 0) - job.createdAt) : 0,
      ...(job.state === 'Failed' && job.errorMessage !== undefined && { errorMessage: job.errorMessage }),
      isPkChunkingSupported: job.plan.query.orderBy === undefined && job.plan.query.limit === undefined,
    }),
  };
}
