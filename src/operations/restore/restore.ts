import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import type { Org } from '../../salesforce/org.ts';
import { restorePattern } from '../../vault/layout.ts';
import type { LogEntry } from '../../vault/log.ts';
import { PointReader } from '../../vault/point-reader.ts';
import { findRestores, type RestoreFound, type RestorePlace, readRestore } from '../../vault/restores.ts';
import type { Vault } from '../../vault/vault.ts';
import { findPoint } from '../points.ts';
import { applyPlan, beginRestore, findOut, planOf, resumeRestore } from './apply/apply.ts';
import { type ApplyResult, makeFolder } from './apply/report.ts';
import { earlierDigest, earlierRestores, readable, remadeRows } from './earlier-restores.ts';
import { assertBefore, assertPlanFits, assertRoom, assertWhole } from './guards.ts';
import { makePlan } from './make-plan.ts';
import { type FieldLeftOut, type Plan, type Step, steps, type Withheld, writesAnything } from './plan.ts';
import { planDigest } from './plan-file.ts';
import { pointSource } from './point-source.ts';
import { type Asked, knownNames, restoreRequest } from './request.ts';
import { automationOf, bypassIn, healRestore, leftSwitchedOn } from './switched.ts';
import { valueSource } from './value-source.ts';

export { restorePlace } from '../../vault/restores.ts';
export { assertPointOf } from './guards.ts';
export { assertPlanFile, readPlanFile, writePlanFile } from './plan-file.ts';
export { assertBypass, healAutomation } from './switched.ts';

/** A plan that may be applied: everything that can be known beforehand was found to be right. */
export interface Planned {
  readonly plan: Plan;
  readonly digest: string;
  readonly reader: PointReader;
}

/** `result` of `salvor restore --json`. */
export interface RestoreResult {
  readonly restoreId: string | null;
  readonly dryRun: boolean;
  /** False: it had to stop, and can go on. */
  readonly ended: boolean;
  readonly undoes?: string;
  readonly plan: {
    readonly digest: string;
    readonly point: string;
    readonly predictedSeconds: number;
    readonly apiCalls: number;
    readonly steps: readonly Step[];
  };
  readonly done: ApplyResult['done'];
  readonly idMapFile: string | null;
  readonly failedFile: string | null;
  readonly conflicts: ApplyResult['conflicts'];
  readonly withheld: readonly Withheld[];
  readonly leftOut: readonly FieldLeftOut[];
  readonly cannotForesee: readonly string[];
}

/** What came out, and why the exit code is not 0 although work was done. */
export interface Restored {
  readonly result: RestoreResult;
  readonly fault?: Fault;
}

export interface RestoreOptions {
  readonly maxErrors?: number;
  /** Where the lists of Ids and of failed rows are written. */
  readonly folder?: string;
  readonly bypass?: string;
  /** A connection to the org that still works when the run is stopped: the bypass is switched back by it. */
  readonly lasting?: Org;
}

/**
 * The plan of a request, or the one that was read from a file, checked against the point, the vault and the org. Throws `point-partial`,
 * `storage-short`, `api-budget`, `plan-stale`, `wrong-target`, and what `makePlan` throws.
 */
export async function planRestore(
  ctx: Context,
  given: {
    readonly vault: Vault;
    readonly place: RestorePlace;
    readonly org: Org;
    /** Of a plan from a file: its point; else a name. */
    readonly point: string;
    readonly acceptPartial: boolean;
  },
  what: { readonly plan: Plan } | { readonly asked: Asked },
): Promise<Planned> {
  const { vault, place, org } = given;
  const entry = await findPoint(ctx, vault, given.point);
  const reader = await PointReader.open(vault, entry);
  const plan = 'plan' in what ? what.plan : await newPlan(ctx, { vault, place, org, entry, reader }, what.asked);
  if ('plan' in what) await assertPlanFits(plan, vault, entry, org);
  assertWhole(reader, plan, given.acceptPartial);
  assertRoom(plan, await org.writer.limits());
  return { plan, digest: planDigest(plan), reader };
}

