import { randomBytes } from 'node:crypto';
import type { Context } from '../../../context.ts';
import { Fault, isFault } from '../../../errors.ts';
import type { Org } from '../../../salesforce/org.ts';
import { Restore } from '../../../vault/restore.ts';
import { type RestorePlace, readRestore, readTable } from '../../../vault/restores.ts';
import { assertNoneSince } from '../guards.ts';
import type { Plan } from '../plan.ts';
import { planChunks, planDigest, readPlan } from '../plan-file.ts';
import { imageAll } from './before-images.ts';
import { deleteRows } from './delete-rows.ts';
import { type Step, steps } from './entries.ts';
import { ownCodes } from './errors.ts';
import { insertRows } from './insert-rows.ts';
import { replay } from './replay.ts';
import { type ApplyResult, endJournal, report } from './report.ts';
import { undeleteRows } from './undelete-rows.ts';
import { updateRows } from './update-rows.ts';
import { type ApplyOptions, type ValueSource, Work } from './work.ts';

export interface ApplyRequest {
  readonly plan: Plan;
  readonly source: ValueSource;
  readonly org: Org;
  /** Begun with this plan (`beginRestore`). */
  readonly journal: Restore;
  readonly place: RestorePlace;
  readonly options?: ApplyOptions;
  /** The org's automation, switched off for the user while rows are written, and back again whatever happens. */
  readonly automation?: { off(journal: Restore): Promise<void>; back(journal: Restore): Promise<void> };
}

/**
 * Begins a restore in the vault: lease, plan, signed record. Nothing is written to the org yet. `digest`: of the plan. `undoes`: the restore that
 * this one puts back. `org`: it must not have been written to by another restore since. Throws `lease-held`, `plan-stale`.
 */
export function beginRestore(
  ctx: Context,
  place: RestorePlace,
  { plan, digest }: { readonly plan: Plan; readonly digest: string },
  { undoes, org: into }: { readonly undoes?: string; readonly org?: Org } = {},
): Promise<Restore> {
  const { org, point, tool } = plan.header;
  const beginning = { org: org.id, point: point.id, planDigest: digest, tool, ...(undoes ? { undoes } : {}) };
  const assertCurrent = async () => into && assertNoneSince(plan, place, into, ctx.now());
  return Restore.begin(place, beginning, asAsync(planChunks(plan, digest)), ctx.now, randomBytes(3), assertCurrent);
}

/**
 * Does what a plan says. Resolves also when it had to stop (`stopped` says why); what is journaled is never done again by `resumeRestore`.
 * Anything that is no Fault is thrown.
 */
export async function applyPlan(ctx: Context, request: ApplyRequest): Promise<ApplyResult> {
  const { options = {}, automation, ...parts } = request;
  return run(await openWork(ctx, parts, request.journal, options), automation);
}

/**
 * Goes on with a restore that was interrupted, from its journal alone. `source`: for the point that the journal names. Throws `no-such-restore`,
 * `journal-damaged`, `lease-held`, `usage` when it has ended.
 */
export async function resumeRestore(
  ctx: Context,
  request: Omit<ApplyRequest, 'plan' | 'journal'> & { readonly restore: string },
): Promise<ApplyResult & { readonly plan: Plan }> {
  const { place, source, restore, org, options = {} } = request;
  const read = await readRestore(place, restore, ctx.now());
  if (read.state === 'ended') throw new Fault('usage', `restore ${restore} has ended: there is nothing to go on with`);
  if (read.heldBy) {
    throw new Fault('lease-held', `restore ${restore} is at work on ${read.heldBy.host} since ${read.heldBy.at}`);
  }
  if (read.beginning.org.slice(0, 15) !== org.identity.orgId.slice(0, 15)) {
    throw new Fault('wrong-target', `restore ${restore} writes to another org than ${org.identity.orgId}`);
  }
  const plan = await planOf(place, read);
  for (const message of read.problems) ctx.report({ type: 'warning', name: 'journal', message });
  const journal = await Restore.goOn(place, read, ctx.now);
  const work = await openWork(ctx, { plan, source, org, place }, journal, options);
  return { ...(await run(work, request.automation, () => replay(work, read))), plan };
}

/**
 * Finds out what became of everything that an interrupted restore had announced, and does nothing more of it. `end`: the restore counts as ended
 * afterwards, and cannot go on. Throws as `resumeRestore`.
 */
