import type { Context } from '../../context.ts';
import { Fault, isFault } from '../../errors.ts';
import type { Org, Permissions } from '../../salesforce/org.ts';
import { schemaPrint } from '../../schema/print.ts';
import type { Alert, BlindSpot, LeftOut, Rest, Root, RootObject } from '../../vault/manifest.ts';
import { PointWriter } from '../../vault/point.ts';
import type { Ref } from '../../vault/record.ts';
import type { Vault } from '../../vault/vault.ts';
import { tellLogProblems } from '../log-problems.ts';
import { findAlerts, suspectsBefore, wantsOutliers } from './alerts.ts';
import { type CarriedFiles, carriedFiles } from './carried-files.ts';
import { acceptances, blindSpots, coverageOf, coversTooLittle, foreseen, rowsSeen, verdictsOf } from './coverage.ts';
import { earlierRoots } from './earlier-roots.ts';
import { answeredFor, inForce, recorded } from './exclusions.ts';
import type { FileList } from './file-list.ts';
import { stillTrue, storeFiles } from './file-pages.ts';
import { HiddenFields } from './hidden-fields.ts';
import { tellSkew } from './host-clock.ts';
import { type Journal, openJournal, unfinishedRuns } from './journal.ts';
import { type MetadataStored, storeMetadata } from './metadata.ts';
import { backupObjects, type ObjectsRead, stillToRead } from './objects.ts';
import { type DamagedKeys, findParents, type Parent } from './parents.ts';
import { assertStillInUse, pastDamage } from './past-damage.ts';
import { type BackupRequest, type PointResult, pointResult } from './request.ts';
import { notSelectedOf, restOf } from './rest.ts';
import {
  assertNotEmpty,
  type Chosen,
  filesLeftOut,
  rowsNotCovered,
  type Selection,
  select,
  warnOfUnused,
} from './select.ts';

export interface BackupResult {
  readonly point: PointResult;
  /** The log's end after this point: note it to detect a roll-back. */
  readonly head: { readonly seq: number; readonly digest: string };
}

/** Describes go into pages of this many objects. */
const describesPerPage = 50;
/** A file whose row was changed within this time before an interrupted run began is fetched again: its clock may not be the org's. */
const clockSlack = 15 * 60_000;

/**
 * Takes a recovery point: of objects that an earlier point holds what changed since, of others all rows. The point exists when this resolves, and not before. A run that ends early (signal, budget, unreachable
 * org or store) throws, keeps what it has finished in its journal, and the same request continues it within three days.
 */
export async function backup(ctx: Context, org: Org, vault: Vault, request: BackupRequest): Promise<BackupResult> {
  try {
    return await pastDamage(ctx, vault, (damaged) => takePoint(ctx, org, vault, request, damaged));
  } catch (error) {
    // A refusal of one object ends with that object; what arrives here was about the org as a whole, and nothing was done.
    if (!isFault(error, 'object-refused', 'bulk-refused')) throw error;
    const { status } = error.data;
    const name = typeof status === 'number' && status >= 400 && status < 500 ? 'org-refused' : 'org-unavailable';
    throw new Fault(name, error.message, { data: error.data, cause: error });
  }
}

