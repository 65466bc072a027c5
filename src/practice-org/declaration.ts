/** How the objects of the practice org are written down: what is not said here follows from the type (`describe.ts`). */

/** A picklist value: its API name, or with more to say. `validFor`: the controlling values it goes with. */
export type PicklistEntry =
  | string
  | {
      readonly value: string;
      readonly label?: string;
      readonly active?: boolean;
      readonly defaultValue?: boolean;
      readonly validFor?: readonly string[];
    };

/** Describe keys that are set by hand; they win over what follows from the type. */
export type FieldMore = Readonly<Record<string, unknown>>;

export interface FieldDeclaration {
  readonly name: string;
  readonly type: string;
  readonly values?: readonly PicklistEntry[];
  readonly more: FieldMore;
}

export interface ObjectDeclaration {
  readonly name: string;
  /** The first three characters of its Ids, also where describe says null (`more.keyPrefix`). */
  readonly prefix: string;
  readonly label: string;
  readonly fields: readonly FieldDeclaration[];
  readonly recordTypes?: readonly { readonly developerName: string; readonly name: string; readonly id: string }[];
  /** Describe keys of the object that are set by hand. */
  readonly more?: FieldMore;
}

type Maker = (name: string, more?: FieldMore) => FieldDeclaration;

function of(type: string, always: FieldMore = {}): Maker {
  return (name, more = {}) => ({ name, type, more: { ...always, ...more } });
}

/** Not to be left out when a record is made. */
export const required = { nillable: false } as const;
/** Read-only for everybody. */
export const readOnly = { createable: false, updateable: false } as const;
/** Seen and set only through what the platform does itself. */
export const system = { createable: false, updateable: false, permissionable: false } as const;

export const id = of('id');
export const boolean = of('boolean');
export const date = of('date');
export const datetime = of('datetime');
export const time = of('time');
export const email = of('email');
export const phone = of('phone');
export const url = of('url');
export const int = of('int');
export const address = of('address');
export const location = of('location');
export const base64 = of('base64');
export const anyType = of('anyType', { ...system });
/** Numbers that count themselves; text of at most 30 characters. */
export const autoNumber = of('string', {
  autoNumber: true,
  length: 30,
  nillable: false,
  ...readOnly,
  defaultedOnCreate: true,
});

export function string(name: string, length: number, more: FieldMore = {}): FieldDeclaration {
  return { name, type: 'string', more: { length, ...more } };
}

/** Plain text over several lines; more than 255 characters cannot be filtered on. */
export function textarea(name: string, length: number, more: FieldMore = {}): FieldDeclaration {
  return { name, type: 'textarea', more: { length, ...more } };
}

/** HTML. */
export function richText(name: string, length: number, more: FieldMore = {}): FieldDeclaration {
  return { name, type: 'textarea', more: { length, htmlFormatted: true, extraTypeInfo: 'richtextarea', ...more } };
}

export function number(
  name: string,
  type: 'double' | 'currency' | 'percent',
  precision: number,
  scale: number,
  more: FieldMore = {},
): FieldDeclaration {
  return { name, type, more: { precision, scale, ...more } };
}

export function picklist(name: string, values: readonly PicklistEntry[], more: FieldMore = {}): FieldDeclaration {
  return { name, type: 'picklist', values, more };
}

export function multipicklist(name: string, values: readonly PicklistEntry[], more: FieldMore = {}): FieldDeclaration {
  return { name, type: 'multipicklist', values, more };
}

export function combobox(name: string, values: readonly PicklistEntry[], more: FieldMore = {}): FieldDeclaration {
  return { name, type: 'combobox', values, more };
}

/**
 * A lookup. The relationship is named after the field (`AccountId` -> `Account`, `Invoice__c` -> `Invoice__r`).
 * `children`: the name of the way back; without it the parent's child relationship has none.
 */
