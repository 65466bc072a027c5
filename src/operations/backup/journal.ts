import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { Fault } from '../../errors.ts';
import type { Org } from '../../salesforce/org.ts';
import { longId } from '../../schema/ids.ts';
import { pointRoots } from '../../vault/layout.ts';
import { leftOutSchema, rootObjectSchema, segmentSchema } from '../../vault/manifest.ts';
import { notStored } from '../../vault/point.ts';
import { type Ref, refSchema } from '../../vault/record.ts';
import {
  findRuns,
  firstEntry,
  Run,
  type RunFound,
  type RunPlace,
  type RunReader,
  resumableHours,
} from '../../vault/run.ts';
import type { Vault } from '../../vault/vault.ts';
import { mostRoots, readableRoot } from './earlier-roots.ts';
import { recorded } from './exclusions.ts';
import { type DamagedKeys, listsAny } from './parents.ts';
import type { BackupRequest } from './request.ts';

const startSchema = z.object({
  type: z.literal('start'),
  orgId: z.string(),
  request: z.string(),
  /** A run is not continued behind a new epoch: what it has written is open to those whom the old one let in. */
  epoch: z.number(),
  started: z.string(),
});
/** An object that is finished but for its files. */
const objectSchema = z.object({
  type: z.literal('object'),
  object: rootObjectSchema,
  /** Of the describe by which it was read (`schemaPrint`). */
  print: z.string().optional(),
  /** Schema page that the object's page refers to. */
  schema: refSchema.optional(),
  /** Everything stored for it. */
  written: z.array(refSchema),
  /** Fields hidden from the user. */
  hidden: z.array(leftOutSchema),
  numbers: z.record(z.string(), z.number()),
  /** The earlier point whose objects its page lists too: only what changed since was read. */
  builtOn: z.string().optional(),
  /** True: what it counts as changed is more than what changed since the point before. */
  wide: z.boolean().optional(),
});
/** A stretch of an object that is being read in full, up to a place of its Bulk job: all rows in front of it are stored. */
const partSchema = z.object({
  type: z.literal('part'),
  object: z.string(),
  /** Of the describe by which it is read. */
  print: z.string(),
  place: z.object({ job: z.string(), locator: z.string().optional(), rows: z.number(), started: z.string() }),
  /** What the org counted before the job was made. */
  before: z.number().nullable(),
  base: z.array(segmentSchema),
  gone: z.array(segmentSchema),
  detail: z.array(refSchema),
  /** Rows of the stretch, live ones and those of the recycle bin. */
  live: z.number(),
  deleted: z.number(),
  numbers: z.record(z.string(), z.number()),
});
const filesSchema = z.object({
  type: z.literal('files'),
  page: refSchema,
  refs: refSchema,
  stored: z.array(refSchema),
  count: z.number(),
  bytes: z.number(),
  numbers: z.record(z.string(), z.number()),
});
/** An object of which the org answers no query. */
const refusedSchema = z.object({ type: z.literal('refused'), object: z.string(), reason: z.string() });
const entrySchema = z.discriminatedUnion('type', [startSchema, objectSchema, refusedSchema, partSchema, filesSchema]);
export type JournalRefused = z.infer<typeof refusedSchema>;
export type JournalObject = z.infer<typeof objectSchema>;
export type JournalPart = z.infer<typeof partSchema>;
export type JournalFiles = z.infer<typeof filesSchema>;

/** What an unfinished run has done; the objects in it are not read again. */
export interface Journal {
  readonly run: Run;
  readonly started: Date;
  /** The newest entry of each object. */
  readonly objects: readonly JournalObject[];
  readonly refused: readonly JournalRefused[];
  /** By object: the parts of those that are not finished, one behind the other. */
  readonly parts: ReadonlyMap<string, readonly JournalPart[]>;
  readonly files: readonly JournalFiles[];
  readonly numbers: Readonly<Record<string, number>>;
}

type Entry = z.infer<typeof entrySchema>;
type Start = z.infer<typeof startSchema>;

/** Unfinished runs of the last three days, newest first; `today`: by the clock of the org, where it is asked. Throws `lease-held` when one of them is at work. */
export async function unfinishedRuns(ctx: Context, vault: Vault, today = ctx.now()): Promise<RunFound[]> {
  const { entries } = await vault.state();
  // Retired ones too: their runs are over.
  const sealed = new Set(entries.flatMap(({ record }) => (record.kind === 'point' ? record.point! : [])));
  const runs = await findRuns(await readerOf(vault), sealed, ctx.now(), today);
  const held = runs.find(({ heldBy }) => heldBy);
  if (held?.heldBy) {
    throw new Fault(
      'lease-held',
      `another run (${held.point}, on ${held.heldBy.host}) is writing to this vault since ${held.heldBy.at}`,
      {
        data: { point: held.point, expires: held.heldBy.expires },
      },
    );
  }
  return runs;
}

