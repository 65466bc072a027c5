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

/**
 * Why each of `times` (newest first) is kept; nothing: it is not. Restic's rules: of each of the last n periods that have a point the newest
 * one; where a rule has counts left, the oldest point of all too; a point that any rule keeps is kept.
 */
export function keptByCounts(times: readonly Date[], counts: Counts): Period[][] {
  const kept: Period[][] = times.map(() => []);
  for (const name of periodNames) {
    let left = counts[name] ?? 0;
    let before: string | undefined;
    for (const [nr, time] of times.entries()) {
      if (left <= 0) break;
      const period = periods[name](time, nr);
      if (period === before && nr < times.length - 1) continue;
      kept[nr]!.push(name);
      before = period;
      left -= 1;
    }
  }
  return kept;
}
