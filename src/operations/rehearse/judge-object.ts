import type { Context } from '../../context.ts';
import type { IdMap, IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import { comparedFields } from '../../schema/values.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import type { ApplyResult } from '../restore/apply/report.ts';
import type { ObjectPlan, Plan } from '../restore/plan.ts';
import { PlannedRows } from '../restore/planned-rows.ts';
import type { Problem } from '../verify/request.ts';
import type { ObjectRehearsed } from './certificate.ts';
import { compareRows } from './compare.ts';
import { JudgedFields } from './judged.ts';
import { Judge, madeAlongReason, PlanIndex } from './judging.ts';
import type { NotJudged, RehearsalScope } from './scope.ts';

/** A restore that was carried out, and what it is judged by. */
export interface Rehearsal {
  readonly ctx: Context;
  readonly org: Org;
  readonly reader: PointReader;
  readonly onto: PointReader | undefined;
  readonly stood: ReadonlyMap<string, IdTable>;
  readonly ids: IdMap;
  readonly plan: Plan;
  readonly applied: ApplyResult;
  readonly scope: RehearsalScope;
}

export interface ObjectJudged {
  readonly counts: Omit<ObjectRehearsed, 'object' | 'seconds' | 'rowsASecond'>;
  readonly problems: readonly Problem[];
  readonly notJudged: readonly NotJudged[];
}

/** Holds the rows of one object against the point, and those that stood there against how they stood. */
export async function judgeObject(rehearsal: Rehearsal, object: string, target: ObjectDescribe): Promise<ObjectJudged> {
  const { ctx, org, reader, onto, stood, ids, plan, applied, scope } = rehearsal;
  const source = scope.describes.get(object)!;
  const { columns, rows } = await reader.map(object);
  const objectPlan: ObjectPlan = plan.objects.find((one) => one.object === object) ?? {
    object,
    rows: new PlannedRows(),
    together: [object],
  };
  const leftOut = plan.header.leftOut.filter((one) => one.object === object);
  const judged = new JudgedFields(source, target, columns, objectPlan, leftOut);
  const planOfRow = new PlanIndex(objectPlan.rows);
  const standing = stood.get(object);
  const withheld = new Set(plan.header.withheld.flatMap((one) => (one.object === object ? [one.id] : [])));
  const failures = new Map(
    applied.failed.flatMap((one) => (one.object === object ? [[one.id, one.code] as const] : [])),
  );
  const said = new Set(leftOut.map(({ field }) => field));
  const idOf = (id: string) => ids.get(id) ?? id;
  const shared = {
    object,
    org,
    reader,
    judged,
    idOf,
    failures,
    isMade: (id: string) => planOfRow.get(id)?.action === 'insert',
  };
  const isThere = (id: string) => ids.has(id) || [...stood.values()].some((table) => table.has(id));
  let [stands, notRestored] = [0, 0];
  const restored = new Judge({
    ...shared,
    placesOf: (id) => judged.ofRow(planOfRow.get(id)),
    mayBeLost: (id, field, parent) => judged.isDoubtful(planOfRow.get(id), field) && !isThere(parent),
    isStanding: (id) => standing?.has(id) ?? false,
  });
  const names = ['Id', ...judged.fields.map(({ name }) => name).filter((name) => columns.includes(name))];
  const read = await compareRows(
    {
      ctx,
      org,
      object: target,
      fields: judged.fields,
      rows: await reader.rows(object, { columns: names, signal: ctx.signal }),
      target: (id) => {
        const row = planOfRow.get(id);
        if (row && row.action !== 'skip') return idOf(id);
        if (withheld.has(id)) notRestored += 1;
        else if (standing?.has(id)) stands += 1;
        // Nobody planned it and it is not there: it will be found missing.
        else return id;
        return undefined;
      },
    },
    restored,
  );
  restored.end();
  const problems = restored.problems();
  if (read !== rows) problems.push({ key: object, problem: `the point has ${rows} rows of it, and ${read} were read` });
  if (onto?.has(object)) problems.push(...(await judgeStanding(rehearsal, object, target, judged, planOfRow)));
  return {
    counts: {
      rows,
      equal: restored.equal,
      different: restored.different,
      missing: restored.missed,
      standing: stands,
      notRestored,
      extra: restored.extras,
      files: restored.files,
    },
    problems,
    notJudged: [
      ...judged.unjudged(source, columns, rows, said),
      ...(restored.along > 0
        ? [{ object, rows: restored.along, code: 'made-by-platform', reason: madeAlongReason }]
        : []),
    ],
  };
}

/** What stood in the org must be as it was, but for what was to be written to it. */
async function judgeStanding(
  { ctx, org, onto, stood }: Rehearsal,
  object: string,
  target: ObjectDescribe,
  judged: JudgedFields,
  planOfRow: PlanIndex,
): Promise<readonly Problem[]> {
  const { columns } = await onto!.map(object);
  const compared = comparedFields(target.fields).flatMap(({ name, createable }) =>
    createable && columns.includes(name) ? [name] : [],
  );
  const judge = new Judge({
    object,
    org,
    reader: onto!,
    judged,
    placesOf: (id) => judged.ofStanding(planOfRow.get(id)?.fields ?? [], compared),
    mayBeLost: () => false,
    isMade: () => false,
    idOf: (id) => id,
    failures: new Map(),
    isStanding: () => true,
  });
  const names = ['Id', ...judged.fields.map(({ name }) => name).filter((name) => columns.includes(name))];
  const rows = await onto!.rows(object, { columns: names, signal: ctx.signal });
  const standing = stood.get(object)!;
  await compareRows(
    { ctx, org, object: target, fields: judged.fields, rows, target: (id) => (standing.has(id) ? id : undefined) },
    judge,
  );
  judge.end();
  return judge.problems();
}
