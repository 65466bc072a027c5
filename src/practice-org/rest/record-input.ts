import type { ApiRequest } from '../answer.ts';
import { checkJson } from '../dml/coerce.ts';
import type { Given, KeyReference, RecordInput } from '../dml/save.ts';
import { Refusal, unsupported } from '../refusal.ts';
import type { Field, SObject } from '../schema.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Bytes of a file in a JSON body, decoded; a larger one needs a multipart body (restore 9). */
export const largestJsonFile = 37.5 * 1024 * 1024;

export function parserError(message: string): Refusal {
  return new Refusal(400, 'JSON_PARSER_ERROR', message);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The body of a request as a JSON object. Throws JSON_PARSER_ERROR. */
export function jsonBody(request: Pick<ApiRequest, 'body'>): JsonObject {
  return jsonObject(request.body.toString('utf8'));
}

/** The same of a text. */
export function jsonObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw parserError((error as SyntaxError).message);
  }
  if (!isJsonObject(value)) throw parserError('The HTTP entity body is required to be a JSON object');
  return value;
}

/** The type that a record names in its attributes; undefined when it names none. */
export function typeOf(record: JsonObject): string | undefined {
  const { attributes } = record;
  return isJsonObject(attributes) && typeof attributes.type === 'string' ? attributes.type : undefined;
}

/**
 * A JSON record as the engine takes it: scalars are fields, nested objects name a parent by an external id, files are base64
 * text. `attributes` and the `leftOut` names are no fields. Throws INVALID_FIELD for a name that the user does not see, and
 * JSON_PARSER_ERROR for a value that is none of its field's type.
 */
export function recordInput(object: SObject, record: JsonObject, leftOut: readonly string[] = []): RecordInput {
  const fields: Record<string, Given> = {};
  const references: KeyReference[] = [];
  const without = new Set(['attributes', ...leftOut.map((name) => name.toLowerCase())]);
  for (const [name, value] of Object.entries(record)) {
    if (without.has(name.toLowerCase())) continue;
    const field = object.field(name);
    const lookup = field ? undefined : object.relationship(name);
    if (field) fields[field.name] = given(object, field, value);
    else if (lookup) references.push(keyReference(lookup, name, value));
    else throw noSuchColumn(object, name);
  }
  checkJson(object, fields);
  return references.length > 0 ? { fields, references } : { fields };
}

export function noSuchColumn(object: SObject, name: string): Refusal {
  return new Refusal(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
}

function given(object: SObject, field: Field, value: unknown): Given {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'string')
    throw parserError(
      `Cannot deserialize instance of ${field.type} from ${Array.isArray(value) ? 'START_ARRAY' : 'START_OBJECT'} value`,
    );
  if (field.type !== 'base64') return value;
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length > largestJsonFile)
    throw new Refusal(
      413,
      'REQUEST_ENTITY_TOO_LARGE',
      `${object.name}.${field.name}: a file of more than 37.5 MB needs a multipart body`,
    );
  return bytes;
}

/** `{"Parent": {"attributes": {"type": "Account"}, "Code__c": "x"}}`: attributes first where the lookup has several targets. */
function keyReference(field: Field, name: string, value: unknown): KeyReference {
  if (value === null) throw unsupported(`null for the relationship ${name}: ${field.name} null clears the lookup`);
  if (!isJsonObject(value)) throw parserError(`Cannot deserialize instance of ${name} from a value that is no object`);
  const type = typeOf(value);
  if ((field.referenceTo?.length ?? 0) > 1 && (type === undefined || !attributesFirst(value)))
    throw attributesMissing();
  const keys = Object.entries(value).filter(([key]) => key !== 'attributes');
  if (keys.length !== 1)
    throw unsupported(`a nested ${name} with ${keys.length} fields: one external id names the parent`);
  const [keyField, key] = keys[0]!;
  if (typeof key !== 'string' && typeof key !== 'number')
    throw parserError(`${name}.${keyField} is not the value of an external id`);
  const reference = { relationship: name, keyField, key: String(key) };
  return type === undefined ? reference : { ...reference, object: type };
}

export function attributesFirst(record: JsonObject): boolean {
  return Object.keys(record)[0] === 'attributes' && typeOf(record) !== undefined;
}

/** As recorded (restore 14), for records of Collections as well as for nested ones. */
export function attributesMissing(): Refusal {
  return parserError(
    'Nested object for polymorphic foreign key must have an attributes field before any other fields.',
  );
}
