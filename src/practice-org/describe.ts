import type { Describe, Value } from './database.ts';
import type { FieldDeclaration, ObjectDeclaration, PicklistEntry } from './declaration.ts';

type Json = Record<string, unknown>;

/** Every key of a field, in the order that Salesforce sends them, with what most fields have (field guide, extract 2.3). */
const plain = {
  aggregatable: true,
  aiPredictionField: false,
  autoNumber: false,
  byteLength: 0,
  calculated: false,
  calculatedFormula: null,
  cascadeDelete: false,
  caseSensitive: false,
  compoundFieldName: null,
  controllerName: null,
  createable: true,
  custom: false,
  defaultValue: null,
  defaultValueFormula: null,
  defaultedOnCreate: false,
  dependentPicklist: false,
  deprecatedAndHidden: false,
  digits: 0,
  displayLocationInDecimal: false,
  encrypted: false,
  externalId: false,
  extraTypeInfo: null,
  filterable: true,
  filteredLookupInfo: null,
  formulaTreatNullNumberAsZero: false,
  groupable: true,
  highScaleNumber: false,
  htmlFormatted: false,
  idLookup: false,
  inlineHelpText: null,
  label: '',
  length: 0,
  mask: null,
  maskType: null,
  name: '',
  nameField: false,
  namePointing: false,
  nillable: true,
  permissionable: true,
  picklistValues: [],
  polymorphicForeignKey: false,
  precision: 0,
  queryByDistance: false,
  referenceTargetField: null,
  referenceTo: [],
  relationshipName: null,
  relationshipOrder: null,
  restrictedDelete: false,
  restrictedPicklist: false,
  scale: 0,
  searchPrefilterable: false,
  soapType: 'xsd:string',
  sortable: true,
  type: '',
  unique: false,
  updateable: true,
  writeRequiresMasterRead: false,
};

const opaque = { aggregatable: false, filterable: false, groupable: false, sortable: false };
const computed = { createable: false, updateable: false };
const numeric = { soapType: 'xsd:double', groupable: false, precision: 18 };

/** What follows from the type, as recorded orgs show it. */
const byType: Readonly<Record<string, Json>> = {
  id: {
    soapType: 'tns:ID',
    length: 18,
    nillable: false,
    permissionable: false,
    defaultedOnCreate: true,
    idLookup: true,
    ...computed,
  },
  reference: { soapType: 'tns:ID', length: 18 },
  boolean: {
    soapType: 'xsd:boolean',
    aggregatable: false,
    nillable: false,
    defaultedOnCreate: true,
    defaultValue: false,
  },
  picklist: { length: 255 },
  multipicklist: {
    length: 4099,
    byteLength: 4099,
    precision: 4,
    aggregatable: false,
    groupable: false,
    sortable: false,
  },
  combobox: { length: 255, groupable: false },
  email: { length: 80 },
  phone: { length: 40 },
  url: { length: 255 },
  textarea: { extraTypeInfo: 'plaintextarea' },
  encryptedstring: { ...opaque, encrypted: true, mask: '*', maskType: 'lastFour', length: 175 },
  int: { soapType: 'xsd:int', digits: 8 },
  double: numeric,
  currency: numeric,
  percent: numeric,
  date: { soapType: 'xsd:date' },
  datetime: { soapType: 'xsd:dateTime', groupable: false },
  time: { soapType: 'xsd:time', aggregatable: false, groupable: false },
  address: { ...opaque, ...computed, soapType: 'urn:address', filterable: true, queryByDistance: true },
  location: { ...opaque, ...computed, soapType: 'urn:location', filterable: true, queryByDistance: true },
  base64: { ...opaque, soapType: 'xsd:base64Binary' },
  anyType: { ...opaque, soapType: 'xsd:anyType', length: 255 },
};

