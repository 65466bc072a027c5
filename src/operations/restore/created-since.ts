import { cellsAt, Keys } from '../../rows/cells.ts';
import type { Incident } from './compared.ts';
import { nowPrint } from './now-print.ts';
import type { PlannedRow } from './plan.ts';
import type { ObjectScope, PlanScope } from './scope.ts';

/**
 * Rows of the org that were made after the point, in the window and by the actor of the incident if one is named: those that `--delete-created`
 * deletes. A row that an earlier restore made again is none of them.
 */
export async function* createdSince(
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
  const watermark = Date.parse((await plan.reader.map(object)).watermark);
  const from = Math.max(watermark, incident?.from ?? watermark);
  const time = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
  const where = [
    `CreatedDate >= ${time(from)}`,
    ...(incident && Number.isFinite(incident.to) ? [`CreatedDate <= ${time(incident.to)}`] : []),
    ...(incident?.actor === undefined ? [] : [`CreatedById = '${incident.actor}'`]),
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
