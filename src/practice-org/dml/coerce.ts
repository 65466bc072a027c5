import type { Value } from '../database.ts';
import { id18, isId } from '../identifiers.ts';
import { Refusal } from '../refusal.ts';
import type { Field, SObject } from '../schema.ts';
import type { Draft } from './draft.ts';
import type { Given, SaveOptions } from './save.ts';

const integers = new Set(['int', 'long']);
const decimals = new Set(['double', 'currency', 'percent']);
const dateShape = /^\d{4}-\d\d-\d\d$/;
const datetimeShape = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)$/;
const timeShape = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?Z?$/;
const emailShape = /^[^\s@<>()[\],;:\\"]+@[^\s@]+\.[^\s@.]{2,}$/;

/** What the type is called in the message about a cell that is none. */
const schemaTypes: Readonly<Record<string, string>> = {
  boolean: 'boolean',
  int: 'int',
  long: 'long',
  double: 'double',
  currency: 'double',
  percent: 'double',
  date: 'date',
  datetime: 'dateTime',
  time: 'time',
};

/** Thrown inside for a value that the type cannot be read from. */
class Unreadable extends Error {}

/**
 * Reads one value into the draft; null empties. What is wrong goes to the draft's errors: a text of Bulk that is no value of the type
 * gets code INVALID_FIELD and `'x' is not a valid value for the type xsd:date`, which the CSV reader puts its column number in front of.
 */
export function coerce(draft: Draft, field: Field, given: Given, api: SaveOptions['api'], trims: boolean): void {
  try {
    const trimmed = trims && typeof given === 'string' ? given.trimEnd() : given;
    const value = trimmed === null ? null : read(draft, field, trimmed, api);
    if (value !== undefined) draft.set(field.name, value === '' ? null : value);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const [code, message] = unreadable(field, given as Value, api);
    draft.fail(code, message, [field.name]);
  }
}

/** JSON whose types do not fit ends the whole request (restore 7): throws JSON_PARSER_ERROR. Unknown fields pass. */
export function checkJson(object: SObject, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, given] of Object.entries(fields)) {
    const field = object.field(name);
    if (!field || given === null || given === undefined) continue;
    const fits = typeof given !== 'object' && jsonFits(field, given as Value);
    if (fits || Buffer.isBuffer(given)) continue;
    throw new Refusal(400, 'JSON_PARSER_ERROR', cannotDeserialize(field, given));
  }
}

