import { keptByCounts } from './periods.ts';
import { isEmpty, type Policy } from './policy.ts';

/** What the rules ask of a point. */
export interface PointFacts {
  readonly id: string;
  readonly ended: string;
  /** `unreadable`: damaged; `closed`: the keys at hand do not open its table of contents. */
  readonly status: 'complete' | 'partial' | 'unreadable' | 'closed';
  /** And nobody has acknowledged it. */
  readonly suspect: boolean;
  /** It was suspect until somebody acknowledged it: it counts, and `latest` passes it over all the same. */
  readonly acknowledged: boolean;
  readonly quarantined: boolean;
  readonly coverage: number;
  /** Objects that it holds completely. */
  readonly objects: ReadonlySet<string>;
  /** Objects that nobody asked for when it was taken (`--objects`, `--exclude`). */
  readonly leftOut: ReadonlySet<string>;
  /** Null: not known. */
  readonly orgId: string | null;
  /** The newest verification of it found it whole. */
  readonly verified: boolean;
  readonly pinned: boolean;
}

/** `keep`: why the point stays; none: it is retired. */
export interface Decision {
  readonly id: string;
  readonly ended: string;
  readonly status: PointFacts['status'];
  readonly keep: readonly string[];
}

/** What happens to each point, newest first. Only a point that no rule keeps is retired. */
export function decide(points: readonly PointFacts[], policy: Policy, minPoints: number, now: Date): Decision[] {
  const all = [...points].reverse().sort((a, b) => Date.parse(b.ended) - Date.parse(a.ended));
  const reasons = new Map<string, string[]>(all.map(({ id }) => [id, []]));
  const keep = (point: PointFacts | undefined, reason: string) => {
    if (point) reasons.get(point.id)!.push(reason);
  };
  if (isEmpty(policy)) for (const point of all) keep(point, 'no policy');

  const past = all.filter(({ ended }) => Date.parse(ended) <= now.getTime());
  const sound = past.filter(({ suspect, quarantined }) => !suspect && !quarantined);
  const good = sound.filter(({ status }) => status === 'complete');
  const partial = sound.filter(({ status }) => status === 'partial');

  keepByPolicy(policy, past, good, partial, keep);
  for (const point of all) {
    if (point.pinned) keep(point, 'pinned');
    if (point.suspect) keep(point, 'suspect');
    if (point.status === 'unreadable') keep(point, 'damaged');
    if (point.status === 'closed') keep(point, 'not readable with the key at hand');
    if (Date.parse(point.ended) > now.getTime()) keep(point, 'dated in the future');
  }
  keep(past[0], 'newest');
  const isKept = ({ id }: PointFacts) => reasons.get(id)!.length > 0;
  const present = past.find(({ orgId }) => orgId !== null)?.orgId;
  const isPresent = ({ orgId }: PointFacts) => orgId === null || orgId === present;
  keepAtLeast(sound.filter(isPresent), minPoints, keep, isKept);
  // Until the org that a refresh put into the place of another has a good point, the best of the other stay too.
  if (!good.some(isPresent)) keepAtLeast(sound, minPoints, keep, isKept);
  return all.map(({ id, ended, status }) => ({ id, ended, status, keep: [...new Set(reasons.get(id)!)] }));
}

/** What stays of the sound points whatever the policy says. */
function keepAtLeast(
  sound: readonly PointFacts[],
  minPoints: number,
  keep: (point: PointFacts | undefined, reason: string) => void,
  isKept: (point: PointFacts) => boolean,
): void {
  const good = sound.filter(({ status }) => status === 'complete');
  const partial = sound.filter(({ status }) => status === 'partial');
  for (const points of [good, good.filter(({ acknowledged }) => !acknowledged)]) {
    keep(points[0], 'newest complete');
    // A watch of a few objects is no reason to let go what else there is.
    const { leftOut } = points[0] ?? { leftOut: new Set<string>() };
    for (const point of newestOf(points, leftOut)) keep(point, 'newest of objects left out since');
  }
  keep(
    sound.find(({ verified }) => verified),
    'newest verified',
  );
  const best = Math.max(...good.map(({ coverage }) => coverage));
  keep(
    good.find(({ coverage }) => coverage === best),
    'newest of full coverage',
  );
  let missing = minPoints;
  // Partial points fill up only where there are not enough complete ones.
  for (const points of [good, partial]) {
    missing -= points.filter(isKept).length;
    const more = points.filter((point) => !isKept(point)).slice(0, Math.max(0, missing));
    for (const point of more) keep(point, 'minimum');
    missing -= more.length;
  }
}

function keepByPolicy(
  policy: Policy,
  past: readonly PointFacts[],
  good: readonly PointFacts[],
  partial: readonly PointFacts[],
  keep: (point: PointFacts | undefined, reason: string) => void,
): void {
  const count = (points: readonly PointFacts[], name: (period: string) => string) => {
    const kept = keptByCounts(points, policy);
    for (const [i, periods] of kept.entries()) for (const period of periods) keep(points[i], name(period));
  };
  count(good, (period) => period);
  // Counted by themselves, so that no partial point takes the place of a complete one.
  count(partial, (period) => `${period} (partial)`);
  const newest = good[0] ?? partial[0];
  if (!policy.window || !newest) return;
  // Reckoned from the newest point and not from now: where backups have stopped, nothing more goes.
  const from = Date.parse(newest.ended) - policy.window;
  for (const point of past) if (Date.parse(point.ended) > from) keep(point, 'window');
  const able = good[0] ? good : partial;
  const isBefore = ({ ended }: PointFacts) => Date.parse(ended) <= from;
  const last = able.find(isBefore);
  const wanted = union([...able.filter((point) => !isBefore(point)), ...(last ? [last] : [])]);
  for (const point of new Set([...(last ? [last] : []), ...newestOf(able.filter(isBefore), wanted)]))
    keep(point, 'last before the window');
}

function union(points: readonly PointFacts[]): Set<string> {
  const sets = new Set(points.map(({ objects }) => objects));
  return new Set([...sets].flatMap((objects) => [...objects]));
}

/** Of points, newest first, those that are the newest to hold some of the objects. */
function* newestOf(points: readonly PointFacts[], objects: ReadonlySet<string>): Generator<PointFacts> {
  const left = new Set(objects);
  const seen = new Set<ReadonlySet<string>>();
  for (const point of points) {
    if (left.size === 0) return;
    if (seen.has(point.objects)) continue;
    seen.add(point.objects);
    const before = left.size;
    for (const object of point.objects) left.delete(object);
    if (left.size < before) yield point;
  }
}
