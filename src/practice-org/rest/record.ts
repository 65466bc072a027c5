import { type Answer, type ApiRequest, json } from '../answer.ts';
import type { Row } from '../database.ts';
import { id18, isId } from '../identifiers.ts';
import { notFound, Refusal } from '../refusal.ts';
import type { Field, SObject } from '../schema.ts';
import { attributes, fieldValue } from '../soql/record-json.ts';
import { visibility } from '../soql/rows.ts';
import type { OrgState } from '../state.ts';
import { visibleObject } from './describe.ts';

/** GET sobjects/X/{id}[?fields=a,b]. */
export function getRecord(state: OrgState, request: ApiRequest): Answer {
  const object = visibleObject(state, request.parts[0]!);
  const row = findRow(state, object, request.parts[1]!);
  return json(recordBody(object, row, request, request.query.get('fields')?.split(',')));
}

/** POST composite/sobjects/X with `{ids, fields}`: the records in the order of their Ids, null for those that cannot be had. */
export function getRecords(state: OrgState, request: ApiRequest): Answer {
  const object = visibleObject(state, request.parts[0]!);
  const { ids, fields } = listsOf(request);
  if (ids.length > 2000)
    throw new Refusal(400, 'EXCEEDED_ID_LIMIT', `The number of records ${ids.length} exceeds the limit of 2000`);
  return json(
    ids.map((id) => {
      try {
        return recordBody(object, findRow(state, object, id), request, fields);
      } catch (error) {
        if (error instanceof Refusal && error.errorCode !== 'INVALID_FIELD') return null;
        throw error;
      }
    }),
  );
}

function listsOf(request: ApiRequest): { ids: string[]; fields: string[] } {
  let body: Record<string, unknown> | null;
  try {
    body = JSON.parse(request.body.toString('utf8')) as Record<string, unknown> | null;
  } catch {
    throw new Refusal(400, 'JSON_PARSER_ERROR', 'the request body is not JSON');
  }
  const list = (name: string): string[] => {
    const value = body?.[name];
    if (!Array.isArray(value) || value.length === 0)
      throw new Refusal(400, 'MISSING_ARGUMENT', `The ${name} parameter is missing`);
    return value.map(String);
  };
  return { ids: list('ids'), fields: list('fields') };
}

/** GET sobjects/X/{id}/{BlobField}: the bytes. GET sobjects/X/{ExternalIdField}/{value}: the record, or 300 with URLs. */
export function getBlob(state: OrgState, request: ApiRequest): Answer {
  const object = visibleObject(state, request.parts[0]!);
  const blobField = object.field(request.parts[2]!);
  if (blobField?.type !== 'base64') return byExternalId(state, request, object);
  const row = findRow(state, object, request.parts[1]!);
  const headers = { 'Content-Type': 'application/octet-stream' };
  const large = object.table.pieces?.(row.Id as string, blobField.name);
  if (large) {
    const length = { ...headers, 'Content-Length': String(large.size) };
    return { status: 200, headers: length, stream: oneByOne(large.chunks()) };
  }
  const bytes = object.table.blob?.(row.Id as string, blobField.name);
  if (!bytes) throw notFound();
  return { status: 200, headers, bytes };
}

async function* oneByOne(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}

function byExternalId(state: OrgState, request: ApiRequest, object: SObject): Answer {
  const [, name, value] = request.parts as [string, string, string];
  const found = rowsByKey(state, object, keyField(object, name), value);
  if (found.length === 0) throw notFound();
  if (found.length > 1) return choices(object, found, request.version);
  return json(recordBody(object, found[0]!, request, request.query.get('fields')?.split(',')));
}

/** The field that finds records by its value. Throws 404 for one that is no key. */
export function keyField(object: SObject, name: string): Field {
  const field = object.field(name);
  if (!field || (field.name !== 'Id' && field.externalId !== true && field.idLookup !== true))
    throw notFound(`Provided external ID field does not exist or is not accessible: ${name}`);
  return field;
}

/** The rows that the user sees with this key, without regard to case unless the field has one. */
export function rowsByKey(state: OrgState, object: SObject, field: Field, value: string): Row[] {
  const { source } = object.table;
  const visible = visibility(object, false, state.settings.permissions, state.database.facts);
  const folded = (text: string) => (field.caseSensitive === true ? text : text.toLowerCase());
  const wanted = folded(value);
  const found: Row[] = [];
  for (let number = 0; number < source.size; number += 1) {
    if (source.purged?.has(number)) continue;
    const row = source.row(number);
    const key = row[field.name] ?? null;
    if (key !== null && folded(String(key)) === wanted && (!visible || visible(row))) found.push(row);
  }
  return found;
}

/** 300 with the URLs of the records that a key means. */
export function choices(object: SObject, rows: readonly Row[], version: string): Answer {
  return json(
    rows.map((row) => attributes(object, row, version).url),
    300,
  );
}

/** The row with this Id that the user may see. Throws 404, or 400 for an Id of another kind. */
function findRow(state: OrgState, object: SObject, id: string): Row {
  const { keyPrefix } = object.describe;
  if (!isId(id)) throw notFound(`Provided external ID field does not exist or is not accessible: ${id}`);
  if (keyPrefix && !id.startsWith(keyPrefix))
    throw new Refusal(400, 'MALFORMED_ID', `${object.name} ID: id value of incorrect type: ${id}`, ['Id']);
  const number = object.table.source.find(id.length === 15 ? id18(id) : id);
  if (number < 0) throw notFound();
  const row = object.table.source.row(number);
  if (row.IsDeleted === true) throw new Refusal(404, 'ENTITY_IS_DELETED', 'entity is deleted');
  const visible = visibility(object, true, state.settings.permissions, state.database.facts);
  if (visible && !visible(row)) throw notFound();
  return row;
}

/** `asked`: names of fields; undefined: all that there are. */
function recordBody(
  object: SObject,
  row: Row,
  request: ApiRequest,
  asked: readonly string[] | undefined,
): Record<string, unknown> {
  const fields =
    asked === undefined
      ? object.fields
      : asked.map((name) => {
          const field = object.field(name.trim());
          if (!field)
            throw new Refusal(
              400,
              'INVALID_FIELD',
              `No such column '${name.trim()}' on sobject of type ${object.name}`,
            );
          return field;
        });
  const record: Record<string, unknown> = { attributes: attributes(object, row, request.version) };
  for (const field of fields) record[field.name] = fieldValue(object, field, request.version)(row);
  if (asked !== undefined && !('Id' in record)) record.Id = row.Id;
  return record;
}