async function newPlan(
  ctx: Context,
  given: { vault: Vault; place: RestorePlace; org: Org; entry: LogEntry; reader: PointReader },
  asked: Asked,
): Promise<Plan> {
  const request = restoreRequest(asked);
  const related = knownNames(asked, await given.reader.describes());
  const { incident } = asked;
  if (incident) {
    assertBefore(given.reader, incident, ctx.now());
    const { point, ended } = given.reader.root;
    if (Number.isFinite(incident.from) && incident.from < Date.parse(ended)) {
      const message = `point ${point} ended ${ended}, when the incident had begun: damage that it holds is not put back`;
      ctx.report({ type: 'warning', name: 'point-late', message });
    }
  }
  const earlier = await earlierRestores(given.place, given.org, ctx.now());
  if (incident && !incident.after) tellUndone(ctx, earlier, incident.from);
  const remade = await remadeRows(ctx, earlier);
  return makePlan(ctx, { ...given, remade, restores: earlierDigest(earlier) }, { ...request, related });
}

/** What an undo put back carries its stamp, not the incident's: no point after the incident, and nobody knows that it is the same value. */
function tellUndone(ctx: Context, earlier: Awaited<ReturnType<typeof earlierRestores>>, from: number): void {
  const since = earlier.filter(({ one }) => Date.parse(one.beginning.started) >= from);
  const { restore } = since.findLast(({ one }) => one.beginning.undoes !== undefined)?.one ?? {};
  if (restore === undefined) return;
  const message = `what ${restore} put back when it undid a restore no longer looks like the incident: name a point that shows the damage with --after, or take all differences with --overwrite`;
  ctx.report({ type: 'warning', name: 'incident-undone', message });
}

/** Applies a plan. Resolves also when it had to stop: the fault then says why, and that the same restore can go on. */
export async function runRestore(
  ctx: Context,
  given: {
    readonly place: RestorePlace;
    readonly org: Org;
    readonly planned: Planned;
    readonly options: RestoreOptions;
  },
): Promise<Restored> {
  const { place, org, planned, options } = given;
  await makeFolder(options.folder);
  const automation = writesAnything(planned.plan) ? await automationOf(ctx, org, options) : undefined;
  const journal = await beginRestore(ctx, place, planned, { org });
  const source = pointSource(planned.reader);
  const applied = await applyPlan(ctx, { plan: planned.plan, source, org, journal, place, options, automation });
  return restored(planned.plan, planned.digest, applied);
}

/** Goes on with a restore that was interrupted. Throws what `resumeRestore` throws. */
export async function goOn(
  ctx: Context,
  given: {
    readonly vault: Vault;
    readonly place: RestorePlace;
    readonly org: Org;
    readonly restore: RestoreFound;
    readonly options: RestoreOptions;
  },
): Promise<Restored> {
  const { vault, place, org, restore, options } = given;
  await makeFolder(options.folder);
  const read = await readRestore(place, restore.restore, ctx.now());
  const plan = await planOf(place, read);
  await assertPlanFits(plan, vault, await findPoint(ctx, vault, plan.header.point.id), org);
  const bypass = options.bypass ?? bypassIn(read.entries);
  const automation = await automationOf(ctx, org, { ...options, bypass }, leftSwitchedOn(read.entries));
  const source = await valueSource(ctx, vault, place, restore.beginning);
  const applied = await resumeRestore(ctx, { place, org, restore: restore.restore, source, options, automation });
  const { result, ...more } = restored(plan, restore.beginning.planDigest, applied);
  const { undoes } = restore.beginning;
  return { result: undoes === undefined ? result : { ...result, undoes }, ...more };
}

/** What a run is asked to do, to find out whether an interrupted restore was asked the same. */
export type SameWork =
  | { readonly plan: Plan }
  | { readonly asked: Record<string, unknown>; readonly point: string | undefined };

/**
 * The interrupted restore that this run goes on with: the one that was named, or the one into the org that was asked for the same. Undefined: there
 * is none, and a new one may begin. Throws `no-such-restore`, and `restore-unfinished` when there is another.
 */
