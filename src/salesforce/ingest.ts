import { Fault } from '../errors.ts';
import type { RowFlow } from '../rows/batch.ts';
import { errorCodeOf, isObjectLevel, statusOf } from './faults.ts';
import type { Request } from './http.ts';
import { ingestResults } from './ingest-results.ts';
import type { Wire } from './wire.ts';
import type {
  Ingest,
  IngestJob,
  IngestOperation,
  IngestPhase,
  IngestResultKind,
  IngestState,
  OpenJob,
} from './writing.ts';

const firstPoll = 100;
const longestPoll = 10_000;
const mostPolling = 24 * 3600_000;
/** 100 MB in an hour are 230 kbit/s. */
const uploadDeadlineMs = 60 * 60_000;
const asJson = { 'content-type': 'application/json; charset=UTF-8' };
const ended: readonly IngestPhase[] = ['JobComplete', 'Failed', 'Aborted'];

/** Ingest jobs over HTTP; see `Ingest`. */
export class IngestClient implements Ingest {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async create({ object, operation, externalIdField }: IngestJob): Promise<string> {
    const body = JSON.stringify({
      object,
      operation,
      ...(externalIdField !== undefined && { externalIdFieldName: externalIdField }),
      contentType: 'CSV',
      columnDelimiter: 'COMMA',
      lineEnding: 'LF',
    });
    const what = `the ${operation} job for ${object}`;
    try {
      return stateFrom(await this.#json({ what, method: 'POST', url: this.#url(), headers: asJson, body })).id;
    } catch (error) {
      if (!isObjectLevel(error)) throw error;
      throw new Fault('bulk-refused', error.message, {
        actions: ['the object is written by REST instead'],
        data: error.data,
        cause: error,
      });
    }
  }

