import type { Context } from '../../context.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { Keys } from '../../rows/cells.ts';
import { keepRows } from '../../rows/keep.ts';
import { projection } from '../../rows/project.ts';
import { RowSorter } from '../../rows/sort.ts';
import type { Extraction, Org } from '../../salesforce/org.ts';
import { blankableLookups } from '../../vault/dead-rows.ts';
import { KnownRows } from '../../vault/known-rows.ts';
import { newestRun } from '../../vault/layers.ts';
import type { MapPage, SegmentRef } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import { type Back, cameBack, isNews, newsSince, type PageOf, type Since } from './came-back.ts';
import { Changes } from './changes.ts';
import type { HiddenFields } from './hidden-fields.ts';
import type { JournalObject } from './journal.ts';
import { isObjectFault } from './object.ts';
import { refilledPage } from './page.ts';
import type { Parent } from './parents.ts';
import { storeSegments } from './segments.ts';
import type { Chosen } from './select.ts';

/**
 * When a row comes out of the recycle bin, the org fills the lookups again that its deletion emptied, and no stamp tells of it (field guide, extract 5.2). A row
 * that was read while its lookup was empty has to be read again.
 */

/** An object whose rows may refer to them, as this run has it so far. */
export interface Referring {
  readonly chosen: Chosen;
  /** Lookups that may name one of them, and those that they may name. */
  readonly lookups: readonly { readonly field: string; readonly ids: readonly string[] }[];
}

/** What was stored of an object's rows with refilled lookups. */
export interface Refilled {
  readonly rows: number;
  readonly deltas: readonly SegmentRef[];
  readonly detail: readonly Ref[];
}

/** So many rows out of the recycle bin are asked about along with other objects; of more, object by object. */
const fewIds = 200;

/** Objects of a run: those that it has journalled, and those of which nothing changed. */
interface Done {
  readonly finished: readonly JournalObject[];
  readonly same: readonly Parent[];
}

/** What a run has of one object by now. */
interface Held extends PageOf {
  readonly entry: JournalObject | undefined;
}

/**
 * Reads again what refers to rows that came out of the recycle bin, when everything else is read. `replace`: is told the entry of an object that takes the place
 * of what the run had of it.
 */
export async function refill(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  given: {
    readonly chosen: readonly Chosen[];
    readonly earlier: ReadonlyMap<string, Parent>;
    readonly hiddenFields: HiddenFields;
  },
  done: Done,
  replace: (held: Held, next: JournalObject) => Promise<void>,
): Promise<void> {
  const referring = await referringTo(ctx, writer, given, done);
  if (referring.length === 0) return;
  const read = await readRefilled(ctx, org, writer, referring);
  for (const [i, { to, asked, ...held }] of referring.entries()) {
    const { entry, parent } = held;
    const result = read[i]!;
    const { incomplete } = entry?.object ?? parent!.object;
    if ('reason' in result && (incomplete === 'failed' || incomplete === 'unproven')) continue;
    const [hidden] = entry ? [entry.hidden] : await given.hiddenFields.ask([to.chosen.describe]);
    const rows = 'reason' in result ? { rows: 0, deltas: [], detail: [] } : result;
    const before = { ...held, asked: 'reason' in result ? {} : asked };
    const made = await refilledPage(writer, before, rows, hidden!, ctx.signal);
    const next: JournalObject =
      'reason' in result
        ? { ...made, object: { ...made.object, complete: false, incomplete: 'unproven', reason: result.reason } }
        : made;
    await replace(held, next);
  }
}

/** Objects with lookups that may have been filled again, for what came back since they were last asked; and up to which run of the named object that is. */
async function referringTo(
  ctx: Context,
  writer: PointWriter,
  { chosen, earlier }: { readonly chosen: readonly Chosen[]; readonly earlier: ReadonlyMap<string, Parent> },
  done: Done,
): Promise<(Held & { readonly to: Referring; readonly asked: Record<string, string> })[]> {
  const held = new Map<string, Promise<Held | undefined>>();
  const heldOf = (object: string) => {
    const known = held.get(object) ?? holding(writer, object, earlier, done);
    held.set(object, known);
    return known;
  };
  const wanted: { chosen: Chosen; of: Held; since: Map<string, Since> }[] = [];
  const first = new Map<string, string>();
  for (const one of chosen) {
    const objects = new Set(fillable(one).flatMap((lookup) => lookup.objects));
    // Only an object that is built on can tell of rows as deleted and live again.
    const named = [...objects].filter((object) => earlier.has(object)).sort();
    const since = new Map<string, Since>();
    for (const object of named) {
      const other = await heldOf(object);
      if (!other || other.page.gone.length + (other.page.spent?.length ?? 0) === 0) continue;
      const of = await heldOf(one.describe.name);
      if (!of?.page.hasId || of.page.rows === 0) break;
      const news = newsSince(of, other);
      since.set(object, news);
      const before = first.get(object);
      if (before === undefined || news.after < before) first.set(object, news.after);
    }
    if (since.size > 0) wanted.push({ chosen: one, of: (await heldOf(one.describe.name))!, since });
  }
  const back = new Map<string, Back[]>();
  for (const [object, after] of first) {
    const { page } = (await heldOf(object))!;
    back.set(object, await cameBack(writer.vault, page, { run: writer.point, after }, ctx.signal));
  }
  const found = [];
  for (const { chosen: one, of, since } of wanted) {
    const news = new Map<string, string[]>();
    const asked: Record<string, string> = {};
    for (const [object, from] of since) {
      const ids = back.get(object)!.flatMap((row) => (isNews(row, from, writer.point) ? [row.id] : []));
      if (ids.length === 0) continue;
      news.set(object, ids);
      const { base, deltas, gone } = (await heldOf(object))!.page;
      asked[object] = newestRun([...base, ...deltas, ...gone]);
    }
    const lookups = fillable(one).flatMap(({ field, objects }) => {
      const ids = objects.flatMap((object) => news.get(object) ?? []);
      return ids.length === 0 ? [] : [{ field, ids }];
    });
    if (lookups.length > 0) found.push({ ...of, to: { chosen: one, lookups }, asked });
  }
  return found;
}