/** The 57 keys of a field, all there, with nothing else added. */
export function describeField(field: FieldDeclaration, siblings: readonly FieldDeclaration[] = []): Json {
  const { children: _children, parentCascades: _parentCascades, ...more } = field.more as Json;
  const custom = /__(c|pc|s)$/.test(field.name);
  const json: Json = { ...plain, ...byType[field.type], name: field.name, type: field.type, custom };
  if (field.type === 'textarea' && Number(more.length) > 255) Object.assign(json, opaque);
  if (field.type === 'reference') Object.assign(json, referenceKeys(field));
  if (more.calculated) {
    Object.assign(json, computed, { formulaTreatNullNumberAsZero: true });
    if (field.type === 'string') Object.assign(json, { length: 1300, groupable: false });
  }
  Object.assign(json, { label: labelOf(field), ...more });
  if (json.nillable === false && more.permissionable === undefined) json.permissionable = false;
  if (byType[field.type]?.byteLength === undefined && more.byteLength === undefined) {
    json.byteLength = ['id', 'reference'].includes(field.type) ? 18 : Number(json.length) * 3;
  }
  if (field.values) {
    json.picklistValues = picklistValues(field, siblings);
    if (more.controllerName) json.dependentPicklist = true;
  }
  return json;
}

function referenceKeys(field: FieldDeclaration): Json {
  const targets = field.more.referenceTo as readonly string[];
  const relationshipName = field.name.endsWith('__c')
    ? field.name.replace(/__c$/, '__r')
    : field.name.replace(/Id$/, '');
  const polymorphic = targets.length > 1;
  return { relationshipName, polymorphicForeignKey: polymorphic, namePointing: polymorphic };
}

/** `NumberOfEmployees` -> `Number Of Employees`, `Due_Date__c` -> `Due Date`. */
function labelOf(field: FieldDeclaration): string {
  const bare = field.name.replace(/__(c|pc|s|r|mdt|b|e|x)$/, '').replaceAll('_', ' ');
  const words = bare.replace(/([a-z0-9])([A-Z])/g, '$1 $2');
  return field.type === 'reference' ? words.replace(/ Id$/, ' ID') : words;
}

function picklistValues(field: FieldDeclaration, siblings: readonly FieldDeclaration[]): Json[] {
  const controller = siblings.find((other) => other.name === field.more.controllerName);
  const controlling =
    controller?.type === 'boolean'
      ? ['false', 'true']
      : (controller?.values ?? []).map((entry) => entryOf(entry).value);
  return (field.values ?? []).map((raw) => {
    const { value, label = value, active = true, defaultValue = false, validFor } = entryOf(raw);
    return { active, defaultValue, label, validFor: validFor ? bitmap(validFor, controlling) : null, value };
  });
}

function entryOf(entry: PicklistEntry): Exclude<PicklistEntry, string> {
  return typeof entry === 'string' ? { value: entry } : entry;
}

/** Base64 of a bit per controlling value, most significant bit first. */
function bitmap(validFor: readonly string[], controlling: readonly string[]): string {
  const bits = Buffer.alloc(Math.max(1, Math.ceil(controlling.length / 8)));
  for (const value of validFor) {
    const index = controlling.indexOf(value);
    if (index >= 0) bits[index >> 3]! |= 0x80 >> (index & 7);
  }
  return bits.toString('base64');
}

/** Every key of an object but `fields`, as most objects have it. */
function objectKeys(declared: ObjectDeclaration, version: string): Json {
  const custom = /__(c|mdt|b|e|x)$/.test(declared.name);
  const base = `/services/data/${version}/sobjects/${declared.name}`;
  const json: Json = {
    actionOverrides: [],
    activateable: false,
    associateEntityType: null,
    associateParentEntity: null,
    childRelationships: [],
    compactLayoutable: true,
    createable: true,
    custom,
    customSetting: false,
    deepCloneable: false,
    defaultImplementation: null,
    deletable: true,
    deprecatedAndHidden: false,
    extendedBy: null,
    extendsInterfaces: null,
    feedEnabled: false,
    fields: [],
    hasSubtypes: false,
    implementedBy: null,
    implementsInterfaces: null,
    isInterface: false,
    isSubtype: false,
    keyPrefix: declared.prefix,
    label: declared.label,
    labelPlural: `${declared.label.replace(/y$/, 'ie').replace(/(s|x|ch)$/, '$1e')}s`,
    layoutable: true,
    listviewable: null,
    lookupLayoutable: null,
    mergeable: false,
    mruEnabled: true,
    name: declared.name,
    namedLayoutInfos: [],
    networkScopeFieldName: null,
    queryable: true,
    recordTypeInfos: [],
    replicateable: true,
    retrieveable: true,
    searchLayoutable: true,
    searchable: true,
    sobjectDescribeOption: 'FULL',
    supportedScopes: [
      { label: `All ${declared.label.toLowerCase()}`, name: 'everything' },
      { label: `My ${declared.label.toLowerCase()}`, name: 'mine' },
    ],
    triggerable: true,
    undeletable: true,
    updateable: true,
    urls: {
      compactLayouts: `${base}/describe/compactLayouts`,
      rowTemplate: `${base}/{ID}`,
      describe: `${base}/describe`,
      quickActions: `${base}/quickActions`,
      layouts: `${base}/describe/layouts`,
      sobject: base,
    },
    ...declared.more,
  };
  if (json.layoutable === true) json.recordTypeInfos = recordTypes(declared, base);
  if (json.layoutable === false)
    json.urls = { rowTemplate: `${base}/{ID}`, describe: `${base}/describe`, sobject: base };
  return json;
}

