import type { Context } from '../context.ts';
import { Fault, isFault } from '../errors.ts';
import { inOrder } from '../rows/in-order.ts';
import { readAttestation } from '../vault/attest.ts';
import type { LogEntry } from '../vault/log.ts';
import type { Alert, Root } from '../vault/manifest.ts';
import { isPinned, type Retention, type Retired, revivable, standing } from '../vault/retention.ts';
import type { Vault } from '../vault/vault.ts';
import { assertReads, latestGood, rootOrDamage, unreadToo } from './latest.ts';

/** One line of `salvor list-points`. */
export interface PointListed {
  readonly id: string;
  readonly started: string;
  readonly ended: string;
  readonly kind: string;
  readonly status: string;
  readonly suspect: boolean;
  /** Why it is suspect. */
  readonly alerts: readonly Alert[];
  readonly quarantined: boolean;
  readonly objects: number;
  readonly rows: number;
  readonly changed: number;
  readonly deleted: number;
  readonly bytes: number;
  readonly coverage: number;
  readonly tags: readonly string[];
  /** Whose point it is: a sandbox has a new Id since it was refreshed. Null: it cannot be read. */
  readonly orgId: string | null;
  /** What keeps it from being retired by a policy: `pinned`, or `pinned until <time>`. */
  readonly holds: readonly string[];
  /** Until when it can be brought back; null: it is in use. */
  readonly retired: string | null;
  /** The newest attested verification. */
  /** The last time; a part that was read (`sample`) and is whole does not take the place of a time when all of it was. */
  readonly verified: {
    readonly rung: string;
    readonly at: string;
    readonly ok: boolean;
    readonly sample?: string;
  } | null;
  /** Objects that are not complete, with the reason. */
  readonly incomplete: readonly { readonly object: string; readonly reason: string }[];
  /** Why the table of contents cannot be read: then status is `unreadable`, and counts are 0. */
  readonly unreadable?: string;
}

/** What a point's table of contents says: the same whenever it is read. */
type Contents = Omit<PointListed, keyof Marks>;

/** A line about a point that was listed before. */
export interface KnownPoint {
  /** Names, sizes and tags of the point's own objects in the store when it was read. */
  readonly stamp: string;
  readonly contents: Contents;
}

/** By the digest of the point's record, which signs what the line was read from. */
export type KnownPoints = Map<string, KnownPoint>;

const latestForm = /^latest(?:~(\d+))?$/;

/** Small objects that are fetched at the same time; a root takes two round trips, one behind the other. */
const inFlight = 32;

export interface PointsListed {
  /** Newest first. */
  readonly points: PointListed[];
  /** What does not verify or cannot be read: records, attestations, tables of contents. */
  readonly problems: readonly Fault[];
}

/**
 * All points, also those that are retired and can still come back. The writer key alone is enough. A damaged object hides nothing but itself: its point is still listed, `unreadable`, with
 * what its signed record says. So are points from before the writer key at hand was added. Throws when no key is at hand that fits.
 * `known`: lines of earlier lists, which are taken while the store lists the point's objects as it did then; afterwards those of this one. `each` is given
 * every root that is read.
 */
export async function listPoints(
  vault: Vault,
  now = new Date(),
  known?: KnownPoints,
  each: (root: Root) => void = () => undefined,
): Promise<PointsListed> {
  const { points, attested, problems, quarantined, retention } = await vault.state();
  const found = problems.map(({ fault }) => fault);
  const verified = new Map<string, NonNullable<PointListed['verified']>>();
  for await (const attestation of inOrder(attested, inFlight, (entry) =>
    orFault(vault, readAttestation(vault, entry)),
  )) {
    if (attestation instanceof Fault) found.push(attestation);
    else {
      const { at, sample } = attestation;
      for (const { point, rung, ok } of attestation.points) {
        const before = verified.get(point);
        if (sample && ok && before?.ok && before.sample === undefined) continue;
        verified.set(point, { rung, ok, at, ...(sample ? { sample } : {}) });
      }
    }
  }
  const listed: PointListed[] = [];
  const newestFirst = standing({ points, retention }).sort((a, b) => b.seq - a.seq);
  const stamps = known && (await stampsOf(vault));
  const before = new Map(known);
  known?.clear();
  const reading = inOrder(newestFirst, inFlight, async (entry) => {
    const stamp = stamps?.get(entry.record.point!);
    const earlier = before.get(entry.digest);
    if (earlier !== undefined && earlier.stamp === stamp) return { entry, stamp, contents: earlier.contents };
    const root = await orFault(vault, vault.root(entry));
    if (!(root instanceof Fault)) each(root);
    return { entry, stamp, contents: root instanceof Fault ? root : contentsOf(root) };
  });
  for await (const { entry, stamp, contents } of reading) {
    const point = entry.record.point!;
    const marks = {
      verified: verified.get(point) ?? null,
      quarantined: quarantined.has(point),
      holds: holdsOf(retention, point, now),
      retired: retention.retired.get(point)?.until ?? null,
    };
    if (contents instanceof Fault) found.push(contents);
    else if (stamp !== undefined) known?.set(entry.digest, { stamp, contents });
    listed.push(contents instanceof Fault ? unreadable(entry, contents, marks) : { ...contents, ...marks });
  }
  return { points: listed, problems: found };
}

