import { isFault } from '../../../errors.ts';
import { encodeRow } from '../../../rows/csv.ts';
import type { WriteRecord, Written } from '../../../salesforce/writing.ts';
import { leftOf, type Outcome, type PlannedSlice, type Step } from './entries.ts';
import { rowColumns } from './ingest.ts';
import { outcomeOf, stopIfNeeded } from './judge-row.ts';
import { reconcile } from './reconcile.ts';
import { rowDigest } from './slice.ts';
import { storeTable } from './tables.ts';
import type { ObjectWork, Work } from './work.ts';

/** A row and what is written of it. */
export interface Sent {
  /** As in the plan. */
  readonly id: string;
  readonly record: WriteRecord;
  /** Fields of the plan that it is sent without. */
  readonly left?: readonly string[];
}

export const mostRecords = 200;
/** Text of one request; the org takes more. */
const mostCharacters = 5_000_000;

/** Cuts rows into groups that one request can carry. */
export function* groups(rows: Iterable<Sent>, most: number): Generator<Sent[]> {
  let group: Sent[] = [];
  let characters = 0;
  for (const row of rows) {
    const size = Object.values(row.record).reduce((sum, value) => sum + (value?.length ?? 0), 0);
    if (group.length > 0 && (group.length >= most || characters + size > mostCharacters)) {
      yield group;
      group = [];
      characters = 0;
    }
    group.push(row);
    characters += size;
  }
  if (group.length > 0) yield group;
}

/**
 * Writes up to 200 rows by one request of Collections and notes what became of each. An insert whose answer is lost is looked up in the org; an
 * update or a deletion has the same effect twice.
 */
export async function sendGroup(
  work: Work,
  o: ObjectWork,
  step: Step,
  rows: readonly Sent[],
  options: { readonly allowDuplicates?: boolean } = {},
): Promise<void> {
  const planned = await announce(work, o, step, 'collections', rows);
  const { writer } = work.org;
  const records = rows.map(({ record }) => record);
  let written: Written[];
  try {
    if (step === 'insert') written = await writer.insert(o.object, records, options);
    else if (step === 'delete') written = await writer.delete(rows.map(({ id }) => work.state.target(id)));
    else written = await writer.update(o.object, records, options);
  } catch (error) {
    if (isFault(error, 'answer-lost')) {
      await work.settle(o, step, await reconcile(work, o, planned, rows), planned.slice);
      return;
    }
    if (!isFault(error, 'object-refused')) throw error;
    // The request as a whole: nothing was done, and no other try would end otherwise.
    const errors = [{ code: String(error.data.errorCode ?? ''), message: error.message, fields: [] }];
    written = rows.map(() => ({ errors }));
  }
  const outcomes = rows.map(({ id }, n): Outcome => outcomeOf(work, o, step, id, written[n]!));
  await work.settle(o, step, outcomes, planned.slice);
  stopIfNeeded(
    step,
    written.map(({ errors }) => errors),
  );
}

/** The entry that says what is about to be sent. */
export async function announce(
  work: Work,
  o: ObjectWork,
  step: Step,
  way: 'collections' | 'file',
  rows: readonly Sent[],
): Promise<PlannedSlice> {
  const since = step === 'insert' ? (await work.org.serverTime()).toISOString() : '';
  const slice = ++work.state.slices;
  const columns = [...new Set(rows.flatMap(({ record }) => Object.keys(record)))];
  const left = new Map<string, number>();
  for (const field of rows.flatMap((row) => row.left ?? [])) left.set(field, (left.get(field) ?? 0) + 1);
  const of = { slice, object: o.object, step, way, columns, since };
  const planned: PlannedSlice = { type: 'planned', ...of, ...leftOf(o.object, left) };
  const { object } = o;
  const digest = ({ record }: Sent) => rowDigest(Buffer.from(encodeRow(columns.map((name) => record[name]))));
  const cells = rows.map((row) => [row.id, columns.length === 0 ? '' : digest(row), '']);
  const tables = [await storeTable(work.journal, { name: 'rows', object, columns: rowColumns }, cells)];
  if (columns.length > 0 && step !== 'insert') {
    const written = rows.map(({ record }) => columns.map((name) => record[name]));
    tables.push(await storeTable(work.journal, { name: 'after', object, columns }, written));
  }
  await work.append(planned, tables);
  work.state.announce(
    planned,
    rows.map(({ id }) => ({ id, rest: false })),
  );
  return planned;
}