export async function findOut(
  ctx: Context,
  request: Pick<ApplyRequest, 'source' | 'org' | 'place'> & { readonly restore: string },
  end: boolean,
): Promise<void> {
  const { place, restore, ...parts } = request;
  const read = await readRestore(place, restore, ctx.now());
  if (read.heldBy) throw new Fault('lease-held', `restore ${restore} is at work on ${read.heldBy.host}`);
  const plan = await planOf(place, read);
  const journal = await Restore.goOn(place, read, ctx.now);
  const work = await openWork(ctx, { ...parts, place, plan }, journal, {});
  try {
    await replay(work, read);
    if (end) await endJournal(work);
  } finally {
    if (!end) await journal.release(ctx.now);
  }
}

/** The plan that a restore was begun with. Throws `plan-edited` when it is not that one. */
export async function planOf(place: RestorePlace, read: Awaited<ReturnType<typeof readRestore>>): Promise<Plan> {
  const table = read.entries[0]?.tables.find(({ name }) => name === 'plan');
  if (!table) throw new Fault('journal-damaged', `the journal of ${read.restore} lacks its plan`);
  const plan = await readPlan(`the plan of ${read.restore}`, readTable(place, table));
  if (planDigest(plan) === read.beginning.planDigest) return plan;
  throw new Fault('plan-edited', `the plan of ${read.restore} is not the one that it was begun with`);
}

async function openWork(
  ctx: Context,
  parts: { plan: Plan; source: ValueSource; org: Org; place: RestorePlace },
  journal: Restore,
  options: ApplyOptions,
): Promise<Work> {
  try {
    const { plan, source, org, place } = parts;
    return await Work.open({ ctx, plan, source, org, place, journal, options });
  } catch (error) {
    await letGo(journal, ctx);
    throw error;
  }
}

async function run(
  work: Work,
  automation: ApplyRequest['automation'],
  first: () => Promise<void> = async () => {},
): Promise<ApplyResult> {
  const { ctx, journal } = work;
  try {
    await first();
    try {
      await automation?.off(journal);
      await allSteps(work);
    } finally {
      await automation?.back(journal);
    }
    await endJournal(work);
    return await report(work);
  } catch (error) {
    await letGo(journal, ctx);
    if (!isFault(error)) throw error;
    return report(work, error);
  }
}

/** A lease that cannot be let go runs out by itself; what went wrong before is what has to be told. */
async function letGo(journal: Restore, ctx: Context): Promise<void> {
  await journal.release(ctx.now).catch(() => undefined);
}

/** The steps in their order; what the journal has done already is not done again. */
async function allSteps(work: Work): Promise<void> {
  const stage = (name: string, ...of: Step[]) => {
    const isNeeded = work.ordered.some(({ object }) => of.some((step) => work.state.pendingCount(object, step) > 0));
    if (isNeeded) work.ctx.report({ type: 'stage', stage: name });
  };
  stage('Keeping before-images', 'update', 'delete');
  await imageAll(work);
  stage('Undeleting', 'undelete');
  await undeleteRows(work);
  stage('Inserting', 'insert');
  await insertRows(work, false);
  stage('Updating', 'later', 'update');
  await updateAll(work, 'later', false);
  await updateAll(work, 'update', false);
  stage('Trying again what failed', 'insert', 'later', 'update');
  await insertRows(work, true);
  await updateAll(work, 'later', true);
  await updateAll(work, 'update', true);
  stage('Activating', 'activate');
  await updateAll(work, 'activate', true);
  stage('Deleting', 'delete');
  await deleteRows(work);
  await failLeftovers(work);
}

/** Every row is accounted for: what no step could take up has failed. */
async function failLeftovers(work: Work): Promise<void> {
  const message = 'the values to be written are not there';
  for (const o of work.ordered) {
    for (const step of steps) {
      const left = [...work.state.pendingRows(o.object, step)];
      await work.settle(
        o,
        step,
        left.map(({ id }) => ({ id, kind: 'failed', code: ownCodes.notInSource, message })),
      );
    }
  }
}

async function updateAll(work: Work, step: Step, final: boolean): Promise<void> {
  for (const o of work.ordered) await updateRows(work, o, step, final);
}

async function* asAsync(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}
