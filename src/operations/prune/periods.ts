/** How many points of each period are kept, as restic's flags of these names mean it. */
export interface Counts {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
}
export type Period = keyof Counts;

const day = 86_400_000;

/** The name of the period that a time lies in, in UTC; `nr` makes every point a period of its own. */
const periods: Record<Period, (time: Date, nr: number) => string> = {
  last: (_, nr) => String(nr),
  hourly: (time) => time.toISOString().slice(0, 13),
  daily: (time) => time.toISOString().slice(0, 10),
  weekly: (time) => isoWeek(time),
  monthly: (time) => time.toISOString().slice(0, 7),
  yearly: (time) => time.toISOString().slice(0, 4),
};
export const periodNames = Object.keys(periods) as Period[];

/** `2026-W53`: weeks begin on Monday and belong to the year of their Thursday. */
export function isoWeek(time: Date): string {
  const midnight = Math.floor(time.getTime() / day) * day;
  const thursday = new Date(midnight + (3 - ((time.getUTCDay() + 6) % 7)) * day);
  const year = thursday.getUTCFullYear();
  const week = 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * day));
  return `${year}-W${String(week).padStart(2, '0')}`;
}

/** A point as the rules count it. */
export interface Counted {
  readonly ended: string;
  /** Objects that it holds completely. */
  readonly objects: ReadonlySet<string>;
}

/**
 * Why each of `points` (newest first) is kept; nothing: it is not. Restic's rules: of each of the last n periods that have a point the newest
 * one; where a rule has counts left, the oldest point of all too; a point that any rule keeps is kept. Beyond restic: of a kept period, the newest point of
 * each object stays, so that a point of a few objects does not take the place of one that holds others as well.
 */
export function keptByCounts(points: readonly Counted[], counts: Counts): Period[][] {
  const kept: Period[][] = points.map(() => []);
  for (const name of periodNames) {
    let left = counts[name] ?? 0;
    let before: string | undefined;
    let held = new Covered();
    for (const [nr, { ended, objects }] of points.entries()) {
      const period = periods[name](new Date(ended), nr);
      if (period === before) {
        if (held.add(objects) || (nr === points.length - 1 && left > 0)) kept[nr]!.push(name);
        continue;
      }
      if (left <= 0) break;
      kept[nr]!.push(name);
      held = new Covered();
      held.add(objects);
      before = period;
      left -= 1;
    }
  }
  return kept;
}

/** Objects that some of the points hold that were looked at. */
export class Covered {
  readonly #objects = new Set<string>();
  readonly #seen = new Set<ReadonlySet<string>>();

  /** True: there are some among `objects` that none before held. */
  add(objects: ReadonlySet<string>): boolean {
    if (this.#seen.has(objects)) return false;
    this.#seen.add(objects);
    const before = this.#objects.size;
    for (const object of objects) this.#objects.add(object);
    return this.#objects.size > before;
  }
}
