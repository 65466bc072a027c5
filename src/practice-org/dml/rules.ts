import type { Settings } from '../settings.ts';
import { holds, type Subject } from './condition.ts';
import type { Draft } from './draft.ts';
import type { Occasion, RowLock, Rule } from './rule.ts';
import type { SaveError } from './save.ts';
import type { Saving } from './saving.ts';

type Kind<K extends Rule['kind']> = Extract<Rule, { kind: K }>;

/** The declared rules of a kind for an object that are not bypassed. */
export function rulesOf<K extends Rule['kind']>(saving: Saving, kind: K, object: string): readonly Kind<K>[] {
  const { rules } = saving.org.settings as Settings;
  if (rules.length === 0) return [];
  return rules.filter(
    (rule): rule is Kind<K> =>
      rule.kind === kind &&
      'object' in rule &&
      rule.object.toLowerCase() === object.toLowerCase() &&
      !('bypass' in rule && rule.bypass && isBypassed(saving, rule.bypass)),
  );
}

/** A hierarchy custom setting: the row for the user, else for the profile, else for the org (restore 6.3). */
function isBypassed(saving: Saving, { object, field }: { object: string; field: string }): boolean {
  const { userId, organizationId } = saving.org.database.facts;
  const user = saving.find(userId, ['User']);
  const profile = user ? user.rows.cell(user.number, 'ProfileId') : null;
  for (const owner of [userId, profile, organizationId]) {
    const [number] = owner === null ? [] : saving.live(object, 'SetupOwnerId', owner);
    if (number !== undefined) return saving.table(object)!.source.cell(number, field) === true;
  }
  return false;
}

const defaultOccasions: readonly Occasion[] = ['insert', 'update'];

/** Before triggers, then validation rules (restore 6.1). */
export function runAutomation(saving: Saving, draft: Draft): void {
  const occasion = draft.isInsert ? 'insert' : 'update';
  draft.errors.push(...triggerErrors(saving, draft, occasion, saving.place));
  if (draft.errors.length > 0) return;
  for (const rule of rulesOf(saving, 'validation', draft.object.name)) {
    if (!(rule.on ?? defaultOccasions).includes(occasion) || !holds(saving, rule.when, draft)) continue;
    const fields = rule.field === undefined ? [] : [rule.field];
    draft.fail(rule.code ?? 'FIELD_CUSTOM_VALIDATION_EXCEPTION', rule.message, fields);
  }
}

/** What the triggers of an object throw for the record at this place of the call. */
export function triggerErrors(saving: Saving, subject: Subject, occasion: Occasion, place: number): SaveError[] {
  const errors: SaveError[] = [];
  for (const rule of rulesOf(saving, 'trigger', subject.object.name)) {
    if (!(rule.on ?? defaultOccasions).includes(occasion)) continue;
    if (rule.when && !holds(saving, rule.when, subject)) continue;
    if (rule.fails === 'chunk' && place !== saving.left[0]) continue;
    const moment = `Before${occasion.charAt(0).toUpperCase()}${occasion.slice(1)}`;
    errors.push({
      code: 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
      message: `${rule.name}: execution of ${moment} caused by: ${rule.message}`,
      fields: [],
    });
  }
  return errors;
}

const locksUsed = new WeakMap<RowLock, number>();

/** Whether one of these Ids is locked by somebody else; each time counts. */
export function lockError(saving: Saving, ids: () => readonly unknown[]): SaveError | undefined {
  for (const rule of saving.org.settings.rules) {
    if (rule.kind !== 'lock') continue;
    const used = locksUsed.get(rule) ?? 0;
    if (used >= rule.times || !ids().includes(rule.parent)) continue;
    locksUsed.set(rule, used + 1);
    const message = 'unable to obtain exclusive access to this record or 200 records';
    return { code: 'UNABLE_TO_LOCK_ROW', message: `${message}: ${rule.parent}`, fields: [] };
  }
  return undefined;
}

/** Locks that a save wants: the row and all rows that it points at. */
export function takeLocks(saving: Saving, draft: Draft): void {
  if (saving.org.settings.rules.length === 0) return;
  const references = () => draft.object.fields.filter((field) => field.type === 'reference');
  const error = lockError(saving, () => [draft.get('Id'), ...references().map((field) => draft.get(field.name))]);
  if (error) draft.errors.push(error);
}

/** Duplicate rules; matching goes by equal values without regard to case. */
export function checkDuplicates(saving: Saving, draft: Draft): void {
  const occasion = draft.isInsert ? 'insert' : 'update';
  for (const rule of rulesOf(saving, 'duplicate', draft.object.name)) {
    if (rule.action === 'alert' && saving.options.allowDuplicates) continue;
    if (!(rule.on ?? defaultOccasions).includes(occasion)) continue;
    if (!draft.isInsert && !rule.fields.some((field) => draft.isChanged(field))) continue;
    const [first, ...others] = rule.fields;
    const wanted = (field: string) => fold(draft.get(field));
    if (first === undefined || rule.fields.some((field) => draft.get(field) === null)) continue;
    const other = saving
      .live(draft.object.name, first, draft.get(first))
      .find((n) => n !== draft.number && others.every((field) => fold(draft.rows.cell(n, field)) === wanted(field)));
    if (other === undefined) continue;
    draft.fail('DUPLICATES_DETECTED', 'Use one of these records?');
    return;
  }
}

function fold(value: unknown): string {
  return String(value).toLowerCase();
}

/** Lookup filters (restore 5.6). */
export function checkLookupFilters(saving: Saving, draft: Draft): void {
  for (const rule of rulesOf(saving, 'lookupFilter', draft.object.name)) {
    const id = draft.changes[rule.field];
    const found = typeof id === 'string' ? saving.find(id) : undefined;
    if (!found) continue;
    const target: Subject = {
      object: found.object,
      get: (field) => found.rows.cell(found.number, field),
      isChanged: () => false,
    };
    if (holds(saving, rule.when, target)) continue;
    const message = rule.message ?? 'Value does not exist or does not match filter criteria.';
    draft.fail('FIELD_FILTER_VALIDATION_EXCEPTION', message, [rule.field]);
  }
}
