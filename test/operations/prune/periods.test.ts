import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Counts, isoWeek, keptByCounts, type Period } from '../../../src/operations/prune/periods.ts';

const hour = 3_600_000;
const base = Date.UTC(2019, 11, 20);

const objects = new Set(['Account']);
/** Points that all hold the same. */
const ended = (list: readonly Date[]) => list.map((time) => ({ ended: time.toISOString(), objects }));

/** Hours around turns of years, newest first. */
const times = fc
  .array(fc.integer({ min: 0, max: 3 * 366 * 24 }), { maxLength: 60 })
  .map((hours) => hours.sort((a, b) => b - a).map((n) => new Date(base + n * hour)));
const count = fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined });
const counts: fc.Arbitrary<Counts> = fc.record({
  last: count,
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
});

/** When a period begins, worked out by the calendar and not by names. */
function begin(period: Exclude<Period, 'last'>, time: Date): number {
  const [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()];
  if (period === 'yearly') return Date.UTC(year, 0);
  if (period === 'monthly') return Date.UTC(year, month);
  if (period === 'weekly') return Date.UTC(year, month, day - ((time.getUTCDay() + 6) % 7));
  return period === 'daily' ? Date.UTC(year, month, day) : Math.floor(time.getTime() / hour) * hour;
}

test('of each of the last n periods that have a point the newest one is kept, and the oldest of all while counts are left', () => {
  fc.assert(
    fc.property(times, counts, (points, given) => {
      const kept = keptByCounts(ended(points), given);
      for (const [name, n = 0] of Object.entries(given) as [Period, number | undefined][]) {
        const firsts = points.flatMap((time, i) => {
          const before = points[i - 1];
          if (name === 'last' || before === undefined) return [i];
          return begin(name, time) === begin(name, before) ? [] : [i];
        });
        const wanted = new Set(firsts.slice(0, n));
        if (firsts.length < n && points.length > 0) wanted.add(points.length - 1);
        const found = kept.flatMap((reasons, i) => (reasons.includes(name) ? [i] : []));
        assert.deepEqual(
          found,
          [...wanted].sort((a, b) => a - b),
          name,
        );
      }
    }),
  );
});

test('a higher count never keeps less', () => {
  fc.assert(
    fc.property(
      times,
      counts,
      fc.constantFrom<Period>('last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'),
      (points, given, name) => {
        const more = keptByCounts(ended(points), { ...given, [name]: (given[name] ?? 0) + 1 });
        for (const [i, reasons] of keptByCounts(ended(points), given).entries())
          assert.ok(reasons.length === 0 || more[i]!.length > 0);
      },
    ),
  );
});

test('weeks are those of ISO 8601', () => {
  const known = {
    '2020-12-31': '2020-W53',
    '2021-01-03': '2020-W53',
    '2021-01-04': '2021-W01',
    '2024-12-30': '2025-W01',
  };
  for (const [day, week] of Object.entries(known)) assert.equal(isoWeek(new Date(`${day}T23:59:59Z`)), week);
});
