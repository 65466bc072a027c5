import type { Context } from '../../context.ts';
import type { Org, Permissions } from '../../salesforce/org.ts';
import type { BlindSpot, LeftOut } from '../../vault/manifest.ts';
import type { Vault } from '../../vault/vault.ts';
import { canGoOn, changesSince, isDue } from './changed.ts';
import { judgeVisibility } from './completeness.ts';
import { acceptances, blindSpots, coverageOf, foreseen, rowsSeen } from './coverage.ts';
import { type Changes, estimateCalls, rowBytes, together } from './estimate.ts';
import { answeredFor, inForce } from './exclusions.ts';
import { HiddenFields } from './hidden-fields.ts';
import { foreseeMetadata } from './metadata.ts';
import { readingOrder, trustsCount } from './order.ts';
import { findParents, type Parent } from './parents.ts';
import type { BackupRequest } from './request.ts';
import { assertNotEmpty, type Chosen, filesLeftOut, rowsNotCovered, select, warnOfUnused } from './select.ts';

export interface Preview {
  readonly objects: readonly {
    readonly object: string;
    readonly way: string;
    readonly rows: number | null;
    /** Rows that are read. */
    readonly changed: number | null;
    readonly bytes: number;
    readonly apiCalls: number;
  }[];
  readonly kind: 'full' | 'incremental';
  readonly rows: number;
  /** Estimated CSV bytes of what is read, before compression; files are not in it. */
  readonly bytes: number;
  /** What the run would cost, estimated. */
  readonly apiCalls: number;
  /** What this preview has cost. */
  readonly ownCalls: number;
  readonly apiUsed: number | null;
  readonly apiMax: number | null;
  readonly notCovered: readonly LeftOut[];
  readonly coverage: number;
  readonly blindSpots: readonly BlindSpot[];
  readonly warnings: readonly string[];
}

/**
 * What `backup` would do: objects, rows, API calls and bytes, estimated from what a run itself asks before it reads rows. `vault`: what it holds is built on;
 * without it a first, full run is previewed. Nothing is written, and no row is read.
 */
export async function preview(ctx: Context, org: Org, asked: BackupRequest, vault?: Vault): Promise<Preview> {
  const request = { ...asked, policy: inForce(ctx, asked.policy) };
  ctx.report({ type: 'stage', stage: 'looking at the org' });
  const permissions = await org.permissions();
  const selection = await select(ctx, org, request.policy);
  const { chosen, failed, notCovered } = selection;
  assertNotEmpty(request.policy, [...chosen, ...failed], notCovered);
  const approximate = await org.approximateCounts();
  // Every run begins with these.
  const begun = org.apiCalls;
  const parents = vault && !request.full ? await parentsIn(ctx, vault, org, request, permissions, chosen) : new Map();
  const hiddenFields = new HiddenFields(ctx, org, parents);
  const asksHidden = new Set(chosen.filter(({ describe }) => !hiddenFields.isKnown(describe)));
  const seenNot = (await hiddenFields.ask(chosen.map(({ describe }) => describe))).flat();
  const hidden = answeredFor(seenNot, request.policy.exclusions);
  warnOfUnused(ctx, request, selection, hidden);
  const changes = await changesIn(ctx, org, chosen, parents);
  const rows = await rowsOf(org, chosen, approximate, parents, changes);
  const parentRows = await parentRowsOf(org, chosen, permissions, rows, approximate);
  const phases = readingOrder(chosen, ({ describe }) => approximate.get(describe.name), request.priorities ?? []);
  const { calls, each } = estimateCalls(phases, request.files, (one) => ({
    rows: rows.get(one),
    unexpected: !approximate.has(one.describe.name) && !trustsCount(one, approximate),
    changes: changes.get(one),
    asksHidden: asksHidden.has(one),
    parentRows: parentRows.get(one),
  }));
  const leftOutRows = await rowsNotCovered(org, selection);
  const without = request.files ? [] : chosen.flatMap(filesLeftOut);
  const metadata = request.metadata ? await foreseeMetadata(org) : { calls: 0, notCovered: [] };
  const notInIt = [...notCovered, ...leftOutRows, ...hidden, ...without, ...metadata.notCovered];
  const verdicts = foreseen(chosen, failed, permissions);
  const blind = chosen.filter(({ describe }) => verdicts.get(describe.name)?.complete === false);
  const seen = await rowsSeen(org, blind);
  const spots = blindSpots(chosen, notInIt, permissions, seen, approximate);
  const objects = chosen.map((one) => {
    const count = rows.get(one);
    const changed = changes.get(one)?.rows ?? count;
    return {
      object: one.describe.name,
      way: one.plan.way,
      rows: count ?? null,
      changed: changed ?? null,
      bytes: (changed ?? 0) * rowBytes(one),
      apiCalls: Math.round(10 * (each.get(one.describe.name) ?? 0)) / 10,
    };
  });
  const reasons = blind.map(({ describe }) => judgeVisibility(describe, permissions).reason!);
  return {
    objects,
    kind: changes.size > 0 ? 'incremental' : 'full',
    rows: objects.reduce((sum, one) => sum + (one.rows ?? 0), 0),
    bytes: objects.reduce((sum, one) => sum + one.bytes, 0),
    apiCalls: Math.ceil(begun + calls + metadata.calls + together(selection.conditions.length)),
    ownCalls: org.apiCalls,
    apiUsed: org.apiUsage?.used ?? null,
    apiMax: org.apiUsage?.max ?? null,
    notCovered: [...notInIt, ...failed],
    coverage: coverageOf({
      chosen,
      verdicts,
      notCovered: notInIt,
      accepted: acceptances(request.accept, ctx.now()),
    }),
    blindSpots: spots,
    warnings: [...new Set(reasons)],
  };
}