/** By point: what the store lists of it now. Points whose objects it lists without tags are left out. */
async function stampsOf({ store }: Vault): Promise<ReadonlyMap<string, string>> {
  const stamps = new Map<string, string>();
  const untagged = new Set<string>();
  for await (const { key, size, etag } of store.list('points/')) {
    const [, point = '', name = ''] = key.split('/');
    if (etag === undefined) untagged.add(point);
    stamps.set(point, `${stamps.get(point) ?? ''}${name} ${size} ${etag}\n`);
  }
  for (const point of untagged) stamps.delete(point);
  return stamps;
}

/** The value; or the Fault when it is about this one object, and the keys at hand are of this vault. */
export async function orFault<T>(vault: Vault, reading: Promise<T>): Promise<T | Fault> {
  try {
    return await reading;
  } catch (error) {
    if (!isFault(error)) throw error;
    const known = vault.keyring.isKnown;
    // With a key in `data` it is that object that does not open; without, no key at hand is of this vault.
    if (error.name === 'wrong-identity' && known && error.data.key !== undefined) return error;
    if (error.exit === 4 || error.name === 'newer-format') return error;
    throw error;
  }
}

function holdsOf(retention: Retention, point: string, now: Date): string[] {
  const until = retention.pins.get(point);
  return isPinned(retention, point, now) ? [until === undefined ? 'pinned' : `pinned until ${until}`] : [];
}

type Marks = Pick<PointListed, 'verified' | 'quarantined' | 'holds' | 'retired'>;

function unreadable({ record }: LogEntry, { message }: Fault, marks: Marks): PointListed {
  return {
    id: record.point!,
    started: record.started,
    ended: record.ended,
    kind: 'unknown',
    status: 'unreadable',
    suspect: false,
    alerts: [],
    objects: 0,
    rows: 0,
    changed: 0,
    deleted: 0,
    bytes: 0,
    coverage: 0,
    tags: [],
    orgId: null,
    incomplete: [],
    unreadable: message,
    ...marks,
  };
}

function contentsOf(root: Root): Contents {
  return {
    id: root.point,
    started: root.started,
    ended: root.ended,
    kind: root.kind,
    status: root.status,
    suspect: root.suspect,
    alerts: root.alerts ?? [],
    objects: root.objects.length,
    rows: root.rows,
    changed: root.objects.reduce((sum, { changed }) => sum + changed, 0),
    deleted: root.objects.reduce((sum, { deleted }) => sum + deleted, 0),
    bytes: root.bytes,
    coverage: root.coverage,
    tags: root.tags,
    orgId: root.org.id,
    incomplete: root.objects
      .filter(({ complete }) => !complete)
      .map(({ object, reason }) => ({ object, reason: reason ?? '' })),
  };
}

/**
 * The point that a person names: its id or a unique prefix, a tag, a time (the newest point whose `ended` is not after it: a time to
 * the minute or second, and a date in UTC, stand for all of it), `latest`,
 * `latest~2` (complete, not suspect, of the same org as the newest point: not from before a sandbox was refreshed) or `latest!` (any). Points in quarantine go by their
 * id and `latest!` only. `latest` and tags pass over a point whose list or root is damaged, with a warning. Throws `no-such-point`; says which are near when a prefix is not
 * unique; `usage` for an empty name; the damage when no point reads at all, and, unless `any` point will do, of the one that a time names, with the newest
 * good one before it as what to do.
 */
