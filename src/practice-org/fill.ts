import type { Describe, Row, Value } from './database.ts';
import { hashOf, mix, Random } from './random.ts';
import { recordId } from './record-ids.ts';
import { dayFrom, instant, serial } from './sample.ts';
import { torture } from './torture.ts';
import { cities, companyName, firstNames, lastNames, plainLetters, prose, sentence, streets } from './words.ts';

type Field = Describe['fields'][number];

/** Rows that lookups of filled objects may point at. */
export interface Lookups {
  /** The Id of a live row of this object, or undefined when it is not loaded or has none. */
  id(object: string, number: number): string | undefined;
}

export interface Filling {
  readonly describe: Describe;
  readonly prefix: string;
  readonly seed: number;
  readonly now: number;
  readonly lookups: Lookups;
  /** Size of the row's file in a base64 field. */
  fileSize(number: number): number;
}

/** Rows of the recycle bin among generated ones; never the first, never two neighbours. */
export function filledDeleted(describe: Describe, number: number): boolean {
  return describe.undeletable === true && number % 13 === 12;
}

/**
 * A made-up row that fits any describe: types, lengths, picklist values, whole seconds; lookups point at loaded rows or are
 * null. The first rows of free text are those that break parsers.
 */
export function filledRow(filling: Filling, number: number): Row {
  const { describe, seed, now } = filling;
  const row: Record<string, Value> = {};
  const random = new Random(mix(seed ^ hashOf(describe.name), number));
  const person = { first: random.pick(firstNames), last: random.pick(lastNames) };
  const made = now - 900 * 86_400_000 + Math.floor(number * 997) * 1000;
  const changed = made + (random.chance(50) ? 0 : random.int(0, 300 * 86_400));
  for (const field of describe.fields) {
    if (['address', 'location', 'base64'].includes(field.type)) continue;
    row[field.name] =
      special(field, filling, number, { made, changed, person }) ?? ordinary(field, filling, number, random);
  }
  if ('IsDeleted' in row) row.IsDeleted = filledDeleted(describe, number);
  if ('Username' in row)
    row.Username = number === 0 ? 'backup@practice-org.example' : `user${number}@practice-org.example`;
  return row.IsPersonAccount === undefined ? row : business(row);
}

/** No account is made a person: its fields stay empty. */
function business(row: Record<string, Value>): Row {
  for (const [field, value] of Object.entries(row)) {
    if (typeof value === 'boolean') continue;
    if (
      /^Person|__pc$/.test(field) ||
      ['FirstName', 'LastName', 'MiddleName', 'Salutation', 'Suffix'].includes(field)
    ) {
      row[field] = null;
    }
  }
  row.IsPersonAccount = false;
  return row;
}

interface Known {
  readonly made: number;
  readonly changed: number;
  readonly person: { readonly first: string; readonly last: string };
}

/** Fields that mean the same on every object; undefined for all others. */
function special(field: Field, filling: Filling, number: number, known: Known): Value | undefined {
  const { describe, prefix } = filling;
  switch (field.name) {
    case 'Id':
      return recordId(prefix, number);
    case 'CreatedDate':
      return instant(known.made);
    case 'LastModifiedDate':
    case 'SystemModstamp':
      return instant(known.changed);
    case 'FirstName':
      return known.person.first;
    case 'LastName':
      return known.person.last;
    case 'IsActive':
      return number % 9 !== 8;
    case 'BodyLength':
    case 'ContentSize':
      return filling.fileSize(number);
    case 'Name':
      return field.extraTypeInfo === 'personname' ? `${known.person.first} ${known.person.last}` : undefined;
    case 'AssigneeId':
      return describe.name === 'PermissionSetAssignment' ? filling.lookups.id('User', number) : undefined;
    case 'PermissionSetId':
      // The first user, who logs in, has the first set, which allows everything.
      return describe.name === 'PermissionSetAssignment' ? filling.lookups.id('PermissionSet', number) : undefined;
  }
  if (describe.name === 'PermissionSet' && field.name.startsWith('Permissions')) return number === 0;
  return undefined;
}

