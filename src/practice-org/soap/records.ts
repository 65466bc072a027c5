import type { Given, KeyReference, RecordInput } from '../dml/save.ts';
import { Refusal, unsupported } from '../refusal.ts';
import type { SObject } from '../schema.ts';
import type { OrgState } from '../state.ts';
import { child, children, childText, type Element, instanceType, isNil, localName, textOf } from './xml.ts';

/**
 * An sObject element as the engine takes it: its type, elements as fields, `fieldsToNull`, nested sObjects as parents named by an
 * external id. Values are texts; files are base64. Throws INVALID_TYPE and INVALID_FIELD, which are faults of the whole call.
 */
export function soapRecord(state: OrgState, element: Element): { object: SObject; record: RecordInput } {
  const object = objectOf(state, element);
  const fields: Record<string, Given> = {};
  const references: KeyReference[] = [];
  for (const cell of children(element)) {
    const name = localName(cell);
    if (name === 'type' || name === 'fieldsToNull' || isNil(cell)) continue;
    const field = object.field(name);
    const lookup = field ? undefined : object.relationship(name);
    if (field) fields[field.name] = field.type === 'base64' ? Buffer.from(textOf(cell), 'base64') : textOf(cell);
    else if (lookup) references.push(reference(name, cell));
    else throw noSuchColumn(object, name);
  }
  for (const cleared of children(element, 'fieldsToNull')) {
    const field = object.field(textOf(cleared).trim());
    if (!field) throw noSuchColumn(object, textOf(cleared));
    fields[field.name] = null;
  }
  return { object, record: references.length > 0 ? { fields, references } : { fields } };
}

function objectOf(state: OrgState, element: Element): SObject {
  const type = childText(element, 'type')?.trim() || instanceType(element);
  const object = type === undefined ? undefined : state.schema.object(type);
  if (!object) throw new Refusal(500, 'INVALID_TYPE', `sObject type '${type ?? ''}' is not supported.`);
  return object;
}

function reference(relationship: string, element: Element): KeyReference {
  const type = child(element, 'type') ? childText(element, 'type')!.trim() : instanceType(element);
  const keys = children(element).filter((cell) => localName(cell) !== 'type');
  if (keys.length !== 1) throw unsupported(`a nested ${relationship} with ${keys.length} fields`);
  const key = { relationship, keyField: localName(keys[0]!), key: textOf(keys[0]!) };
  return type === undefined || type === 'sObject' ? key : { ...key, object: type };
}

function noSuchColumn(object: SObject, name: string): Refusal {
  return new Refusal(500, 'INVALID_FIELD', `No such column '${name}' on entity '${object.name}'.`);
}
