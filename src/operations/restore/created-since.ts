import { cellsAt, Keys } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { Incident } from './compared.ts';
import { nowPrint } from './now-print.ts';
import type { PlannedRow } from './plan.ts';
import { PlannedRows } from './planned-rows.ts';
import type { ObjectScope, PlanScope } from './scope.ts';
import { type Child, type RowsOfObject, takingAlong } from './taken-along.ts';

/** Where rows that were made since are looked for, and what else is planned. */
export interface Deletions {
  readonly objects: readonly string[];
  readonly incident: Incident | undefined;
  readonly salt: string;
  /** By object: what is planned beside the deletions. */
  readonly planned: ReadonlyMap<string, PlannedRows>;
}

/**
 * What `--delete-created` does: rows of the org that were made after the point, in the window and by the actor of the incident if one is named, are
 * deleted. One that would take along a live row that is neither deleted itself nor moved away by the plan is a conflict and stays.
 */
export async function* deletions(
  plan: PlanScope,
  { objects, incident, salt, planned }: Deletions,
): AsyncGenerator<{ readonly object: string; readonly row: PlannedRow }> {
  const found = new Map<string, PlannedRows>();
  const leaving: RowsOfObject[] = [];
  for (const object of objects) {
    const scope = await plan.object(object);
    const rows = new PlannedRows();
    const ids = new IdTable();
    for await (const row of createdSince(plan, scope, incident, salt)) {
      rows.add(row);
      ids.add(row.id);
    }
    found.set(object, rows);
    if (scope.target && ids.size > 0) leaving.push({ target: scope.target, ids });
  }
  const moving = movedAway(planned);
  const goes = ({ id }: Child) => leaving.some(({ ids }) => ids.has(id));
  const fate = (child: Child) => (goes(child) || moving(child) ? 'goes' : 'stays');
  const kept = await takingAlong(plan.ctx, plan.org, leaving, 'made', fate);
  for (const [object, rows] of found) for (const row of rows) yield { object, row: kept.has(row.id) ? held(row) : row };
}

function held({ id }: PlannedRow): PlannedRow {
  const reason = 'records that are not to be deleted would be deleted with it';
  return { id, action: 'conflict', level: 0, fields: [], later: [], without: [], reason };
}

/** Tells of a child whether the plan puts back the lookup that it stands under a new row by. */
function movedAway(planned: ReadonlyMap<string, PlannedRows>): (child: Child) => boolean {
  const known = new Map<string, IdTable>();
  return ({ object, field, id }) => {
    const key = `${object}.${field}`;
    const ids = known.get(key) ?? IdTable.of(updatedIn(planned.get(object), field));
    known.set(key, ids);
    return ids.has(id);
  };
}

function* updatedIn(rows: PlannedRows | undefined, field: string): Generator<string> {
  for (const { id, target, fields } of rows?.of('update') ?? []) if (fields.includes(field)) yield target ?? id;
}

/** A row that an earlier restore made again is none of those that were made after the point. */
async function* createdSince(
  plan: PlanScope,
  scope: ObjectScope,
  incident: Incident | undefined,
  salt: string,
): AsyncGenerator<PlannedRow> {
  const { target, object } = scope;
  const stamp = target?.fields.find(({ name }) => name === 'SystemModstamp');
  if (!target?.deletable || !stamp || !target.fields.some(({ name }) => name === 'CreatedDate')) return;
  const way = plan.org.plan(target);
  if (way.way === 'none') return;
  const map = await plan.reader.map(object);
  const watermark = Date.parse(map.watermark);
  const from = Math.max(watermark, incident?.from ?? watermark);
  const time = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
  const where = [
    `CreatedDate >= ${time(from)}`,
    ...(incident && Number.isFinite(incident.to) ? [`CreatedDate <= ${time(incident.to)}`] : []),
    ...(incident?.actor === undefined ? [] : [`CreatedById = '${incident.actor}'`]),
    // What the policy of the point leaves out is none of its business.
    ...(map.kept === undefined ? [] : [`(${map.kept})`]),
  ].join(' AND ');
  const known = await plan.idsInPoint(object);
  for (const [, id] of plan.remade) known.add(id);
  const flow = plan.org.extract({ object, plan: { ...way, fields: ['Id', 'SystemModstamp'] }, where, all: false });
  const keys = new Keys(flow.columns);
  const at = flow.columns.indexOf('SystemModstamp');
  for await (const batch of flow.batches) {
    for (let i = 0; i < batch.ends.length; i++) {
      const id = keys.id(batch, i);
      if (known.has(id)) continue;
      const now = nowPrint(salt, [[stamp, cellsAt(batch, i, [at])[0]!]]);
      yield { id, action: 'delete', level: 0, fields: [stamp.name], later: [], without: [], now };
    }
  }
}
