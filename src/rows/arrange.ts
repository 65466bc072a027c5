import { Fault } from '../errors.ts';
import type { RowBatch } from './batch.ts';
import { Keys, sliceBatch } from './cells.ts';
import { IdRanges } from './ranges.ts';
import { RowSorter, type SortOptions } from './sort.ts';

export interface ArrangeOptions extends SortOptions {
  /** False: everything is sorted, whatever order it comes in. Default true. */
  assumeOrder?: boolean;
  /** Ranges that were handed out by an earlier call: what is handed out now lies in none of them. */
  passed?: IdRanges;
  /** Told when rows go to be sorted before the flow has ended. */
  onSort?: () => void;
  /** How many bytes of ascending rows it takes until they pass straight through. Default 8 MiB. */
  stretchBytes?: number;
  /** Called once at the end. */
  onStats?: (stats: ArrangeStats) => void;
}

export interface ArrangeStats {
  /** Rows that came in. */
  rows: number;
  /** Rows left out because a newer one has the same Id. */
  duplicates: number;
  spilledBytes: number;
  stretches: number;
}

/** Rows on their way into segments. `cut`: the batch begins a stretch, whose Id range is disjoint from all others. */
export interface Arranged {
  readonly batch: RowBatch;
  readonly cut: boolean;
}

/**
 * A row came whose Id lies inside a range that was handed out already. What was handed out is useless; read the object
 * again with `assumeOrder: false`.
 */
export class RowsOverlap extends Error {
  override readonly name = 'RowsOverlap';
}

/** Less than 238,328 Ids on, the twelfth character of an Id and those before it rarely change. */
const FAR = 12;

/** More breaks of order than this in one batch, and the batch is sorted as a whole. */
const WILD_BREAKS = 16;

/**
 * Brings rows into stretches of strictly ascending Ids with disjoint ranges. Long ascending runs pass straight through
 * (Bulk API 2.0 with PK chunking: ascending inside a chunk, chunks in any order); short ones, and rows in no order, are
 * sorted by way of an encrypted spill and follow at the end. A run is short below `stretchBytes`, so that there are at
 * most two stretches for each `stretchBytes` of rows, however wild the order. Rows without Id pass in the order they come.
 * Holds about `stretchBytes` and one run of the sorter. Throws RowsOverlap, the Faults of the spill, and `object-failed`
 * for a row with an empty Id.
 */
export async function* arrange(
  columns: readonly string[],
  batches: AsyncIterable<RowBatch>,
  options: ArrangeOptions,
): AsyncGenerator<Arranged> {
  const keys = new Keys(columns);
  const stats: ArrangeStats = { rows: 0, duplicates: 0, spilledBytes: 0, stretches: 0 };
  const arranger = new Arranger(keys, options);
  try {
    for await (const batch of batches) {
      options.signal?.throwIfAborted();
      if (batch.ends.length === 0) continue;
      const first = stats.rows === 0;
      stats.rows += batch.ends.length;
      if (keys.idColumn >= 0) yield* counted(arranger.take(batch), stats);
      else yield* counted([{ batch, cut: first }], stats);
    }
    if (keys.idColumn >= 0) yield* counted(arranger.finish(), stats);
    stats.duplicates = arranger.sorter.duplicates;
    stats.spilledBytes = arranger.sorter.spilledBytes;
    options.onStats?.(stats);
  } finally {
    await arranger.sorter.remove();
  }
}

async function* counted(flow: AsyncIterable<Arranged> | Iterable<Arranged>, stats: ArrangeStats) {
  for await (const arranged of flow) {
    if (arranged.cut) stats.stretches++;
    yield arranged;
  }
}

/**
 * The natural run of ascending rows that is being read. `held`: too short yet to know what becomes of it; `passing`: it is
 * being handed out; `sorting`: it began between rows that are being sorted, and joins them.
 */
interface NaturalRun {
  fate: 'held' | 'passing' | 'sorting';
  readonly firstId: string;
  lastId: string;
  rows: number;
  bytes: number;
  held: RowBatch[];
  /** The run ends before this Id, where other rows begin. */
  readonly ceiling: string | undefined;
}

class Arranger {
  readonly #keys: Keys;
  readonly #options: ArrangeOptions;
  readonly #stretchBytes: number;
  readonly sorter: RowSorter;
  /** What was handed out. */
  readonly #passed: IdRanges;
  /** What is being sorted lies within these. Nothing that lies there may be handed out before the end. */
  readonly #sorting = new IdRanges(256);
  #run: NaturalRun | undefined;
  #isEnding = false;

  constructor(keys: Keys, options: ArrangeOptions) {
    this.#keys = keys;
    this.#options = options;
    this.#stretchBytes = options.stretchBytes ?? 8 * 1024 * 1024;
    this.sorter = new RowSorter(keys, options);
    this.#passed = options.passed ?? new IdRanges();
  }

