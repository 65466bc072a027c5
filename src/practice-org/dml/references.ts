import type { Value } from '../database.ts';
import type { Field } from '../schema.ts';
import type { Draft } from './draft.ts';
import { refuse } from './fields.ts';
import type { Saving } from './saving.ts';

/** Lookups given by a key of their target become Ids; one that is not found fails the record (restore 1.5). */
export function resolveKeys(saving: Saving, draft: Draft): void {
  for (const { relationship, object, keyField, key } of draft.input.references ?? []) {
    const field = draft.object.relationship(relationship);
    const target = saving.object(object ?? field?.referenceTo?.[0] ?? '');
    const by = target?.field(keyField);
    if (!field || !target || !by || !isKey(by)) {
      draft.fail('INVALID_FIELD', `Field name not found : ${relationship}.${keyField}`);
      continue;
    }
    if (draft.isInsert ? field.createable === false : field.updateable === false) {
      refuse(draft, [field.name]);
      continue;
    }
    const found = saving.live(target.name, by.name, keyValue(by, key));
    if (found.length === 1) {
      draft.given.add(field.name);
      draft.set(field.name, saving.table(target.name)!.source.cell(found[0]!, 'Id'));
    } else if (found.length === 0)
      draft.fail(
        'INVALID_FIELD',
        `Foreign key external ID: ${key} not found for field ${by.name} in entity ${target.name}`,
      );
    else
      draft.fail(
        'DUPLICATE_EXTERNAL_ID',
        `${by.name}: more than one record found for external id field: ${saving.idsOf(target, found)}`,
        [by.name],
      );
  }
}

function isKey(field: Field): boolean {
  return field.externalId === true || field.idLookup === true || field.type === 'id';
}

function keyValue(field: Field, key: string): Value {
  return ['double', 'int', 'currency', 'percent', 'long'].includes(field.type) ? Number(key) : key;
}

/** Every Id that a lookup gets must lead to a living row of a kind that it takes (restore 7). */
export function checkReferences(saving: Saving, draft: Draft): void {
  for (const name of draft.given) {
    const id = draft.changes[name];
    const field = draft.object.field(name);
    if (field?.type === 'reference' && typeof id === 'string' && draft.isChanged(name))
      checkReference(saving, draft, field, id);
  }
  if (draft.errors.length === 0) checkHierarchies(saving, draft);
}

/** The id of the master record type, which stands for none. */
export const masterRecordType = '012000000000000AAA';

function checkReference(saving: Saving, draft: Draft, field: Field, id: string): void {
  const targets = field.referenceTo ?? [];
  if (field.name === 'RecordTypeId' && id === masterRecordType) return;
  const found = saving.find(id, targets);
  const holder = found?.object ?? saving.org.schema.objectOfId(id, []);
  if (holder && targets.length > 0 && !targets.includes(holder.name)) {
    const message = `${field.label ?? field.name}: id value of incorrect type: ${id}`;
    draft.fail('MALFORMED_ID', message, [field.name]);
  } else if (!found) {
    const isKnown = targets.length > 0 && targets.every((target) => saving.table(target));
    if (!holder && !isKnown) return;
    draft.errors.push(nowhere(field, id));
  } else if (found.rows.cell(found.number, 'IsDeleted') === true)
    draft.fail('ENTITY_IS_DELETED', 'entity is deleted', [field.name]);
}

/** Recorded for standard lookups: what is not there cannot be told from what must not be seen (restore 14). */
function nowhere(field: Field, id: string) {
  return field.name.endsWith('__c')
    ? { code: 'INVALID_CROSS_REFERENCE_KEY', message: 'invalid cross reference id', fields: [field.name] }
    : {
        code: 'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
        message: `insufficient access rights on cross-reference id: ${id.slice(0, 15)}`,
        fields: [],
      };
}

/** Standard lookups of an object at itself that must not close a circle (restore 5.6). */
const hierarchies: Readonly<Record<string, string>> = {
  Account: 'ParentId',
  Asset: 'ParentId',
  Campaign: 'ParentId',
  Case: 'ParentId',
  Contact: 'ReportsToId',
  User: 'ManagerId',
};

function checkHierarchies(saving: Saving, draft: Draft): void {
  const name = hierarchies[draft.object.name];
  if (draft.isInsert || name === undefined || !draft.isChanged(name)) return;
  const own = draft.before('Id');
  let id = draft.changes[name];
  for (let steps = 0; typeof id === 'string' && steps < 500; steps += 1) {
    if (id === own) {
      const label = draft.object.field(name)?.label ?? name;
      draft.fail(saving.org.settings.circleCode, `${label}: this would make a circle of records`, [name]);
      return;
    }
    const number = draft.rows.find(id);
    id = number < 0 ? null : draft.rows.cell(number, name);
  }
}
