import { IdTable } from '../../../rows/id-table.ts';
import { longId } from '../../../schema/ids.ts';
import { canonicalValue } from '../../../schema/values.ts';
import type { Outcome } from './entries.ts';
import { ownCodes } from './errors.ts';
import { resolved } from './values.ts';
import { type ObjectWork, rowsOf, type Work } from './work.ts';

type Cells = (field: string) => string;

/** What tells a row of this object from others, by the first of its keys whose cells are all filled, references mapped. */
export interface Key {
  readonly fields: readonly string[];
  /** Value of the first field, as the org has it. */
  readonly first: string;
  readonly text: string;
}

/**
 * Looks for rows that are about to be made and that the platform has made along with others (field guide, restore 5.4): they are not made again,
 * and take the fields of the point afterwards. Rows that only the platform can make are noted as they appear; `final`: those that have not
 * appeared have failed.
 */
export async function findMadeRows(work: Work, o: ObjectWork, final: boolean, level?: number): Promise<void> {
  const { keys, keysOfMadeOnly } = o.plan;
  const outcomes: Outcome[] = [];
  const sought = new IdTable();
  for (const row of work.state.pendingRows(o.object, 'insert', level)) {
    const target = row.made ? work.state.ids.get(row.id) : undefined;
    if (target !== undefined) outcomes.push({ id: row.id, kind: 'done', target });
    else if (keys && (row.made || !keysOfMadeOnly) && !work.state.retry(row.id, 'insert')) sought.add(row.id);
    else if (row.made && final) outcomes.push(notMade(row.id));
  }
  if (sought.size > 0) {
    const byKey = await rowsByKeys(work, o, sought);
    for await (const { id, cells } of work.rows(o, sought, o.columns)) {
      const key = keyOf(work, o, cells);
      const target = key && byKey.get(key.text)?.shift();
      const made = work.state.row(id)?.made === true;
      if (target !== undefined) outcomes.push({ id, kind: made ? 'done' : 'matched', target });
      else if (made && final) outcomes.push(notMade(id));
    }
  }
  await work.settle(o, 'insert', outcomes);
}

/** Rows of the org with the keys of these rows, by the text of the key; those that belong to other rows of the restore are left out. */
export async function rowsByKeys(work: Work, o: ObjectWork, ids: IdTable): Promise<Map<string, string[]>> {
  const byFields = new Map<string, { fields: readonly string[]; values: Set<string> }>();
  for await (const { cells } of work.rows(o, ids, o.columns)) {
    const key = keyOf(work, o, cells);
    if (!key) continue;
    const known = byFields.get(key.fields.join()) ?? { fields: key.fields, values: new Set<string>() };
    byFields.set(key.fields.join(), known);
    known.values.add(key.first);
  }
  const found = new Map<string, string[]>();
  for (const { fields, values } of byFields.values()) {
    const match = { field: fields[0]!, values: [...values] };
    const flow = work.org.matching(o.target, match, ['Id', ...fields]);
    for await (const { id, cells } of rowsOf(flow, work.ctx.signal)) {
      if (work.state.ids.isTaken(id)) continue;
      const text = keyText(o, fields, cells);
      found.set(text, [...(found.get(text) ?? []), longId(id)]);
    }
  }
  return found;
}

/** Undefined when no key is filled, and when one of its references leads to nothing yet. */
export function keyOf(work: Work, o: ObjectWork, cells: Cells): Key | undefined {
  const fields = o.plan.keys?.find((names) => names.every((name) => o.fields.has(name) && cells(name) !== ''));
  if (!fields) return undefined;
  const values = new Map<string, string>();
  for (const name of fields) {
    const found = o.fields.get(name)!.type === 'reference' ? resolved(work, cells(name)) : { to: cells(name) };
    if (typeof found !== 'object') return undefined;
    values.set(name, found.to);
  }
  return { fields, first: values.get(fields[0]!)!, text: keyText(o, fields, (name) => values.get(name)!) };
}

function keyText(o: ObjectWork, fields: readonly string[], cells: Cells): string {
  // Ids have a case that counts; other texts are compared by the org without it.
  return JSON.stringify(
    fields.map((name) => {
      const field = o.fields.get(name)!;
      const value = canonicalValue(field, cells(name));
      return [name, field.type === 'reference' ? value : value.toLowerCase()];
    }),
  );
}

function notMade(id: string): Outcome {
  return { id, kind: 'failed', code: ownCodes.notMade, message: 'the platform has not made it along with others' };
}