async function parentsIn(
  ctx: Context,
  vault: Vault,
  org: Org,
  { files }: BackupRequest,
  permissions: Permissions,
  chosen: readonly Chosen[],
): Promise<Map<string, Parent>> {
  const [{ epoch }, point] = [await vault.epoch(), await vault.mintPoint(await org.serverTime())];
  const run = { point, epoch, orgId: org.identity.orgId, permissions, files };
  return findParents(ctx, vault, { ...run, damaged: { keys: new Set(), all: false } }, chosen);
}

/** Of objects that a run goes on from, what it would find; by the same few calls. */
async function changesIn(
  ctx: Context,
  org: Org,
  chosen: readonly Chosen[],
  parents: ReadonlyMap<string, Parent>,
): Promise<Map<Chosen, Changes>> {
  const known = chosen.flatMap((one) => {
    const parent = parents.get(one.describe.name);
    return parent && canGoOn({ chosen: one, parent }) ? [{ chosen: one, parent }] : [];
  });
  ctx.signal.throwIfAborted();
  const { now, toRead, blind } = await changesSince(org, known);
  const read = new Map(toRead.map((one) => [one.chosen, one]));
  return new Map(
    known.flatMap(({ chosen: one, parent: { page } }): [Chosen, Changes][] => {
      const found = read.get(one);
      if (blind.has(page.object)) return [];
      if (!found) return [[one, { rows: 0, same: true, few: false, reconciles: false }]];
      const { standing, inWindow, few } = found;
      const lost = inWindow === 0 && standing !== undefined && standing.rows !== page.rows;
      const rows = inWindow ?? standing?.rows ?? page.rows;
      return [[one, { rows, same: false, few, reconciles: lost || isDue(page, now) }]];
    }),
  );
}

/** Live rows: as the org keeps count of them, and counted where it does not, or where not all of them are wanted. */
async function rowsOf(
  org: Org,
  chosen: readonly Chosen[],
  approximate: ReadonlyMap<string, number>,
  parents: ReadonlyMap<string, Parent>,
  changes: ReadonlyMap<Chosen, Changes>,
): Promise<Map<Chosen, number>> {
  const rows = new Map<Chosen, number>();
  for (const one of chosen) {
    const { name } = one.describe;
    const count = changes.has(one) ? parents.get(name)?.page.rows : one.rowsOut ? undefined : approximate.get(name);
    if (count !== undefined) rows.set(one, count);
  }
  const open = chosen.filter((one) => !rows.has(one));
  const counts = await org.counts(open.map(({ describe, rowsOut }) => ({ object: describe, where: rowsOut?.kept })));
  for (const [i, one] of open.entries()) if (counts[i] !== undefined) rows.set(one, counts[i]);
  return rows;
}

/** Of objects that are asked for by the rows of others: how many those have. Counted where the org keeps no count of them. */
async function parentRowsOf(
  org: Org,
  chosen: readonly Chosen[],
  { queryAllFiles }: Permissions,
  rows: ReadonlyMap<Chosen, number>,
  approximate: ReadonlyMap<string, number>,
): Promise<Map<Chosen, number[]>> {
  const sliced = chosen.flatMap((one) => {
    const { slicing } = one.plan;
    return slicing && !(slicing.unfilteredFirst && queryAllFiles) ? [{ one, slicing }] : [];
  });
  const known = new Map([...approximate, ...[...rows].map(([one, count]) => [one.describe.name, count] as const)]);
  const counted = sliced.flatMap(({ slicing: { each, parents } }) => (each === 'types' ? [] : parents));
  const unknown = [...new Set(counted)].filter((name) => !known.has(name));
  if (unknown.length > 0) {
    const described = await org.describe(unknown);
    const parents = unknown.flatMap((name) => {
      const describe = described.get(name);
      return describe && 'fields' in describe ? [describe] : [];
    });
    const counts = await org.counts(parents.map((object) => ({ object })));
    for (const [i, { name }] of parents.entries()) known.set(name, counts[i] ?? 0);
  }
  return new Map(sliced.map(({ one, slicing: { parents } }) => [one, parents.map((name) => known.get(name) ?? 0)]));
}
