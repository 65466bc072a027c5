import type { Value } from '../database.ts';
import type { SObject } from '../schema.ts';
import type { Draft } from './draft.ts';
import { masterRecordType } from './references.ts';
import type { Saving } from './saving.ts';

interface RecordTypeInfo {
  readonly recordTypeId: string;
  readonly developerName: string;
  readonly available: boolean;
  readonly master: boolean;
  readonly defaultRecordTypeMapping: boolean;
}

export function recordTypeInfos(object: SObject): readonly RecordTypeInfo[] {
  return (object.describe.recordTypeInfos ?? []) as readonly RecordTypeInfo[];
}

/** Types that the profile has not, or of another object, are refused, even for administrators (restore 4.5); left out, the default type is put in. */
export function checkRecordType(saving: Saving, draft: Draft): void {
  if (!draft.object.field('RecordTypeId')) return;
  const id = draft.changes.RecordTypeId;
  if (id === undefined || id === null) {
    if (draft.isInsert && id === undefined) draft.set('RecordTypeId', defaultType(draft.object));
    return;
  }
  if (id === masterRecordType) {
    draft.set('RecordTypeId', null);
    return;
  }
  if (!draft.isChanged('RecordTypeId')) return;
  const info = recordTypeInfos(draft.object).find((each) => each.recordTypeId === id);
  const found = saving.find(String(id));
  const belongs = found?.rows.cell(found.number, 'SobjectType') === draft.object.name;
  const isActive = found?.rows.cell(found.number, 'IsActive') !== false;
  if (info ? info.available && isActive : belongs && isActive) return;
  draft.fail('INVALID_CROSS_REFERENCE_KEY', `Record Type ID: this ID value isn't valid for the user: ${id}`, [
    'RecordTypeId',
  ]);
}

function defaultType(object: SObject): Value {
  const info = recordTypeInfos(object).find((each) => each.defaultRecordTypeMapping && !each.master);
  return info?.recordTypeId ?? null;
}

/** The developer name of the type that the record is to have. */
export function recordTypeName(draft: Draft): string | undefined {
  const id = draft.get('RecordTypeId');
  return recordTypeInfos(draft.object).find((each) => each.recordTypeId === id)?.developerName;
}
