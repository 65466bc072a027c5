import { IdTable } from '../../../rows/id-table.ts';
import { longId } from '../../../schema/ids.ts';
import { holdsWritten } from '../../../schema/values.ts';
import type { Outcome } from './entries.ts';
import { ownCodes, twinIn } from './errors.ts';
import { keyOf, rowsByKeys } from './made-rows.ts';
import type { Retry } from './state.ts';
import { insertColumns, renderInsert } from './values.ts';
import { type ObjectWork, rowsOf, type Work } from './work.ts';

/**
 * Rows that the org would not make since another has their unique value: where that other one has all values of the row it is the row, made
 * already, by the platform or by a try whose answer was lost; where it differs, the row fails (field guide, restore 7, DUPLICATE_VALUE).
 */
export async function findTwins(work: Work, o: ObjectWork, retries: readonly Retry[]): Promise<void> {
  const columns = insertColumns(o);
  const ids = IdTable.of(retries.map(({ id }) => id));
  const rows = new Map<string, { values: readonly (string | null | undefined)[] }>();
  const keyed = new Map<string, string>();
  for await (const { id, cells } of work.rows(o, ids, o.columns)) {
    rows.set(id, renderInsert(work, o, work.state.row(id)!, cells, { bulk: false, final: true }));
    const key = keyOf(work, o, cells);
    if (key) keyed.set(id, key.text);
  }
  const byKeys = keyed.size > 0 ? await rowsByKeys(work, o, ids) : new Map<string, string[]>();
  const named = new Map<string, string>();
  const known = new Set<string>();
  for (const { id, message } of retries) {
    const byKey = byKeys.get(keyed.get(id) ?? '')?.shift();
    if (byKey) known.add(id);
    const twin = byKey ?? twinIn(message);
    if (twin && isOf(o, twin) && !work.state.ids.isTaken(twin)) named.set(id, longId(twin));
  }
  const standing = await valuesOf(work, o, [...new Set(named.values())], columns);
  const outcomes = retries.map(({ id, code, message }): Outcome => {
    const twin = named.get(id);
    const now = twin === undefined ? undefined : standing.get(twin);
    if (twin !== undefined && now && (known.has(id) || isSameRow(o, columns, rows.get(id)?.values ?? [], now))) {
      return { id, kind: 'matched', target: twin };
    }
    return { id, kind: 'failed', code: twin === undefined ? code : ownCodes.differentTwin, message };
  });
  await work.settle(o, 'insert', outcomes);
}

function isOf({ target }: ObjectWork, id: string): boolean {
  return target.keyPrefix === null || id.startsWith(target.keyPrefix);
}

async function valuesOf(work: Work, o: ObjectWork, ids: readonly string[], columns: readonly string[]) {
  const found = new Map<string, (field: string) => string>();
  if (ids.length === 0) return found;
  const flow = work.org.records(o.target, [...ids].sort(), ['Id', ...columns]);
  for await (const { id, cells } of rowsOf(flow, work.ctx.signal)) found.set(id, cells);
  return found;
}

function isSameRow(
  o: ObjectWork,
  columns: readonly string[],
  values: readonly (string | null | undefined)[],
  now: (field: string) => string,
): boolean {
  return columns.every((name, at) => {
    const value = values[at];
    if (value === undefined || /^(Created|LastModified)/.test(name)) return true;
    return holdsWritten(o.fields.get(name)!, value ?? '', now(name));
  });
}
