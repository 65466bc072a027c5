import { type Answer, type ApiRequest, json } from '../answer.ts';
import type { SaveError, SaveOptions, SaveResult } from '../dml/save.ts';
import { type Refusal, unsupported } from '../refusal.ts';

const conditional = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];

/** How the headers of a REST request want its records saved (restore 6.2). Assignment rules run unless the client says no. */
export function saveOptions({ headers, version, session }: ApiRequest, allOrNone: boolean): SaveOptions {
  for (const name of conditional) if (headers[name] !== undefined) throw unsupported(`${name} on a write`);
  const assign = headers['sforce-auto-assign'] ?? 'TRUE';
  if (!/^(?:true|false)$/i.test(assign)) throw unsupported('Sforce-Auto-Assign with the Id of an assignment rule');
  const duplicates = Number(version) >= 52 ? (headers['sforce-duplicate-rule-header'] ?? '') : '';
  return {
    api: 'rest',
    userId: session?.userId,
    allOrNone,
    assign: /^true$/i.test(assign),
    allowDuplicates: /(?:^|[;,])\s*allowSave\s*=\s*true\s*(?:$|[;,])/i.test(duplicates),
  };
}

/** The answer to a single record that was not saved: its errors in array form. */
export function failedAnswer(errors: readonly SaveError[], status = statusOf(errors[0]!.code)): Answer {
  const body = errors.map(({ code, message, fields }) => ({ message, errorCode: code, fields }));
  return json(body, status);
}

function statusOf(code: string): number {
  if (code === 'NOT_FOUND' || code === 'ENTITY_IS_DELETED') return 404;
  if (code === 'INSUFFICIENT_ACCESS' || code === 'REQUEST_LIMIT_EXCEEDED') return 403;
  return 400;
}

/** 201 with the Id of a new record, and its place in a header. */
export function createdAnswer(type: string, id: string, version: string, more: { created?: boolean } = {}): Answer {
  const Location = `/services/data/v${version}/sobjects/${type}/${id}`;
  return { ...json({ id, success: true, errors: [], ...more }, 201), headers: { Location } };
}

/** One result of Collections: no Id where nothing was saved, `created` for upserts of API 46 and later. */
export function collectionResult({ id, created, errors }: SaveResult, withCreated: boolean): Record<string, unknown> {
  if (errors.length > 0) return { success: false, errors: errors.map(saveErrorJson) };
  return { id, success: true, errors: [], ...(withCreated && { created }) };
}

export function saveErrorJson({ code, message, fields }: SaveError): Record<string, unknown> {
  return { statusCode: code, message, fields };
}

export function failed(code: string, message: string, fields: readonly string[] = []): SaveResult {
  return { id: undefined, created: false, errors: [{ code, message, fields }] };
}

/** A refusal that hits one record instead of the whole request. */
export function failedBy(refusal: Refusal): SaveResult {
  return failed(refusal.errorCode, refusal.message, refusal.fields);
}

/** What an innocent record answers when another of its transaction failed. */
export function rolledBack(): SaveResult {
  return failed(
    'ALL_OR_NONE_OPERATION_ROLLED_BACK',
    'Record rolled back because not all records were valid and the request was using AllOrNone header',
  );
}