async function takePoint(
  ctx: Context,
  org: Org,
  vault: Vault,
  asked: BackupRequest,
  damaged: DamagedKeys,
): Promise<BackupResult> {
  const request = { ...asked, policy: inForce(ctx, asked.policy) };
  const signer = vault.keyring.writerSigner();
  if (!(await vault.assertOrg(org.identity.orgId))) {
    await assertStillInUse(vault);
    const message = 'every point of the vault is damaged: nothing in it says that it is of this org';
    ctx.report({ type: 'warning', name: 'org-unproven', message });
  }
  const today = await org.serverTime();
  const skew = ctx.now().getTime() - today.getTime();
  const runs = await unfinishedRuns(ctx, vault, today);
  await tellLogProblems(ctx, vault);
  ctx.report({ type: 'stage', stage: 'looking at the org' });
  tellSkew(ctx, skew);
  const permissions = await org.permissions();
  const selection = await select(ctx, org, request.policy);
  const { chosen, notCovered, failed } = selection;
  assertNotEmpty(request.policy, [...chosen, ...failed], notCovered);
  const journal = await openJournal(ctx, vault, org, request, runs, damaged);
  try {
    const writer = new PointWriter(vault, journal.run.point, await vault.epoch());
    writer.numbersFrom(journal.numbers);
    const left = stillToRead(journal, chosen, permissions);
    const run = {
      point: journal.run.point,
      epoch: writer.epoch,
      orgId: org.identity.orgId,
      permissions,
      files: request.files,
      damaged,
    };
    // A full run builds on nothing, and what cannot be built on is none of its business.
    const quiet = request.full ? { ...ctx, report: () => undefined } : ctx;
    const earlier = await findParents(quiet, vault, run, chosen);
    const goesOn = new Set(request.full ? [] : left.map(({ describe }) => describe.name));
    const parents = new Map([...earlier].filter(([name]) => goesOn.has(name)));
    const hiddenFields = new HiddenFields(ctx, org, parents);
    if (request.minCoverage !== undefined)
      await assertCoverage(org, request, selection, { permissions, journal, hiddenFields });
    const schemas = await writeSchemas(writer, left, parents, ctx.signal);
    ctx.report({ type: 'stage', stage: 'reading rows', total: chosen.length });
    const approximate = await org.approximateCounts();
    const read = await backupObjects(ctx, org, writer, {
      chosen,
      parents,
      earlier,
      schemas,
      permissions,
      journal,
      request,
      hiddenFields,
      approximate,
    });
    const carried = request.files ? await carriedFiles(vault, chosen, parents, read.lists) : undefined;
    const metadata = request.metadata ? await storeMetadata(ctx, org, writer) : undefined;
    const files = withMetadata(
      carried
        ? await backupFiles(ctx, org, vault, writer, journal, read.lists, carried)
        : withoutFiles(chosen, read.objects),
      metadata,
    );
    const objects = [...withFailures(read.objects, files.failures), ...failed.map(notDescribed)];
    const leftOutRows = await rowsNotCovered(org, selection);
    const hidden = answeredFor(read.hidden, request.policy.exclusions);
    warnOfUnused(ctx, request, selection, hidden);
    const notInIt = [...notCovered, ...leftOutRows, ...read.refused, ...hidden, ...files.notCovered];
    assertNotEmpty(request.policy, objects, notInIt);
    const names = objects.map(({ object }) => object);
    const before = await earlierRoots(vault, org.identity.orgId, names, wantsOutliers(request.alerts));
    const suspects = suspectsBefore(await vault.state(), before[0]);
    const rest = await restOf(vault, run, notSelectedOf(notInIt));
    const judged = { objects, notCovered: notInIt, policy: policyOf(request), wide: read.wide };
    const root = rootOf({
      org,
      vault,
      request,
      journal,
      chosen,
      blindSpots: blindSpots(chosen, notInIt, permissions, seen(objects), approximate),
      files,
      metadata: metadata?.told,
      objects,
      notCovered: notInIt,
      rest,
      suspects,
      alerts: findAlerts(judged, before, request.alerts),
      read,
      bytes: [...read.written, ...files.written].reduce((sum, { size }) => sum + size, 0),
      ended: ctx.now(),
    });
    for (const point of new Set([...read.builtOn, ...(carried?.points ?? [])])) await writer.buildsOn(point);
    warnOfCoverage(ctx, root, request);
    ctx.report({ type: 'stage', stage: 'sealing the point' });
    const head = await writer.seal(root, [...read.written, ...files.written], signer, request.tool, ctx.signal);
    ctx.report({ type: 'point-sealed', point: root.point, ...head });
    return { point: pointResult(root), head };
  } finally {
    // The outcome is decided by now; a lease that cannot be released runs out by itself.
    await journal.run.release(ctx.now).catch(() => undefined);
  }
}

/** Describes of objects that the vault does not have as they are. */
async function writeSchemas(
  writer: PointWriter,
  chosen: readonly Chosen[],
  parents: ReadonlyMap<string, Parent>,
  signal: AbortSignal,
): Promise<Map<string, { print: string; page: Ref }>> {
  const schemas = new Map<string, { print: string; page: Ref }>();
  const fresh: Chosen[] = [];
  for (const one of chosen) {
    const known = parents.get(one.describe.name)?.page.schema;
    if (known?.print === schemaPrint(one.describe)) schemas.set(one.describe.name, known);
    else fresh.push(one);
  }
  for (let from = 0; from < fresh.length; from += describesPerPage) {
    const part = fresh.slice(from, from + describesPerPage);
    const objects = part.map(({ describe }) => ({ print: schemaPrint(describe), describe: { ...describe } }));
    const page = await writer.putSchema({ v: 1, objects }, signal);
    for (const { print, describe } of objects) schemas.set(describe.name, { print, page });
  }
  return schemas;
}

