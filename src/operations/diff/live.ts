import type { Context } from '../../context.ts';
import { type Fault, isFault } from '../../errors.ts';
import { inOrder } from '../../rows/in-order.ts';
import type { NotDescribed, Org } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { type ObjectSelection, select, takesIn } from '../select/selection.ts';
import { ComparedColumns } from './columns.ts';
import { compareRows } from './compare.ts';
import { orphansOf } from './dead-parents.ts';
import { leftOutOfOrg } from './left-out.ts';
import { changedSince, type LiveCounts, LiveObject, partOf } from './live-object.ts';
import { noRows, OrgRows } from './org-rows.ts';
import type { DiffRequest, DiffResult, NotCompared, ObjectDiff, OnRecord } from './request.ts';
import type { ChangeSink, MakeSink } from './sink.ts';
import { Tally } from './tally.ts';

/**
 * What differs between a point and the org as it is now. Unless `full` asks for everything, it reads rows stamped since the point, deleted ones,
 * the Ids of objects whose count tells that rows vanished, and rows whose lookup led to a row that is gone, since such lookups are blanked without a
 * stamp. An object that cannot be read does not stop the others: it stands in `notCompared`, as do objects of the org that the point leaves out. Throws what `select` throws, and what the vault and the
 * org throw about anything but one object.
 */
export async function diffLive(
  ctx: Context,
  point: PointReader,
  org: Org,
  request: DiffRequest,
  onRecord?: OnRecord,
): Promise<DiffResult> {
  const diff = new LiveDiff(ctx, point, org, request, (selection, columns) => {
    return new Tally(selection, columns, request, onRecord);
  });
  return diff.run(request.selection.ids === undefined);
}

/**
 * As `diffLive`, of the objects of the point alone, with sinks of the caller's own in place of counts. Objects that the org has no more, or hides, are
 * in the result with `only`, and every row of them goes to their sink as deleted.
 */
export async function compareLive(
  ctx: Context,
  point: PointReader,
  org: Org,
  request: DiffRequest,
  sink: MakeSink,
): Promise<DiffResult> {
  return new LiveDiff(ctx, point, org, request, sink).run(false);
}

/** An object that stands on both sides. */
interface Pair {
  readonly live: LiveObject;
  readonly sink: ChangeSink;
}

const unknownCounts: LiveCounts = { live: undefined, changed: undefined };

class LiveDiff {
  readonly #ctx: Context;
  readonly #point: PointReader;
  readonly #org: Org;
  readonly #request: DiffRequest;
  readonly #sink: MakeSink;
  readonly #pairs = new Map<string, Pair>();
  readonly #oneSided: ObjectDiff[] = [];
  readonly #notCompared: NotCompared[] = [];
  #unattributed = 0;

  constructor(ctx: Context, point: PointReader, org: Org, request: DiffRequest, sink: MakeSink) {
    this.#ctx = ctx;
    this.#point = point;
    this.#org = org;
    this.#request = request;
    this.#sink = sink;
  }

