import type { Context } from '../../context.ts';
import type { Extraction, Org, Standing } from '../../salesforce/org.ts';
import { schemaPrint } from '../../schema/print.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Cascades } from './cascades.ts';
import { type Counted, judgeCount, type Verdict } from './completeness.ts';
import { Delta, type DeltaRead, windowRequest } from './delta.ts';
import { isObjectFault } from './object.ts';
import type { Parent } from './parents.ts';
import type { Chosen } from './select.ts';
import { columnsMoved } from './stamp.ts';
import { beginning, type Layering, overlapMs, type Window, wantsBase, wasSetBack, windowOf } from './window.ts';

/** An object that a run can build on. */
export interface Known {
  readonly chosen: Chosen;
  readonly parent: Parent;
}

/**
 * What became of it: nothing that its parent does not say, or a delta. `anew`: it could not be read by what changed, and a full read tells more.
 */
export type Outcome =
  | { readonly kind: 'same' }
  | { readonly kind: 'anew' }
  | {
      readonly kind: 'delta';
      readonly window: Window;
      readonly read: DeltaRead;
      readonly counted: Counted;
      readonly verdict: Verdict;
    };

/** Hard deletions that happen to leave the count as it was are found so late at the latest (vault format 5). */
const reconcileMs = 7 * 24 * 3_600_000;
/** A window that shows so many rows, all of them known, is moved on, so that the next run need not read them again. */
const manyKnown = 200;
/** Windows with so many rows at most are read several to a call: their answers are in memory together. */
const fewRows = 200;

/** True when the object's page can be gone on from, by what is known without asking for rows. */
export function canGoOn(
  { parent: { page }, chosen: { describe, plan, rowsOut } }: Known,
  layering?: Layering,
): boolean {
  // Rows that another condition let in or kept out did not change.
  if (page.kept !== rowsOut?.kept) return false;
  return !plan.whole && !wantsBase(page, layering) && !columnsMoved(page, describe, plan.fields).anew;
}

/**
 * Reads what changed of some objects since their parents, and stores it. By few calls: how many rows each has and when the last was touched tells of
 * most that nothing changed. What the live count does not agree with is settled by all Ids.
 */
export async function readChanged(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  objects: readonly Known[],
  expected: (chosen: Chosen) => number | undefined,
  cascades: Cascades,
  layering?: Layering,
): Promise<Outcome[]> {
  const { now, toRead, blind } = await changesSince(org, objects, layering);
  for (const what of blind) {
    const reason = "the org's clock was set back since: stamps do not tell what changed, and all rows are read";
    ctx.report({ type: 'retry', what, attempt: 1, waitMs: 0, reason });
  }
  const begun = await beginFew(org, toRead);
  const outcomes = new Map<Parent, Outcome>();
  for (const one of toRead) {
    ctx.signal.throwIfAborted();
    const rowsExpected = one.inWindow ?? one.standing?.rows ?? expected(one.chosen);
    ctx.report({ type: 'object-started', object: one.chosen.describe.name, way: one.chosen.plan.way, rowsExpected });
    const reading = { rowsExpected, begun: begun.get(one.parent) };
    outcomes.set(one.parent, await readOne(ctx, org, writer, one, now, reading, cascades));
  }
  return objects.map(({ parent }) => outcomes.get(parent) ?? { kind: blind.has(parent.page.object) ? 'anew' : 'same' });
}

interface ToRead extends Known {
  readonly standing: Standing | undefined;
  readonly window: Window;
  /** Rows stamped in it, those that the policy leaves out too; undefined: the org does not count them. */
  readonly inWindow: number | undefined;
  /** True: so few that they are read along with others. */
  readonly few: boolean;
}

/**
 * Which of some objects changed since their parents, and how many rows of each: by two calls for five objects. `blind`: names of those of which that
 * cannot be told.
 */
export async function changesSince(
  org: Org,
  known: readonly Known[],
  layering?: Layering,
): Promise<{ readonly now: Date; readonly toRead: readonly ToRead[]; readonly blind: ReadonlySet<string> }> {
  const now = await org.serverTime();
  const blind = new Set(known.flatMap(({ parent: { page } }) => (wasSetBack(page, now) ? [page.object] : [])));
  const objects = known.filter(({ parent }) => !blind.has(parent.page.object));
  const standings = await org.standings(
    objects.map(({ chosen: { describe, rowsOut }, parent: { page } }) => ({
      object: describe,
      stamp: page.stamp!,
      where: rowsOut?.kept,
    })),
  );
  const open = objects.flatMap((one, i) => {
    if (isSame(one, standings[i], now)) return [];
    const { chosen, parent } = one;
    const window = windowOf(parent.page, now, columnsMoved(parent.page, chosen.describe, chosen.plan.fields), layering);
    return [{ ...one, standing: standings[i], window }];
  });
  const counts = await org.counts(
    open.map(({ chosen: { describe }, parent: { page } }) => ({ object: describe, since: beginning(page) })),
  );
  const toRead = open.map((one, i) => {
    const { replaces, keepsAll } = one.window;
    const inWindow = counts[i];
    // Those windows hold other rows too than were counted.
    const few = !replaces && !keepsAll && inWindow !== undefined && inWindow <= fewRows;
    return { ...one, inWindow, few };
  });
  return { now, toRead, blind };
}

