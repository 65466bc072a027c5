import { type Answer, type ApiRequest, json } from '../answer.ts';
import { Refusal } from '../refusal.ts';
import type { SObject } from '../schema.ts';
import { rowReader, visibility } from '../soql/rows.ts';
import type { OrgState } from '../state.ts';
import { visibleObject } from './describe.ts';

const day = 86_400_000;

interface Window {
  readonly start: number;
  readonly end: number;
}

/** GET sobjects/X/updated?start=&end= (extract 2.7). */
export function updated(state: OrgState, request: ApiRequest): Answer {
  const object = replicateable(state, request);
  const window = windowOf(state, request, 30);
  const ids: unknown[] = [];
  for (const row of rowsIn(state, object, window, false)) ids.push(row.Id);
  return json({ ids, latestDateCovered: time(window.end) });
}

/** GET sobjects/X/deleted?start=&end=: what lies in the recycle bin. */
export function deleted(state: OrgState, request: ApiRequest): Answer {
  const object = replicateable(state, request);
  const window = windowOf(state, request, 15);
  const deletedRecords: unknown[] = [];
  for (const row of rowsIn(state, object, window, true)) {
    deletedRecords.push({ id: row.Id, deletedDate: String(row.SystemModstamp).replace('Z', '+0000') });
  }
  return json({
    deletedRecords,
    earliestDateAvailable: time(Math.floor((state.now() - 15 * day) / 60_000) * 60_000),
    latestDateCovered: time(window.end),
  });
}

function replicateable(state: OrgState, request: ApiRequest): SObject {
  const object = visibleObject(state, request.parts[0]!);
  if (object.describe.replicateable !== true)
    throw new Refusal(400, 'INVALID_TYPE', `sObject type '${object.name}' is not replicable`);
  return object;
}

function* rowsIn(state: OrgState, object: SObject, window: Window, isDeleted: boolean) {
  const { source } = object.table;
  const read = rowReader(object);
  const stamp = object.field('SystemModstamp') ? 'SystemModstamp' : 'LastModifiedDate';
  const [start, end] = [new Date(window.start).toISOString(), new Date(window.end).toISOString()];
  const visible = visibility(object, true, state.settings.permissions, state.database.facts);
  for (let number = 0; number < source.size; number += 1) {
    if (source.purged?.has(number)) continue;
    const row = read(number);
    const at = row[stamp];
    if (typeof at !== 'string' || at < start || at >= end || (row.IsDeleted === true) !== isDeleted) continue;
    if (!visible || visible(row)) yield row;
  }
}

/** Both ends cut to whole minutes, as Salesforce does. Throws INVALID_REPLICATION_DATE. */
function windowOf(state: OrgState, request: ApiRequest, days: number): Window {
  const read = (name: string): number => {
    const text = (request.query.get(name) ?? '').replace(/ (\d\d:?\d\d)$/, '+$1').replace(/([+-]\d\d)(\d\d)$/, '$1:$2');
    const at = Date.parse(text);
    if (Number.isNaN(at)) throw new Refusal(400, 'INVALID_REPLICATION_DATE', `${name} is not a date: ${text}`);
    return Math.floor(at / 60_000) * 60_000;
  };
  const [start, end] = [read('start'), Math.min(read('end'), Math.floor(state.now() / 60_000) * 60_000)];
  if (end - start < 60_000)
    throw new Refusal(400, 'INVALID_REPLICATION_DATE', 'startDate must be at least one minute greater than endDate');
  if (start < state.now() - days * day)
    throw new Refusal(
      400,
      'INVALID_REPLICATION_DATE',
      `startDate before org replication enabled date or more than ${days} days ago`,
    );
  return { start, end };
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '+0000');
}
