import type { Context } from '../../context.ts';
import { isDamage, isFault } from '../../errors.ts';
import type { Permissions } from '../../salesforce/org.ts';
import { longId } from '../../schema/ids.ts';
import { runOf } from '../../vault/layers.ts';
import type { MapPage, Root, RootObject, SegmentRef } from '../../vault/manifest.ts';
import type { Ref } from '../../vault/record.ts';
import type { Vault } from '../../vault/vault.ts';
import { judgeVisibility } from './completeness.ts';
import { mostRoots } from './earlier-roots.ts';
import type { Chosen } from './select.ts';
import { stampOf } from './stamp.ts';

/** What a run builds on for one object: the newest page of it that can be gone on from. */
export interface Parent {
  readonly object: RootObject;
  readonly page: MapPage;
  readonly ref: Ref;
  readonly refs: Ref;
  /** The point that names the page, and its files. */
  readonly root: Root;
}

/** A run that looks for what it can build on. */
export interface ParentedRun {
  readonly point: string;
  readonly epoch: number;
  readonly orgId: string;
  readonly permissions: Permissions;
  /** True: the bytes of files are kept too. */
  readonly files: boolean;
  /** What this run found damaged. */
  readonly damaged: DamagedKeys;
}

/** Keys of the vault that turned out to be damaged or missing: no page that names one of them is built on. `all`: no page is. */
export interface DamagedKeys {
  readonly keys: Set<string>;
  all: boolean;
}

/** So many points are looked at that hold objects without the files that are wanted: a watch without files takes hundreds a day, and files are fetched once. */
const mostWithoutFiles = 1000;

/**
 * For each object, what an incremental run goes on from; an object that is missing has to be read in full. Only points of this org and epoch that
 * were begun before this one and that nobody has quarantined are built on: an Id's newest image is told by the order of runs. A point or a page that does not
 * open is passed over and told.
 */
export async function findParents(
  ctx: Context,
  vault: Vault,
  run: ParentedRun,
  chosen: readonly Chosen[],
): Promise<Map<string, Parent>> {
  const parents = new Map<string, Parent>();
  if (run.damaged.all) return parents;
  const wanted = new Map(chosen.filter(({ describe }) => stampOf(describe)).map((one) => [one.describe.name, one]));
  const { points, quarantined } = await vault.state();
  let [looked, withoutFiles] = [0, 0];
  const rest = new Set<string>();
  let ahead: string | undefined;
  for (const entry of points.toReversed()) {
    if (wanted.size === 0 || withoutFiles === mostWithoutFiles) break;
    const { point, epoch } = entry.record;
    if (epoch !== run.epoch || quarantined.has(point!)) continue;
    if (looked >= mostRoots && !rest.has(point!)) continue;
    if (point! >= run.point) {
      ahead ??= point;
      continue;
    }
    const root = await readable(ctx, point!, () => vault.root(entry));
    const isOurs = root && longId(root.org.id) === longId(run.orgId);
    for (const earlier of (isOurs && root.rest) || []) rest.add(earlier.point);
    if (isOurs && (await takeFrom(ctx, vault, root, run, wanted, parents))) withoutFiles += 1;
    else looked += 1;
  }
  if (ahead !== undefined) {
    const message = `point ${ahead} was begun after this run, by its name: check the clocks of the hosts that take points. This run builds on what is older`;
    ctx.report({ type: 'warning', name: 'clock-skew', message });
  }
  return parents;
}

/** True when some object of the point was passed over for want of its files alone. */
async function takeFrom(
  ctx: Context,
  vault: Vault,
  root: Root,
  run: ParentedRun,
  wanted: Map<string, Chosen>,
  parents: Map<string, Parent>,
): Promise<boolean> {
  let lacking = false;
  const found = root.objects.filter(({ object, page }) => page && wanted.has(object));
  const pages = await Promise.all(found.map((one) => readable(ctx, root.point, () => vault.map(one.page!))));
  for (const [i, object] of found.entries()) {
    const page = pages[i];
    const { describe } = wanted.get(object.object)!;
    if (!page || !isGoodBase(object, page, run)) continue;
    if (page.stamp !== stampOf(describe)) continue;
    // What the user sees more or less than then, nothing moved its stamp.
    if ((object.incomplete === 'visibility') === judgeVisibility(describe, run.permissions).complete) continue;
    if (run.files && lacksFiles(root, object, wanted.get(object.object)!, run.damaged)) {
      lacking = true;
      continue;
    }
    parents.set(object.object, { object, page, ref: object.page!, refs: object.refs!, root });
    wanted.delete(object.object);
  }
  return lacking;
}

function isGoodBase({ incomplete }: RootObject, page: MapPage, { point, damaged: { keys } }: ParentedRun): boolean {
  if (incomplete === 'failed' || incomplete === 'unproven' || !page.hasId) return false;
  return segmentsOf(page).every(({ key }) => runOf(key) < point) && !listsAny(page, keys);
}

/** True when a page lists one of these keys. */
export function listsAny(page: MapPage, keys: ReadonlySet<string>): boolean {
  return segmentsOf(page).some(({ key, index }) => keys.has(key) || (index && keys.has(index.key)));
}

function segmentsOf({ base, deltas, gone, spent = [] }: MapPage): SegmentRef[] {
  return [...base, ...deltas, ...gone, ...spent];
}

/** The point was taken without the bytes of this object's files, or does not tell any more which it has: which of them changed since the last that does is not known. */
function lacksFiles(root: Root, { object, rows }: RootObject, { plan }: Chosen, { keys }: DamagedKeys): boolean {
  if (plan.blobFields.length === 0) return false;
  if (root.files.pages.some(({ key }) => keys.has(key))) return true;
  // Points of older versions do not say it of an object that nothing had happened to; they have no files at all.
  if (rows > 0 && root.files.pages.every(({ key }) => key === root.metadata?.page)) return true;
  return plan.blobFields.some((name) => root.notCovered.some((one) => one.object === object && one.field === name));
}

/** Undefined, and told, for what another writer key opens and for what is damaged: everything is read anew then. */
async function readable<T>(ctx: Context, point: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isDamage(error) && !isFault(error, 'wrong-identity')) throw error;
    const message = `point ${point} cannot be built on: ${error.message}`;
    ctx.report({ type: 'warning', name: error.name, message });
    return undefined;
  }
}