function jsonFits(field: Field, given: Value): boolean {
  try {
    if (field.type === 'boolean') return typeof given === 'boolean';
    if (integers.has(field.type) || decimals.has(field.type))
      return typeof given !== 'boolean' && Number.isFinite(numberOf(given));
    if (field.type === 'date') return dateOf(given) !== undefined;
    if (field.type === 'datetime') return datetimeOf(given) !== undefined;
    if (field.type === 'time') return timeOf(given) !== undefined;
    return typeof given === 'string';
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
}

function cannotDeserialize(field: Field, given: unknown): string {
  const kind =
    typeof given === 'string'
      ? 'VALUE_STRING'
      : typeof given === 'boolean'
        ? `VALUE_${String(given).toUpperCase()}`
        : typeof given === 'number'
          ? `VALUE_NUMBER_${Number.isInteger(given) ? 'INT' : 'FLOAT'}`
          : Array.isArray(given)
            ? 'START_ARRAY'
            : 'START_OBJECT';
  const value = typeof given === 'object' ? '' : ` value ${given}`;
  return `Cannot deserialize instance of ${field.type} from ${kind}${value} or request may be missing a required field at [line:1, column:1]`;
}

function unreadable(field: Field, given: Value, api: SaveOptions['api']): [string, string] {
  if (api === 'rest') return ['JSON_PARSER_ERROR', cannotDeserialize(field, given)];
  return ['INVALID_FIELD', `'${given}' is not a valid value for the type xsd:${schemaTypes[field.type] ?? 'string'}`];
}

/** Undefined: it went to the draft's files or errors. */
function read(draft: Draft, field: Field, given: NonNullable<Given>, api: SaveOptions['api']): Value | undefined {
  const { type } = field;
  if (type === 'base64') {
    draft.setFile(field.name, Buffer.isBuffer(given) ? given : Buffer.from(String(given), 'base64'));
    return undefined;
  }
  if (Buffer.isBuffer(given)) throw new Unreadable();
  if (type === 'boolean') return booleanOf(given, api);
  if (integers.has(type) || decimals.has(type)) return number(draft, field, numberOf(given));
  if (type === 'date') return dateOf(given);
  if (type === 'datetime') return datetimeOf(given);
  if (type === 'time') return timeOf(given);
  if (typeof given !== 'string') {
    if (api === 'rest') throw new Unreadable();
    return text(draft, field, String(given));
  }
  if (type === 'reference' || type === 'id') return idOf(draft, field, given);
  return text(draft, field, given);
}

function booleanOf(given: Value, api: SaveOptions['api']): boolean {
  if (typeof given === 'boolean') return given;
  const text = String(given).toLowerCase();
  if (api === 'rest' || !['true', 'false', '1', '0'].includes(text)) throw new Unreadable();
  return text === 'true' || text === '1';
}

function numberOf(given: Value): number {
  const value =
    typeof given === 'number' ? given : typeof given === 'string' && given.trim() !== '' ? Number(given) : Number.NaN;
  if (!Number.isFinite(value)) throw new Unreadable();
  return value;
}

function dateOf(given: Value): string {
  const text = String(given).slice(0, 10);
  const isDate =
    typeof given === 'string' && dateShape.test(text) && (given.length === 10 || datetimeShape.test(given));
  if (!isDate || new Date(`${text}T00:00:00Z`).toString() === 'Invalid Date') throw new Unreadable();
  if (new Date(`${text}T00:00:00Z`).toISOString().slice(0, 10) !== text) throw new Unreadable();
  return text;
}

/** To whole seconds: the platform keeps no parts of one. */
function datetimeOf(given: Value): string {
  if (typeof given !== 'string') throw new Unreadable();
  const full = dateShape.test(given) ? `${given}T00:00:00Z` : given;
  if (!datetimeShape.test(full)) throw new Unreadable();
  const at = Date.parse(full.replace(' ', 'T').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  if (Number.isNaN(at)) throw new Unreadable();
  return new Date(Math.floor(at / 1000) * 1000).toISOString();
}

function timeOf(given: Value): string {
  const [, hours, minutes, seconds = '00', parts = ''] = timeShape.exec(String(given)) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) throw new Unreadable();
  return `${hours}:${minutes}:${seconds}.${parts.padEnd(3, '0')}Z`;
}

/** Whole numbers are cut to eight digits, others rounded to their scale (restore 4.6). */
function number(draft: Draft, field: Field, value: number): number | undefined {
  if (integers.has(field.type)) {
    if (!Number.isInteger(value)) throw new Unreadable();
    if (Math.abs(value) > 2 ** 31 - 1) return outside(draft, field, value);
    return value;
  }
  const precision = Number(field.precision) || 18;
  const scale = Number(field.scale) || 0;
  if (Math.abs(value) >= 10 ** (precision - scale)) return outside(draft, field, value);
  if (Number.isInteger(value)) return value;
  const rounded = Number(`${Math.round(Number(`${value}e${scale}`))}e-${scale}`);
  return Number.isNaN(rounded) ? value : rounded;
}

function outside(draft: Draft, field: Field, value: number): undefined {
  const message = `${field.label ?? field.name}: value outside of valid range on numeric field: ${value}`;
  draft.fail('NUMBER_OUTSIDE_VALID_RANGE', message, [field.name]);
}

/** An Id of 15 or 18 characters, as 18. That it leads somewhere is looked at later. */
function idOf(draft: Draft, field: Field, given: string): string | undefined {
  const id = given.trim();
  if (id === '') return '';
  if (isId(id)) return id18(id);
  draft.fail('MALFORMED_ID', `${field.label ?? field.name}: id value of incorrect type: ${given}`, [field.name]);
  return undefined;
}

function text(draft: Draft, field: Field, given: string): string | undefined {
  const longest = Number(field.length) || 0;
  if (longest > 0 && given.length > longest) {
    const message = `${field.label ?? field.name}: data value too large: ${given.slice(0, 255)} (max length=${longest})`;
    draft.fail('STRING_TOO_LONG', message, [field.name]);
    return undefined;
  }
  if (field.type === 'email' && given !== '' && !emailShape.test(given)) {
    draft.fail('INVALID_EMAIL_ADDRESS', `${field.label ?? field.name}: invalid email address: ${given}`, [field.name]);
    return undefined;
  }
  return given;
}