interface FilesDone {
  readonly count: number;
  readonly bytes: number;
  readonly pages: readonly Ref[];
  readonly refs: readonly Ref[];
  readonly written: readonly Ref[];
  readonly failures: ReadonlyMap<string, string>;
  readonly notCovered: readonly LeftOut[];
}

async function backupFiles(
  ctx: Context,
  org: Org,
  vault: Vault,
  writer: PointWriter,
  journal: Journal,
  lists: readonly FileList[],
  carried: CarriedFiles,
): Promise<FilesDone> {
  const wanted = lists.filter(({ length }) => length > 0);
  const before = await stillTrue(vault, journal.files, wanted, journal.started.getTime() - clockSlack);
  if (wanted.length > 0) ctx.report({ type: 'stage', stage: 'fetching files' });
  const done = new Set([...before.done, ...carried.done]);
  const result = await storeFiles(ctx, org, writer, wanted, done, (page) =>
    journal.run.append({ type: 'files', ...page, numbers: writer.numbers }),
  );
  const all = [...before.pages, ...result.pages];
  return {
    count: all.reduce((sum, { count }) => sum + count, carried.count),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, carried.bytes),
    // Of two pages that name a file, the later one holds.
    pages: [...carried.pages, ...all.map(({ page }) => page)],
    refs: [...carried.refs, ...all.map(({ refs }) => refs)],
    written: all.flatMap(({ stored }) => stored),
    failures: result.failures,
    notCovered: [],
  };
}

/** Of every object with rows, also of one that nothing happened to: a run that wants files again goes by it. */
function withoutFiles(chosen: readonly Chosen[], objects: readonly RootObject[]): FilesDone {
  const withRows = new Set(objects.flatMap(({ object, rows }) => (rows > 0 ? [object] : [])));
  const notCovered = chosen.filter(({ describe }) => withRows.has(describe.name)).flatMap(filesLeftOut);
  return { count: 0, bytes: 0, pages: [], refs: [], written: [], failures: new Map(), notCovered };
}

/** The zips of the metadata are files like others, on a page of their own. */
function withMetadata(files: FilesDone, metadata: MetadataStored | undefined): FilesDone {
  if (!metadata) return files;
  const { page, notCovered } = metadata;
  return {
    ...files,
    count: files.count + (page?.count ?? 0),
    bytes: files.bytes + (page?.bytes ?? 0),
    pages: [...files.pages, ...(page ? [page.page] : [])],
    refs: [...files.refs, ...(page ? [page.refs] : [])],
    written: [...files.written, ...(page?.stored ?? [])],
    notCovered: [...files.notCovered, ...notCovered],
  };
}

/** An object that the org lists and does not describe: it may have rows, and none of them is in the point. */
function notDescribed({ object, reason }: LeftOut): RootObject {
  return {
    object,
    rows: 0,
    changed: 0,
    deleted: 0,
    segments: 0,
    bytes: 0,
    path: 'none',
    complete: false,
    incomplete: 'failed',
    reason,
  };
}

function withFailures(objects: readonly RootObject[], failures: ReadonlyMap<string, string>): RootObject[] {
  return objects.map((object) => {
    const reason = failures.get(object.object);
    if (reason === undefined) return object;
    return {
      ...object,
      complete: false,
      incomplete: 'failed',
      reason: object.reason ? `${object.reason}; ${reason}` : reason,
    };
  });
}