async function holding(
  writer: PointWriter,
  object: string,
  earlier: ReadonlyMap<string, Parent>,
  { finished, same }: Done,
): Promise<Held | undefined> {
  const entry = finished.find((one) => one.object.object === object);
  const unchanged = same.find((one) => one.object.object === object);
  const page = entry?.object.page ? await writer.vault.map(entry.object.page) : unchanged?.page;
  return page && { page, entry, parent: earlier.get(object) };
}

/** Lookups that the org fills again, and by which it can be asked. */
function fillable({
  describe,
  plan,
}: Chosen): readonly { readonly field: string; readonly objects: readonly string[] }[] {
  if (plan.way !== 'bulk' && plan.way !== 'rest') return [];
  const filterable = new Set(describe.fields.flatMap(({ name, filterable }) => (filterable === false ? [] : [name])));
  return blankableLookups(describe).filter(({ field }) => plan.fields.includes(field) && filterable.has(field));
}

/**
 * Reads the rows that refer to rows out of the recycle bin, and stores those that the page has with the same stamp; what was written since is read by the next
 * window. In the order of `referring`: what was stored, or why the org did not give it.
 */
export async function readRefilled(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  referring: readonly { readonly to: Referring; readonly page: MapPage }[],
): Promise<(Refilled | { readonly reason: string })[]> {
  const few = referring.filter(({ to }) => isFew(to));
  const begun: Extraction[] = await org.extractFew(
    few.map(({ to: { chosen, lookups } }) => ({
      object: chosen.describe.name,
      plan: chosen.plan,
      where: whereLive(chosen, lookups.map(({ field, ids }) => `${field} IN ('${ids.join("','")}')`).join(' OR ')),
      all: true,
      rowsExpected: fewIds,
    })),
  );
  const done: (Refilled | { readonly reason: string })[] = [];
  for (const one of referring) {
    ctx.signal.throwIfAborted();
    const started = few.indexOf(one);
    const flows = started >= 0 ? [begun[started]!] : one.to.lookups.map((lookup) => allThatName(org, one.to, lookup));
    try {
      done.push(await store(ctx, writer, one.to.chosen, one.page, flows));
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      done.push({ reason: `rows that refer to records out of the recycle bin were not read again: ${error.message}` });
    }
  }
  return done;
}

function isFew({ lookups }: Referring): boolean {
  return lookups.reduce((sum, { ids }) => sum + ids.length, 0) <= fewIds;
}

function allThatName(org: Org, { chosen }: Referring, { field, ids }: Referring['lookups'][number]) {
  const { describe, plan } = chosen;
  return org.matching(describe, { field, values: ids, where: whereLive(chosen) }, plan.fields, { all: true });
}

/** A condition that archived rows meet too, and those of the recycle bin do not. */
function whereLive({ plan }: Chosen, further?: string): string | undefined {
  const live = plan.fields.includes('IsDeleted') ? 'IsDeleted = false' : undefined;
  return live && further ? `${live} AND (${further})` : (live ?? further);
}

async function store(
  ctx: Context,
  writer: PointWriter,
  { describe, plan }: Chosen,
  page: MapPage,
  flows: readonly { readonly columns: readonly string[]; readonly batches: AsyncIterable<RowBatch> }[],
): Promise<Refilled> {
  const keys = new Keys(plan.fields);
  const sorter = new RowSorter(keys, { tempDir: ctx.tempDir, signal: ctx.signal });
  const changes = new Changes();
  try {
    for (const { columns, batches } of flows) {
      const toColumns = projection(columns, plan.fields);
      for await (const batch of batches) {
        // A row that names several of them is found by each of its lookups.
        const projected = toColumns(batch);
        const fresh = keepRows(projected, (row) => !changes.isLive(keys.id(projected, row)));
        changes.live(fresh, keys);
        await sorter.add(fresh);
      }
    }
    if (changes.size === 0) return { rows: 0, deltas: [], detail: [] };
    await changes.lookUp(new KnownRows(writer.vault, page, ctx.signal));
    const times: number[] = [];
    const flow = known(sorter.sorted(), keys, changes, times);
    const { segments, detail } = await storeSegments(writer, describe.name, plan.fields, flow, ctx.signal);
    const rows = segments.reduce((sum, one) => sum + one.rows, 0);
    // A later window that replaces this delta has to reach back to the oldest row in it.
    const read = { from: new Date(Math.min(...times, Date.parse(page.watermark))).toISOString(), to: page.watermark };
    return { rows, deltas: segments.map((segment) => ({ ...segment, read })), detail };
  } finally {
    await sorter.remove();
  }
}

/** Rows that the page has with the same stamp; `times` gets the lowest stamp of each batch, in milliseconds. */
async function* known(batches: AsyncIterable<RowBatch>, keys: Keys, changes: Changes, times: number[]) {
  let cut = true;
  for await (const batch of batches) {
    let low = Number.POSITIVE_INFINITY;
    const kept = keepRows(batch, (row) => {
      const stamp = Date.parse(keys.stamp(batch, row)) || 1;
      const same = changes.stampOf(keys.id(batch, row)) === stamp;
      if (same) low = Math.min(low, stamp);
      return same;
    });
    if (kept.ends.length === 0) continue;
    times.push(low);
    yield { batch: kept, cut };
    cut = false;
  }
}
