import type { SaveResult } from '../dml/save.ts';
import type { OrgFault } from '../faults.ts';
import { Refusal } from '../refusal.ts';
import type { SObject } from '../schema.ts';
import type { OrgState } from '../state.ts';
import { failed, rolledBack } from './save-answer.ts';

/** Records that one call may hold, in Collections as in SOAP. */
export const mostRecords = 200;
/** Runs of records of the same type that one call may hold (restore 2). */
const mostRuns = 10;

/** A record of a call with its object, or what it answers because it is not to be saved at all. */
export type CallRecord<T> = { readonly object: SObject; readonly record: T } | SaveResult;

/** Objects of setup: they are not saved together with others (restore 5.4). */
const setupObjects = new Set([
  'Group',
  'GroupMember',
  'ObjectTerritory2Association',
  'PermissionSet',
  'PermissionSetAssignment',
  'Profile',
  'QueueSobject',
  'Territory2',
  'User',
  'UserRole',
  'UserTerritory2Association',
]);

export interface RunOptions {
  readonly allOrNone: boolean;
  /** Of the request: `row-lock` keeps its first rows from being saved. */
  readonly fault: OrgFault | undefined;
}

/**
 * Saves the records of one call in runs of the same object, and gives the results in their order. All or none: one transaction, in
 * which the innocent answer ALL_OR_NONE_OPERATION_ROLLED_BACK. Throws for more records or runs than a call may hold.
 */
export function saveRuns<T>(
  state: OrgState,
  records: readonly CallRecord<T>[],
  { allOrNone, fault }: RunOptions,
  save: (object: SObject, run: readonly T[]) => readonly SaveResult[],
): SaveResult[] {
  if (records.length > mostRecords) throw tooManyRecords();
  const tried = unmixed(locked(records, fault));
  const runs = runsOf(tried);
  if (runs.length > mostRuns)
    throw new Refusal(
      400,
      'LIMIT_EXCEEDED',
      'Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking.',
    );
  const saveAll = (): SaveResult[] => {
    const results = tried.map((one) => ('object' in one ? undefined : one));
    for (const { object, places } of runs) {
      const run = places.map((place) => (tried[place] as { record: T }).record);
      for (const [at, result] of save(object, run).entries()) results[places[at]!] = result;
    }
    return results as SaveResult[];
  };
  return allOrNone ? together(state, saveAll) : saveAll();
}

export function tooManyRecords(): Refusal {
  return new Refusal(
    400,
    'EXCEEDED_ID_LIMIT',
    `record limit reached. cannot submit more than ${mostRecords} records into this call`,
  );
}

/** Takes everything back that `saveAll` wrote when one of its records failed. */
function together(state: OrgState, saveAll: () => SaveResult[]): SaveResult[] {
  let results: SaveResult[] = [];
  const rollBack = new Error('roll back');
  try {
    state.dml.transaction(() => {
      results = saveAll();
      if (results.some(({ errors }) => errors.length > 0)) throw rollBack;
    });
    return results;
  } catch (error) {
    if (error !== rollBack) throw error;
    return results.map((result) => (result.errors.length > 0 ? result : rolledBack()));
  }
}

function locked<T>(records: readonly CallRecord<T>[], fault: OrgFault | undefined): readonly CallRecord<T>[] {
  if (fault?.name !== 'row-lock') return records;
  const message = 'unable to obtain exclusive access to this record or 200 records';
  return records.map((one, place) => (place < fault.rows ? failed('UNABLE_TO_LOCK_ROW', message) : one));
}

/** Setup objects and others in one call: those of the kind that did not come first are refused. */
function unmixed<T>(records: readonly CallRecord<T>[]): readonly CallRecord<T>[] {
  const first = records.find((one) => 'object' in one)?.object;
  if (!first) return records;
  const isSetup = setupObjects.has(first.name);
  return records.map((one) => {
    if (!('object' in one) || setupObjects.has(one.object.name) === isSetup) return one;
    const message =
      'DML operation on setup object is not permitted after you have updated a non-setup object (or vice versa): ' +
      `${one.object.name}, original object: ${first.name}`;
    return failed('MIXED_DML_OPERATION', message);
  });
}

function runsOf<T>(records: readonly CallRecord<T>[]): { object: SObject; places: number[] }[] {
  const runs: { object: SObject; places: number[] }[] = [];
  for (const [place, one] of records.entries()) {
    if (!('object' in one)) continue;
    const last = runs.at(-1);
    if (last?.object.name === one.object.name) last.places.push(place);
    else runs.push({ object: one.object, places: [place] });
  }
  return runs;
}
