import { type Answer, type ApiRequest, json } from '../../answer.ts';
import { Refusal } from '../../refusal.ts';
import { invalidMultipart, isMultipart, multipartParts } from '../../rest/multipart.ts';
import { jsonObject } from '../../rest/record-input.ts';
import type { SObject } from '../../schema.ts';
import type { OrgState } from '../../state.ts';
import { delimiters } from '../csv.ts';
import { isKey } from './columns.ts';
import { jobJson } from './job-json.ts';
import { type IngestRequest, type Operation, operations } from './jobs.ts';
import { close } from './lifecycle.ts';

/** Characters of data that a multipart create may carry (restore 1.1). */
const multipartCharacters = 100_000;

/** POST jobs/ingest, as JSON or with the data in a multipart body (restore 1.1). */
export async function createIngestJob(state: OrgState, request: ApiRequest): Promise<Answer> {
  const multipart = isMultipart(request) ? await jobAndContent(request) : undefined;
  const asked = ingestRequest(state, request, multipart?.job ?? request.body);
  checkQuota(state);
  const job = state.ingestJobs.add(asked, request.session!.userId);
  if (multipart) {
    job.contents.push(multipart.content);
    if (state.settings.ingestMultipartCloses) close(state, job);
  }
  return json(jobJson(job), state.settings.ingestCreateStatus);
}

async function jobAndContent(request: ApiRequest): Promise<{ job: Buffer; content: Buffer }> {
  const parts = await multipartParts(request);
  const job = parts.find(({ name }) => name === 'job')?.bytes;
  const content = parts.find(({ name, filename }) => name === 'content' && filename !== undefined)?.bytes;
  if (!job || !content) throw invalidMultipart('the parts job and content are needed, content with a file name');
  if (content.toString('utf8').length > multipartCharacters)
    throw new Refusal(
      400,
      'CLIENTINPUTERROR',
      `ClientInputError : a multipart request may carry ${multipartCharacters} characters of data`,
    );
  return { job, content };
}

const known = [
  'object',
  'operation',
  'externalIdFieldName',
  'contentType',
  'lineEnding',
  'columnDelimiter',
  'assignmentRuleId',
];

function ingestRequest(state: OrgState, { version }: ApiRequest, bytes: Buffer): IngestRequest {
  const body = jsonObject(bytes.toString('utf8'));
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Refusal(400, 'JSON_PARSER_ERROR', `Unrecognized field "${unknown}"`);
  const { columnDelimiter = 'COMMA', lineEnding = 'LF', contentType = 'CSV', assignmentRuleId } = body;
  const operation = operations.find((one) => one === body.operation);
  if (!operation) throw invalidJob(`Unsupported operation: ${body.operation}`);
  checkHardDelete(state, operation);
  const object = objectOf(state, body.object);
  if (contentType !== 'CSV') throw invalidJob(`Unsupported contentType: ${contentType}`);
  const delimiter = typeof columnDelimiter === 'string' ? delimiters[columnDelimiter] : undefined;
  if (!delimiter) throw invalidJob(`Unsupported columnDelimiter: ${columnDelimiter}`);
  if (lineEnding !== 'LF' && lineEnding !== 'CRLF') throw invalidJob(`Unsupported lineEnding: ${lineEnding}`);
  return {
    operation,
    object,
    externalIdFieldName: keyFieldOf(object, operation, body.externalIdFieldName),
    assignmentRuleId: assignmentRuleOf(object, version, assignmentRuleId),
    dialect: { columnDelimiter: columnDelimiter as string, delimiter, lineEnding },
    version,
  };
}

function objectOf({ schema }: OrgState, name: unknown): SObject {
  if (typeof name !== 'string') throw invalidJob('object is required');
  const object = schema.object(name);
  const { bulkRefused, customMetadata, bigObjectIndex } = object?.table.treatment ?? {};
  if (!object || bulkRefused || customMetadata || bigObjectIndex || object.isSetup)
    throw new Refusal(400, 'INVALIDENTITY', `InvalidEntity : Entity '${name}' is not supported by the Bulk API.`);
  return object;
}

function keyFieldOf(object: SObject, operation: Operation, name: unknown): string | undefined {
  if (operation !== 'upsert') {
    if (name === undefined || name === null) return undefined;
    throw invalidJob(`externalIdFieldName is for upsert, not for ${operation}`);
  }
  if (typeof name !== 'string') throw invalidJob('externalIdFieldName is required for upsert');
  const field = object.field(name);
  if (!field || !isKey(field))
    throw invalidJob(
      `Field name provided, ${name} does not match an External ID, Salesforce Id, or indexed field for ${object.name}`,
    );
  return field.name;
}

function assignmentRuleOf({ name }: SObject, version: string, id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if ((name !== 'Case' && name !== 'Lead') || Number(version) < 49 || typeof id !== 'string')
    throw invalidJob('assignmentRuleId is for Case and Lead, from API version 49.0 on');
  return id;
}

function checkHardDelete({ settings }: OrgState, operation: Operation): void {
  if (operation === 'hardDelete' && !settings.permissions.bulkHardDelete)
    throw new Refusal(
      400,
      'FEATURENOTENABLED',
      'FeatureNotEnabled : hardDelete operation requires special user profile permission, please contact your system administrator',
    );
}

function checkQuota({ settings, ingestJobs }: OrgState): void {
  if (ingestJobs.used.batches >= settings.dailyBulkBatches)
    throw new Refusal(400, 'EXCEEDEDQUOTA', 'ExceededQuota : ApiBatchItems Limit exceeded.');
}

function invalidJob(message: string): Refusal {
  return new Refusal(400, 'INVALIDJOB', `InvalidJob : ${message}`);
}