  /** `others`: objects of the org that the point does not hold too. */
  async run(others: boolean): Promise<DiffResult> {
    const selection = await select(this.#point, this.#request.selection, this.#ctx.now());
    const selected = [...selection.values()];
    for (const { object, reason } of this.#point.failed())
      if (takesIn(this.#request.selection, object) && !this.#request.selection.ids)
        this.#notCompared.push({ object, reason: `the point has no rows of it: ${reason}`, failed: true });
    await this.#compareAll(selected);
    await this.#compareOrphans(new Set(selection.keys()));
    if (others) await this.#otherObjects();
    const pairs = [...this.#pairs.values()];
    return {
      from: this.#point.root.point,
      to: 'live',
      objects: [...this.#oneSided, ...pairs.map((pair) => this.#result(pair))].filter(differs).sort(byName),
      notCompared: this.#notCompared.sort(byName),
      unattributed: pairs.reduce((sum, { sink }) => sum + sink.unattributed, this.#unattributed),
      compared: pairs.length + this.#oneSided.length,
    };
  }

  #result({ live, sink }: Pair): ObjectDiff {
    const { gone, new: added } = live.columns;
    return { ...sink.result(), fieldsGone: gone, fieldsNew: added, ...incompleteIn([this.#point], live.object) };
  }

  async #compareAll(selected: readonly ObjectSelection[]): Promise<void> {
    const described = await this.#org.describe(selected.map(({ object }) => object));
    const pairs: Pair[] = [];
    for (const one of selected) {
      const describe = described.get(one.object);
      if (isDescribe(describe)) {
        const pair = await this.#pair(one, describe);
        if (pair) pairs.push(pair);
      } else await this.#undescribed(one, describe);
    }
    const counted = pairs.filter(({ live }) => live.asksCounts);
    const counts = await this.#counts(counted);
    this.#ctx.report({ type: 'stage', stage: 'comparing with the org', total: pairs.length });
    await this.#each(pairs, async (pair) => {
      await pair.live.compare(counts.get(pair) ?? unknownCounts);
      this.#pairs.set(pair.live.object, pair);
    });
  }

  async #counts(pairs: readonly Pair[]): Promise<Map<Pair, LiveCounts>> {
    const counts = await this.#org.counts([
      ...pairs.map(({ live }) => ({ object: live.describe, where: live.map.kept })),
      ...pairs.map(({ live }) => ({ object: live.describe, since: changedSince(live.map), where: live.map.kept })),
    ]);
    return new Map(pairs.map((pair, n) => [pair, { live: counts[n], changed: counts[pairs.length + n] }]));
  }

  /** Runs `work` on several pairs at a time; a fault about one object is noted, and the others go on. */
  async #each(pairs: readonly Pair[], work: (pair: Pair) => Promise<void>): Promise<void> {
    const done = inOrder(pairs, this.#request.parallel, async (pair) => {
      this.#ctx.signal.throwIfAborted();
      try {
        await work(pair);
      } catch (error) {
        if (!isObjectFault(error)) throw error;
        this.#pairs.delete(pair.live.object);
        this.#notCompared.push({ object: pair.live.object, reason: error.message, failed: true });
      }
    });
    for await (const _ of done) this.#ctx.signal.throwIfAborted();
  }

  async #pair(
    selection: ObjectSelection,
    describe: ObjectDescribe,
    makeSink = this.#sink,
    request = this.#request,
  ): Promise<Pair | undefined> {
    const { object } = selection;
    const map = await this.#point.map(object);
    const plan = this.#org.plan(describe);
    if (plan.way === 'none' || !map.hasId) {
      const reason = plan.way === 'none' ? plan.reason : 'its rows have no Id by which they could be told apart';
      this.#notCompared.push({ object, reason, failed: false });
      return undefined;
    }
    const from = { describe: await this.#point.describe(object), columns: map.columns };
    // A field that the policy leaves out is none that came since.
    const leftOut = new Set(
      this.#point.root.notCovered.filter((one) => one.object === object).map(({ field }) => field),
    );
    const to = { describe, columns: plan.fields.filter((name) => !leftOut.has(name)) };
    const columns = new ComparedColumns(from, to, request, selection.condition);
    const sink = makeSink(selection, columns);
    const org = new OrgRows(this.#ctx, this.#org, describe);
    const { signal } = this.#ctx;
    const live = new LiveObject({ point: this.#point, map, org, columns, selection, request, signal }, sink);
    return { live, sink };
  }

  /** The org does not have the object any more, or hides it: all its rows are gone. */
  async #undescribed(selection: ObjectSelection, described: NotDescribed | undefined): Promise<void> {
    const { object, ids } = selection;
    const reason = described?.reason ?? 'the org does not describe it';
    if (described && !described.never) {
      this.#notCompared.push({ object, reason, failed: true });
      return;
    }
    const map = await this.#point.map(object);
    const side = { describe: await this.#point.describe(object), columns: map.columns };
    const columns = new ComparedColumns(side, side, this.#request, selection.condition);
    const sink = this.#sink(selection, columns);
    if (map.hasId) {
      const { signal } = this.#ctx;
      const rows = await this.#point.rows(object, { columns: columns.columns, signal, ...(ids ? { ids } : {}) });
      const wanted = ids ? rows : partOf(rows, this.#request, sink);
      await compareRows(wanted, noRows(columns.columns), [], columns.offset, (change) => sink.take(change));
    }
    this.#unattributed += sink.unattributed;
    const only = { side: 'from' as const, reason: `the org has no such object, or hides it: ${reason}` };
    this.#oneSided.push({ ...sink.result(), fieldsGone: [], fieldsNew: [], only });
  }

  /** Rows whose lookups led to rows that are gone: the deletion blanked them without a stamp (field guide, extract 5.2). */
  async #compareOrphans(selected: ReadonlySet<string>): Promise<void> {
    const open = [...this.#pairs.values()].filter(({ live }) => !live.isWhole);
    if (open.length === 0) return;
    const parents = new Set<string>();
    for (const { live } of open)
      for (const { referenceTo } of lookups(await this.#point.describe(live.object)))
        for (const parent of referenceTo) if (!selected.has(parent) && this.#point.has(parent)) parents.add(parent);
    const deletions = await this.#deletionsOf([...parents]);
    for (const { live } of this.#pairs.values()) if (live.deleted.size > 0) deletions.set(live.object, live);
    if (deletions.size === 0) return;
    this.#ctx.report({ type: 'stage', stage: 'looking for lookups to deleted rows', total: open.length });
    await this.#each(open, async ({ live }) => {
      const describe = await this.#point.describe(live.object);
      const orphans = await orphansOf(this.#ctx, this.#point, describe, live.map.columns, deletions);
      if (orphans.size > 0) await live.compareAlso(orphans);
    });
  }

  /** What is gone of objects that were not selected, and that selected ones refer to. */
  async #deletionsOf(parents: readonly string[]): Promise<Map<string, LiveObject>> {
    const deletions = new Map<string, LiveObject>();
    const described = await this.#org.describe(parents);
    const request = { ...this.#request, fields: ['Id'], full: false, withValues: false };
    const pairs: Pair[] = [];
    for (const object of parents) {
      const describe = described.get(object);
      if (!isDescribe(describe) || this.#org.plan(describe).way === 'none') continue;
      const map = await this.#point.map(object);
      if (!map.hasId) continue;
      const all = { object, ids: undefined, condition: undefined };
      const pair = await this.#pair(
        all,
        describe,
        (_, columns) => new Tally(all, columns, request, undefined),
        request,
      );
      if (pair?.live.asksCounts) pairs.push(pair);
    }
    const counts = await this.#counts(pairs);
    await this.#each(pairs, async (pair) => {
      const { live } = pair;
      await live.compare(counts.get(pair)!);
      if (live.deleted.size > 0) deletions.set(live.object, live);
    });
    return deletions;
  }

  /** Objects that the point leaves out, which are not compared, and those that it knew nothing of, which the org has by now. */
  async #otherObjects(): Promise<void> {
    const { root } = this.#point;
    const held = new Set(root.objects.map(({ object }) => object));
    const known = new Set(root.notCovered.map(({ object }) => object));
    const names: string[] = [];
    for (const { name, queryable, deprecatedAndHidden } of await this.#org.objects()) {
      if (!queryable || held.has(name) || !takesIn(this.#request.selection, name)) continue;
      const reason = deprecatedAndHidden ? undefined : leftOutOfOrg(root, name);
      if (reason !== undefined) this.#notCompared.push({ object: name, reason, failed: false });
      else if (!known.has(name)) names.push(name);
    }
    // A condition is about fields that the point knows.
    if (this.#request.selection.where === undefined) await this.#newObjects(names);
  }

  async #newObjects(names: readonly string[]): Promise<void> {
    const described = await this.#org.describe(names);
    for (const object of names) {
      const describe = described.get(object);
      if (!isDescribe(describe)) continue;
      const plan = this.#org.plan(describe);
      if (plan.way === 'none' || !plan.fields.includes('Id')) continue;
      const side = { describe, columns: plan.fields };
      const columns = new ComparedColumns(side, side, this.#request, undefined);
      const sink = this.#sink({ object, ids: undefined, condition: undefined }, columns);
      const rows = new OrgRows(this.#ctx, this.#org, describe).sorted(columns.columns, undefined, undefined);
      const to = { columns: columns.columns, batches: rows };
      try {
        await compareRows(noRows(columns.columns), to, [], columns.offset, (change) => sink.take(change));
      } catch (error) {
        if (!isObjectFault(error)) throw error;
        this.#notCompared.push({ object, reason: error.message, failed: true });
        continue;
      }
      const only = { side: 'to' as const, reason: 'the point knows no such object' };
      this.#oneSided.push({ ...sink.result(), fieldsGone: [], fieldsNew: [], only });
    }
  }
}

function isDescribe(described: ObjectDescribe | NotDescribed | undefined): described is ObjectDescribe {
  return described !== undefined && 'fields' in described;
}

function lookups(describe: ObjectDescribe) {
  return describe.fields.filter(({ type }) => type === 'reference');
}

/** Says of each point that does not hold all rows of an object why. */
export function incompleteIn(
  points: readonly PointReader[],
  object: string,
  also?: string,
): Pick<ObjectDiff, 'incomplete'> {
  const reasons = points
    .filter((point) => point.has(object) && !point.found(object).complete)
    .map((point) => `point ${point.root.point} is not complete here: ${point.found(object).reason ?? 'it failed'}`);
  if (also !== undefined) reasons.push(also);
  return reasons.length === 0 ? {} : { incomplete: reasons.join('; ') };
}

/** True when there is anything to be told of an object. */
export function differs({ added, changed, deleted, fieldsGone, fieldsNew, only }: ObjectDiff): boolean {
  return added + changed + deleted + fieldsGone.length + fieldsNew.length > 0 || only?.side === 'from';
}

export function byName(a: { object: string }, b: { object: string }): number {
  return a.object < b.object ? -1 : a.object > b.object ? 1 : 0;
}

/** Faults of the org that concern one object only. What the vault says of a damaged segment is none of them. */
function isObjectFault(error: unknown): error is Fault {
  return isFault(error, 'object-refused', 'bulk-refused', 'count-mismatch', 'object-failed') && !error.data.key;
}
