import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import type { Org } from '../../salesforce/org.ts';
import type { OrgLimits } from '../../salesforce/writing.ts';
import { schemaPrint } from '../../schema/print.ts';
import type { LogEntry } from '../../vault/log.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import type { RestorePlace } from '../../vault/restores.ts';
import type { Vault } from '../../vault/vault.ts';
import { findPoint } from '../points.ts';
import type { Incident } from './compared.ts';
import { earlierDigest, earlierRestores } from './earlier-restores.ts';
import type { Plan } from './plan.ts';

/** What a record takes of an org's data storage, nearly whatever it holds; in kB. */
const recordKilobytes = 2;

/**
 * What is asked for must be whole in the point. Throws `point-partial` when one of the objects that the plan touches is not; `accepted`: it may be
 * restored as far as it goes.
 */
export function assertWhole(reader: PointReader, plan: Plan, accepted: boolean): void {
  const touched = new Set(plan.objects.map(({ object }) => object));
  const incomplete = reader.root.objects.filter(({ object, complete }) => touched.has(object) && !complete);
  if (incomplete.length === 0 || accepted) return;
  const named = incomplete.slice(0, 3).map(({ object, reason }) => `${object} (${reason ?? 'failed'})`);
  throw new Fault(
    'point-partial',
    `point ${reader.root.point} is not whole in what is to be restored: ${named.join('; ')}`,
    {
      data: { objects: incomplete.map(({ object }) => object) },
    },
  );
}

/**
 * The point must show what was there before the incident. Throws `usage` when the incident is still to come, when it was over before the point
 * began, and when the point that is to show its damage is no later one.
 */
export function assertBefore(reader: PointReader, incident: Incident, now: Date): void {
  const { point, started } = reader.root;
  const name = (time: number) => new Date(time).toISOString();
  const { from, to, after } = incident;
  if (from > now.getTime()) throw new Fault('usage', `the incident has not begun: it is named from ${name(from)} on`);
  if (to < Date.parse(started)) {
    throw new Fault('usage', `the incident was over at ${name(to)}, before point ${point} began`, {
      actions: ['choose a point from before the incident: `salvor list-points`, or `salvor rescue` finds it'],
    });
  }
  if (after && Date.parse(after.root.started) <= Date.parse(started)) {
    throw new Fault('usage', `point ${after.root.point} cannot show what happened after point ${point}`, {
      actions: ['name the older point first, and one from after the incident with --after'],
    });
  }
}

/** The org must have room for what is made again. Throws `storage-short`, `api-budget`. */
export function assertRoom(plan: Plan, limits: OrgLimits): void {
  const inserts = plan.objects.reduce((sum, { rows }) => sum + rows.count('insert'), 0);
  const { dataStorageMB, dailyApiRequests } = limits;
  const needed = Math.ceil((inserts * recordKilobytes) / 1024);
  if (dataStorageMB && needed > dataStorageMB.remaining) {
    throw new Fault(
      'storage-short',
      `${inserts} records take about ${needed} MB, and the org has ${dataStorageMB.remaining} MB of data storage left`,
    );
  }
  const { apiCalls } = plan.header;
  if (dailyApiRequests && apiCalls > dailyApiRequests.remaining) {
    throw new Fault(
      'api-budget',
      `the restore takes about ${apiCalls} API calls, and the org allows ${dailyApiRequests.remaining} more today`,
      { actions: ['restore less at a time, or wait for the limit to reset'] },
    );
  }
}

/** Throws `plan-stale` when another restore wrote to the org since the plan was made. */
export async function assertNoneSince({ header }: Plan, place: RestorePlace, org: Org, now: Date): Promise<void> {
  if (header.restores === '' || header.restores === earlierDigest(await earlierRestores(place, org, now))) return;
  throw new Fault('plan-stale', 'another restore, or an undo, has written to the org since the plan was made');
}

/** Throws `plan-stale` when the point that is named beside a plan is another than the plan's. */
export async function assertPointOf(
  ctx: Pick<Context, 'report'>,
  { header }: Plan,
  vault: Vault,
  named: string,
): Promise<void> {
  const { point } = (await findPoint(ctx, vault, named)).record;
  if (point === header.point.id) return;
  throw new Fault('plan-stale', `the plan was made for point ${header.point.id}, not for ${point}`);
}

/**
 * A plan that was saved is applied exactly as it is, or not at all. Throws `wrong-target` for another org, `foreign-vault` for another vault,
 * `plan-stale` when the point or the schema of a touched object is another than the plan was made for.
 */
export async function assertPlanFits(plan: Plan, vault: Vault, entry: LogEntry, org: Org): Promise<void> {
  const { header } = plan;
  if (header.vault !== vault.info.vault) {
    throw new Fault('foreign-vault', `the plan was made for another vault than ${vault.store.url}`);
  }
  if (header.org.id.slice(0, 15) !== org.identity.orgId.slice(0, 15)) {
    throw new Fault(
      'wrong-target',
      `the plan was made for the org ${header.org.id} (${header.org.name}), not for ${org.identity.orgId}`,
    );
  }
  if (header.point.id !== entry.record.point || header.point.digest !== entry.digest) {
    throw new Fault('plan-stale', `point ${header.point.id} is not the one that the plan was made for`);
  }
  const described = await org.describe(Object.keys(header.schema));
  for (const [object, print] of Object.entries(header.schema)) {
    const now = described.get(object);
    if (!now || 'reason' in now || schemaPrint(now) !== print) {
      throw new Fault('plan-stale', `the fields of ${object} are not those that the plan was made for`, {
        data: { object },
      });
    }
  }
}
