import { Refusal } from '../../refusal.ts';
import type { OrgState } from '../../state.ts';
import { type IngestJob, type IngestState, isTerminal } from './jobs.ts';
import { beginWork } from './work.ts';

export function invalidState(message: string): Refusal {
  return new Refusal(400, 'INVALIDJOBSTATE', `InvalidJobState : ${message}`);
}

/** Nothing is processed before this, and the upload is taken as it is: even a wrong header is found later (restore 1.2). */
export function close(state: OrgState, job: IngestJob): void {
  if (job.state !== 'Open') throw invalidState(`Closing a job in state ${job.state} is not allowed`);
  const { ingestCloseWithoutData, bulkPollsQueued } = state.settings;
  if (job.contents.length === 0 && ingestCloseWithoutData === 'refused') throw invalidState('The job has no data');
  job.state = 'UploadComplete';
  job.closedAt = state.now();
  if (bulkPollsQueued === 0) beginWork(state, job);
}

/** What was saved stays saved (restore 1.2). */
export function abort(state: OrgState, job: IngestJob): void {
  advance(state, job);
  if (isTerminal(job)) throw invalidState(`Aborting a job in state ${job.state} is not allowed`);
  end(job, 'Aborted', state.now());
}

/** Moves a closed job to the state that its polls, its age and its work have reached. */
export function advance(state: OrgState, job: IngestJob): void {
  if (job.state === 'Open' || isTerminal(job)) return;
  const { bulkPollsQueued, bulkPollsInProgress, bulkDelay } = state.settings;
  if (bulkPollsQueued > 0 && job.polls <= bulkPollsQueued) return;
  beginWork(state, job);
  job.state = 'InProgress';
  if (bulkPollsInProgress > 0 && job.polls <= bulkPollsQueued + bulkPollsInProgress) return;
  const earliest = job.closedAt! + bulkDelay;
  if ((job.work !== 'done' && job.work !== 'failed') || state.now() < earliest) return;
  end(job, job.work === 'done' ? 'JobComplete' : 'Failed', Math.max(earliest, job.workEndedAt!));
}

function end(job: IngestJob, as: IngestState, at: number): void {
  job.state = as;
  job.endedAt = at;
}
