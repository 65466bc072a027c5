import type { Field, Schema, SObject } from '../../schema.ts';
import { BadCsv } from './scan.ts';

/** What the cells of a column are for: a field, or a parent by one of its keys (restore 1.5). */
export type IngestColumn =
  | { readonly kind: 'field'; readonly field: Field }
  | {
      readonly kind: 'parent';
      readonly lookup: Field;
      readonly relationship: string;
      readonly target: string;
      readonly keyField: string;
    };

/** The columns of a header: `Field`, `Relationship.Key`, `Type:Relationship.Key`. Throws BadCsv for the first bad one. */
export function ingestColumns(schema: Schema, object: SObject, header: readonly string[]): IngestColumn[] {
  const seen = new Set<string>();
  return header.map((cell) => {
    const column = ingestColumn(schema, object, cell);
    const fieldName = column.kind === 'field' ? column.field.name : column.lookup.name;
    if (seen.has(fieldName)) throw new BadCsv(`InvalidBatch : Field name duplicated : ${cell}`);
    seen.add(fieldName);
    return column;
  });
}

function ingestColumn(schema: Schema, object: SObject, cell: string): IngestColumn {
  if (cell.includes('.')) return parentColumn(schema, object, cell);
  const field = object.field(cell);
  if (!field) throw notFound(cell);
  if (field.type === 'base64') throw new BadCsv('FeatureNotEnabled : Binary field not supported');
  return { kind: 'field', field };
}

function parentColumn(schema: Schema, object: SObject, cell: string): IngestColumn {
  const [, type, relationship, keyName] = /^(?:([^:.]*):)?([^:.]*)\.([^:.]*)$/.exec(cell) ?? [];
  if (relationship === undefined || keyName === undefined) throw notFound(cell);
  const lookup = object.relationship(relationship);
  if (!lookup) throw new BadCsv(`InvalidBatch : Unable to find relationship: ${relationship}`);
  const targets = lookup.referenceTo ?? [];
  if (type !== undefined && targets.length === 1)
    throw new BadCsv(
      `InvalidBatch : type is not needed for non polymorphic foreign key references: ${lookup.relationshipName}`,
    );
  const named = targets.length === 1 ? targets[0] : targets.find((one) => one.toLowerCase() === type?.toLowerCase());
  const target = named === undefined ? undefined : schema.object(named);
  const key = target?.field(keyName);
  if (!target || !key || !isKey(key)) throw notFound(cell);
  return { kind: 'parent', lookup, relationship: lookup.relationshipName!, target: target.name, keyField: key.name };
}

/** Whether a field finds records: Id, an external id, or a standard field with idLookup (restore 1.5). */
export function isKey(field: Field): boolean {
  return field.type === 'id' || field.externalId === true || field.idLookup === true;
}

function notFound(cell: string): BadCsv {
  return new BadCsv(`InvalidBatch : Field name not found : ${cell}`);
}
