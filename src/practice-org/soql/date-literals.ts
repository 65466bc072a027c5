/** A span of time: from `start` until just before `end`, milliseconds since 1970, GMT. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

type Unit = 'DAY' | 'WEEK' | 'MONTH' | 'QUARTER' | 'YEAR';

const day = 86_400_000;

/** Start of the unit that holds `now`, moved by so many units. Weeks start on Sunday, as in en_US. */
function startOf(unit: Unit, now: number, by: number): number {
  const date = new Date(now);
  const [year, month, dayOfMonth] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  switch (unit) {
    case 'DAY':
      return Date.UTC(year, month, dayOfMonth + by);
    case 'WEEK':
      return Date.UTC(year, month, dayOfMonth - date.getUTCDay() + 7 * by);
    case 'MONTH':
      return Date.UTC(year, month + by, 1);
    case 'QUARTER':
      return Date.UTC(year, month - (month % 3) + 3 * by, 1);
    case 'YEAR':
      return Date.UTC(year + by, 0, 1);
  }
}

function units(unit: Unit, now: number, first: number, count: number): Span {
  return { start: startOf(unit, now, first), end: startOf(unit, now, first + count) };
}

/**
 * The span of a date literal (`TODAY`, `LAST_N_DAYS:30`), in GMT with a fiscal year that starts in January; undefined when it is
 * not known. `LAST_N_DAYS:n` holds today, `LAST_N_WEEKS:n` and the like do not.
 */
export function dateLiteral(literal: string, now: number): Span | undefined {
  const [name, count] = literal.toUpperCase().split(':') as [string, string | undefined];
  const plain = name.replace('FISCAL_', '');
  if (count === undefined) return plainLiteral(plain, now);
  const n = Number(count);
  const match = /^(?:(NEXT|LAST)_N_|N_)(DAY|WEEK|MONTH|QUARTER|YEAR)S(_AGO)?$/.exec(plain);
  if (!match || !Number.isInteger(n)) return undefined;
  const unit = match[2] as Unit;
  if (match[3]) return units(unit, now, -n, 1);
  if (match[1] === 'NEXT') return units(unit, now, 1, n);
  return unit === 'DAY' ? units(unit, now, -n, n + 1) : units(unit, now, -n, n);
}

function plainLiteral(name: string, now: number): Span | undefined {
  const days: Record<string, number> = { YESTERDAY: -1, TODAY: 0, TOMORROW: 1 };
  if (name in days) return units('DAY', now, days[name]!, 1);
  if (name === 'LAST_90_DAYS') return units('DAY', now, -90, 91);
  if (name === 'NEXT_90_DAYS') return { start: startOf('DAY', now, 1), end: startOf('DAY', now, 0) + 91 * day };
  const match = /^(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR)$/.exec(name);
  if (!match) return undefined;
  return units(match[2] as Unit, now, match[1] === 'LAST' ? -1 : match[1] === 'THIS' ? 0 : 1, 1);
}

/** ISO text of a SOQL date-time literal (`…Z`, `…+02:00`, `…+0200`), or undefined. */
export function dateTimeLiteral(literal: string): string | undefined {
  const time = Date.parse(literal.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