function recordTypes(declared: ObjectDeclaration, base: string): Json[] {
  const own = declared.recordTypes ?? [];
  const one = (developerName: string, name: string, recordTypeId: string, isDefault: boolean, master: boolean) => ({
    active: true,
    available: true,
    defaultRecordTypeMapping: isDefault,
    developerName,
    master,
    name,
    recordTypeId,
    urls: { layout: `${base}/describe/layouts/${recordTypeId}` },
  });
  return [
    ...own.map((type, index) => one(type.developerName, type.name, type.id, index === 0, false)),
    one('Master', 'Master', '012000000000000AAA', own.length === 0, true),
  ];
}

/**
 * The describe JSON of all these objects, all 45 keys and 57 keys a field; `childRelationships` are made of the lookups
 * that point at each object. `version`: as URLs name it (`v67.0`).
 */
export function describeObjects(declarations: readonly ObjectDeclaration[], version = 'v67.0'): Describe[] {
  const children = new Map<string, Json[]>();
  for (const declared of declarations) {
    for (const field of declared.fields) {
      for (const target of (field.more.referenceTo as readonly string[] | undefined) ?? []) {
        const cascadeDelete = field.more.parentCascades === true;
        const list = children.get(target) ?? [];
        list.push({
          cascadeDelete,
          childSObject: declared.name,
          deprecatedAndHidden: false,
          field: field.name,
          junctionIdListNames: [],
          junctionReferenceTo: [],
          relationshipName: field.more.children ?? null,
          restrictedDelete: field.more.restrictedDelete === true,
        });
        children.set(target, list);
      }
    }
  }
  return declarations.map((declared) => ({
    ...(objectKeys(declared, version) as Json & { name: string; keyPrefix: string | null; queryable: boolean }),
    childRelationships: children.get(declared.name) ?? [],
    fields: declared.fields.map((field) => describeField(field, declared.fields)) as Json[] & Describe['fields'],
  }));
}

const summaryKeys =
  `activateable associateEntityType associateParentEntity createable custom customSetting deepCloneable deletable
  deprecatedAndHidden feedEnabled hasSubtypes isInterface isSubtype keyPrefix label labelPlural layoutable mergeable mruEnabled
  name queryable replicateable retrieveable searchable triggerable undeletable updateable urls`.split(/\s+/);

/** The entry of an object in describeGlobal: the keys of its describe that stand there too (field guide, extract 2.2). */
export function globalEntry(describe: Describe): Readonly<Record<string, unknown>> {
  return Object.fromEntries(summaryKeys.filter((key) => key in describe).map((key) => [key, describe[key]]));
}

/** What a field of this type holds where nobody set it: false for a checkbox, else null. */
export function emptyValue(type: unknown): Value {
  return type === 'boolean' ? false : null;
}

/**
 * A recorded describe that was trimmed down (it has no keyPrefix), with every key: those that it has stay as they are, the
 * others get what most objects and fields have. Any other describe comes back as it is.
 */
export function completeDescribe(describe: Describe, keyPrefix: string | null): Describe {
  if (describe.keyPrefix !== undefined) return describe;
  const objects = objectKeys({ name: describe.name, prefix: '', label: String(describe.label), fields: [] }, 'v67.0');
  const fields = describe.fields.map((field) => ({
    ...describeField({ name: field.name, type: field.type, more: { referenceTo: [], ...field } }),
    ...field,
  }));
  return { ...objects, ...describe, keyPrefix, fields } as Describe;
}
