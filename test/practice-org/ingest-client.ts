import { parse } from 'csv-parse/sync';
import { api, type Reply, type TestOrg } from './client.ts';

type Json = ReturnType<typeof JSON.parse>;

export const jobs = `${api}/jobs/ingest`;

export interface Ingested {
  /** The job as its last poll showed it. */
  readonly job: Json;
  /** Result files as they came. */
  readonly successful: string;
  readonly failed: string;
  readonly unprocessed: string;
}

/** A job as it is created, open; throws when it is refused. */
export async function openJob(t: TestOrg, body: Record<string, unknown>): Promise<Json> {
  const { status, json, text } = await t.call(jobs, { body });
  if (status !== 200) throw new Error(`the job is refused: ${text}`);
  return json;
}

export function upload(t: TestOrg, id: string, csv: string): Promise<Reply> {
  return t.call(`${jobs}/${id}/batches`, { method: 'PUT', body: csv, headers: { 'content-type': 'text/csv' } });
}

export function setState(t: TestOrg, id: string, state: string): Promise<Reply> {
  return t.call(`${jobs}/${id}`, { method: 'PATCH', body: { state } });
}

export async function poll(t: TestOrg, id: string): Promise<Json> {
  return (await t.call(`${jobs}/${id}`)).json;
}

/** Polls a job until it has ended. */
export async function ended(t: TestOrg, id: string): Promise<Json> {
  for (;;) {
    const job = await poll(t, id);
    if (job.state !== 'UploadComplete' && job.state !== 'InProgress') return job;
  }
}

export async function results(t: TestOrg, id: string): Promise<Omit<Ingested, 'job'>> {
  const text = async (what: string) => (await t.call(`${jobs}/${id}/${what}`)).text;
  return {
    successful: await text('successfulResults'),
    failed: await text('failedResults'),
    unprocessed: await text('unprocessedrecords'),
  };
}

/** A whole job: created, uploaded, closed, waited for. */
export async function ingest(t: TestOrg, body: Record<string, unknown>, csv: string): Promise<Ingested> {
  const { id } = await openJob(t, body);
  await upload(t, id, csv);
  await setState(t, id, 'UploadComplete');
  return { job: await ended(t, id), ...(await results(t, id)) };
}

/** `[processed, failed]` */
export function counters({ numberRecordsProcessed, numberRecordsFailed }: Json): [number, number] {
  return [numberRecordsProcessed, numberRecordsFailed];
}

export function records(csv: string): Record<string, string>[] {
  return parse(csv, { columns: true });
}

/** Cells of one column of a result file, sorted, because its order means nothing. */
export function column(csv: string, name: string): string[] {
  return records(csv)
    .map((record) => record[name]!)
    .sort();
}
