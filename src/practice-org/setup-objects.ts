import type { Database, Describe, Row, Table } from './database.ts';
import { id18 } from './identifiers.ts';
import type { Settings } from './settings.ts';

/** Names of the objects that the org computes itself. */
export const setupObjects: readonly string[] = ['EntityDefinition', 'FieldDefinition', 'UserPermissionAccess'];

/** Objects that the org computes from its own schema and user: extract 2.8 and 1.8. */
export function setupTables(database: Database, settings: Settings): [string, Table][] {
  return [
    ['EntityDefinition', entityDefinition(database)],
    ['FieldDefinition', fieldDefinition(database)],
    ['UserPermissionAccess', userPermissionAccess(settings)],
  ];
}

type FieldKind = 'id' | 'string' | 'boolean' | 'int' | 'reference' | 'datetime';

function field(name: string, type: FieldKind, reference?: { to: string; relationship: string }) {
  return {
    name,
    label: name,
    type,
    soapType: type === 'id' || type === 'reference' ? 'tns:ID' : type === 'boolean' ? 'xsd:boolean' : 'xsd:string',
    length: type === 'string' ? 255 : type === 'id' || type === 'reference' ? 18 : 0,
    custom: false,
    calculated: false,
    createable: false,
    updateable: false,
    nillable: true,
    filterable: true,
    sortable: true,
    groupable: true,
    deprecatedAndHidden: false,
    compoundFieldName: null,
    picklistValues: [],
    referenceTo: reference ? [reference.to] : [],
    relationshipName: reference?.relationship ?? null,
  };
}

function describe(name: string, label: string, keyPrefix: string | null, fields: ReturnType<typeof field>[]): Describe {
  return {
    activateable: false,
    childRelationships: [],
    createable: false,
    custom: false,
    customSetting: false,
    deletable: false,
    deprecatedAndHidden: false,
    feedEnabled: false,
    fields,
    keyPrefix,
    label,
    labelPlural: `${label}s`,
    layoutable: false,
    mergeable: false,
    mruEnabled: false,
    name,
    queryable: true,
    recordTypeInfos: [],
    replicateable: false,
    retrieveable: false,
    searchable: false,
    triggerable: false,
    undeletable: false,
    updateable: false,
    urls: {
      rowTemplate: `/services/data/v67.0/sobjects/${name}/{ID}`,
      describe: `/services/data/v67.0/sobjects/${name}/describe`,
      sobject: `/services/data/v67.0/sobjects/${name}`,
    },
  };
}

/** Rows made at the first use. */
function computed(make: () => Row[], key: string) {
  let rows: Row[] | undefined;
  const all = (): Row[] => {
    rows ??= make();
    return rows;
  };
  return {
    get size() {
      return all().length;
    },
    row: (number: number) => all()[number]!,
    find: (id: string) => all().findIndex((row) => row[key] === id),
  };
}

function entityDefinition(database: Database): Table {
  const fields = [
    field('Id', 'id'),
    field('DurableId', 'string'),
    field('QualifiedApiName', 'string'),
    field('DeveloperName', 'string'),
    field('NamespacePrefix', 'string'),
    field('Label', 'string'),
    field('PluralLabel', 'string'),
    field('KeyPrefix', 'string'),
    field('IsCustomSetting', 'boolean'),
    field('IsDeprecatedAndHidden', 'boolean'),
    field('IsQueryable', 'boolean'),
    field('IsReplicateable', 'boolean'),
    field('IsRetrieveable', 'boolean'),
  ];
  const make = (): Row[] =>
    [...database.tables.values()].map(({ describe: d }, number) => ({
      Id: id18(`000000000${String(number).padStart(6, '0')}`),
      DurableId: d.name,
      QualifiedApiName: d.name,
      DeveloperName: d.name.replace(/__[a-z]+$/i, ''),
      NamespacePrefix: null,
      Label: text(d.label),
      PluralLabel: text(d.labelPlural),
      KeyPrefix: d.keyPrefix,
      IsCustomSetting: d.customSetting === true,
      IsDeprecatedAndHidden: d.deprecatedAndHidden === true,
      IsQueryable: d.queryable,
      IsReplicateable: d.replicateable === true,
      IsRetrieveable: d.retrieveable === true,
    }));
  return {
    describe: describe('EntityDefinition', 'Entity Definition', null, fields),
    treatment: { bulkRefused: true, customMetadata: true },
    source: computed(make, 'DurableId'),
  };
}