function ordinary(field: Field, filling: Filling, number: number, random: Random): Value {
  const mayBeEmpty = field.nillable !== false && field.type !== 'boolean' && field.unique !== true;
  if (mayBeEmpty && random.chance(25)) return null;
  switch (field.type) {
    case 'boolean':
      return random.chance(30);
    case 'reference':
      return reference(field, filling, number, random);
    case 'picklist':
    case 'combobox':
      return picked(field, random);
    case 'multipicklist':
      return (
        [...new Set([picked(field, random), picked(field, random)])].filter((value) => value !== null).join(';') || null
      );
    case 'int':
      return random.int(0, 10 ** Math.min(Number(field.digits) || 6, 6) - 1);
    case 'long':
      return random.int(0, 2 ** 40);
    case 'double':
    case 'currency':
    case 'percent':
      return measured(field, random);
    case 'date':
      return dayFrom(filling.now, -random.int(1, 3000));
    case 'datetime':
      return instant(filling.now - random.int(1, 900 * 86_400) * 1000);
    case 'time':
      return `${instant(random.int(0, 86_399) * 1000).slice(11, 19)}.000Z`;
    case 'email':
      return cut(`person${serial(number)}@example.com`, field);
    case 'phone':
      return cut(`+41 44 ${serial(random.int(0, 99_999_999))}`, field);
    case 'url':
      return cut(`https://example.com/${plainLetters(random.pick(lastNames))}`, field);
    case 'string':
    case 'encryptedstring':
    case 'textarea':
      return text(field, number, random);
    default:
      return null;
  }
}

function reference(field: Field, filling: Filling, number: number, random: Random): Value {
  const targets = (field.referenceTo as readonly string[] | undefined) ?? [];
  const start = targets.length === 0 ? 0 : random.int(0, targets.length - 1);
  for (let i = 0; i < targets.length; i++) {
    const target = targets[(start + i) % targets.length]!;
    const own = target === filling.describe.name;
    if (own && number === 0 && field.nillable !== false) continue;
    const id = filling.lookups.id(target, own ? number >> 1 : random.int(0, 1_000_000));
    if (id !== undefined) return id;
  }
  return null;
}

function picked(field: Field, random: Random): string | null {
  const values = (field.picklistValues as readonly { readonly value: string }[] | undefined) ?? [];
  return values.length === 0 ? null : random.pick(values).value || null;
}

function measured(field: Field, random: Random): number {
  if (field.name.includes('Latitude')) return random.int(-90_000, 90_000) / 1000;
  if (field.name.includes('Longitude')) return random.int(-180_000, 180_000) / 1000;
  const decimals = Math.min(Number(field.scale) || 0, 4);
  const whole = Math.max(1, Math.min((Number(field.precision) || 9) - (Number(field.scale) || 0), 9));
  return (random.int(0, 10 ** whole - 1) * 10 ** decimals + random.int(0, 10 ** decimals - 1)) / 10 ** decimals;
}

function text(field: Field, number: number, random: Random): string {
  const length = Number(field.length) || 255;
  if (field.autoNumber === true) return cut(serial(number), field);
  if (field.unique === true || field.externalId === true || /(^|_)(Name|Key|Alias|Nickname)(__c)?$/i.test(field.name)) {
    return cut(
      field.name === 'Name' ? `${companyName(random)} ${number + 1}` : `${number + 1}-${random.int(10, 99)}`,
      field,
    );
  }
  if (/Street/.test(field.name)) return cut(`${random.pick(streets)} ${random.int(1, 200)}`, field);
  if (/City/.test(field.name)) return cut(random.pick(cities)[0], field);
  if (/PostalCode/.test(field.name)) return cut(random.pick(cities)[2], field);
  if (/Country/.test(field.name)) return cut(random.pick(cities)[3], field);
  if (length >= 120 && number < torture.length) return torture[number]!;
  return cut(field.type === 'textarea' ? prose(random, Math.min(length, 400)) : sentence(random, 4), field);
}

/** No longer than the field allows, and no half of a character at the end. */
function cut(value: string, field: Field): string {
  const length = Number(field.length) || 255;
  return value.length <= length
    ? value
    : value
        .slice(0, length)
        .toWellFormed()
        .replace(/\ufffd$/, '')
        .trimEnd() || 'x';
}
