import type { WritableRows } from './overlay.ts';

interface Counter {
  readonly before: string;
  readonly digits: number;
  next: number;
}

const counters = new WeakMap<WritableRows, Map<string, Counter>>();

/** The next number of this field, in the form of those that there are. A number that was given out is not given again. */
export function nextAutoNumber(rows: WritableRows, field: string): string {
  let own = counters.get(rows);
  if (!own) {
    own = new Map();
    counters.set(rows, own);
  }
  let counter = own.get(field);
  if (!counter) {
    counter = startAfter(rows, field);
    own.set(field, counter);
  }
  return counter.before + String(counter.next++).padStart(counter.digits, '0');
}

function startAfter(rows: WritableRows, field: string): Counter {
  const last = rows.size > 0 ? String(rows.cell(rows.size - 1, field) ?? '') : '';
  const [, before, digits] = /^(.*?)(\d+)$/.exec(last) ?? [];
  if (digits === undefined) return { before: '', digits: 8, next: rows.size + 1 };
  return { before: before!, digits: digits.length, next: Number(digits) + 1 };
}
