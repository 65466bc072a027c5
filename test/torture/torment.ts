import { inspect } from 'node:util';

/** Is told each fault of the menu that took effect, and how often. */
export type Struck = (fault: string, times?: number) => void;

/** What cases of a torment share. */
export interface Prepared extends AsyncDisposable {
  /** How many different cases there are; undefined: another one for each number. */
  readonly cases?: number;
  /** One case, the same for the same number. Rejects with what is violated. */
  run(number: number, struck: Struck): Promise<void>;
}

/** One way to maltreat salvor. `test/torture/torments.ts` lists them. */
export interface Torment {
  readonly name: string;
  /** The line of README's table that it counts for. */
  readonly figure: string;
  /** Its menu: when one of these never struck, nothing was shown and the run has failed. */
  readonly faults: readonly string[];
  /** Cases of the short form, which every run of the tests does; 0: other tests do as much. */
  readonly short: number;
  /** Its part of the minutes of a long run, beside those of the others. Default 1. */
  readonly share?: number;
  prepare(): Promise<Prepared>;
}

export interface Violation {
  /** Number of the case. */
  readonly number: number;
  readonly what: string;
}

/** What came of a torment. */
export interface Reached {
  readonly torment: Torment;
  /** Cases that there are, if that is a number. */
  readonly of: number | undefined;
  readonly cases: number;
  readonly struck: ReadonlyMap<string, number>;
  readonly violations: readonly Violation[];
  /** Faults of the menu that never struck. */
  readonly missed: readonly string[];
}

/** A case that has not ended by then hangs. */
const patience = 180_000;
/** So many violations are enough to look at. */
const enough = 20;

export interface Bounds {
  /** Number of the first case. */
  readonly seed: number;
  readonly cases?: number;
  /** Time that may be spent. */
  readonly milliseconds?: number;
}

/**
 * Runs cases of a torment, from the one numbered `seed` on, until all that there are, so many, or so much time is over.
 */
export async function torture(torment: Torment, { seed, cases: most, milliseconds }: Bounds): Promise<Reached> {
  const struck = new Map<string, number>();
  const violations: Violation[] = [];
  const began = performance.now();
  let prepared = await torment.prepare();
  const of = prepared.cases;
  // A number of cases that are in an order is gone through from the front, unless one of them is asked for.
  const first = most === undefined ? 0 : seed;
  const end = Math.min(most ?? Number.POSITIVE_INFINITY, of ?? Number.POSITIVE_INFINITY);
  let cases = 0;
  let hung = false;
  while (cases < end && violations.length < enough) {
    const isOver = milliseconds !== undefined && performance.now() - began > milliseconds;
    // Less than the short form would say nothing of the menu.
    if (isOver && cases >= torment.short) break;
    const before = violations.length;
    const number = of === undefined ? seed + cases : (first + cases) % of;
    try {
      await patiently(
        prepared.run(number, (fault, times = 1) => {
          if (!torment.faults.includes(fault)) throw new Error(`${torment.name} does not declare ${fault}`);
          struck.set(fault, (struck.get(fault) ?? 0) + times);
        }),
      );
    } catch (error) {
      hung = error instanceof Hung;
      violations.push({ number, what: inspect(error, { depth: 6 }) });
    }
    cases += 1;
    // What hangs is still at work, and nothing beside it would say anything.
    if (hung) break;
    // What a violation left behind says nothing of the next case.
    if (violations.length > before) {
      await prepared[Symbol.asyncDispose]();
      prepared = await torment.prepare();
    }
  }
  await prepared[Symbol.asyncDispose]();
  const missed = torment.faults.filter((fault) => !struck.has(fault));
  return { torment, of, cases, struck, violations, missed };
}

class Hung extends Error {}

async function patiently(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Hung(`it hangs: ${patience / 1000} seconds`)), patience);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** All of the lists, one of each in turn, and each from all over: so that the first of them say something of all. */
export function spread<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  const mixed = lists.map((list) => {
    const stride = strideOf(list.length);
    return list.map((_, n) => list[((n + 1) * stride) % list.length]!);
  });
  return Array.from({ length: longest }, (_, n) => mixed.flatMap((list) => (n < list.length ? [list[n]!] : []))).flat();
}

/** A step that comes by all of `count` places, far from each other: near the golden section, without a divisor in common. */
export function strideOf(count: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let stride = Math.max(1, Math.round(count * 0.618));
  while (divisor(stride, count) !== 1) stride += 1;
  return stride;
}