export async function unfinishedRestore(
  ctx: Context,
  place: RestorePlace,
  org: Org,
  named: string | undefined,
  what: SameWork,
): Promise<RestoreFound | undefined> {
  const all = await findRestores(place, ctx.now());
  const here = all.filter(({ beginning }) => beginning.org.slice(0, 15) === org.identity.orgId.slice(0, 15));
  if (named !== undefined) {
    const id = theOneNamed(
      here.map(({ restore }) => restore),
      named,
    );
    const found = here.find(({ restore }) => restore === id);
    if (!found) throw new Fault('no-such-restore', `there is no restore ${named} into ${org.identity.orgId}`);
    return found;
  }
  const open = here.filter(({ state }) => state === 'interrupted');
  for (const one of open) if (await readable(ctx, () => isSame(ctx, place, one, what), false)) return one;
  if (open.length === 0) return undefined;
  const { restore, beginning } = open[0]!;
  throw new Fault(
    'restore-unfinished',
    `restore ${restore} into this org, of point ${beginning.point}, has not ended`,
    {
      actions: [
        `go on with it: salvor restore --resume ${restore}`,
        `or take back what it did: salvor undo ${restore}`,
        `or leave it as it stands: salvor restore --end ${restore}`,
      ],
      data: { restore },
    },
  );
}

/** The id of the restore that a person names, by it or by a beginning with its date that no other has; `named` itself when there is none such. Throws `no-such-restore`. */
export async function restoreNamed(ctx: Context, place: RestorePlace, named: string): Promise<string> {
  if (restorePattern.test(named)) return named;
  const all = await findRestores(place, ctx.now());
  return theOneNamed(
    all.map(({ restore }) => restore),
    named,
  );
}

const dated = /^R\d{8}/;

function theOneNamed(all: readonly string[], named: string): string {
  const fitting = all.filter((restore) => dated.test(named) && restore.startsWith(named));
  if (fitting.length < 2 || fitting.includes(named)) return fitting.length === 1 ? fitting[0]! : named;
  throw new Fault('no-such-restore', `${named} fits ${fitting.length} restores: ${fitting.slice(0, 3).join(', ')} …`);
}

/** The undo of a restore that has not ended: another one would take back what it has done. Throws `lease-held` while it is at work, or may be. */
export async function openUndo(ctx: Context, place: RestorePlace, undone: string): Promise<RestoreFound | undefined> {
  const all = await findRestores(place, ctx.now());
  const open = all.find(({ state, beginning }) => state !== 'ended' && beginning.undoes === undone);
  if (open?.heldBy)
    throw new Fault('lease-held', `undo ${open.restore} is at work on ${open.heldBy.host} since ${open.heldBy.at}`);
  return open;
}

/**
 * Ends a restore that was interrupted as it stands: what it did stays, is known to later restores, and can be undone. Throws `no-such-restore`,
 * `lease-held`.
 */
export async function endRestore(
  ctx: Context,
  given: { readonly vault: Vault; readonly place: RestorePlace; readonly org: Org; readonly restore: RestoreFound },
): Promise<void> {
  const { vault, place, org, restore } = given;
  if (restore.state === 'ended') return;
  await healRestore(ctx, place, org, restore.restore);
  const source = await valueSource(ctx, vault, place, restore.beginning);
  await findOut(ctx, { place, restore: restore.restore, source, org }, true);
}

async function isSame(ctx: Context, place: RestorePlace, found: RestoreFound, what: SameWork): Promise<boolean> {
  if ('plan' in what) return planDigest(what.plan) === found.beginning.planDigest;
  const { header } = await planOf(place, await readRestore(place, found.restore, ctx.now()));
  const { point: _, ...asked } = JSON.parse(JSON.stringify(what.asked));
  const { point, ...request } = header.request;
  const samePoint = what.point === undefined || what.point === point || header.point.id.startsWith(what.point);
  return samePoint && isDeepStrictEqual(asked, request);
}

