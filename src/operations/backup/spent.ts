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
import type { Vault } from '../../vault/vault.ts';
import { isRead } from './alerts.ts';
import type { JournalObject } from './journal.ts';
import { isObjectFault, type ObjectRead } from './object.ts';
import type { Parent } from './parents.ts';
import { pairs, standing } from './reconcile.ts';
import { spentColumns } from './rows.ts';
import type { Chosen } from './select.ts';
import { stampOf } from './stamp.ts';
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
  readonly #lookups = new Map<string, ReturnType<typeof blankableLookups>>();
  readonly #parents: ReadonlyMap<string, Parent>;
  readonly #isPart: boolean;

  /** `isPart`: objects that are not chosen may be in other points. */
  constructor(chosen: readonly Chosen[], parents: ReadonlyMap<string, Parent>, isPart: boolean) {
    this.#parents = parents;
    this.#isPart = isPart;
    for (const { describe } of chosen) {
      const lookups = blankableLookups(describe);
      this.#lookups.set(describe.name, lookups);
      for (const object of lookups.flatMap(({ objects }) => objects))
        this.#by.set(object, (this.#by.get(object) ?? new Set()).add(describe.name));
    }
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

  /** True when there may be pages with rows that name rows of the object. */
  isNamedBefore(object: string): boolean {
    const lookupsTo = (name: string) => this.#lookups.get(name)!.filter(({ objects }) => objects.includes(object));
    const hasOne = (name: string) =>
      lookupsTo(name).some(({ field }) => this.#parents.get(name)?.page.columns.includes(field));
    return this.#isPart || [...(this.#by.get(object) ?? [])].some(hasOne);
  }

  /** True when a page cannot be gone on from: deletions that emptied lookups of its rows are forgotten. `now`: pages of this run, of those objects that it has read. */
  isForgotten({ describe: { name } }: Chosen, page: MapPage, now?: ReadonlyMap<string, MapPage>): boolean {
    const lookups = this.#lookups.get(name)!.filter(({ field }) => page.columns.includes(field));
    const oldest = oldestRun(page);
    const forgets = (object: string) => (now?.get(object) ?? this.#parents.get(object)?.page)?.forgets ?? '';
    return oldest !== '' && lookups.some(({ objects }) => objects.some((object) => forgets(object) > oldest));
  }
}

/**
 * What an object says that was read in full where no page of it can be gone on from. Rows of others that name its rows were read when nobody told of its deletions: they are
 * read anew.
 */
export function unknownBefore(writer: PointWriter, { describe }: Chosen, naming: Naming): Spent {
  const forgets = stampOf(describe) !== null && naming.isNamedBefore(describe.name) ? writer.point : undefined;
  return { spent: [], written: [], forgets };
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
    // A full read is the way out of a damaged vault. What may name rows of the object is read anew.
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

/**
 * Objects of a run that it went on with, and whose rows may name some of an object which tells less, since this run, of what was deleted before: they have to be
 * read in full. `finished`: what the run has journalled; `same`: of what nothing changed.
 */
export async function forgottenNow(
  vault: Vault,
  { chosen, earlier }: { readonly chosen: readonly Chosen[]; readonly earlier: ReadonlyMap<string, Parent> },
  { finished, same }: { readonly finished: readonly JournalObject[]; readonly same: readonly Parent[] },
  naming: Naming,
): Promise<Chosen[]> {
  const wentOn = new Set(same.map(({ object }) => object.object));
  for (const { object, builtOn } of finished) if (builtOn !== undefined) wentOn.add(object.object);
  const candidates = chosen.filter(({ describe: { name } }) => wentOn.has(name) && earlier.has(name));
  if (candidates.length === 0) return [];
  const stamped = new Set(chosen.flatMap(({ describe }) => (stampOf(describe) === null ? [] : [describe.name])));
  const now = new Map<string, MapPage>();
  for (const { object, builtOn } of finished) {
    // What is not known to be whole is no proof of anything, and is read again by the next run.
    if (builtOn === undefined && isRead(object) && stamped.has(object.object))
      now.set(object.object, await vault.map(object.page!));
  }
  return candidates.filter((one) => naming.isForgotten(one, earlier.get(one.describe.name)!.page, now));
}
