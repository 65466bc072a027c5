/** Milliseconds since 1970: from `start` until just before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

type Unit = 'DAY' | 'WEEK' | 'MONTH' | 'QUARTER' | 'YEAR';
const msPerDay = 86_400_000;

/**
 * The time that a date literal of SOQL names (`TODAY`, `LAST_N_DAYS:7`, …), seen from `now`. Days begin at midnight UTC and weeks on Sunday:
 * an org that lives in another time zone sees other borders. Undefined for fiscal ones and for what is no date literal.
 */
export function dateSpan(literal: string, now: number): Span | undefined {
  const text = literal.toUpperCase();
  const day: Readonly<Record<string, number>> = { YESTERDAY: -1, TODAY: 0, TOMORROW: 1 };
  if (Object.hasOwn(day, text)) return units('DAY', now, day[text]!, day[text]! + 1);
  if (text === 'LAST_90_DAYS') return units('DAY', now, -90, 1);
  if (text === 'NEXT_90_DAYS') return units('DAY', now, 1, 91);
  const one = /^(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR)$/.exec(text);
  if (one) {
    const by = { LAST: -1, THIS: 0, NEXT: 1 }[one[1] as 'LAST' | 'THIS' | 'NEXT'];
    return units(one[2] as Unit, now, by, by + 1);
  }
  const many = /^(LAST|NEXT)_N_(DAY|WEEK|MONTH|QUARTER|YEAR)S:(\d+)$/.exec(text);
  if (many) {
    const n = Number(many[3]);
    const unit = many[2] as Unit;
    // The last so many days reach up to now; of all others, today's unit is not part.
    if (many[1] === 'NEXT') return units(unit, now, 1, n + 1);
    return units(unit, now, -n, unit === 'DAY' ? 1 : 0);
  }
  const ago = /^N_(DAY|WEEK|MONTH|QUARTER|YEAR)S_AGO:(\d+)$/.exec(text);
  if (ago) return units(ago[1] as Unit, now, -Number(ago[2]), -Number(ago[2]) + 1);
  return undefined;
}

function units(unit: Unit, now: number, from: number, to: number): Span {
  return { start: startOf(unit, now, from), end: startOf(unit, now, to) };
}

/** Where the unit begins that lies `by` units from the one of `now`. */
function startOf(unit: Unit, now: number, by: number): number {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const midnight = Math.floor(now / msPerDay) * msPerDay;
  switch (unit) {
    case 'DAY':
      return midnight + by * msPerDay;
    case 'WEEK':
      return midnight + (7 * by - date.getUTCDay()) * msPerDay;
    case 'MONTH':
      return Date.UTC(year, month + by);
    case 'QUARTER':
      return Date.UTC(year, 3 * (Math.floor(month / 3) + by));
    case 'YEAR':
      return Date.UTC(year + by, 0);
  }
}
