import { isFault } from '../../errors.ts';
import type { Problem, RungName, RungResult } from './request.ts';

/** What one rung has found so far. */
export class Rung {
  readonly name: RungName;
  figure = '';
  dangling: { field: string; count: number }[] | undefined;
  readonly #problems = new Map<string, Problem>();

  constructor(name: RungName) {
    this.name = name;
  }

  /** The first problem of each object is kept: others mostly follow from it. */
  problem(key: string, problem: string): void {
    if (!this.#problems.has(key)) this.#problems.set(key, { key, problem });
  }

  result(): RungResult {
    // Objects are read side by side: by key, the result is the same each time.
    const problems = [...this.#problems.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    return {
      rung: this.name,
      ok: problems.length === 0,
      figure: this.figure,
      problems,
      ...(this.dangling ? { dangling: this.dangling } : {}),
    };
  }
}

/** Which rung a fault belongs to, first choice first: a ladder may end before it. */
const rungsOfFaults: Partial<Record<string, readonly RungName[]>> = {
  'object-missing': ['existence'],
  'size-mismatch': ['existence'],
  'digest-mismatch': ['digests'],
  'not-authentic': ['decrypt', 'digests'],
  'wrong-identity': ['decrypt', 'digests'],
  'segment-invalid': ['parse', 'counts', 'digests'],
  'newer-format': ['parse', 'counts', 'digests'],
  'count-mismatch': ['counts', 'digests'],
  'signature-invalid': ['existence'],
};

/** The rungs of one point. */
export class Ladder {
  readonly #rungs: ReadonlyMap<RungName, Rung>;

  constructor(names: readonly RungName[]) {
    this.#rungs = new Map(names.map((name) => [name, new Rung(name)]));
  }

  /** The rung, or undefined when this ladder does not go that far. */
  rung(name: RungName): Rung | undefined {
    return this.#rungs.get(name);
  }

  /** Notes a problem under the rung, or under the last one when this ladder ends before it. */
  problem(name: RungName, key: string, problem: string): void {
    this.#choose([name]).problem(key, problem);
  }

  /** Notes a fault of reading `key` under the rung it belongs to. Throws what is no fault of the stored bytes. */
  blame(error: unknown, key: string): void {
    const names = isFault(error) ? rungsOfFaults[error.name] : undefined;
    if (!isFault(error) || !names) throw error;
    const named = typeof error.data.key === 'string' ? error.data.key : key;
    this.#choose(names).problem(named, error.message);
  }

  #choose(names: readonly RungName[]): Rung {
    const found = names.map((name) => this.#rungs.get(name)).find((rung) => rung !== undefined);
    return found ?? [...this.#rungs.values()].at(-1)!;
  }

  results(): RungResult[] {
    return [...this.#rungs.values()].map((rung) => rung.result());
  }
}

/** `412 objects, 1.2 GB` */
export function objectsFigure(objects: number, bytes: number): string {
  return `${counted(objects, 'object')}, ${humanBytes(bytes)}`;
}

const thousands = new Intl.NumberFormat('en-US');

/** `1,200` */
export function written(count: number): string {
  return thousands.format(count);
}

/** `1 object`, `1,200 objects` */
export function counted(count: number, noun: string): string {
  return `${written(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Decimal units, as disks and buckets are sold. */
export function humanBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  let value = bytes;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
