import type { IngestJob } from './jobs.ts';

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '+0000');
}

/** The job as POST and PATCH show it (restore 1.1). */
export function jobJson(job: IngestJob): Record<string, unknown> {
  const { externalIdFieldName, assignmentRuleId, version } = job;
  return {
    id: job.id,
    operation: job.operation,
    object: job.object.name,
    createdById: job.createdById,
    createdDate: time(job.createdAt),
    systemModstamp: time(job.endedAt ?? job.closedAt ?? job.createdAt),
    state: job.state,
    ...(externalIdFieldName !== undefined && { externalIdFieldName }),
    ...(assignmentRuleId !== undefined && { assignmentRuleId }),
    concurrencyMode: 'Parallel',
    contentType: 'CSV',
    apiVersion: Number(version),
    ...(job.state === 'Open' && { contentUrl: `services/data/v${version}/jobs/ingest/${job.id}/batches` }),
    lineEnding: job.dialect.lineEnding,
    columnDelimiter: job.dialect.columnDelimiter,
  };
}

/** The job as GET shows it, with its counters. `numberRecordsProcessed` includes the failed ones (restore 1.2). */
export function polledJson(job: IngestJob, processedBy = 0): Record<string, unknown> {
  const counted = job.state !== 'Open' && job.state !== 'UploadComplete';
  const time = counted ? job.processingTime : 0;
  return {
    ...jobJson(job),
    jobType: 'V2Ingest',
    retries: counted ? job.retries : 0,
    totalProcessingTime: time,
    apiActiveProcessingTime: time,
    apexProcessingTime: 0,
    numberRecordsProcessed: counted ? (job.outcomes?.processed ?? 0) + processedBy : 0,
    numberRecordsFailed: counted ? (job.outcomes?.failed ?? 0) : 0,
    ...(job.state === 'Failed' && job.errorMessage !== undefined && { errorMessage: job.errorMessage }),
  };
}
