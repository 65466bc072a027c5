import type { Field } from '../schema.ts';
import type { Settings } from '../settings.ts';
import type { Draft } from './draft.ts';
import { planOf } from './plan.ts';
import { recordTypeName } from './record-types.ts';
import type { Saving } from './saving.ts';

/** Closed lists take active values only, and of them those that the record type has, which describe does not show (restore 4.6). */
export function checkPicklists(saving: Saving, draft: Draft): void {
  for (const { field, values } of planOf(draft.object).restricted) check(draft, field, (value) => values.has(value));
  const { countries, recordTypeValues } = saving.org.settings;
  if (draft.object.field('RecordTypeId')) checkNarrowed(draft, recordTypeValues);
  if (countries) checkCountries(draft, countries);
}

function checkNarrowed(draft: Draft, byType: Settings['recordTypeValues']): void {
  const narrowed = byType[`${draft.object.name}.${recordTypeName(draft)}`] ?? {};
  for (const [name, values] of Object.entries(narrowed)) {
    const field = draft.object.field(name);
    if (field) check(draft, field, (value) => values.includes(value));
  }
}

function check(draft: Draft, field: Field, takes: (value: string) => boolean): void {
  const value = draft.changes[field.name];
  if (typeof value !== 'string' || !draft.isChanged(field.name)) return;
  const chosen = field.type === 'multipicklist' ? value.split(';') : [value];
  const bad = chosen.find((each) => !takes(each));
  if (bad === undefined) return;
  const message = `${field.label ?? field.name}: bad value for restricted picklist field: ${bad}`;
  draft.fail('INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', message, [field.name]);
}

/** State and country picklists: plain text must be a country of the list. */
function checkCountries(draft: Draft, countries: readonly string[]): void {
  for (const name of draft.given) {
    const field = draft.object.field(name);
    const value = draft.changes[name];
    if (!field?.compoundFieldName || !/Country$/.test(name) || typeof value !== 'string') continue;
    if (countries.includes(value)) continue;
    const message = `There's a problem with this country, even though it may appear correct. Please select a country/territory from the list of valid countries.: ${field.label ?? name}`;
    draft.fail('FIELD_INTEGRITY_EXCEPTION', message, [name]);
  }
}
