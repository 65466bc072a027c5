import { Fault } from '../../errors.ts';

/** A span of time, both ends included, in milliseconds since 1970; an end that was left open is infinite. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

const day = /^\d{4}-\d\d-\d\d$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/**
 * `<t1>..<t2>`: dates (UTC, the whole day) or times with a zone; either may be left out. `flag`: for the message. Throws `usage`.
 */
export function parseWindow(text: string, flag: string): Window {
  const wrong = (why: string) =>
    new Fault('usage', `--${flag} ${why}: ${text}`, {
      actions: [`write it as 2026-11-22T09:00Z..2026-11-22T10:30Z, with a zone; dates are whole days in UTC`],
    });
  const parts = text.split('..');
  if (parts.length !== 2 || (parts[0] === '' && parts[1] === '')) throw wrong('is no <time>..<time>');
  const [from = '', to = ''] = parts;
  const read = (end: string, last: boolean): number => {
    const at = Date.parse(day.test(end) && last ? `${end}T23:59:59.999Z` : end);
    if ((!day.test(end) && !time.test(end)) || Number.isNaN(at)) throw wrong(`has no time ${end}`);
    return at;
  };
  const window = {
    from: from === '' ? Number.NEGATIVE_INFINITY : read(from, false),
    to: to === '' ? Number.POSITIVE_INFINITY : read(to, true),
  };
  if (window.from > window.to) throw wrong('ends before it begins');
  return window;
}

/** True when a time as rows have it lies in the window. */
export function inWindow({ from, to }: Window, at: number | undefined): boolean {
  return at !== undefined && at >= from && at <= to;
}
