import type { Context } from '../../context.ts';
import { IdMap, type IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import type { Store } from '../../store/store.ts';
import type { LogEntry } from '../../vault/log.ts';
import { PointReader } from '../../vault/point-reader.ts';
import { type RestorePlace, readRestore, restorePlace } from '../../vault/restores.ts';
import type { Vault } from '../../vault/vault.ts';
import { applyPlan, beginRestore } from '../restore/apply/apply.ts';
import { tableRows } from '../restore/apply/tables.ts';
import { makePlan } from '../restore/make-plan.ts';
import type { Plan } from '../restore/plan.ts';
import { planDigest } from '../restore/plan-file.ts';
import { pointSource } from '../restore/point-source.ts';
import type { PlanScope } from '../restore/scope.ts';
import { type SelectionRequest, select } from '../select/selection.ts';
import type { Problem } from '../verify/request.ts';
import {
  type Certificate,
  grouped,
  type ObjectRehearsed,
  planned,
  predictedBasis,
  type Rehearsed,
  rungOf,
  totals,
} from './certificate.ts';
import { type RehearsalSchema, rehearsalSchema } from './handed-over.ts';
import { judgeObject, type Rehearsal } from './judge-object.ts';
import { type Measured, Meter, rounded } from './meter.ts';
import { type NotJudged, type RehearsalScope, rehearsalScope } from './scope.ts';

export interface RehearseRequest {
  /** Patterns of objects. */
  readonly objects: readonly string[];
  readonly exclude: readonly string[];
  /** A later point of the same org: its rows stand in the org, and only what is missing is restored. */
  readonly onto?: LogEntry;
  readonly tool: string;
}

export interface RehearseGiven {
  readonly vault: Vault;
  readonly entry: LogEntry;
  /** An org with this schema and these rows, connected. */
  readonly startOrg: (schema: RehearsalSchema) => Promise<Org>;
  /** Where the journal of the restore lies meanwhile. */
  readonly journalStore: Store;
  /** What is restored is read through this one; what comes of it is held against the point read anew. */
  readonly reader?: PointReader;
}

/**
 * Restores a whole point into an org made from the point's own schema, through the same code as any restore, and compares every row with the
 * point. What does not come back equal is in the result and is not thrown. Throws what reading the point throws, and `no-such-object`.
 */
export async function rehearse(ctx: Context, given: RehearseGiven, request: RehearseRequest): Promise<Rehearsed> {
  const { vault, entry } = given;
  const reader = given.reader ?? (await PointReader.open(vault, entry));
  const names = { objects: request.objects, exclude: request.exclude };
  await select(reader, { ...names, ids: undefined, where: undefined }, ctx.now());
  const scope = await rehearsalScope(reader, names);
  const onto = request.onto && (await PointReader.open(vault, request.onto));
  const stood = new Map<string, IdTable>();
  ctx.report({ type: 'stage', stage: 'Building an org from the schema of the point' });
  const org = await given.startOrg(await rehearsalSchema(reader, scope, onto, stood));
  const plan = await planOf(ctx, { reader, entry, org }, scope, request);
  const meter = new Meter(ctx);
  const place = await restorePlace(vault, given.journalStore);
  const journal = await beginRestore(meter.ctx, place, { plan, digest: planDigest(plan) });
  const options = { maxErrors: 100, wait: async () => {} };
  const applied = await applyPlan(meter.ctx, { plan, source: pointSource(reader), org, journal, place, options });
  const measured = meter.end(org.apiCalls);
  const ids = await restoredIds(ctx, place, applied.restoreId);
  const judging = { ctx, org, reader: await PointReader.open(vault, entry), onto, stood, ids, plan, applied, scope };
  return judge(judging, measured, { entry, request, names });
}

/** Everything of the point is wanted; what stands in the org stays as it is. */
function planOf(
  ctx: Context,
  given: { reader: PointReader; entry: LogEntry; org: Org },
  scope: RehearsalScope,
  { tool }: RehearseRequest,
): Promise<Plan> {
  const wanted = async (plan: PlanScope) => {
    const all = new Map<string, IdTable>();
    for (const object of scope.restored) all.set(object, await plan.idsInPoint(object));
    return all;
  };
  return makePlan(
    ctx,
    { ...given, remade: new IdMap() },
    {
      select: wanted,
      objects: () => scope.restored,
      incident: undefined,
      fields: [],
      overwrite: false,
      overwriteConflicts: false,
      writeNulls: false,
      deleteCreated: false,
      related: { parents: 0, children: 0, relationships: new Map() },
      mapping: { rules: [], unmapped: 'abort' },
      asked: { rehearse: true },
      tool,
    },
  );
}

/** Id in the point -> Id in the org, of all rows that the journal tells of. */
async function restoredIds(ctx: Context, place: RestorePlace, restore: string): Promise<IdMap> {
  const ids = new IdMap();
  const { entries } = await readRestore(place, restore, ctx.now());
  for (const { tables } of entries)
    for (const table of tables) {
      if (table.name !== 'ids') continue;
      for await (const [id, target] of tableRows(place, table, ['Id', 'Target'])) ids.set(id!, target!);
    }
  return ids;
}

async function judge(
  rehearsal: Rehearsal,
  { secondsOf, ...measured }: Measured,
  {
    entry,
    request,
    names,
  }: { entry: LogEntry; request: RehearseRequest; names: Pick<SelectionRequest, 'objects' | 'exclude'> },
): Promise<Rehearsed> {
  const { ctx, org, reader, plan, applied, scope } = rehearsal;
  const { header } = plan;
  const problems: Problem[] = [];
  const { stopped } = applied;
  if (stopped) problems.push({ key: String(stopped.data.object ?? 'restore'), problem: `it stopped: ${stopped.name}` });
  const notJudged: NotJudged[] = [...scope.notJudged, ...planned(header.leftOut, header.withheld)];
  ctx.report({ type: 'stage', stage: 'Comparing what came back with the point', total: scope.restored.length });
  const described = await org.describe(scope.restored);
  const objects: ObjectRehearsed[] = [];
  for (const object of scope.restored) {
    ctx.signal.throwIfAborted();
    const target = described.get(object);
    if (!target || 'reason' in target) throw new TypeError(`the rehearsal has no ${object}`);
    const found = await judgeObject(rehearsal, object, target);
    problems.push(...found.problems);
    notJudged.push(...found.notJudged);
    const seconds = secondsOf.get(object) ?? 0;
    const sent = Object.entries(applied.done[object] ?? {}).reduce(
      (sum, [what, n]) => sum + (what === 'skipped' ? 0 : n),
      0,
    );
    const rowsASecond = seconds === 0 ? 0 : Math.round(sent / seconds);
    objects.push({ object, ...found.counts, seconds: rounded(seconds), rowsASecond });
  }
  const certificate: Certificate = {
    point: reader.root.point,
    digest: entry.digest,
    org: { id: reader.root.org.id, name: reader.root.org.name },
    ...(request.onto ? { onto: request.onto.record.point! } : {}),
    ...(names.objects.length + names.exclude.length > 0 ? { selection: names } : {}),
    at: ctx.now().toISOString(),
    tool: request.tool,
    ok: problems.length === 0,
    totals: totals(objects),
    objects,
    notJudged: grouped(notJudged),
    measured,
    predicted: { seconds: header.predictedSeconds, apiCalls: header.apiCalls, basis: predictedBasis },
    cannotForesee: header.cannotForesee,
  };
  return { certificate, rung: rungOf(certificate, problems) };
}
