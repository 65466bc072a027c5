import type { Describe, Value } from './database.ts';
import {
  boolean,
  customFields,
  date,
  datetime,
  email,
  type FieldDeclaration,
  geolocation,
  number,
  type ObjectDeclaration,
  reference,
  string,
  textarea,
  url,
} from './declaration.ts';

/** A record of a data set, by the object and its place among that object's records. */
export interface Pointer {
  readonly object: string;
  readonly at: number;
}

/** What every object has that only its data tells of. */
const nameField = string('Name', 255, { nameField: true, idLookup: true, permissionable: false });

interface KnownField {
  readonly name: string;
  readonly type: string;
}

/** The records that data sets hold of one object, and what that object is. */
export class DatasetObject {
  readonly name: string;
  readonly origin: 'recorded' | 'sample' | 'derived';
  readonly files = new Set<string>();
  readonly rows: Record<string, Value | Pointer>[] = [];
  readonly #declaration: ObjectDeclaration | undefined;
  readonly #children: readonly {
    readonly relationshipName: unknown;
    readonly childSObject: unknown;
    readonly field: unknown;
  }[];
  /** By name in lower case. */
  readonly #fields: Map<string, KnownField>;
  /** Columns that no describe knows, by name in lower case, with the values seen. */
  readonly #columns = new Map<string, { readonly name: string; readonly values: (Value | Pointer)[] }>();

  private constructor(
    name: string,
    origin: DatasetObject['origin'],
    fields: readonly KnownField[],
    declaration: ObjectDeclaration | undefined,
    children: readonly unknown[],
  ) {
    this.name = name;
    this.origin = origin;
    this.#fields = new Map(fields.map((field) => [field.name.toLowerCase(), field]));
    this.#declaration = declaration;
    this.#children = children as never;
  }

  /** An object whose recorded describe is kept as it is: fields that it lacks are not added. */
  static ofRecorded(describe: Describe): DatasetObject {
    return new DatasetObject(
      describe.name,
      'recorded',
      describe.fields,
      undefined,
      describe.childRelationships as unknown[],
    );
  }

  /** A standard object as the sample org has it; columns that it lacks become fields. */
  static ofSample(declaration: ObjectDeclaration): DatasetObject {
    return new DatasetObject(declaration.name, 'sample', declaration.fields, declaration, []);
  }

  /** An object of which only data is known. */
  static derived(name: string): DatasetObject {
    return new DatasetObject(name, 'derived', customFields(nameField, []), undefined, []);
  }

  addRow(): number {
    return this.rows.push({}) - 1;
  }

  has(field: string): boolean {
    const name = field.toLowerCase();
    return (this.#fields.has(name) || this.#columns.has(name)) && name !== 'id';
  }

  /** Says that some record has this field; gives it back as it was first written. */
  mention(field: string): string {
    return this.#known(field)?.name ?? this.#column(field).name;
  }

  #known(field: string): KnownField | undefined {
    return this.#fields.get(field.toLowerCase());
  }

  #column(field: string): { readonly name: string; readonly values: (Value | Pointer)[] } {
    const column = this.#columns.get(field.toLowerCase()) ?? { name: field, values: [] };
    if (this.origin !== 'recorded') this.#columns.set(field.toLowerCase(), column);
    return column;
  }

  /** What a CSV column is called as a field: itself, or with `__c` behind it. */
  columnName(column: string): string {
    const bare = column.trim();
    if (this.#fields.has(bare.toLowerCase()) || /^(id|name)$/i.test(bare)) return bare;
    const custom = `${bare
      .replace(/__c$/i, '')
      .replace(/[^A-Za-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')}__c`;
    return this.#known(custom)?.name ?? this.#columns.get(custom.toLowerCase())?.name ?? custom;
  }

  /** The lookup of the child that belongs to this relationship of the parent. */
  childField(relationship: string, child: string): string | undefined {
    const found = this.#children.find(
      (each) =>
        each.childSObject === child && String(each.relationshipName).toLowerCase() === relationship.toLowerCase(),
    );
    return found && String(found.field);
  }

  /** Takes a value into a row; a sentence when it cannot. */
  set(at: number, field: string, value: unknown): string | undefined {
    const known = this.#known(field);
    if (field.toLowerCase() === 'id') return 'Ids are given out by the org';
    if (typeof value === 'object' && !isPointer(value))
      return `${this.name}.${field}: a record of another object by its fields`;
    const plain = value as Value | Pointer;
    if (known) {
      const fitted = isPointer(plain) ? (known.type === 'reference' ? plain : undefined) : fit(plain, known.type);
      if (fitted === undefined) return `${this.name}.${known.name}: a value is not of type ${known.type}`;
      this.rows[at]![known.name] = fitted;
      return undefined;
    }
    if (this.origin === 'recorded') return `${this.name}.${field}: the recorded describe has no such field`;
    const column = this.#column(field);
    column.values.push(plain);
    this.rows[at]![column.name] = plain;
    return undefined;
  }

  /** What the object is, with a field for each column. Call it when all values are in: they decide the types. */
  declaration(prefix: string): ObjectDeclaration {
    const own = [...this.#columns.values()]
      .filter(({ values }) => values.length > 0)
      .map(({ name, values }) => derivedField(name, values));
    for (const { name, type } of own) {
      for (const row of this.rows) {
        const value = row[name];
        if (value !== undefined && !isPointer(value)) row[name] = fit(value, type) ?? null;
      }
    }
    const places = own
      .filter((field) => field.name.endsWith('__Latitude__s'))
      .flatMap((field) => geolocation(field.name.replace('__Latitude__s', '__c')));
    const fields = [...own.filter((field) => !places.some((place) => place.name === field.name)), ...places];
    if (this.#declaration) return { ...this.#declaration, fields: [...this.#declaration.fields, ...fields] };
    return {
      name: this.name,
      prefix,
      label: this.name.replace(/__c$/, '').replaceAll('_', ' '),
      fields: customFields(nameField, fields),
    };
  }
}

function isPointer(value: unknown): value is Pointer {
  return typeof value === 'object' && value !== null && 'object' in value && 'at' in value;
}

const dates = /^\d{4}-\d\d-\d\d$/;
const datetimes = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;
const numbers = /^-?(0|[1-9]\d{0,14})(\.\d{1,10})?$/;

function derivedField(name: string, values: readonly (Value | Pointer)[]): FieldDeclaration {
  const pointers = values.filter(isPointer);
  if (pointers.length > 0) return reference(name, [...new Set(pointers.map((pointer) => pointer.object))].sort());
  const texts = values.map(String);
  const all = (pattern: RegExp) => texts.every((text) => pattern.test(text));
  if (all(/^(true|false)$/i)) return boolean(name);
  if (all(numbers)) return number(name, 'double', 18, 10);
  if (all(dates)) return date(name);
  if (all(datetimes)) return datetime(name);
  if (all(/^[^\s@]{1,40}@[^\s@]{1,39}$/)) return email(name);
  if (all(/^https?:\S{1,240}$/)) return url(name);
  return texts.every((text) => text.length <= 255 && !/[\r\n]/.test(text))
    ? string(name, 255)
    : textarea(name, 131_072);
}

/** The value as a field of this type holds it; undefined when it cannot. */
function fit(value: Value, type: string): Value | undefined {
  if (value === null) return null;
  const text = String(value);
  switch (type) {
    case 'boolean':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined;
    case 'int':
    case 'double':
    case 'currency':
    case 'percent':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
    case 'date':
      return dates.test(text) ? text : undefined;
    case 'datetime':
      return datetimes.test(text) ? new Date(Math.floor(Date.parse(text) / 1000) * 1000).toISOString() : undefined;
    case 'reference':
    case 'base64':
    case 'address':
    case 'location':
      return undefined;
    default:
      return text;
  }
}