function fieldDefinition(database: Database): Table {
  const fields = [
    field('Id', 'id'),
    field('DurableId', 'string'),
    field('QualifiedApiName', 'string'),
    field('EntityDefinitionId', 'string', { to: 'EntityDefinition', relationship: 'EntityDefinition' }),
    field('DeveloperName', 'string'),
    field('NamespacePrefix', 'string'),
    field('Label', 'string'),
    field('Length', 'int'),
    field('DataType', 'string'),
    field('IsCalculated', 'boolean'),
    field('IsNillable', 'boolean'),
    field('IsPolymorphicForeignKey', 'boolean'),
    field('RelationshipName', 'string'),
  ];
  const make = (): Row[] =>
    [...database.tables.values()].flatMap(({ describe: d, treatment }) => {
      const known = d.fields.map((f): Row => fieldRow(d.name, f));
      const names = new Set(d.fields.map((f) => f.name));
      const hidden = (treatment.hiddenFields ?? []).filter((name) => !names.has(name));
      return [...known, ...hidden.map((name): Row => fieldRow(d.name, { name, type: 'string' }))];
    });
  return {
    describe: describe('FieldDefinition', 'Field Definition', null, fields),
    treatment: {
      bulkRefused: true,
      customMetadata: true,
      requiredFilter: {
        fields: ['EntityDefinitionId', 'EntityDefinition.QualifiedApiName', 'DurableId'],
        message:
          'FieldDefinition: a filter on a reified column is required [EntityDefinitionId,FieldDefinitionId,DurableId]',
      },
    },
    source: computed(make, 'DurableId'),
  };
}

/** Hidden fields are listed too: that is how a backup learns what it cannot see. */
function fieldRow(object: string, f: Readonly<Record<string, unknown>> & { name: string; type: string }): Row {
  return {
    Id: null,
    DurableId: `${object}.${f.name}`,
    QualifiedApiName: f.name,
    EntityDefinitionId: object,
    DeveloperName: f.name.replace(/__[a-z]+$/i, ''),
    NamespacePrefix: null,
    Label: text(f.label) ?? f.name,
    Length: typeof f.length === 'number' ? f.length : 0,
    DataType: f.type,
    IsCalculated: f.calculated === true,
    IsNillable: f.nillable !== false,
    IsPolymorphicForeignKey: Array.isArray(f.referenceTo) && f.referenceTo.length > 1,
    RelationshipName: text(f.relationshipName),
  };
}

/** One row: what the user may do; follows the settings. */
function userPermissionAccess(settings: Settings): Table {
  const permissions = [
    ['PermissionsViewAllData', 'viewAllData'],
    ['PermissionsQueryAllFiles', 'queryAllFiles'],
    ['PermissionsViewEncryptedData', 'viewEncryptedData'],
    ['PermissionsViewSetup', 'viewSetup'],
    ['PermissionsApiEnabled', 'apiEnabled'],
    ['PermissionsViewAllFields', 'viewAllFields'],
    ['PermissionsModifyAllData', 'modifyAllData'],
    ['PermissionsCreateAuditFields', 'setAuditFields'],
    ['PermissionsUpdateWithInactiveOwner', 'updateInactiveOwners'],
    ['PermissionsBulkApiHardDelete', 'bulkHardDelete'],
  ] as const;
  const fields = [field('Id', 'id'), ...permissions.map(([name]) => field(name, 'boolean'))];
  return {
    describe: describe('UserPermissionAccess', 'User Permission Access', '0uP', fields),
    treatment: { bulkRefused: true },
    source: {
      size: 1,
      row: () => ({
        Id: id18('0uP000000000001'),
        ...Object.fromEntries(permissions.map(([name, setting]) => [name, settings.permissions[setting]])),
      }),
      find: (id) => (id === id18('0uP000000000001') ? 0 : -1),
    },
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