export async function findPoint(
  ctx: Pick<Context, 'report'>,
  vault: Vault,
  name: string,
  use: 'read' | 'any' = 'read',
): Promise<LogEntry> {
  assertNamed(name);
  const { points, retention, quarantined } = await vault.state();
  const newestFirst = [...points].reverse();
  const none = (why: string) => new Fault('no-such-point', why, { data: { point: name } });
  const retired = [...retention.retired].find(([id]) => name.length > 8 && id.startsWith(name));
  if (retired && !newestFirst.some(({ record }) => record.point!.startsWith(name))) throw gone(...retired);
  if (points.length === 0) throw none('the vault holds no recovery point yet');
  if (name === 'latest!') return newestFirst[0]!;
  const latest = latestForm.exec(name);
  const trusted = newestFirst.filter(({ record }) => !quarantined.has(record.point!));
  if (latest) return latestGood(ctx, vault, trusted, Number(latest[1] ?? 0), name);
  const byId = newestFirst.filter(({ record }) => record.point!.startsWith(name));
  if (byId.length === 1) return byId[0]!;
  if (byId.length > 1)
    throw none(
      `${name} fits ${byId.length} points: ${byId
        .slice(0, 3)
        .map(({ record }) => record.point)
        .join(', ')} …`,
    );
  const over = endOf(name);
  if (over !== undefined) {
    const found = trusted.find(({ record }) => Date.parse(record.ended) < over);
    if (found && use === 'read') await assertReads(ctx, vault, trusted, found);
    if (found) return found;
    throw none(`no point ended at ${name} or before`);
  }
  let damaged = 0;
  for (const entry of trusted) {
    const root = await rootOrDamage(ctx, vault, entry);
    if (root instanceof Fault) damaged += 1;
    else if (root.tags.includes(name)) return entry;
  }
  throw none(`there is no point with the id or the tag ${name}${unreadToo(damaged)}`);
}

/** An empty name is the beginning of every id. */
function assertNamed(name: string): void {
  if (name !== '') return;
  throw new Fault('usage', 'the name of a point is empty', {
    actions: ['give an id, a tag, a time or `latest`; `salvor list-points` shows them'],
  });
}

/** Throws `usage` for a tag that would never name its point, since `findPoint` reads it as something else. */
export function assertTag(tag: string): void {
  const actions = ['choose another label, such as before-migration'];
  if (tag === '') throw new Fault('usage', 'a tag is empty', { actions });
  const other = /^latest([~!].*)?$/.test(tag) ? 'the newest point' : endOf(tag) === undefined ? undefined : 'a time';
  if (other !== undefined)
    throw new Fault('usage', `no point can be named by the tag ${tag}: it stands for ${other}`, { actions });
}

/** The first millisecond behind what a time names: the point that ended at 17:40:14.998 is listed with 17:40:14. Undefined: it is no time. */
function endOf(name: string): number | undefined {
  const time = /^\d{4}-\d\d-\d\d(?<minute>T\d\d:\d\d(?<second>:\d\d(?<part>\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/.exec(name);
  const from = time ? Date.parse(name) : Number.NaN;
  if (Number.isNaN(from)) return undefined;
  const { minute, second, part } = time!.groups!;
  if (part) return from + Math.max(1, 1000 / 10 ** (part.length - 1));
  return from + (second ? 1000 : minute ? 60_000 : 86_400_000);
}

function gone(point: string, { until, swept }: Retired): Fault {
  const data = { point };
  if (swept) return new Fault('no-such-point', `point ${point} was let go on ${swept.record.ended}`, { data });
  const actions = [`\`salvor keep ${point}\` brings it back`];
  return new Fault('no-such-point', `point ${point} is retired; until ${until} it can be brought back`, {
    actions,
    data,
  });
}

/** The same of points that are retired and can still come back, which go by their id, its beginning or a tag that no other point has; others as `findPoint`. */
export async function findRetired(ctx: Pick<Context, 'report'>, vault: Vault, name: string): Promise<LogEntry> {
  assertNamed(name);
  const { points, retention } = await vault.state();
  if (points.some(({ record }) => record.point!.startsWith(name))) return findPoint(ctx, vault, name, 'any');
  const retired = revivable({ retention }).map(({ entry }) => entry);
  const found = retired.filter(({ record }) => record.point!.startsWith(name));
  if (found.length === 1) return found[0]!;
  try {
    return await findPoint(ctx, vault, name, 'any');
  } catch (error) {
    if (!isFault(error, 'no-such-point')) throw error;
    for (const entry of retired.sort((a, b) => b.seq - a.seq)) {
      const root = await orFault(vault, vault.root(entry));
      if (!(root instanceof Fault) && root.tags.includes(name)) return entry;
    }
    throw error;
  }
}