/**
 * Opens the journal of the newest of `runs` that is of the same org and the same request, or begins a new run. A run whose point was
 * taken by a later one meanwhile is left alone; so is one of which points of other requests hold all objects by now. What it has of some that they hold is done again.
 * Runs are named by the clock of the org, which is the same for all hosts and stamps deletions: names tell what was read before what was deleted.
 */
export async function openJournal(
  ctx: Context,
  vault: Vault,
  org: Org,
  request: BackupRequest,
  runs: readonly RunFound[],
  damaged: DamagedKeys,
): Promise<Journal> {
  const { orgId } = org.identity;
  const { epoch, recipient } = await vault.epoch();
  const place: RunPlace = {
    store: vault.store,
    vault: vault.info.vault,
    recipients: [recipient, ...vault.writerRecipients],
    signer: vault.keyring.writerSigner(),
  };
  const wanted = { type: 'start', orgId, request: requestDigest(request), epoch } as const;
  for (const found of runs) {
    const entries = found.entries.flatMap((entry) => entrySchema.safeParse(entry).data ?? []);
    const [start, ...rest] = entries;
    if (start?.type !== 'start' || start.epoch !== epoch || !isSame(start, wanted)) continue;
    // Its name may be younger than what it has.
    if (Date.parse(start.started) < ctx.now().getTime() - resumableHours * 3_600_000) continue;
    if (await isOvertaken(vault, start)) continue;
    const lost = await notStored(vault.store, rest.flatMap(storedBy), ctx.signal);
    const inUse = new Set((await vault.state()).points.map(({ record }) => record.point));
    const stands = (entry: Entry) => !(entry.type === 'object' && entry.builtOn && !inUse.has(entry.builtOn));
    const held = await heldSince(vault, start, orgId);
    const isOlder = (entry: Entry) => objectOf(entry) !== undefined && held.has(objectOf(entry)!);
    const leaning = await leaningOn(damaged, vault, rest);
    const isWhole = (entry: Entry) => !leaning.has(entry) && !storedBy(entry).some(({ key }) => lost.has(key));
    const done = rest.filter((entry) => stands(entry) && !isOlder(entry) && isWhole(entry));
    const isBehind = await isBehindOthers(vault, found);
    if (done.length === 0 && (isBehind || rest.some(isOlder))) continue;
    for (const problem of [...found.problems, ...[...lost].map((key) => `${key} is gone`)]) {
      ctx.report({ type: 'warning', name: 'journal', message: `what it tells is done again: ${problem}` });
    }
    const run = await continued(ctx, org, vault, place, found, isBehind, [start, ...done]);
    const objects = done.filter((entry) => entry.type === 'object');
    ctx.report({ type: 'resumed', point: run.point, objects: objects.length });
    return {
      run,
      started: new Date(start.started),
      objects: [...new Map(objects.map((entry) => [entry.object.object, entry])).values()],
      refused: done.filter((entry) => entry.type === 'refused'),
      parts: partsIn(done),
      files: done.filter((entry) => entry.type === 'files'),
      numbers: highest(entries.flatMap((entry) => ('numbers' in entry ? [entry.numbers] : []))),
    };
  }
  const started = ctx.now();
  const run = new Run(place, await vault.mintPoint(await org.serverTime()));
  await run.hold(ctx.now);
  await run.append({ ...wanted, started: started.toISOString() } satisfies Start);
  return { run, started, objects: [], refused: [], parts: new Map(), files: [], numbers: {} };
}

/** True when points were taken since whose names sort behind that of the run: what it reads from now on would pass for older than what they hold. */
async function isBehindOthers(vault: Vault, { point }: RunFound): Promise<boolean> {
  const { entries } = await vault.state();
  return entries.some(({ record }) => record.kind === 'point' && record.point! > point);
}

/**
 * The found run, held. When it ended between its table of contents and its record, the name of its point is used up, because no object is
 * ever replaced: what it has finished (`entries`) then goes on under a new name, as it does when it `isBehind` other points.
 */
async function continued(
  ctx: Context,
  org: Org,
  vault: Vault,
  place: RunPlace,
  found: RunFound,
  isBehind: boolean,
  entries: readonly Entry[],
): Promise<Run> {
  const roots = await Promise.all(pointRoots(found.point).map((key) => vault.store.head(key)));
  if (!isBehind && roots.every((root) => root === undefined)) {
    const run = new Run(place, found.point, found.numbers);
    await run.hold(ctx.now);
    return run;
  }
  const run = new Run(place, await vault.mintPoint(await org.serverTime()));
  await run.hold(ctx.now);
  for (const entry of entries) await run.append(entry);
  return run;
}

