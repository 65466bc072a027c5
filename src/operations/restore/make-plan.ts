import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.ts';
import { isFault } from '../../errors.ts';
import type { IdMap, IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import { groupsInOrder } from '../../schema/graph.ts';
import { schemaPrint } from '../../schema/print.ts';
import type { LogEntry } from '../../vault/log.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { Comparison, type Incident, type Kept } from './compared.ts';
import { deletions } from './created-since.ts';
import { takeIncident } from './incident-rows.ts';
import { planInserts } from './inserts.ts';
import { mapReferences, type ReferenceMapping } from './mapping.ts';
import type { FieldLeftOut, ObjectPlan, Plan, PlannedRow } from './plan.ts';
import { PlannedRows } from './planned-rows.ts';
import { cannotForesee, predict } from './predict.ts';
import { References } from './references.ts';
import { type Related, takeRelated } from './related.ts';
import { type ObjectScope, PlanScope } from './scope.ts';
import { findStandings } from './standing.ts';
import { TakenValues } from './taken-values.ts';

/** What is to be restored, and how far it may go. */
export interface RestoreRequest {
  /** Rows of the point that were named, by object; with an incident, only these of the rows that it touched. Undefined: none were named. */
  readonly select: ((plan: PlanScope) => Promise<ReadonlyMap<string, IdTable>>) | undefined;
  /** Objects that an incident is looked for in, and whose new rows `deleteCreated` deletes. */
  readonly objects: (plan: PlanScope) => readonly string[];
  readonly incident: Incident | undefined;
  /** Only these fields of rows that stand in the org are put back; empty: all. */
  readonly fields: readonly string[];
  readonly overwrite: boolean;
  readonly overwriteConflicts: boolean;
  readonly writeNulls: boolean;
  readonly deleteCreated: boolean;
  readonly related: Related;
  readonly mapping: ReferenceMapping;
  /** What was asked for, as it is kept in the plan. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly tool: string;
}

/**
 * Makes a plan: compares what was asked for with the org as it is now. Nothing is written. A pure function of the point, the state of the org, the
 * schema of both, and the request. `remade`: rows that earlier restores made again in this org.
 */
export async function makePlan(
  ctx: Context,
  given: {
    readonly reader: PointReader;
    readonly entry: LogEntry;
    readonly org: Org;
    readonly remade: IdMap;
    readonly restores?: string;
  },
  request: RestoreRequest,
): Promise<Plan> {
  const { reader, entry, org, restores = '' } = given;
  const plan = await PlanScope.open(ctx, reader, org, given.remade);
  const made = await org.serverTime();
  const salt = randomBytes(12).toString('hex');
  await takeWanted(plan, request);
  await plan.describeTargets(plan.objects.map(({ object }) => object));
  for (const scope of plan.objects) await findStandings(plan, scope, scope.wanted);
  await takeRelated(plan, request.related);
  await mapReferences(plan, request.mapping);
  const inserts = await planInserts(plan, new References(plan), new TakenValues(plan), request.mapping.unmapped);
  const comparison = new Comparison(plan, {
    overwriting: {
      mode: request.incident ? 'incident' : request.overwrite ? 'all' : 'never',
      conflicts: request.overwriteConflicts,
      nulls: (field) => request.writeNulls || request.fields.some((name) => name.toLowerCase() === field.toLowerCase()),
    },
    incident: request.incident,
    fields: request.fields,
    salt,
  });
  const rowsOf = new Map(inserts.objects.map(({ object, rows }) => [object, rows]));
  const rows = (object: string): PlannedRows => {
    const known = rowsOf.get(object) ?? new PlannedRows();
    rowsOf.set(object, known);
    return known;
  };
  for (const scope of plan.objects) {
    for await (const row of comparison.rows(scope)) add(rows, scope.object, row);
    if (plan.earlier.size === 0) continue;
    for (const id of scope.wanted) if (plan.earlier.has(id)) rows(scope.object).tally('skip');
  }
  if (request.deleteCreated) {
    const asked = { objects: request.objects(plan), incident: request.incident, salt, planned: rowsOf };
    for await (const { object, row } of deletions(plan, asked)) add(rows, object, row);
  }
  const objects = inOrder(plan, inserts.objects, rowsOf);
  const leftOut = [...inserts.leftOut, ...comparison.kept.map(keptReason)];
  const { apiCalls, predictedSeconds } = predict(objects);
  return {
    header: {
      v: 1,
      kind: 'plan',
      tool: request.tool,
      vault: reader.root.vault,
      point: { id: reader.root.point, digest: entry.digest, ended: reader.root.ended },
      sourceOrg: reader.root.org.id,
      org: {
        id: org.identity.orgId,
        name: org.identity.organizationName,
        isSandbox: org.identity.isSandbox,
        username: org.identity.username,
      },
      made: made.toISOString(),
      request: request.asked,
      schema: Object.fromEntries(
        objects.flatMap(({ object }) => {
          const target = plan.known(object)?.target;
          return target ? [[object, schemaPrint(target)]] : [];
        }),
      ),
      restores,
      salt,
      leftOut,
      withheld: inserts.withheld,
      cannotForesee: [...cannotForesee(objects, request), ...plan.notSearched],
      apiCalls,
      predictedSeconds,
    },
    references: allReferences(plan),
    objects,
  };
}

/** Uses `earlier` up: nothing is planned behind this, and it may hold millions. */
function allReferences({ earlier, references }: PlanScope): IdMap {
  for (const [from, to] of references) earlier.set(from, to);
  return earlier;
}

/** Fills `wanted` of the objects. */
async function takeWanted(plan: PlanScope, { select, incident, objects }: RestoreRequest): Promise<void> {
  const selected = await select?.(plan);
  if (incident) {
    const names = objects(plan).filter((object) => !selected || selected.has(object));
    await plan.describeTargets(names);
    for (const object of names) await searched(plan, object, incident, selected?.get(object));
  } else {
    for (const [object, ids] of selected ?? []) {
      const { wanted } = await plan.object(object);
      wanted.addAll(ids);
    }
  }
}

/** An object that the org does not let be searched must not keep the others from coming back: the plan says that it was not. */
async function searched(
  plan: PlanScope,
  object: string,
  incident: Incident,
  among: IdTable | undefined,
): Promise<void> {
  try {
    await takeIncident(plan, await plan.object(object), incident, among);
  } catch (error) {
    if (!isFault(error, 'object-refused', 'bulk-refused')) throw error;
    plan.notSearched.push(`${object} could not be searched for what the incident did: ${error.message}`);
  }
}

/** A row of which nothing is to be done is counted only. */
function add(rows: (object: string) => PlannedRows, object: string, row: PlannedRow): void {
  if (row.action === 'skip' && row.reason === undefined) rows(object).tally('skip');
  else rows(object).add(row);
}

/** Objects with inserts in their order; before and between them none matters, so the others follow, parents before children. */
function inOrder(
  plan: PlanScope,
  inserts: readonly ObjectPlan[],
  rowsOf: ReadonlyMap<string, PlannedRows>,
): ObjectPlan[] {
  const made = new Set(inserts.map(({ object }) => object));
  const others = [...rowsOf.keys()].filter((object) => !made.has(object));
  const refersTo = new Map(others.map((object) => [object, parentsOf(plan.known(object)!)]));
  const rest = groupsInOrder(others, refersTo)
    .flat()
    .map((object) => ({ object, rows: rowsOf.get(object)!, together: [object] }));
  return [...inserts, ...rest];
}

function parentsOf({ source }: ObjectScope): Set<string> {
  return new Set(source.fields.flatMap(({ referenceTo }) => referenceTo));
}

const keptReasons = {
  differs: { code: 'differs', reason: 'the org has another value, which is kept: name an incident, or --overwrite' },
  emptied: { code: 'emptied', reason: 'the point has nothing there and the org has: --write-nulls clears it' },
  'create-only': { code: 'create-only', reason: 'the field can only be written when a record is made' },
} as const;

function keptReason({ object, field, why, rows }: Kept): FieldLeftOut {
  return { object, field, rows, ...keptReasons[why] };
}
