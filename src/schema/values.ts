import { decimal, decimalText } from './decimal.ts';
import type { FieldDescribe } from './describe.ts';
import { longId, looksLikeId } from './ids.ts';

/*
 * Cells of one field, from a point and from an org, from Bulk and from REST: the same value may be written in more than one way (field guide,
 * extract 2.6 and 3.5). The empty text is null.
 */

type Typed = Pick<FieldDescribe, 'type'>;

/**
 * True when two cells of a field hold the same value: numbers by value, however many digits, dates and times by the instant, Ids of 15 and
 * 18 characters, multi-select picklists as sets. Text must be the same text, except that CRLF, CR and LF are one line end. A cell that is not
 * written as its type is written is compared as text.
 */
export function sameValue(field: Typed, a: string, b: string): boolean {
  if (a === b) return true;
  if (a === '' || b === '') return false;
  return canonicalValue(field, a) === canonicalValue(field, b);
}

/** As `sameValue`, of a value that was written and the cell that it became: the org trims texts (field guide, restore 1.5). */
export function holdsWritten(field: Typed, written: string, now: string): boolean {
  return sameValue(field, written, now) || written.trim() === now.trim();
}

/** One writing of a cell's value: two cells of a field hold the same value if and only if their canonical values are the same text. */
export function canonicalValue({ type }: Typed, cell: string): string {
  switch (type) {
    case 'int':
    case 'long':
    case 'double':
    case 'currency':
    case 'percent': {
      const number = decimal(cell);
      return number ? decimalText(number) : cell;
    }
    case 'date':
    case 'datetime': {
      const time = instant(cell);
      return time === undefined ? cell : new Date(time).toISOString();
    }
    case 'time': {
      const time = timeOfDay(cell);
      return time === undefined ? cell : new Date(time).toISOString().slice(11);
    }
    case 'boolean':
      return cell.toLowerCase();
    case 'id':
    case 'reference':
      return looksLikeId(cell) ? longId(cell) : cell;
    case 'multipicklist':
      return [...new Set(chosenValues(cell))].sort().join(';');
    default:
      return cell.includes('\r') ? cell.replaceAll(/\r\n?/g, '\n') : cell;
  }
}

/** Milliseconds since 1970 of a date (its midnight in UTC) or a datetime with a zone; undefined for any other text. */
export function instant(text: string): number | undefined {
  const found = /^(\d{4,}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d))?$/.exec(text);
  if (!found) return undefined;
  const [, date, time = '00:00:00', zone = 'Z'] = found;
  const withColon = zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const milliseconds = Date.parse(`${date}T${time}${withColon}`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

/** Milliseconds since midnight of a time field (`10:20:30.000Z`, with or without fraction and zone); undefined for any other text. */
export function timeOfDay(text: string): number | undefined {
  const found = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3})\d*)?)?Z?$/.exec(text);
  if (!found) return undefined;
  const [, hours, minutes, seconds = '0', fraction = '0'] = found;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(fraction.padEnd(3, '0'));
}

/** What is chosen in a multi-select picklist, in the order of the cell. */
export function chosenValues(cell: string): string[] {
  return cell
    .split(';')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

/** True for a field whose value follows from others: a formula, a roll-up, an auto number. */
export function derivedField(field: FieldDescribe): boolean {
  return field.calculated || field.autoNumber === true;
}

const system = new Set(
  [
    ...['Id', 'IsDeleted', 'SystemModstamp', 'CreatedDate', 'CreatedById', 'LastModifiedDate', 'LastModifiedById'],
    ...['LastViewedDate', 'LastReferencedDate', 'LastActivityDate', 'MasterRecordId', 'UserRecordAccessId'],
    ...['LastCURequestDate', 'LastCUUpdateDate', 'ConnectionReceivedId', 'ConnectionSentId', 'PhotoUrl'],
    ...['MayEdit', 'IsLocked', 'IsArchived', 'LastLoginDate', 'ActivityMetricId', 'ActivityMetricRollupId'],
  ].map((name) => name.toLowerCase()),
);

/** True for a field that the platform keeps about the record: its Id, stamps, who saw it last, what it was merged into. */
export function systemField(field: Pick<FieldDescribe, 'name'>): boolean {
  return system.has(field.name.toLowerCase());
}

/**
 * The fields of an object in which two states of a record are compared: all but derived ones, those of the system, bytes, and compound fields
 * whose parts stand beside them.
 */
export function comparedFields(fields: readonly FieldDescribe[]): FieldDescribe[] {
  const compounds = new Set(fields.map(({ compoundFieldName }) => compoundFieldName));
  const isCompound = (field: FieldDescribe) =>
    field.type === 'address' || field.type === 'location' || (compounds.has(field.name) && !partOfItself(field));
  return fields.filter(
    (field) => !derivedField(field) && !systemField(field) && field.type !== 'base64' && !isCompound(field),
  );
}

/** Name of Account says that it is a part of the compound Name, which only person accounts fill. */
function partOfItself(field: FieldDescribe): boolean {
  return field.compoundFieldName === field.name;
}
