import { IdTable } from '../../../rows/id-table.ts';
import type { WriteRecord } from '../../../salesforce/writing.ts';
import { longId } from '../../../schema/ids.ts';
import { holdsWritten } from '../../../schema/values.ts';
import type { Outcome, PlannedSlice } from './entries.ts';
import { ownCodes } from './errors.ts';
import { failure } from './judge-row.ts';
import { insertColumns, recordOf, renderInsert } from './values.ts';
import { type ObjectWork, rowsOf, type Work } from './work.ts';

/** The org's clock has whole seconds, and stamps rows when they are committed. */
const slackMs = 5000;

interface Candidate {
  readonly id: string;
  readonly cells: (field: string) => string;
}

/**
 * What became of rows of which nobody knows whether the org did them: it is asked for rows that were made since, by this user, with the values that
 * were sent (field guide, restore 8.2). Where another such row is left over that is none of these, a row that was not found is not sent
 * again: it might be made twice.
 */
export async function reconcile(
  work: Work,
  o: ObjectWork,
  planned: PlannedSlice,
  rows: readonly { readonly id: string; readonly record: WriteRecord }[],
): Promise<Outcome[]> {
  const lost = [{ code: ownCodes.unprocessed, message: 'the answer was lost', fields: [] }];
  const again = (id: string): Outcome => failure(work, o, planned.step, id, lost);
  if (planned.step !== 'insert') return rows.map(({ id }) => again(id));
  const names = [...new Set(rows.flatMap(({ record }) => Object.keys(record)))];
  const compared = names.filter((name) => comparable(o, name));
  const candidates = await candidatesOf(work, o, planned, compared, names);
  const uncertain = (id: string): Outcome => {
    const message = 'the answer was lost, and the org has records that may or may not be this one';
    return { id, kind: 'failed', code: ownCodes.uncertain, message };
  };
  if (!candidates) return rows.map(({ id }) => uncertain(id));
  const left = new Set(await notInSource(work, o, candidates));
  const outcomes = rows.map(({ id, record }): Outcome | { id: string } => {
    const found = [...left].find(({ cells }) => compared.every((name) => isSame(o, name, record[name], cells(name))));
    if (!found) return { id };
    left.delete(found);
    return { id, kind: 'done', target: found.id };
  });
  return outcomes.map((one) => ('kind' in one ? one : left.size === 0 ? again(one.id) : uncertain(one.id)));
}

/** Rows that were made since and that no row of this restore is known to be; undefined when the object cannot be asked for them. */
async function candidatesOf(
  work: Work,
  o: ObjectWork,
  { since }: PlannedSlice,
  compared: readonly string[],
  written: readonly string[],
): Promise<Candidate[] | undefined> {
  const way = work.org.plan(o.target);
  const from = `${new Date(Date.parse(since) - slackMs).toISOString().slice(0, 19)}Z`;
  const has = (name: string) => o.fields.get(name)?.filterable === true;
  // Where the restore itself says who made the row and when, only the stamp of the platform tells.
  const audit = written.includes('CreatedDate') || written.includes('CreatedById');
  const conditions = [
    ...(has('SystemModstamp') ? [`SystemModstamp >= ${from}`] : []),
    ...(!audit && has('CreatedDate') ? [`CreatedDate >= ${from}`] : []),
    ...(!audit && has('CreatedById') ? [`CreatedById = '${work.org.identity.userId}'`] : []),
  ];
  if (way.way === 'none' || conditions.length === 0) return undefined;
  const fields = ['Id', ...compared.filter((name) => name !== 'Id')];
  const plan = { ...way, way: 'rest' as const, fields };
  const flow = work.org.extract({ object: o.object, plan, where: conditions.join(' AND '), all: false });
  const found: Candidate[] = [];
  for await (const { id, cells } of rowsOf(flow, work.ctx.signal)) {
    if (!work.state.ids.isTaken(id) && !work.state.row(id)) found.push({ id: longId(id), cells });
  }
  return found;
}

/** What the source holds stood in the org before. */
async function notInSource(work: Work, o: ObjectWork, candidates: readonly Candidate[]): Promise<Candidate[]> {
  const old = new IdTable();
  for await (const { id } of work.rows(o, IdTable.of(candidates.map(({ id }) => id)), ['Id'])) old.add(id);
  return candidates.filter(({ id }) => !old.has(id));
}

function comparable(o: ObjectWork, name: string): boolean {
  const field = o.fields.get(name);
  return field?.filterable === true && field.type !== 'base64' && !/^LastModified/.test(name);
}

/** The org trims texts; a field that was not sent has whatever default it has. */
export function isSame(o: ObjectWork, name: string, sent: string | null | undefined, now: string): boolean {
  if (sent === undefined) return true;
  const field = o.fields.get(name)!;
  return holdsWritten(field, sent ?? '', now);
}

/** Rows of a slice as they were sent, made once more from the source. `document`: which the row makes, or ''. */
export async function sentRows(
  work: Work,
  o: ObjectWork,
  planned: PlannedSlice,
  ids: readonly string[],
): Promise<{ id: string; record: WriteRecord; document: string }[]> {
  if (planned.step !== 'insert') return ids.map((id) => ({ id, record: {}, document: '' }));
  const columns = insertColumns(o);
  const sent: { id: string; record: WriteRecord; document: string }[] = [];
  for await (const { id, cells } of work.rows(o, IdTable.of(ids), o.columns)) {
    const rendered = renderInsert(work, o, work.state.row(id)!, cells, { bulk: planned.way === 'bulk', final: true });
    const record = recordOf(columns, rendered);
    const names = Object.keys(record).filter((name) => planned.columns.includes(name));
    const document = work.state.ids.has(cells('ContentDocumentId')) ? '' : cells('ContentDocumentId');
    sent.push({ id, record: Object.fromEntries(names.map((name) => [name, record[name]!])), document });
  }
  return sent;
}
