import type { Context } from '../../context.ts';
import { isDamage } from '../../errors.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { Org } from '../../salesforce/org.ts';
import { blankableLookups } from '../../vault/dead-rows.ts';
import { Deletions } from '../../vault/deletions.ts';
import { indexKeys, KnownRows } from '../../vault/known-rows.ts';
import { oldestRun } from '../../vault/layers.ts';
import type { MapPage, SegmentRef } from '../../vault/manifest.ts';
import type { PointWriter } from '../../vault/point.ts';
import { isObjectFault, type ObjectRead } from './object.ts';
import type { Parent } from './parents.ts';
import { pairs, standing } from './reconcile.ts';
import { spentColumns } from './rows.ts';
import type { Chosen } from './select.ts';
import { Tombstones } from './tombstones.ts';

/** What a page says of deletions before its own. */
export interface Spent {
  readonly spent: readonly SegmentRef[];
  readonly forgets?: string | undefined;
  /** Stored by this run. */
  readonly written: readonly SegmentRef[];
}

/** Which rows may have lookups that the deletion of other rows has emptied since they were read. */
export class Naming {
  /** By object: those with lookups that may name its rows. */
  readonly #by = new Map<string, Set<string>>();
  readonly #parents: ReadonlyMap<string, Parent>;
  readonly #isPart: boolean;

  /** `isPart`: objects that are not chosen may be in other points. */
  constructor(chosen: readonly Chosen[], parents: ReadonlyMap<string, Parent>, isPart: boolean) {
    this.#parents = parents;
    this.#isPart = isPart;
    for (const { describe } of chosen)
      for (const object of blankableLookups(describe).flatMap((lookup) => lookup.objects))
        this.#by.set(object, (this.#by.get(object) ?? new Set()).add(describe.name));
  }

  /** True when lookups may name rows of the object and be emptied by their deletion. */
  isNamed({ describe: { name, childRelationships = [] } }: Chosen): boolean {
    return (
      this.#by.has(name) || childRelationships.some((child) => !child.cascadeDelete && child.restrictedDelete !== true)
    );
  }

  /** The oldest run whose rows may name rows of the object, `point` at most: what was found deleted before empties nothing. '' when that is not known. */
  oldest(object: string, point: string): string {
    if (this.#isPart) return '';
    const pages = [...(this.#by.get(object) ?? [])].flatMap((name) => this.#parents.get(name)?.page ?? []);
    return [...pages.map(oldestRun), point].sort()[0]!;
  }

  /** True when a page cannot be gone on from: deletions that emptied lookups of its rows are forgotten. */
  isForgotten({ describe }: Chosen, page: MapPage): boolean {
    const objects = blankableLookups(describe).flatMap((lookup) => lookup.objects);
    const oldest = oldestRun(page);
    return oldest !== '' && objects.some((object) => (this.#parents.get(object)?.page.forgets ?? '') > oldest);
  }
}

/**
 * Stores what the page of an object's parent knows of deletions, where a new base or a delta that replaces others would lose it. Of a new base (`read`), rows that
 * are neither in it nor in the recycle bin any more were deleted too, and nobody else tells of them.
 */
export async function storeSpent(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  of: { readonly chosen: Chosen; readonly before: MapPage; readonly read: ObjectRead | undefined },
  naming: Naming,
): Promise<Spent> {
  const { chosen, before, read } = of;
  if (!naming.isNamed(chosen)) return { spent: [], written: [] };
  try {
    return await stored(ctx, org, writer, of, naming);
  } catch (error) {
    if (!read || !(isDamage(error) || isObjectFault(error))) throw error;
    // A full read is the way out of a damaged vault. What may name rows of the object is read anew by the next run.
    const message = `what earlier points tell of deletions of ${before.object} cannot be read: ${error.message}`;
    ctx.report({ type: 'warning', name: error.name, message });
    return { spent: [], written: [], forgets: writer.point };
  }
}

async function stored(
  ctx: Context,
  org: Org,
  writer: PointWriter,
  { chosen, before, read }: Parameters<typeof storeSpent>[3],
  naming: Naming,
): Promise<Spent> {
  const deletions = await Deletions.of(new KnownRows(writer.vault, before, ctx.signal));
  if (read)
    for (const id of await vanished(ctx, org, writer, chosen, before, read))
      deletions.add(id, Number.NaN, writer.point);
  const oldest = naming.oldest(before.object, writer.point);
  const tombstones = new Tombstones(writer, { columns: spentColumns });
  let dropped = false;
  for (const id of deletions.ids.sorted()) {
    const number = deletions.ids.number(id);
    const [run, date] = [deletions.runs[number]!, deletions.dates[number]!];
    if (run < oldest) dropped = true;
    else await tombstones.add([id, Number.isNaN(date) ? '' : new Date(date).toISOString(), run]);
  }
  await tombstones.flush();
  const { segments } = tombstones;
  return { spent: segments, written: segments, forgets: dropped ? oldest : before.forgets };
}

async function vanished(
  { signal }: Context,
  org: Org,
  writer: PointWriter,
  { describe, rowsOut }: Chosen,
  before: MapPage,
  { base, gone }: ObjectRead,
): Promise<Iterable<string>> {
  const now = new KnownRows(
    writer.vault,
    { ...before, base: [...base], deltas: [], gone: [...gone], spent: [] },
    signal,
  );
  const buried = new IdTable();
  for await (const { batch } of now.buried())
    for (let row = 0; row < batch.ends.length; row++) buried.add(indexKeys.id(batch, row));
  const missing = new IdTable();
  for await (const { id, is } of pairs(new KnownRows(writer.vault, before, signal).live(), now.live()))
    if (is === undefined && !buried.has(id)) missing.add(id);
  if (missing.size === 0 || !rowsOut) return missing;
  const there = await standing(org, describe, missing);
  return [...missing].filter((id) => !there.has(id));
}
