import { IdTable } from '../../../rows/id-table.ts';
import { nowPrint } from '../now-print.ts';
import type { PlannedRow } from '../plan.ts';
import type { Outcome, Step } from './entries.ts';
import { TableWriter } from './tables.ts';
import { type ObjectWork, rowsOf, type Work } from './work.ts';

/** Ids that are asked for at once. */
const mostIds = 200_000;

/**
 * Reads, just before it is written, every row that an update or a deletion touches, and keeps its values in the vault. A row that is not as it was
 * when the plan was made is a conflict and stays as it is.
 */
export async function imageAll(work: Work): Promise<void> {
  for (const o of work.ordered) {
    for (const step of ['update', 'delete'] as const) {
      const ids = new IdTable();
      for (const row of work.state.pendingRows(o.object, step)) {
        if (row.action !== 'undelete' && !work.state.isAnnounced(row.id)) ids.add(row.id);
      }
      if (ids.size > 0) await imageRows(work, o, step, ids);
    }
  }
}

/** As `imageAll`, for these rows of one object. */
export async function imageRows(work: Work, o: ObjectWork, step: Step, ids: IdTable): Promise<void> {
  const chunk = new Map<string, PlannedRow>();
  for (const id of ids) {
    const row = work.state.row(id)!;
    chunk.set(work.state.target(id), row);
    if (chunk.size === mostIds) {
      await imageChunk(work, o, step, chunk);
      chunk.clear();
    }
  }
  if (chunk.size > 0) await imageChunk(work, o, step, chunk);
}

async function imageChunk(work: Work, o: ObjectWork, step: Step, rows: Map<string, PlannedRow>): Promise<void> {
  const fields = fieldsOf(work, o, step, rows.values());
  const checked = new Set([...rows.values()].flatMap((row) => row.fields));
  const asked = [...new Set(['Id', ...fields, ...checked])].filter((name) => o.fields.has(name));
  const columns = ['Id', ...fields.filter((name) => name !== 'Id')];
  const table = new TableWriter(work.journal, 'before', columns, o.object);
  const outcomes: Outcome[] = [];
  const seen = new IdTable();
  const found = work.org.records(o.target, [...rows.keys()].sort(), asked);
  for await (const { id, cells } of rowsOf(found, work.ctx.signal)) {
    const row = rows.get(id);
    if (!row) continue;
    seen.add(id);
    if (moved(work, o, row, cells)) outcomes.push(kept(row, 'it was changed since the plan was made'));
    else {
      await table.add([id, ...columns.slice(1).map(cells)]);
      work.imaged.add(row.id);
    }
  }
  for (const [id, row] of rows) {
    if (seen.has(id)) continue;
    outcomes.push(step === 'delete' ? { id: row.id, kind: 'matched' } : kept(row, 'it is no longer in the org'));
  }
  const stored = await table.end({ apart: true });
  if (stored.rows > 0) await work.append({ type: 'before', object: o.object, step }, [stored]);
  await work.settle(o, step, outcomes);
}

/** What is written over, or everything when the row goes. */
function fieldsOf(work: Work, o: ObjectWork, step: Step, rows: Iterable<PlannedRow>): string[] {
  if (step === 'delete') {
    const plan = work.org.plan(o.target);
    return plan.way === 'none' ? [] : [...plan.fields];
  }
  if (step === 'rest') return o.writable.filter(({ describe }) => describe.updateable).map(({ name }) => name);
  const names = new Set<string>();
  for (const row of rows) for (const name of row.fields) names.add(name);
  return [...names].filter((name) => o.fields.has(name));
}

/** True when somebody changed what the plan was made for. What lay in the recycle bin until now could be changed by nobody. */
function moved(work: Work, o: ObjectWork, row: PlannedRow, cells: (field: string) => string): boolean {
  if (row.now === undefined || (row.action === 'undelete' && !work.state.isMatched(row.id))) return false;
  const values = row.fields.flatMap((name) => {
    const field = o.fields.get(name);
    return field ? [[field, cells(name)] as const] : [];
  });
  return nowPrint(work.plan.header.salt, values) !== row.now;
}

function kept({ id, fields }: PlannedRow, reason: string): Outcome {
  return { id, kind: 'kept', fields, message: reason, code: 'CHANGED_SINCE' };
}