export function reference(
  name: string,
  to: string | readonly string[],
  more: FieldMore & { readonly children?: string } = {},
): FieldDeclaration {
  const referenceTo = typeof to === 'string' ? [to] : to;
  return { name, type: 'reference', more: { referenceTo, ...more } };
}

/** A master-detail field: the child dies with its parent. `order` 1 for the second one of a junction. */
export function masterDetail(name: string, to: string, children: string, order: 0 | 1 = 0): FieldDeclaration {
  return reference(name, to, {
    children,
    relationshipOrder: order,
    nillable: false,
    updateable: false,
    permissionable: false,
    writeRequiresMasterRead: false,
    parentCascades: true,
  });
}

/** The six parts of an address and the compound that they make: `addressOf('Billing')` -> BillingStreet … BillingAddress. */
export function addressOf(start: string): FieldDeclaration[] {
  const compoundFieldName = `${start}Address`;
  const degrees = (name: string) => number(name, 'double', 18, 15, { compoundFieldName });
  return [
    textarea(`${start}Street`, 255, { compoundFieldName }),
    string(`${start}City`, 40, { compoundFieldName }),
    string(`${start}State`, 80, { compoundFieldName }),
    string(`${start}PostalCode`, 20, { compoundFieldName }),
    string(`${start}Country`, 80, { compoundFieldName }),
    degrees(`${start}Latitude`),
    degrees(`${start}Longitude`),
    picklist(`${start}GeocodeAccuracy`, ['Address', 'NearAddress', 'Block', 'Street', 'City', 'Zip', 'State'], {
      compoundFieldName,
      length: 40,
      restrictedPicklist: true,
    }),
    address(compoundFieldName),
  ];
}

/** A custom geolocation: `Site__c` with Site__Latitude__s and Site__Longitude__s. */
export function geolocation(name: string): FieldDeclaration[] {
  const start = name.replace(/__c$/, '');
  const degrees = { compoundFieldName: name, custom: true, displayLocationInDecimal: true };
  return [
    number(`${start}__Latitude__s`, 'double', 18, 8, degrees),
    number(`${start}__Longitude__s`, 'double', 18, 8, degrees),
    location(name, { displayLocationInDecimal: true }),
  ];
}

const stamp = { ...system, nillable: false, defaultedOnCreate: true } as const;
export const isDeleted = boolean('IsDeleted', { ...system, label: 'Deleted' });
export const createdDate = datetime('CreatedDate', stamp);
export const createdById = reference('CreatedById', 'User', { ...stamp });
export const systemModstamp = datetime('SystemModstamp', stamp);
/** Who and when, as nearly all objects have it; IsDeleted is `isDeleted`. */
export const audit: readonly FieldDeclaration[] = [
  createdDate,
  createdById,
  datetime('LastModifiedDate', stamp),
  reference('LastModifiedById', 'User', { ...stamp }),
  systemModstamp,
];
/** What a person who may own the record sees as its owner: users, and queues where the object takes them. */
export const owner = reference('OwnerId', ['Group', 'User'], {
  nillable: false,
  defaultedOnCreate: true,
  permissionable: false,
});
export const userOwner = reference('OwnerId', 'User', {
  nillable: false,
  defaultedOnCreate: true,
  permissionable: false,
});
/** Per user and never stored: null for a tool that has looked at nothing. */
export const views: readonly FieldDeclaration[] = [
  datetime('LastViewedDate', system),
  datetime('LastReferencedDate', system),
];

export function recordType(): FieldDeclaration {
  return reference('RecordTypeId', 'RecordType', { permissionable: false, children: undefined });
}

/** Fields of a custom object around its own: Id, owner or none, IsDeleted, name, record type none, audit. */
export function customFields(
  name: FieldDeclaration,
  own: readonly FieldDeclaration[],
  { owned = true }: { owned?: boolean } = {},
): FieldDeclaration[] {
  return [id('Id'), ...(owned ? [owner] : []), isDeleted, name, ...audit, ...own];
}
