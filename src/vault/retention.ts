import { Fault } from '../errors.ts';
import type { LogEntry, LogProblem } from './log.ts';

/** A point that a `retire` record took out of use. */
export interface Retired {
  /** The point's own record. */
  readonly entry: LogEntry;
  /** Until then an `unretire` record brings it back, and nothing of it is let go. */
  readonly until: string;
  /** The `sweep` record that let it go: from there on it cannot come back. */
  readonly swept?: LogEntry;
}

/** What the log says of keeping and letting go. */
export interface Retention {
  readonly retired: ReadonlyMap<string, Retired>;
  /** `sweep` records without their `swept`: objects that may still have to be deleted. */
  readonly unfinished: readonly LogEntry[];
  /** Pinned points and until when; undefined: for ever. Pins that ran out are still among them: see `isPinned`. */
  readonly pins: ReadonlyMap<string, string | undefined>;
  /** Stops all pruning. */
  readonly hold: { readonly since: string; readonly until: string | undefined } | undefined;
  /** Suspect points, and keys of records that did not hold, that somebody has looked at. */
  readonly acknowledged: ReadonlySet<string>;
}

/** Folds the records, which are in order: what a later one says counts. */
export function retentionOf(entries: readonly LogEntry[]): Retention {
  const sealed = new Map<string, LogEntry>();
  const retired = new Map<string, Retired>();
  const unfinished = new Map<string, LogEntry>();
  const pins = new Map<string, string | undefined>();
  const acknowledged = new Set<string>();
  let hold: Retention['hold'];
  for (const entry of entries) {
    const { kind, point, points = [], until, ended } = entry.record;
    const released = until !== undefined && Date.parse(until) <= Date.parse(ended);
    if (kind === 'point') sealed.set(point!, entry);
    if (kind === 'hold') {
      hold = released ? undefined : { since: ended, until };
      for (const id of released ? points : []) acknowledged.add(id);
    }
    if (kind === 'sweep') unfinished.set(sweepName(entry), entry);
    if (kind === 'swept') unfinished.delete(sweepName(entry));
    for (const id of points) {
      const known = retired.get(id);
      if (kind === 'retire' && !known && sealed.has(id))
        retired.set(id, { entry: sealed.get(id)!, until: until ?? ended });
      // A pin that is set while another run retires the point is meant to keep it.
      if ((kind === 'unretire' || (kind === 'keep' && !released)) && known && !known.swept) retired.delete(id);
      // The record that retired it may be damaged: what was let go does not come back for that.
      if (kind === 'sweep' && sealed.has(id))
        retired.set(id, { entry: sealed.get(id)!, until: known?.until ?? ended, swept: entry });
      if (kind === 'keep' && released) pins.delete(id);
      else if (kind === 'keep') pins.set(id, until);
    }
  }
  return { retired, unfinished: [...unfinished.values()], pins, hold, acknowledged };
}

/** A sweep and its `swept` name the same lists. */
function sweepName({ record }: LogEntry): string {
  return (record.keys ?? []).map(({ sha256 }) => sha256).join(' ');
}

export function isPinned({ pins }: Retention, point: string, now: Date): boolean {
  return pins.has(point) && !isOver(pins.get(point), now);
}

export function isHeld({ hold }: Retention, now: Date): boolean {
  return hold !== undefined && !isOver(hold.until, now);
}

function isOver(until: string | undefined, now: Date): boolean {
  return until !== undefined && Date.parse(until) <= now.getTime();
}

/** True for a point that no new point may build on: what only it reaches is let go, or will be. */
export function isRetired(state: { readonly retention: Retention }, point: string): boolean {
  return state.retention.retired.has(point);
}

/** Throws `point-retired` when one of `parents` is. */
export function assertNotRetired(state: { readonly retention: Retention }, parents: Iterable<string>): void {
  for (const point of parents) {
    if (isRetired(state, point))
      throw new Fault('point-retired', `point ${point}, which this run builds on, is retired`, { data: { point } });
  }
}

/** Throws `point-retired` when one of `parents` is in quarantine: what lists its objects would be trusted. */
export function assertNotQuarantined(
  { quarantined }: { readonly quarantined: { has(point: string): boolean } },
  parents: Iterable<string>,
): void {
  for (const point of parents) {
    if (quarantined.has(point))
      throw new Fault('point-retired', `point ${point}, which this run builds on, is in quarantine`, {
        data: { point },
      });
  }
}

/** Records of the log that do not read, or follow none that does, and that nobody has looked at. The points of those that do not read are among those of no list. */
export function unreadRecords({
  problems,
  retention,
}: {
  readonly problems: readonly LogProblem[];
  readonly retention: Retention;
}): LogProblem[] {
  return problems.filter(({ key }) => !retention.acknowledged.has(key));
}

interface State {
  readonly points: readonly LogEntry[];
  readonly retention: Retention;
}

/** Retired points that can still come back. */
export function revivable({ retention }: Pick<State, 'retention'>): Retired[] {
  return [...retention.retired.values()].filter(({ swept }) => swept === undefined);
}

/** Those of them whose grace is over. */
export function dueOf(state: Pick<State, 'retention'>, now: Date): Retired[] {
  return revivable(state).filter(({ until }) => isOver(until, now));
}

/** Every point that is in use or can come back: what they reach stays. `without`: points whose grace is over. */
export function standing(state: State, without: readonly Retired[] = []): LogEntry[] {
  const back = revivable(state).filter(({ entry }) => !without.some((one) => one.entry.seq === entry.seq));
  return [...state.points, ...back.map(({ entry }) => entry)];
}

/** Of points that were suspect when a later one was taken, those that nobody has acknowledged since. */
export function stillSuspect(
  { points, retention, quarantined }: State & { readonly quarantined: { has(point: string): boolean } },
  names: readonly string[],
): string[] {
  const inUse = new Set(points.map(({ record }) => record.point!));
  return names.filter((name) => inUse.has(name) && !quarantined.has(name) && !retention.acknowledged.has(name));
}

/** True for a key that pruning may delete: those of points. What stands anywhere else stays for ever. */
export function isPrunable(key: string): boolean {
  return /^(points|pages|data|index|gone|detail|files)\//.test(key);
}