  async upload(job: string, csv: readonly Buffer[]): Promise<void> {
    const answer = await this.#wire.http.send({
      what: `the upload to job ${job}`,
      method: 'PUT',
      url: `${this.#url(job)}/batches`,
      headers: { 'content-type': 'text/csv; charset=UTF-8' },
      body: {
        size: csv.reduce((sum, { length }) => sum + length, 0),
        async *open() {
          yield* csv;
        },
      },
      once: true,
      deadlineMs: uploadDeadlineMs,
    });
    answer.body.destroy();
  }

  async close(job: string): Promise<void> {
    const state = await this.#patch(job, 'UploadComplete');
    if (state === 'Open' || state === 'Aborted') {
      throw new Fault('object-refused', `Job ${job} is ${state} instead of being worked on.`, { data: { job, state } });
    }
  }

  async abort(job: string): Promise<void> {
    try {
      const state = await this.#patch(job, 'Aborted');
      if (!ended.includes(state)) {
        throw new Fault('object-refused', `Job ${job} cannot be aborted: it is ${state}.`, { data: { job, state } });
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  async state(job: string): Promise<IngestState> {
    return stateFrom(await this.#json({ what: `the state of job ${job}`, url: this.#url(job) }));
  }

  async wait(job: string, { atMostMs = mostPolling }: { readonly atMostMs?: number } = {}): Promise<IngestState> {
    let told = '';
    let waited = 0;
    for (let interval = firstPoll; ; interval = Math.min(longestPoll, interval * growth(interval))) {
      const now = await this.state(job);
      const { object, operation, state, processed, failed } = now;
      const figures = `${state} ${processed} ${failed}`;
      if (figures !== told) {
        this.#wire.ctx.report({ type: 'job-progress', object, operation, job, state, processed, failed });
      }
      told = figures;
      if (ended.includes(state)) return now;
      if (waited >= atMostMs) {
        throw new Fault('job-running', `The ${operation} job ${job} for ${object} still runs.`, {
          data: { job, state },
        });
      }
      await this.#wire.http.wait(Math.min(interval, atMostMs - waited));
      waited += interval;
    }
  }

  results(job: string, kind: IngestResultKind, rows?: number): Promise<RowFlow> {
    return ingestResults(this.#wire, job, kind, rows);
  }

  async openJobs(filter: { object: string; operation: IngestOperation; since: Date }): Promise<OpenJob[]> {
    const found: OpenJob[] = [];
    const seen = new Set<string>();
    let url: string | undefined = `${this.#url()}?jobType=V2Ingest`;
    while (url !== undefined) {
      seen.add(url);
      const page = jobPage(await this.#json({ what: 'the list of ingest jobs', url }));
      for (const record of page.records) {
        if (record?.jobType !== undefined && record.jobType !== 'V2Ingest') continue;
        const { id, object, operation, state, createdById, createdDate } = stateFrom(record);
        if (object !== filter.object || operation !== filter.operation || createdDate < filter.since) continue;
        if (!ended.includes(state)) found.push({ id, state, createdById, createdDate });
      }
      url = page.next;
      if (url !== undefined && seen.has(url)) {
        throw new Fault('count-mismatch', 'The list of ingest jobs names a page as the next one that was read before.');
      }
    }
    return found;
  }

  async delete(job: string): Promise<void> {
    try {
      const what = `the removal of job ${job}`;
      const answer = await this.#wire.http.send({ what, method: 'DELETE', url: this.#url(job) });
      answer.body.destroy();
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  /** The state that the job is in after it was told to change; an answer that was lost, and a refusal, make it ask. */
  async #patch(job: string, state: IngestPhase): Promise<IngestPhase> {
    const request: Request = {
      what: `the change of job ${job} to ${state}`,
      method: 'PATCH',
      url: this.#url(job),
      headers: asJson,
      body: JSON.stringify({ state }),
    };
    try {
      return stateFrom(await this.#json(request)).state;
    } catch (error) {
      if (!isObjectLevel(error) || isGone(error)) throw error;
      const { state: now } = await this.state(job);
      if (now === 'Open') throw error;
      return now;
    }
  }

  #url(job?: string): string {
    return `${this.#wire.root}/jobs/ingest${job === undefined ? '' : `/${job}`}`;
  }

  #json(request: Request): Promise<unknown> {
    return this.#wire.http.json(request);
  }
}

/** Jobs that take a second or two are not waited for a second longer. */
function growth(interval: number): number {
  return interval < 1000 ? 1.2 : 1.4;
}

/** True when the org has no such job, or no more. */
function isGone(error: unknown): boolean {
  return isObjectLevel(error) && (statusOf(error) === 404 || /^NOT_?FOUND$/.test(errorCodeOf(error)));
}

interface JobPage {
  readonly records: readonly { readonly jobType?: unknown }[];
  readonly next: string | undefined;
}

function jobPage(json: unknown): JobPage {
  const page = json as { done?: unknown; records?: unknown; nextRecordsUrl?: unknown } | null;
  if (!Array.isArray(page?.records)) throw noJob();
  const { nextRecordsUrl } = page;
  const next =
    typeof nextRecordsUrl === 'string' && nextRecordsUrl.startsWith('/services/data/') ? nextRecordsUrl : undefined;
  if (page.done === false && next === undefined) throw noJob();
  return { records: page.records, next: page.done === true ? undefined : next };
}

function stateFrom(json: unknown): IngestState {
  const job = (json ?? {}) as Record<string, unknown>;
  if (typeof job.id !== 'string' || !/^[A-Za-z0-9]{15,18}$/.test(job.id) || typeof job.state !== 'string')
    throw noJob();
  const figure = (name: string) => (typeof job[name] === 'number' ? job[name] : 0);
  const message = typeof job.errorMessage === 'string' ? job.errorMessage.trim() : '';
  return {
    id: job.id,
    object: String(job.object),
    operation: String(job.operation) as IngestOperation,
    state: job.state as IngestPhase,
    processed: figure('numberRecordsProcessed'),
    failed: figure('numberRecordsFailed'),
    ...(message !== '' && { errorMessage: message }),
    retries: figure('retries'),
    totalProcessingTime: figure('totalProcessingTime'),
    apiActiveProcessingTime: figure('apiActiveProcessingTime'),
    apexProcessingTime: figure('apexProcessingTime'),
    createdById: String(job.createdById ?? ''),
    createdDate: dateFrom(job.createdDate),
  };
}

/** `2018-12-18T22:51:36.000+0000` is not a date that every runtime reads. */
function dateFrom(text: unknown): Date {
  return new Date(String(text ?? '').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
}

function noJob(): Fault {
  return new Fault('org-unavailable', 'The answer about an ingest job names no job.');
}