  async *take(batch: RowBatch): AsyncGenerator<Arranged> {
    const rows = batch.ends.length;
    for (let i = 0; i < rows; i++) {
      if (this.#keys.empty(batch, i)) throw new Fault('object-failed', 'A row has an empty Id.');
    }
    if (this.#options.assumeOrder === false) {
      await this.#sort(batch);
      return;
    }
    if (this.#isWild(batch)) {
      await this.#endRun();
      await this.#sortAll(batch);
      return;
    }
    for (let from = 0; from < rows; ) {
      const firstId = this.#keys.id(batch, from);
      const run = this.#run ?? this.#begin(firstId);
      const to = this.#reach(run, batch, from, firstId);
      if (to > from) yield* this.#grow(run, sliceBatch(batch, from, to));
      if (to < rows) await this.#endRun();
      from = to;
    }
  }

  /** The first row from `from` on that does not continue the run; those before it are counted in. */
  #reach(run: NaturalRun, batch: RowBatch, from: number, firstId: string): number {
    if (!continues(run, firstId)) return from;
    run.lastId = firstId;
    run.rows++;
    let to = from + 1;
    for (; to < batch.ends.length; to++) {
      const ascent = this.#keys.ascent(batch, to);
      if (ascent === 0) break;
      if (run.ceiling !== undefined && !this.#keys.below(batch, to, run.ceiling)) break;
      if (ascent <= FAR) {
        run.lastId = this.#keys.id(batch, to - 1);
        if (jumps(run, this.#keys.id(batch, to))) break;
      }
      run.rows++;
    }
    run.lastId = this.#keys.id(batch, to - 1);
    return to;
  }

  #isWild(batch: RowBatch): boolean {
    let breaks = 0;
    for (let i = 1; i < batch.ends.length; i++) {
      if (this.#keys.ascent(batch, i) === 0 && ++breaks > WILD_BREAKS) return true;
    }
    return false;
  }

  async *finish(): AsyncGenerator<Arranged> {
    this.#isEnding = true;
    await this.#endRun();
    let begun = false;
    let ceiling: string | undefined;
    for await (const batch of this.sorter.sorted()) {
      const rows = batch.ends.length;
      for (let from = 0; from < rows; ) {
        const id = this.#keys.id(batch, from);
        const cut = !begun || (ceiling !== undefined && id >= ceiling);
        if (cut) ceiling = this.#passed.above(id);
        const whole = ceiling === undefined || this.#keys.below(batch, rows - 1, ceiling);
        const to = whole ? rows : this.#endBelow(batch, from, ceiling!);
        yield { batch: sliceBatch(batch, from, to), cut };
        begun = true;
        from = to;
      }
    }
  }

  /** The first row from `from` on that is not below `ceiling`. */
  #endBelow(batch: RowBatch, from: number, ceiling: string): number {
    let to = from;
    while (to < batch.ends.length && this.#keys.below(batch, to, ceiling)) to++;
    return to;
  }

  #begin(firstId: string): NaturalRun {
    this.#mustNotBePassed(firstId);
    const sorting = this.#sorting.covers(firstId);
    const limits = [this.#passed.above(firstId), sorting ? undefined : this.#sorting.above(firstId)];
    const ceiling = limits.filter((id) => id !== undefined).sort()[0];
    this.#run = { fate: sorting ? 'sorting' : 'held', firstId, lastId: '', rows: 0, bytes: 0, held: [], ceiling };
    return this.#run;
  }

  async *#grow(run: NaturalRun, rows: RowBatch): AsyncGenerator<Arranged> {
    run.bytes += rows.bytes.length;
    if (run.fate === 'sorting') await this.#sort(rows);
    else if (run.fate === 'passing') yield { batch: rows, cut: false };
    else {
      run.held.push(rows);
      if (run.bytes < this.#stretchBytes) return;
      run.fate = 'passing';
      const held = run.held.splice(0);
      for (const [n, batch] of held.entries()) yield { batch, cut: n === 0 };
    }
  }

  async #endRun(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (!run) return;
    for (const batch of run.held) await this.#sort(batch);
    (run.fate === 'passing' ? this.#passed : this.#sorting).add(run.firstId, run.lastId);
  }

  async #sortAll(batch: RowBatch): Promise<void> {
    let min = this.#keys.id(batch, 0);
    let max = min;
    for (let i = 0; i < batch.ends.length; i++) {
      if (this.#passed.size > 0) this.#mustNotBePassed(this.#keys.id(batch, i));
      if (this.#keys.below(batch, i, min)) min = this.#keys.id(batch, i);
      else if (!this.#keys.below(batch, i, max)) max = this.#keys.id(batch, i);
    }
    this.#sorting.add(min, max);
    await this.#sort(batch);
  }

  async #sort(batch: RowBatch): Promise<void> {
    if (!this.#isEnding) this.#options.onSort?.();
    await this.sorter.add(batch);
    batch.release?.();
  }

  #mustNotBePassed(id: string): void {
    if (this.#passed.covers(id))
      throw new RowsOverlap('A row came out of order, behind rows that were written already.');
  }
}

function continues(run: NaturalRun, id: string): boolean {
  return id > run.lastId && (run.ceiling === undefined || id < run.ceiling) && !jumps(run, id);
}

/**
 * True when Ids leap so far that rows of another chunk may still come for the gap: the stretch ends before it, so that
 * they find it free. A guess that costs at most an early cut or a re-read, never a wrong result.
 */
function jumps(run: NaturalRun, id: string): boolean {
  const last = run.lastId;
  if (run.rows < 1000 || id.length !== last.length || id.length < 15) return false;
  for (let at = 11; at >= 9; at--) {
    if (id.charCodeAt(at) !== last.charCodeAt(at)) {
      const gap = serial(id) - serial(last);
      const usual = (serial(last) - serial(run.firstId)) / (run.rows - 1);
      return gap > 50_000 && gap > 1000 * usual;
    }
  }
  return false;
}

/** The counter in a Salesforce Id, characters 7 to 15, read to the base of 62 in the order of their bytes. */
function serial(id: string): number {
  let number = 0;
  for (let at = 6; at < 15; at++) {
    const code = id.charCodeAt(at);
    number = number * 62 + (code < 58 ? code - 48 : code < 91 ? code - 55 : code - 61);
  }
  return number;
}
