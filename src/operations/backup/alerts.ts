import { matchesAny } from '../../schema/pattern.ts';
import type { Alert, LeftOut, Root, RootObject } from '../../vault/manifest.ts';
import { stillSuspect } from '../../vault/retention.ts';
import type { LogState } from '../../vault/vault.ts';

/** More rows than this, or a larger share of the rows than this, is an alert. Both absent: never. */
export interface Threshold {
  readonly count?: number | undefined;
  readonly percent?: number | undefined;
}

/** What is too much for some objects in one window. Of several rules that name an object, the last one that has a figure decides it. */
export interface AlertRule {
  /** Names or patterns. */
  readonly objects: readonly string[];
  readonly deleted?: Threshold | undefined;
  readonly changed?: Threshold | undefined;
  /** True or k: also what lies further than k median deviations above the median of the last points. */
  readonly outlier?: boolean | number | undefined;
}

/** Shares of fewer rows than this say nothing. */
const fewRows = 100;
/** An outlier is judged by so many of the last points that have the object, and by no fewer than `fewPoints`. */
export const mostPoints = 30;
const fewPoints = 8;
const usualDeviations = 8;

/** What holds before the rules of the configuration: objects that the platform itself empties or recalculates are let be. */
const defaultRules: readonly AlertRule[] = [
  { objects: ['*'], deleted: { percent: 20 }, changed: { percent: 50 } },
  {
    objects: ['*Share', 'ApexLog', 'AsyncApexJob', 'AuthSession', 'CronTrigger', 'EventLogFile', 'Login*', 'UserLogin'],
    deleted: {},
    changed: {},
  },
];

/** What a point says, as far as rules look at it. */
export interface Judged {
  readonly objects: readonly RootObject[];
  readonly notCovered: readonly LeftOut[];
  readonly policy: Root['policy'];
  /** Objects whose `changed` says more than what changed since the point before: read in full, or with older windows. */
  readonly wide: ReadonlySet<string>;
}

/** What of a point is out of the ordinary. `before`: roots of earlier points, newest first; without one there are no alerts. */
export function findAlerts(point: Judged, before: readonly Root[], rules: readonly AlertRule[] = []): Alert[] {
  const all = [...defaultRules, ...rules];
  const found = point.objects.flatMap((object) => judge(object, point.wide.has(object.object), point, before, all));
  return [...found, ...vanished(point, before, all)].sort((a, b) => (a.object < b.object ? -1 : 1));
}

/** So many suspect points are named: the oldest, since those behind it go the way that it went. */
const mostSuspects = 16;

/** Suspect points that lie behind the new one and that nobody has acknowledged, newest first. `last`: the newest point of the org. */
export function suspectsBefore(state: LogState, last: Root | undefined): string[] {
  const known = [...(last?.suspect ? [last.point] : []), ...(last?.suspects ?? [])];
  return stillSuspect(state, known).slice(-mostSuspects);
}

/** True when some rule looks at more than the point before. */
export function wantsOutliers(rules: readonly AlertRule[] = []): boolean {
  return rules.some(({ outlier }) => outlier !== undefined && outlier !== false);
}

/** True for an object whose rows are known to be what the org showed. */
export function isRead({ incomplete, page }: RootObject): boolean {
  return page !== undefined && incomplete !== 'failed' && incomplete !== 'unproven';
}

function judge(
  now: RootObject,
  isWide: boolean,
  point: Judged,
  before: readonly Root[],
  rules: readonly AlertRule[],
): Alert[] {
  const conditions = conditionsOn(now.object, point);
  // Points that leave out other rows say nothing of how many there should be.
  const comparable = before.filter((root) => conditionsOn(now.object, root) === conditions);
  const past = comparable.flatMap(
    ({ objects }) => objects.find((one) => one.object === now.object && isRead(one)) ?? [],
  );
  const [last] = past;
  if (!last || !isRead(now) || last.incomplete !== now.incomplete) return [];
  const rule = ruleFor(now.object, rules);
  // Rows of the recycle bin are no losses since the point before; fewer live rows are.
  const readInFull = isWide && now.changed === now.rows;
  const deleted = readInFull ? Math.max(0, last.rows - now.rows) : now.deleted;
  const alerts = exceeded(now.object, 'deleted', deleted, last.rows, rule.deleted);
  const windows = past.slice(0, mostPoints).filter((one) => one.changed < one.rows || one.rows === 0);
  const outlier = (what: 'deleted' | 'changed', figure: number) =>
    outlying(
      now,
      what,
      figure,
      windows.map((one) => one[what]),
      rule.outlier,
    );
  if (!readInFull) alerts.push(...outlier('deleted', deleted));
  if (isWide) return alerts;
  const rows = Math.max(last.rows, now.rows);
  return [
    ...alerts,
    ...exceeded(now.object, 'changed', now.changed, rows, rule.changed),
    ...outlier('changed', now.changed),
  ];
}

/** Which rows of an object a point leaves out. */
function conditionsOn(object: string, { notCovered }: Pick<Judged, 'notCovered'>): string {
  return notCovered
    .flatMap((one) => (one.object === object ? (one.where ?? []) : []))
    .sort()
    .join(' OR ');
}

/** Objects that the newest point of the same policy has and that the org no longer lists: all their rows are gone. */
function vanished(point: Judged, before: readonly Root[], rules: readonly AlertRule[]): Alert[] {
  const last = before.find(({ policy }) => JSON.stringify(policy) === JSON.stringify(point.policy));
  const known = new Set(
    [...point.objects, ...point.notCovered.filter(({ field }) => !field)].map(({ object }) => object),
  );
  const gone = (last?.objects ?? []).filter((one) => isRead(one) && !known.has(one.object));
  return gone.flatMap(({ object, rows }) => exceeded(object, 'deleted', rows, rows, ruleFor(object, rules).deleted));
}

function ruleFor(object: string, rules: readonly AlertRule[]): Omit<AlertRule, 'objects'> {
  const fitting = rules.filter(({ objects }) => matchesAny(object, objects));
  return {
    deleted: fitting.findLast(({ deleted }) => deleted)?.deleted,
    changed: fitting.findLast(({ changed }) => changed)?.changed,
    outlier: fitting.findLast(({ outlier }) => outlier !== undefined)?.outlier,
  };
}

function exceeded(
  object: string,
  what: 'deleted' | 'changed',
  figure: number,
  rows: number,
  { count, percent }: Threshold = {},
): Alert[] {
  const alerts: Alert[] = [];
  if (count !== undefined && figure > count) alerts.push({ object, rule: `${what}-count`, figure, limit: count });
  const share = rows === 0 ? 0 : Math.round((1000 * figure) / rows) / 10;
  if (percent !== undefined && rows >= fewRows && figure > (rows * percent) / 100)
    alerts.push({ object, rule: `${what}-percent`, figure: share, limit: percent });
  return alerts;
}

/** The limit lies above the median by k times the median deviation, which counts as 1 row at least, and never below a hundredth of the rows. */
function outlying(
  { object, rows }: RootObject,
  what: 'deleted' | 'changed',
  figure: number,
  past: readonly number[],
  outlier: AlertRule['outlier'],
): Alert[] {
  if (outlier === undefined || outlier === false || past.length < fewPoints) return [];
  const middle = median(past);
  const deviation = Math.max(1, median(past.map((one) => Math.abs(one - middle))));
  const k = outlier === true ? usualDeviations : outlier;
  const limit = Math.ceil(Math.max(middle + k * deviation, rows / 100));
  return figure > limit ? [{ object, rule: `${what}-outlier`, figure, limit }] : [];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