function rootOf(parts: {
  org: Org;
  vault: Vault;
  request: BackupRequest;
  journal: Journal;
  chosen: readonly Chosen[];
  blindSpots: readonly BlindSpot[];
  files: FilesDone;
  metadata: Root['metadata'];
  objects: readonly RootObject[];
  notCovered: readonly LeftOut[];
  rest: readonly Rest[];
  suspects: readonly string[];
  alerts: readonly Alert[];
  read: ObjectsRead;
  bytes: number;
  ended: Date;
}): Root {
  const { org, request, journal, objects, files } = parts;
  const { orgId, instanceUrl, organizationName, isSandbox, username, apiVersion } = org.identity;
  const sorted = [...objects].sort((a, b) => (a.object < b.object ? -1 : 1));
  const today = parts.ended.toISOString();
  const accepted = acceptances(request.accept, parts.ended);
  const wholeMetadata = parts.metadata?.complete !== false;
  return {
    v: 1,
    vault: parts.vault.info.vault,
    point: journal.run.point,
    org: { id: orgId, instanceUrl, name: organizationName, isSandbox, username, apiVersion },
    kind: parts.read.incremental ? 'incremental' : 'full',
    status: wholeMetadata && sorted.every((one) => one.complete || accepted(one.object, one)) ? 'complete' : 'partial',
    suspect: parts.alerts.length > 0,
    ...(parts.alerts.length > 0 ? { alerts: [...parts.alerts] } : {}),
    ...(parts.suspects.length > 0 ? { suspects: [...parts.suspects] } : {}),
    started: journal.started.toISOString(),
    ended: today,
    tags: [...request.tags],
    policy: policyOf(request),
    objects: sorted,
    schema: [...parts.read.schema],
    files: { count: files.count, bytes: files.bytes, pages: [...files.pages], refs: [...files.refs] },
    ...(parts.metadata && { metadata: parts.metadata }),
    notCovered: [...parts.notCovered].sort((a, b) =>
      `${a.object} ${a.field ?? ''}` < `${b.object} ${b.field ?? ''}` ? -1 : 1,
    ),
    ...(parts.rest.length === 0 ? {} : { rest: [...parts.rest] }),
    fieldsAsked: parts.read.fieldsAsked.toISOString(),
    ...(parts.blindSpots.length === 0 ? {} : { blindSpots: [...parts.blindSpots] }),
    coverage: coverageOf({
      chosen: parts.chosen,
      verdicts: verdictsOf(sorted),
      notCovered: parts.notCovered,
      accepted,
    }),
    apiCalls: org.apiCalls,
    ...(org.apiUsage === undefined ? {} : { apiUsage: { ...org.apiUsage } }),
    rows: sorted.reduce((sum, { rows }) => sum + rows, 0),
    bytes: parts.bytes,
  };
}

function policyOf({ policy }: BackupRequest): Root['policy'] {
  const { objects, exclude, exclusions = [] } = policy;
  return {
    objects: [...objects],
    exclude: [...exclude],
    ...(exclusions.length === 0 ? {} : { exclusions: exclusions.map(recorded) }),
  };
}

/** Throws `coverage-too-low` when describes and permissions already say that the point would cover too little; no row has been read by then. */
async function assertCoverage(
  org: Org,
  request: BackupRequest,
  { chosen, failed, notCovered }: Selection,
  { permissions, journal, hiddenFields }: { permissions: Permissions; journal: Journal; hiddenFields: HiddenFields },
): Promise<void> {
  const finished = new Map(journal.objects.map(({ object, hidden }) => [object.object, hidden]));
  const open = chosen.flatMap(({ describe }) => (finished.has(describe.name) ? [] : [describe]));
  const seenNot = [...finished.values(), ...(await hiddenFields.ask(open))].flat();
  const hidden = answeredFor(seenNot, request.policy.exclusions);
  const without = request.files ? [] : chosen.flatMap(filesLeftOut);
  const all = [...notCovered, ...hidden, ...without];
  const accepted = acceptances(request.accept, journal.started);
  const verdicts = foreseen(chosen, failed, permissions);
  const coverage = coverageOf({ chosen, verdicts, notCovered: all, accepted });
  if (coverage >= request.minCoverage!) return;
  const approximate = await org.approximateCounts();
  const blind = chosen.filter(({ describe }) => verdicts.get(describe.name)?.complete === false);
  const rows = await rowsSeen(org, blind);
  const spots = blindSpots(chosen, all, permissions, rows, approximate);
  throw coversTooLittle(coverage, request.minCoverage!, spots);
}

/** What fell short while it was read makes the point partial, not nothing. */
function warnOfCoverage(ctx: Context, { coverage }: Root, { minCoverage }: BackupRequest): void {
  if (minCoverage === undefined || coverage >= minCoverage) return;
  const message = `the point covers ${coverage} %, less than the ${minCoverage} % that were asked for: it was enough when the run began, and the objects that are named fell short`;
  ctx.report({ type: 'warning', name: 'coverage-too-low', message });
}

function seen(objects: readonly RootObject[]): Map<string, number> {
  return new Map(objects.flatMap(({ object, page, rows }) => (page ? [[object, rows]] : [])));
}