/** The result of a plan that is only shown. */
export function dryRunResult({ plan, digest }: Pick<Planned, 'plan' | 'digest'>): RestoreResult {
  return { ...resultOf(plan, digest), dryRun: true };
}

function resultOf({ header, objects }: Pick<Plan, 'header' | 'objects'>, digest: string): RestoreResult {
  const { point, predictedSeconds, apiCalls, withheld, leftOut, cannotForesee } = header;
  return {
    restoreId: null,
    dryRun: false,
    ended: true,
    plan: { digest, point: point.id, predictedSeconds, apiCalls, steps: steps({ objects }) },
    done: {},
    idMapFile: null,
    failedFile: null,
    conflicts: objects.flatMap(({ object, rows }) =>
      [...rows.of('conflict')].map(({ id, fields, reason = '' }) => ({ object, id, fields, reason })),
    ),
    withheld,
    leftOut,
    cannotForesee,
  };
}

/** The result with why it is not whole, most serious first. */
export function restored(plan: Plan, digest: string, applied: ApplyResult): Restored {
  const { restoreId, done, conflicts, failed, failedFile, idMapFile, stopped, unwritten } = applied;
  const result: RestoreResult = {
    ...resultOf(plan, digest),
    restoreId,
    done,
    conflicts,
    ended: stopped === undefined,
    leftOut: [...plan.header.leftOut, ...notWritten(applied.leftOut)],
    failedFile: failedFile ?? null,
    idMapFile: idMapFile ?? null,
  };
  const fault =
    stopped ??
    unwritten ??
    rowsFailed(failed.length, failedFile) ??
    rowsWithheld(plan.header.withheld) ??
    valuesStay(plan) ??
    valuesNotWritten(applied.leftOut) ??
    rowsKept(conflicts.length);
  return fault ? { result, fault } : { result };
}

/** Fields that the plan meant to write and that were not written. */
function notWritten(leftOut: ApplyResult['leftOut']): FieldLeftOut[] {
  const reason = 'not written: the org refused the field, or what it refers to could not be restored';
  return Object.entries(leftOut).map(([name, rows]) => {
    const [object = '', field = ''] = name.split('.');
    return { object, field, code: 'not-written', reason, rows };
  });
}

function rowsFailed(count: number, file: string | undefined): Fault | undefined {
  if (count === 0) return undefined;
  return new Fault(
    'rows-failed',
    `${count} rows could not be restored${file === undefined ? '' : `; they stand in ${file}`}`,
  );
}

function rowsWithheld(withheld: readonly Withheld[]): Fault | undefined {
  const own = withheld.filter(({ code }) => code !== 'made-by-platform');
  if (own.length === 0) return undefined;
  const { object, id, reason } = own[0]!;
  return new Fault(
    'rows-failed',
    `${own.length} rows cannot be restored, as the plan said: ${object} ${id} (${reason})`,
  );
}

function valuesNotWritten(leftOut: ApplyResult['leftOut']): Fault | undefined {
  const fields = Object.entries(leftOut);
  if (fields.length === 0) return undefined;
  const [name, rows] = fields[0]!;
  return new Fault('rows-failed', `values of ${fields.length} fields could not be written: ${name} in ${rows} rows`);
}

/** What was to be put back and stays, since the point has nothing there. */
function valuesStay({ header }: Plan): Fault | undefined {
  const stay = header.leftOut.filter(({ code }) => code === 'emptied');
  if (stay.length === 0) return undefined;
  const { object, field, rows } = stay[0]!;
  const more = stay.length > 1 ? `, and those of ${stay.length - 1} more fields` : '';
  return new Fault(
    'rows-kept',
    `${object}.${field} of ${rows} ${rows === 1 ? 'row' : 'rows'} stays as it is, since the point has nothing there${more}`,
    { actions: ['clear them too with --write-nulls, or --fields with their names'] },
  );
}

function rowsKept(count: number): Fault | undefined {
  if (count === 0) return undefined;
  return new Fault(
    'rows-kept',
    `${count} ${count === 1 ? 'row was' : 'rows were'} kept, since somebody changed ${count === 1 ? 'it' : 'them'}`,
  );
}