/** Begins the windows of few rows, five to a call. */
async function beginFew(org: Org, toRead: readonly ToRead[]): Promise<Map<Parent, Extraction>> {
  const few = toRead.flatMap((one) => {
    const { parent, inWindow: rowsExpected } = one;
    return one.few ? [{ parent, request: { ...windowRequest(one.chosen, one.window), rowsExpected } }] : [];
  });
  const extractions = await org.extractFew(few.map(({ request }) => request));
  return new Map(few.map(({ parent }, i) => [parent, extractions[i]!]));
}

/** Nothing was touched since well before the page's watermark, and no row is missing. */
function isSame({ chosen, parent: { page } }: Known, standing: Standing | undefined, now: Date): boolean {
  if (!standing || standing.rows !== page.rows || isDue(page, now)) return false;
  if (saysOther(page, chosen)) return false;
  return standing.newest === undefined || standing.newest < beginning(page);
}

/** The object is described otherwise by now, or other fields of it are wanted. */
function saysOther({ schema, columns }: Parent['page'], { describe, plan }: Chosen): boolean {
  const wanted = new Set(plan.fields);
  const fieldsMoved = columns.length !== wanted.size || !columns.every((name) => wanted.has(name));
  return fieldsMoved || schema.print !== schemaPrint(describe);
}

export function isDue(page: Parent['page'], now: Date): boolean {
  return now.getTime() - Date.parse(page.reconciled ?? baseTime(page)) > reconcileMs;
}

/** When the base was read: all Ids were seen then. */
function baseTime({ deltas, window, watermark }: Parent['page']): string {
  return deltas[0]?.read?.from ?? window.from ?? watermark;
}

async function readOne(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  { chosen, parent, standing, window }: ToRead,
  now: Date,
  { rowsExpected, begun }: { readonly rowsExpected: number | undefined; readonly begun: Extraction | undefined },
  cascades: Cascades,
): Promise<Outcome> {
  const { describe } = chosen;
  const { page } = parent;
  const delta = new Delta(ctx, org, writer, { chosen, parent }, window, cascades);
  try {
    if (!(await delta.read(rowsExpected, begun))) return { kind: 'anew' };
    if (isDue(page, now)) await delta.reconcile();
    let { counted, verdict } = await proof(org, chosen, delta.rows, standing?.rows ?? null, window);
    if (!verdict.complete) {
      ctx.report({ type: 'retry', what: describe.name, attempt: 1, waitMs: 0, reason: verdict.reason! });
      await delta.reconcile();
      ({ counted, verdict } = await proof(org, chosen, delta.rows, null, window));
    }
    const read = await delta.store(writer);
    if (isNothing(read) && verdict.complete && !movesOn(parent, chosen, standing, read, window))
      return { kind: 'same' };
    return { kind: 'delta', window, read, counted, verdict };
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    ctx.report({ type: 'retry', what: describe.name, attempt: 1, waitMs: 0, reason: error.message });
    return { kind: 'anew' };
  } finally {
    await delta.remove();
  }
}

/** Whether the rows are all that the org has. `before`: what it counted before they were read; asked once more when that does not agree. */
async function proof(
  org: Org,
  { describe, rowsOut }: Chosen,
  rows: number,
  before: number | null,
  window: Window,
): Promise<{ counted: Counted; verdict: Verdict }> {
  if (before === rows) return { counted: { before, after: null, changes: null }, verdict: { complete: true } };
  const since = new Date(window.to.getTime() - 1000);
  const [after, changes] = await org.counts([
    { object: describe, where: rowsOut?.kept },
    { object: describe, since },
  ]);
  const counted = { before, after: after ?? null, changes: changes ?? null };
  return { counted, verdict: judgeCount(rows, counted) };
}

function isNothing({ deltas, gone }: DeltaRead): boolean {
  return deltas.length === 0 && gone.length === 0;
}

/** The page is written anew although its rows are the same: it says something else, or the next window would show the same rows again. */
function movesOn(
  { page }: Parent,
  chosen: Chosen,
  standing: Standing | undefined,
  read: DeltaRead,
  { to, replaces }: Window,
): boolean {
  if (replaces || read.reconciled !== undefined || saysOther(page, chosen)) return true;
  const quiet = standing?.newest !== undefined && standing.newest.getTime() < to.getTime() - overlapMs;
  return quiet && read.summary.rows >= manyKnown;
}
