import { Fault, isFault } from '../errors.ts';
import type { RowBatch } from '../rows/batch.ts';
import { bulkPage } from './bulk-page.ts';
import { isObjectLevel } from './faults.ts';
import type { ExtractRequest } from './org.ts';
import { bulkRefusal } from './refusals.ts';
import { select } from './soql.ts';
import type { Wire } from './wire.ts';

interface Job {
  readonly id: string;
  readonly state: string;
  readonly numberRecordsProcessed?: number;
  readonly errorMessage?: string;
}

/** Poll intervals in milliseconds: small jobs are done at once, long ones must not cost calls (field guide, extract 3.3). */
const firstPoll = 200;
const longestPoll = 30_000;
const mostPolling = 24 * 3600_000;

/**
 * One object by a Bulk API 2.0 query job (field guide, extract 3), made at `started` by the server's clock. `onJob` is told the job's Id. When it ends without a throw, the
 * rows of every page are as many as its header says, and together as many as the job processed; the job is then deleted. A
 * job that failed stays in the org for seven days.
 *
 * Throws `bulk-refused` before any row when Bulk does not do this object, `object-refused` when the job failed (its message
 * inside), `count-mismatch`, `job-running`.
 */
export async function* bulkRows(
  wire: Wire,
  request: ExtractRequest,
  started: string,
  onJob: (id: string) => void,
): AsyncGenerator<RowBatch> {
  const { object, plan, from, onPlace } = request;
  const id = from?.job ?? (await create(wire, request)).id;
  onJob(id);
  if (!from) await onPlace?.({ job: id, rows: 0, started });
  const job = await finished(wire, object, id);
  let rows = from?.rows ?? 0;
  let locator = from?.locator;
  const seen = new Set<string>();
  const bodies = new Set<string>();
  for (let number = 1; ; number++) {
    const page = yield* bulkPage(wire, { object, job: id, number, locator, columns: plan.fields });
    rows += page.rows;
    // Two pages of records with Ids are never alike, so something in between has answered with an old page.
    if (page.rows > 0 && plan.fields.includes('Id') && bodies.has(page.fingerprint)) {
      throw new Fault('count-mismatch', `Page ${number} of ${object} holds the rows of a page before it.`, {
        data: { object, job: id, rows },
      });
    }
    bodies.add(page.fingerprint);
    if (page.next === undefined) break;
    if (seen.has(page.next)) {
      throw new Fault(
        'count-mismatch',
        `Page ${number} of ${object} names a page as the next one that was read before.`,
        {
          data: { object, job: id, rows },
        },
      );
    }
    seen.add(page.next);
    locator = page.next;
    await onPlace?.({ job: id, locator, rows, started });
  }
  if (typeof job.numberRecordsProcessed === 'number' && job.numberRecordsProcessed !== rows) {
    throw new Fault(
      'count-mismatch',
      `The job of ${object} processed ${job.numberRecordsProcessed} rows, its pages held ${rows}.`,
      {
        data: { object, job: id, rows, declared: job.numberRecordsProcessed },
      },
    );
  }
  await remove(wire, object, id);
}

/**
 * The answer may be lost after the job was made; then there are two, and the first is left to the org, which removes it after
 * seven days: there is no key that would make the request idempotent (field guide, extract 6.2).
 */
async function create(wire: Wire, request: ExtractRequest): Promise<Job> {
  const { object, plan, where } = request;
  // Big objects have no recycle bin, and know only plain queries.
  const operation = request.all && !object.endsWith('__b') ? 'queryAll' : 'query';
  const query = select(plan.fields, object, where);
  try {
    return jobFrom(
      await wire.http.json({
        what: `the Bulk job for ${object}`,
        method: 'POST',
        url: `${wire.root}/jobs/query`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ operation, query, contentType: 'CSV', columnDelimiter: 'COMMA', lineEnding: 'LF' }),
      }),
      object,
    );
  } catch (error) {
    if (!isObjectLevel(error)) throw error;
    throw new Fault('bulk-refused', error.message, { data: error.data, cause: error });
  }
}

async function finished(wire: Wire, object: string, id: string): Promise<Job> {
  let waited = 0;
  for (let interval = firstPoll; ; interval = Math.min(longestPoll, interval * 1.7)) {
    const url = `${wire.root}/jobs/query/${id}`;
    const job = jobFrom(await wire.http.json({ what: `the state of the Bulk job for ${object}`, url }), object);
    if (job.state === 'JobComplete') return job;
    if (job.state === 'Failed' || job.state === 'Aborted') throw failed(job, object);
    if (waited > mostPolling) {
      throw new Fault('job-running', `The Bulk job for ${object} still runs after a day.`, {
        data: { object, job: id },
      });
    }
    await wire.http.wait(interval);
    waited += interval;
  }
}

function failed(job: Job, object: string): Fault {
  const message = job.errorMessage?.replace(/\s+/g, ' ').trim().slice(0, 400);
  const name = message && bulkRefusal.test(message) ? 'bulk-refused' : 'object-refused';
  const reason = message ? `: ${message}` : ' without saying why';
  return new Fault(name, `The Bulk job for ${object} ended as ${job.state}${reason}`, {
    data: { object, job: job.id, state: job.state },
  });
}

async function remove(wire: Wire, object: string, id: string): Promise<void> {
  try {
    const url = `${wire.root}/jobs/query/${id}`;
    const answer = await wire.http.send({ what: `the removal of the Bulk job for ${object}`, method: 'DELETE', url });
    answer.body.destroy();
  } catch (error) {
    if (!isFault(error) || wire.ctx.signal.aborted) throw error;
    // Every row is there; the org removes the job by itself after seven days.
    wire.ctx.report({ type: 'warning', name: error.name, message: error.message });
  }
}

function jobFrom(json: unknown, object: string): Job {
  const job = json as Partial<Job> | null;
  if (typeof job?.id !== 'string' || !/^[A-Za-z0-9]{15,18}$/.test(job.id) || typeof job.state !== 'string') {
    throw new Fault('org-unavailable', `The answer about the Bulk job for ${object} names no job.`);
  }
  return job as Job;
}
