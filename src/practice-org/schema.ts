import type { Database, Describe, Table } from './database.ts';
import { withAuditFields } from './dml/audit.ts';
import { isId } from './identifiers.ts';
import type { Settings } from './settings.ts';
import { setupTables } from './setup-objects.ts';

/** A field of a describe. Recorded describes may lack keys; a missing flag counts as allowed. */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly length?: number;
  readonly custom?: boolean;
  readonly filterable?: boolean;
  readonly sortable?: boolean;
  readonly groupable?: boolean;
  readonly caseSensitive?: boolean;
  readonly encrypted?: boolean;
  readonly compoundFieldName?: string | null;
  readonly relationshipName?: string | null;
  readonly referenceTo?: readonly string[];
  readonly picklistValues?: readonly { readonly value: string; readonly label: string | null }[];
  readonly [key: string]: unknown;
}

export interface ChildRelationship {
  readonly childSObject: string;
  readonly field: string;
  readonly relationshipName: string | null;
}

/** An object as the user sees it: without the fields that field-level security hides. */
export interface SObject {
  readonly name: string;
  readonly table: Table;
  /** Without hidden fields. */
  readonly describe: Describe;
  readonly fields: readonly Field[];
  /** Without regard to case. */
  field(name: string): Field | undefined;
  /** The reference field with this relationship name, without regard to case. */
  relationship(name: string): Field | undefined;
  childRelationship(name: string): ChildRelationship | undefined;
  /** True for objects that the org computes itself: EntityDefinition, FieldDefinition, UserPermissionAccess. */
  readonly isSetup: boolean;
}

/** The objects of the org by name, without regard to case. */
export class Schema {
  readonly #settings: Settings;
  readonly #database: Database;
  readonly #tables = new Map<string, { table: Table; isSetup: boolean }>();
  readonly #objects = new Map<string, SObject>();
  readonly #byPrefix = new Map<string, string>();
  /** The settings that the known objects were made by. */
  #seenBy: string;

  constructor(database: Database, settings: Settings) {
    this.#database = database;
    this.#settings = settings;
    this.#seenBy = seenBy(settings);
    for (const [name, table] of setupTables(database, settings))
      this.#tables.set(name.toLowerCase(), { table, isSetup: true });
    for (const [name, table] of database.tables) {
      this.#tables.set(name.toLowerCase(), { table, isSetup: false });
      if (table.describe.keyPrefix) this.#byPrefix.set(table.describe.keyPrefix, name);
    }
  }

  object(name: string): SObject | undefined {
    const by = seenBy(this.#settings);
    if (this.#seenBy !== by) {
      this.#seenBy = by;
      this.#objects.clear();
    }
    const key = name.toLowerCase();
    const known = this.#objects.get(key);
    if (known) return known;
    const entry = this.#tables.get(key);
    if (!entry) return undefined;
    const object = toObject(entry.table, entry.isSetup, this.#settings);
    this.#objects.set(key, object);
    return object;
  }

  /** All objects that describeGlobal lists, in the order of their names. */
  all(): SObject[] {
    const names = [...this.#database.tables.keys()];
    if (this.#settings.setupObjectsListed)
      for (const { table, isSetup } of this.#tables.values()) if (isSetup) names.push(table.describe.name);
    return names.sort().map((name) => this.object(name)!);
  }

  /** The object that an Id belongs to by its key prefix, of `candidates` when there are several with none or the same. */
  objectOfId(id: string, candidates: readonly string[]): SObject | undefined {
    if (!isId(id)) return undefined;
    const name = this.#byPrefix.get(id.slice(0, 3));
    if (name !== undefined && (candidates.length === 0 || candidates.includes(name))) return this.object(name);
    for (const candidate of candidates) {
      const object = this.object(candidate);
      if (object && object.table.source.find(id) >= 0) return object;
    }
    return undefined;
  }
}

/** The settings that describes depend on, as one text. */
function seenBy({ permissions, unavailableRecordTypes }: Settings): string {
  const { viewAllFields, setAuditFields, editData } = permissions;
  return `${viewAllFields} ${setAuditFields} ${editData} ${unavailableRecordTypes}`;
}

function describeFor(table: Table, settings: Settings): Describe {
  const { viewAllFields, setAuditFields, editData } = settings.permissions;
  let { describe } = table;
  const hidden = viewAllFields ? [] : (table.treatment.hiddenFields ?? []);
  if (hidden.length > 0)
    describe = { ...describe, fields: describe.fields.filter((field) => !hidden.includes(field.name)) };
  if (setAuditFields) describe = withAuditFields(describe);
  if (!editData) describe = { ...describe, createable: false, updateable: false, deletable: false, undeletable: false };
  const unavailable = new Set(settings.unavailableRecordTypes);
  const types = (describe.recordTypeInfos ?? []) as readonly { developerName: string }[];
  const isUnavailable = (type: { developerName: string }) => unavailable.has(`${describe.name}.${type.developerName}`);
  if (!types.some(isUnavailable)) return describe;
  return {
    ...describe,
    recordTypeInfos: types.map((type) => (isUnavailable(type) ? { ...type, available: false } : type)),
  };
}

function toObject(table: Table, isSetup: boolean, settings: Settings): SObject {
  const describe = isSetup ? table.describe : describeFor(table, settings);
  const fields = describe.fields as readonly Field[];
  const byName = new Map(fields.map((field) => [field.name.toLowerCase(), field]));
  const byRelationship = new Map<string, Field>();
  for (const field of fields)
    if (field.relationshipName) byRelationship.set(field.relationshipName.toLowerCase(), field);
  const children = new Map<string, ChildRelationship>();
  for (const child of (table.describe.childRelationships ?? []) as ChildRelationship[])
    if (child.relationshipName) children.set(child.relationshipName.toLowerCase(), child);
  return {
    name: table.describe.name,
    table,
    describe,
    fields,
    field: (name) => byName.get(name.toLowerCase()),
    relationship: (name) => byRelationship.get(name.toLowerCase()),
    childRelationship: (name) => children.get(name.toLowerCase()),
    isSetup,
  };
}
