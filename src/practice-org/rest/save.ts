import { type Answer, type ApiRequest, json } from '../answer.ts';
import type { RecordInput, SaveError, SaveResult } from '../dml/save.ts';
import { id18, isId } from '../identifiers.ts';
import { notFound, Refusal } from '../refusal.ts';
import type { SObject } from '../schema.ts';
import type { OrgState } from '../state.ts';
import { visibleObject } from './describe.ts';
import { isMultipart } from './multipart.ts';
import { choices, keyField, rowsByKey } from './record.ts';
import { fileRecord } from './record-files.ts';
import { jsonBody, recordInput } from './record-input.ts';
import { saveRuns } from './runs.ts';
import { createdAnswer, failedAnswer, saveOptions } from './save-answer.ts';

/** POST sobjects/X, also as multipart with one file: 201 with the new Id. */
export function createRecord(state: OrgState, request: ApiRequest): Answer | Promise<Answer> {
  const object = visibleObject(state, request.parts[0]!);
  if (isMultipart(request)) return fileRecord(object, request).then((record) => create(state, request, object, record));
  return create(state, request, object, recordInput(object, jsonBody(request)));
}

function create(state: OrgState, request: ApiRequest, object: SObject, record: RecordInput): Answer {
  const { id, errors } = save(state, request, object, record, (run, options) => state.dml.insert(object, run, options));
  return errors.length > 0 ? failedAnswer(errors) : createdAnswer(object.name, id!, request.version);
}

/** PATCH sobjects/X/{id}, also as multipart with one file: 204 and no body. */
export function updateRecord(state: OrgState, request: ApiRequest): Answer | Promise<Answer> {
  const object = visibleObject(state, request.parts[0]!);
  const id = recordId(object, request.parts[1]!);
  if (isMultipart(request))
    return fileRecord(object, request).then((record) => update(state, request, object, id, record));
  return update(state, request, object, id, recordInput(object, jsonBody(request)));
}

function update(state: OrgState, request: ApiRequest, object: SObject, id: string, given: RecordInput): Answer {
  if ('Id' in given.fields) throw keyInBody('Id');
  const record = { ...given, fields: { ...given.fields, Id: id } };
  const { errors } = save(state, request, object, record, (run, options) => state.dml.update(object, run, options));
  return changed(object, id, errors);
}

/** DELETE sobjects/X/{id}: 204 and no body. */
export function deleteRecord(state: OrgState, request: ApiRequest): Answer {
  const object = visibleObject(state, request.parts[0]!);
  return remove(state, request, object, recordId(object, request.parts[1]!));
}

function remove(state: OrgState, request: ApiRequest, object: SObject, id: string): Answer {
  const { errors } = save(state, request, object, id, (run, options) => state.dml.remove(run, options));
  return changed(object, id, errors);
}

/** 204 when it was done; 404 with the errors for an Id that never was. */
function changed(object: SObject, id: string, errors: readonly SaveError[]): Answer {
  if (errors.length === 0) return { status: 204 };
  return object.table.source.find(id18(id)) < 0 ? failedAnswer(errors, 404) : failedAnswer(errors);
}

/**
 * PATCH sobjects/X/{ExternalIdField}/{value}: 201 when created, 200 when updated, with `created` from API 46 on and 204 before;
 * 300 with the URLs of several matches; 404 instead of creating with `updateOnly=true`.
 */
export function upsertRecord(state: OrgState, request: ApiRequest): Answer {
  const object = visibleObject(state, request.parts[0]!);
  const [, name, value] = request.parts as [string, string, string];
  const field = keyField(object, name);
  const given = recordInput(object, jsonBody(request));
  if (field.name in given.fields) throw keyInBody(field.name);
  if (field.name === 'Id') return update(state, request, object, recordId(object, value), given);
  const matches = () => rowsByKey(state, object, field, value);
  if (request.query.get('updateOnly') === 'true' && matches().length === 0) throw notFound();
  const record = { ...given, fields: { ...given.fields, [field.name]: value } };
  const { id, created, errors } = save(state, request, object, record, (run, options) =>
    state.dml.upsert(object, field.name, run, options),
  );
  if (errors[0]?.code === 'DUPLICATE_EXTERNAL_ID') return choices(object, matches(), request.version);
  if (errors.length > 0) return failedAnswer(errors);
  const tellsWhich = Number(request.version) >= 46;
  if (created) return createdAnswer(object.name, id!, request.version, tellsWhich ? { created } : {});
  return tellsWhich ? json({ id, success: true, errors: [], created }) : { status: 204 };
}

/** POST sobjects/X/Id: a new record, as an upsert by Id without one. */
export function createById(state: OrgState, request: ApiRequest): Answer | Promise<Answer> {
  if (request.parts[1]!.toLowerCase() === 'id') return createRecord(state, request);
  throw new Refusal(405, 'METHOD_NOT_ALLOWED', "HTTP Method 'POST' not allowed. Allowed are HEAD,GET,PATCH,DELETE");
}

/** DELETE sobjects/X/{ExternalIdField}/{value}: 204, or 300 with the URLs of several. */
export function deleteByKey(state: OrgState, request: ApiRequest): Answer {
  const object = visibleObject(state, request.parts[0]!);
  const [, name, value] = request.parts as [string, string, string];
  if (name.toLowerCase() === 'id') return remove(state, request, object, recordId(object, value));
  const found = rowsByKey(state, object, keyField(object, name), value);
  if (found.length === 0) throw notFound();
  if (found.length > 1) return choices(object, found, request.version);
  return remove(state, request, object, found[0]!.Id as string);
}

function save<T>(
  state: OrgState,
  request: ApiRequest,
  object: SObject,
  record: T,
  run: (records: readonly T[], options: ReturnType<typeof saveOptions>) => readonly SaveResult[],
): SaveResult {
  const options = saveOptions(request, false);
  const { fault } = request;
  return saveRuns(state, [{ object, record }], { allOrNone: false, fault }, (_, records) => run(records, options))[0]!;
}

/** The Id of a path. Throws 404 for what is no Id, and 400 for one of another object. */
function recordId(object: SObject, id: string): string {
  const { keyPrefix } = object.describe;
  if (!isId(id)) throw notFound(`Provided external ID field does not exist or is not accessible: ${id}`);
  if (keyPrefix && !id.startsWith(keyPrefix))
    throw new Refusal(400, 'MALFORMED_ID', `${object.name} ID: id value of incorrect type: ${id}`, ['Id']);
  return id;
}

function keyInBody(name: string): Refusal {
  return new Refusal(400, 'INVALID_FIELD', `The ${name} field should not be specified in the sobject data.`);
}
