import type { Given } from '../../dml/save.ts';
import type { Field } from '../../schema.ts';

/** The XML type by which an unreadable cell is named, and what a readable one looks like (restore 1.5, 14). */
interface Kind {
  readonly xsd: string;
  read(text: string): Given | undefined;
}

const date = /^\d{4}-\d\d-\d\d$/;
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)$/;
const time = /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?Z?$/;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const booleans: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

const integer: Kind = {
  xsd: 'int',
  read: (text) => (/^[+-]?\d+(?:\.0*)?$/.test(text) ? Number(text) : undefined),
};
const number: Kind = { xsd: 'double', read: (text) => (decimal.test(text) ? Number(text) : undefined) };
const kinds: Readonly<Record<string, Kind>> = {
  boolean: { xsd: 'boolean', read: (text) => booleans[text.toLowerCase()] },
  currency: number,
  double: number,
  percent: number,
  int: integer,
  long: { ...integer, xsd: 'long' },
  date: { xsd: 'date', read: (text) => (date.test(text) && isOnTheCalendar(text) ? text : undefined) },
  datetime: { xsd: 'dateTime', read: (text) => (instant.test(text) && isOnTheCalendar(text) ? text : undefined) },
  time: { xsd: 'time', read: (text) => (time.test(text) ? text : undefined) },
};

function isOnTheCalendar(text: string): boolean {
  const day = text.slice(0, 10);
  const parsed = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(day);
}

/** Reads the cells of a field that are not empty; undefined: not a value of the field's type. */
export function cellReader(field: Field): (text: string) => Given | undefined {
  return kinds[field.type]?.read ?? ((text) => text);
}

/** What `sf__Error` says of an unreadable cell; `column` counts from 0. */
export function unreadable(field: Field, column: number, text: string): string {
  const xsd = kinds[field.type]?.xsd ?? 'string';
  const reason = `'${text}' is not a valid value for the type xsd:${xsd}`;
  return `INVALID_FIELD:Failed to deserialize field at col ${column}. Due to, ${reason}:${field.name} --`;
}