/** True when a point of the same request was taken since this run began: going on would give an older state as the newest point. */
async function isOvertaken(vault: Vault, start: Start): Promise<boolean> {
  const reader = await readerOf(vault);
  const { points } = await vault.state();
  const later = points.filter(({ record }) => Date.parse(record.started) >= Date.parse(start.started));
  for (const { record } of later.reverse()) {
    const { data } = startSchema.safeParse(await firstEntry(reader, record.point!));
    if (data && isSame(data, start)) return true;
  }
  return false;
}

/** Objects that points hold which were begun since: what the run read of them is older, and must not become the newest state. */
async function heldSince(vault: Vault, start: Start, orgId: string): Promise<Set<string>> {
  const { points, quarantined } = await vault.state();
  const isLater = ({ started }: { readonly started: string }) => Date.parse(started) >= Date.parse(start.started);
  const later = points.filter(({ record }) => isLater(record) && !quarantined.has(record.point!));
  const held = new Set<string>();
  for (const entry of later.reverse().slice(0, mostRoots)) {
    const root = await readableRoot(vault, entry);
    if (!root || longId(root.org.id) !== longId(orgId)) continue;
    for (const { object, page } of root.objects) if (page) held.add(object);
    for (const { objects } of (root.rest ?? []).filter(isLater)) for (const object of objects) held.add(object);
  }
  return held;
}

/** Entries of objects whose pages list what turned out to be damaged of earlier points. */
async function leaningOn({ keys, all }: DamagedKeys, vault: Vault, entries: readonly Entry[]): Promise<Set<Entry>> {
  const found = new Set<Entry>();
  for (const entry of keys.size > 0 ? entries : []) {
    if (entry.type !== 'object' || !entry.object.page) continue;
    const { page } = entry.object;
    const isDamaged = (all && entry.builtOn !== undefined) || keys.has(page.key);
    if (isDamaged || listsAny(await vault.map(page), keys)) found.add(entry);
  }
  return found;
}

function objectOf(entry: Entry): string | undefined {
  if (entry.type === 'object') return entry.object.object;
  return entry.type === 'part' || entry.type === 'refused' ? entry.object : undefined;
}

async function readerOf(vault: Vault): Promise<RunReader> {
  const { store, info, trust } = vault;
  return { store, vault: info.vault, trust, identities: await vault.manifestIdentities() };
}

function storedBy(entry: Entry): readonly Ref[] {
  if (entry.type === 'object') return entry.written;
  if (entry.type === 'files') return entry.stored;
  if (entry.type !== 'part') return [];
  const refs = [...entry.base, ...entry.gone].flatMap((segment) => [segment, segment.index ?? []].flat());
  return [...refs.map(({ key, size, sha256 }) => ({ key, size, sha256 })), ...entry.detail];
}

/** What is told of objects that no later entry finishes; one of which a part is missing is left out. */
function partsIn(entries: readonly Entry[]): Map<string, JournalPart[]> {
  const found = new Map<string, JournalPart[]>();
  for (const entry of entries) {
    if (entry.type === 'object' || entry.type === 'refused') {
      const name = entry.type === 'object' ? entry.object.object : entry.object;
      found.delete(name);
    } else if (entry.type === 'part') {
      const before = entry.place.rows === 0 ? [] : (found.get(entry.object) ?? []);
      const rows = [...before, entry].reduce((sum, { live, deleted }) => sum + live + deleted, 0);
      const follows = rows === entry.place.rows && before.every(({ place }) => place.job === entry.place.job);
      if (follows) found.set(entry.object, [...before, entry]);
      else found.delete(entry.object);
    }
  }
  return found;
}

function isSame(one: Pick<Start, 'orgId' | 'request'>, other: Pick<Start, 'orgId' | 'request'>): boolean {
  return one.orgId === other.orgId && one.request === other.request;
}

/** Two runs are one when they want the same: policy and files. Tags and speed may differ. */
function requestDigest({ policy, files, full }: BackupRequest): string {
  const all = full ? { full } : {};
  const { objects, exclude, exclusions = [] } = policy;
  const leftOut = exclusions.length === 0 ? {} : { exclusions: exclusions.map(recorded) };
  const wanted = { objects: [...objects].sort(), exclude: [...exclude].sort(), files, ...all, ...leftOut };
  return createHash('sha256').update(JSON.stringify(wanted)).digest('hex');
}

function highest(all: readonly Record<string, number>[]): Record<string, number> {
  const result: Record<string, number> = {};
  // Numbers that the run had taken without finishing are skipped by a wide step: names carry digests, so gaps do no harm.
  for (const numbers of all)
    for (const [kind, n] of Object.entries(numbers)) result[kind] = Math.max(result[kind] ?? 0, n + 100);
  return result;
}
