import { Keys, rowBytes } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { Extraction } from '../../salesforce/org.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { type Incident, namesWho } from './compared.ts';
import { join } from './joined.ts';
import type { ObjectScope, PlanScope } from './scope.ts';

/**
 * Adds to `wanted` what the incident touched in one object: rows that differ between the point and the one after it; without such a point, or
 * where that does not hold the object, rows that were last changed or deleted by the incident, and rows of the point that are gone without a
 * trace. `among`: only these.
 */
export async function takeIncident(
  plan: PlanScope,
  scope: ObjectScope,
  incident: Incident,
  among: IdTable | undefined,
): Promise<void> {
  const take = (id: string) => {
    if (!among || among.has(id)) scope.wanted.add(id);
  };
  if (!scope.target?.queryable || !scope.columns.includes('Id')) return;
  if (incident.after?.has(scope.object)) await takeDifferences(plan, scope, incident.after, take);
  else if (incident.after && !namesWho(incident)) {
    plan.notSearched.push(`what the incident did to ${scope.object} is not known: the point after it does not hold it`);
  } else {
    await takeStamped(plan, scope, incident, take);
    await takeVanished(plan, scope, take);
  }
}

type Take = (id: string) => void;

async function takeDifferences(plan: PlanScope, scope: ObjectScope, after: PointReader, take: Take): Promise<void> {
  const { object, columns } = scope;
  const there = (await after.map(object)).columns;
  const both = columns.filter((name) => there.includes(name));
  const before = await plan.reader.rows(object, { columns: both.length === 0 ? ['Id'] : both });
  const later = both.length === 0 ? nothing : await after.rows(object, { columns: both });
  for await (const { id, before: was, now: is } of join(before, later, undefined, plan.ctx.signal)) {
    if (!is || !rowBytes(was.batch, was.row).equals(rowBytes(is.batch, is.row))) take(id);
  }
}

const nothing = { columns: ['Id'], batches: (async function* () {})() };

async function takeStamped(plan: PlanScope, scope: ObjectScope, incident: Incident, take: Take): Promise<void> {
  const has = (name: string) => scope.target!.fields.some((field) => field.name === name);
  const stamp = has('LastModifiedDate') ? 'LastModifiedDate' : has('SystemModstamp') ? 'SystemModstamp' : undefined;
  const by =
    incident.actor !== undefined && has('LastModifiedById') ? ` AND LastModifiedById = '${incident.actor}'` : '';
  const window = (field: string, until: boolean) =>
    (Number.isFinite(incident.from) ? ` AND ${field} >= ${soqlTime(incident.from)}` : '') +
    (until && Number.isFinite(incident.to) ? ` AND ${field} <= ${soqlTime(incident.to)}` : '');
  const conditions: string[] = [];
  // Without an actor, what was changed again since is looked at too: it is told as a conflict.
  if (stamp) conditions.push(window(stamp, incident.actor !== undefined) + by);
  const deletedAt = has('SystemModstamp') ? 'SystemModstamp' : stamp;
  if (has('IsDeleted') && deletedAt) conditions.push(` AND IsDeleted = true${window(deletedAt, true)}${by}`);
  const inPoint = await plan.idsInPoint(scope.object);
  for (const condition of conditions) {
    if (condition === '') continue;
    const flow = read(plan, scope, condition.slice(' AND '.length));
    if (!flow) return;
    const keys = new Keys(flow.columns);
    for await (const batch of flow.batches) {
      for (let i = 0; i < batch.ends.length; i++) {
        const id = keys.id(batch, i);
        if (inPoint.has(id)) take(id);
      }
    }
  }
}

/** Rows that were purged or hard deleted leave no trace: the Ids of the org are held against those of the point, when its count says so. */
async function takeVanished(plan: PlanScope, scope: ObjectScope, take: Take): Promise<void> {
  const inPoint = await plan.idsInPoint(scope.object);
  const since = new Date((await plan.reader.map(scope.object)).watermark);
  const [live, changed] = await plan.org.counts([{ object: scope.target! }, { object: scope.target!, since }]);
  // Every row of the point that was not changed since is live, or is gone.
  if (live !== undefined && changed !== undefined && live === inPoint.size && changed === 0) return;
  const flow = read(plan, scope, undefined);
  if (!flow) return;
  const there = new IdTable();
  const keys = new Keys(flow.columns);
  for await (const batch of flow.batches) for (let i = 0; i < batch.ends.length; i++) there.add(keys.id(batch, i));
  let gone = 0;
  for (const id of inPoint) {
    if (there.has(id)) continue;
    take(id);
    gone += 1;
  }
  if (gone > 0) {
    const rows = gone === 1 ? '1 row' : `${gone} rows`;
    plan.notSearched.push(
      `${rows} of ${scope.object} left no trace, not even in the recycle bin: no org tells when, or by whom`,
    );
  }
}

/** Rows of the org, those in the recycle bin included: Ids only. */
function read(plan: PlanScope, scope: ObjectScope, where: string | undefined): Extraction | undefined {
  const way = plan.org.plan(scope.target!);
  if (way.way === 'none') return undefined;
  return plan.org.extract({ object: scope.object, plan: { ...way, fields: ['Id'] }, where, all: true });
}

/** SOQL takes whole seconds. */
function soqlTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
