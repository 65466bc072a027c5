import type { Context } from '../../context.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { Keys, rowStart } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import { keepRows } from '../../rows/keep.ts';
import { projection } from '../../rows/project.ts';
import { RowSorter } from '../../rows/sort.ts';
import type { Extraction, Org } from '../../salesforce/org.ts';
import { blankableLookups, DeadRows } from '../../vault/dead-rows.ts';
import { indexKeys, KnownRows } from '../../vault/known-rows.ts';
import type { MapPage, SegmentRef } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import type { Vault } from '../../vault/vault.ts';
import { Changes } from './changes.ts';
import { isObjectFault } from './object.ts';
import { storeSegments } from './segments.ts';
import type { Chosen } from './select.ts';

/**
 * When a row comes out of the recycle bin, the org fills the lookups again that its deletion emptied, and no stamp tells of it (field guide, extract 5.2). A row
 * that was read while its lookup was empty has to be read again.
 */

/** Rows that came out of the recycle bin, and the object that they are of. */
export interface Revived {
  readonly object: string;
  /** 18 characters. */
  readonly ids: readonly string[];
}

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

/** Of rows that a full read found live, those that the page before it had in the recycle bin. The writer key or an identity is enough. */
export async function revivedSince(
  vault: Vault,
  before: MapPage,
  base: readonly SegmentRef[],
  signal: AbortSignal,
): Promise<string[]> {
  const dead = new DeadRows();
  await dead.add(vault, before, signal);
  if (dead.ids.size === 0) return [];
  const live = new IdTable();
  const now = new KnownRows(vault, { ...before, base: [...base], deltas: [], gone: [] }, signal);
  await now.base(dead.ids, (batch) => {
    for (let i = 0; i < batch.ends.length; i++)
      if (dead.ids.has(batch.bytes, rowStart(batch, i) + 1)) live.add(indexKeys.id(batch, i));
  });
  return [...live];
}

/** Objects with lookups that the deletion of one of these rows empties. */
export function referringTo(revived: readonly Revived[], chosen: readonly Chosen[]): Referring[] {
  const ids = new Map(revived.filter((one) => one.ids.length > 0).map((one) => [one.object, one.ids]));
  return chosen.flatMap((one) => {
    const { describe, plan } = one;
    if (ids.size === 0 || (plan.way !== 'bulk' && plan.way !== 'rest')) return [];
    const filterable = new Set(describe.fields.flatMap(({ name, filterable }) => (filterable === false ? [] : [name])));
    const lookups = blankableLookups(describe).flatMap(({ field, objects }) => {
      const named = objects.flatMap((object) => ids.get(object) ?? []);
      return named.length > 0 && plan.fields.includes(field) && filterable.has(field) ? [{ field, ids: named }] : [];
    });
    return lookups.length === 0 ? [] : [{ chosen: one, lookups }];
  });
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
