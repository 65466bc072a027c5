import { type Answer, type ApiRequest, json } from '../answer.ts';
import type { RecordInput, SaveOptions, SaveResult } from '../dml/save.ts';
import { id18, isId } from '../identifiers.ts';
import { Refusal, unsupported } from '../refusal.ts';
import type { SObject } from '../schema.ts';
import type { OrgState } from '../state.ts';
import { visibleObject } from './describe.ts';
import { keyField } from './record.ts';
import {
  attributesFirst,
  attributesMissing,
  isJsonObject,
  type JsonObject,
  jsonBody,
  parserError,
  recordInput,
  typeOf,
} from './record-input.ts';
import { type CallRecord, mostRecords, saveRuns, tooManyRecords } from './runs.ts';
import { collectionResult, failed, failedBy, saveOptions } from './save-answer.ts';

/** POST composite/sobjects: up to 200 new records of up to ten runs of types, results in their order (restore 2). */
export function createRecords(state: OrgState, request: ApiRequest): Answer {
  return saveRecords(state, request, undefined, (object, run, options) => state.dml.insert(object, run, options));
}

/** PATCH composite/sobjects: the records name their Id. */
export function updateRecords(state: OrgState, request: ApiRequest): Answer {
  return saveRecords(state, request, undefined, (object, run, options) => state.dml.update(object, run, options));
}

/** PATCH composite/sobjects/X/{ExternalIdField}: records of one type; results say which were created. */
export function upsertRecords(state: OrgState, request: ApiRequest): Answer {
  const object = visibleObject(state, request.parts[0]!);
  const key = keyField(object, request.parts[1]!).name;
  return saveRecords(state, request, object, (_, run, options) => state.dml.upsert(object, key, run, options));
}

/** DELETE composite/sobjects?ids=a,b&allOrNone=false. */
export function deleteRecords(state: OrgState, request: ApiRequest): Answer {
  const ids = (request.query.get('ids') ?? '').split(',').filter((id) => id !== '');
  if (ids.length === 0) throw atLeastOne();
  const allOrNone = request.allOrNone || request.query.get('allOrNone')?.toLowerCase() === 'true';
  const options = saveOptions(request, allOrNone);
  const records = ids.map((id) => toBeDeleted(state, id));
  const results = saveRuns(state, records, { allOrNone, fault: request.fault }, (_, run) =>
    state.dml.remove(run, options),
  );
  return json(results.map((result) => collectionResult(result, false)));
}

/** An Id with its object, which the call sorts it by. */
export function toBeDeleted(state: OrgState, id: string): CallRecord<string> {
  if (!isId(id)) return failed('MALFORMED_ID', `malformed id ${id}`);
  const object = state.schema.objectOfId(id18(id), [...state.database.tables.keys()]);
  return object ? { object, record: id } : failed('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id');
}

function saveRecords(
  state: OrgState,
  request: ApiRequest,
  only: SObject | undefined,
  save: (object: SObject, run: readonly RecordInput[], options: SaveOptions) => SaveResult[],
): Answer {
  const { allOrNone, records } = collectionOf(request);
  const options = saveOptions(request, allOrNone);
  const inputs = records.map((record) => collectionRecord(state, record, only));
  const results = saveRuns(state, inputs, { allOrNone, fault: request.fault }, (object, run) =>
    save(object, run, options),
  );
  const withCreated = only !== undefined && Number(request.version) >= 46;
  return json(results.map((result) => collectionResult(result, withCreated)));
}

function collectionOf(request: ApiRequest): { allOrNone: boolean; records: readonly JsonObject[] } {
  const { allOrNone = false, records } = jsonBody(request);
  if (typeof allOrNone !== 'boolean') throw parserError('Cannot deserialize instance of boolean from allOrNone');
  if (!Array.isArray(records) || records.length === 0) throw atLeastOne();
  if (records.length > mostRecords) throw tooManyRecords();
  if (!records.every(isJsonObject)) throw parserError('records is not a list of records');
  return { allOrNone: allOrNone || request.allOrNone, records };
}

function collectionRecord(state: OrgState, record: JsonObject, only: SObject | undefined): CallRecord<RecordInput> {
  const { collectionsAttributes, collectionsUnknownField } = state.settings;
  const type = typeOf(record);
  if (type === undefined || (collectionsAttributes === 'strict' && !attributesFirst(record)))
    return failedBy(attributesMissing());
  if ('binaryPartName' in (record.attributes as JsonObject)) throw unsupported('files in composite/sobjects');
  const object = state.schema.object(type);
  if (!object) return failed('INVALID_TYPE', `sObject type '${type}' is not supported.`);
  if (only && only.name !== object.name)
    return failed('INVALID_TYPE', `a record of ${object.name} cannot be upserted as ${only.name}`);
  try {
    return { object, record: recordInput(object, record) };
  } catch (error) {
    const isOneRecords = error instanceof Refusal && error.errorCode === 'INVALID_FIELD';
    if (isOneRecords && collectionsUnknownField === 'record') return failedBy(error);
    throw error;
  }
}

function atLeastOne(): Refusal {
  return new Refusal(400, 'REQUIRED_FIELD_MISSING', 'At least 1 record is required');
}
