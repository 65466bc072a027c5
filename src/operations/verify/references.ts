import type { RowBatch } from '../../rows/batch.ts';
import { rowStart } from '../../rows/cells.ts';
import { closingQuote } from '../../rows/csv.ts';
import type { IdSet } from '../../rows/id-set.ts';
import type { DeadRows, Reading } from '../../vault/dead-rows.ts';
import { readingOf } from '../../vault/layers.ts';
import type { SegmentRef } from '../../vault/manifest.ts';
import type { PointContents } from './contents.ts';
import type { CurrentRows } from './current-rows.ts';
import { type Rung, written } from './ladder.ts';
import type { Watch } from './rows.ts';

interface Count {
  resolved: number;
  dangling: number;
  outside: number;
}

/** A lookup column of a segment on its way. Neighbouring rows often refer to the same row: the last answer is kept. */
interface Column {
  readonly position: number;
  readonly count: Count;
  /** Where Ids of a prefix that no object of the point has are looked for: in objects that have no prefix of their own. */
  readonly others: readonly IdSet[];
  /** Whether the org empties it when the row that it names is deleted. */
  readonly blankable: boolean;
  readonly last: Buffer;
  /** Undefined: the point has nothing there, since the row that it named was found deleted later. */
  verdict: keyof Count | undefined;
}

/**
 * Follows the lookups of rows that stand in the point to the rows of the point. Which object an Id is of, its first three characters say (`keyPrefix` of the describe), so
 * polymorphic fields are followed row by row.
 */
export class References {
  readonly #contents: PointContents;
  readonly #ids: ReadonlyMap<string, IdSet>;
  readonly #byPrefix = new Map<number, IdSet[]>();
  readonly #counts = new Map<string, Count>();
  readonly #current: ReadonlyMap<string, CurrentRows>;
  readonly #dead: DeadRows;

  /** `current`: of objects that have layers, which rows stand. `dead`: of all objects, what is deleted. */
  constructor(
    contents: PointContents,
    ids: ReadonlyMap<string, IdSet>,
    current: ReadonlyMap<string, CurrentRows>,
    dead: DeadRows,
  ) {
    this.#contents = contents;
    this.#ids = ids;
    this.#current = current;
    this.#dead = dead;
    for (const [object, { keyPrefix }] of contents.described) {
      const set = ids.get(object);
      if (!set || keyPrefix?.length !== 3) continue;
      const prefix = prefixAt(Buffer.from(keyPrefix), 0);
      this.#byPrefix.set(prefix, [...(this.#byPrefix.get(prefix) ?? []), set]);
    }
  }

  /** Counts the lookups of one segment as its rows pass; what a later run replaced or found deleted does not count. */
  watch(object: string, columns: readonly string[], segment: SegmentRef): Watch {
    const lookups: Column[] = [];
    const described = this.#contents.described.get(object);
    for (const [field, referenceTo] of described?.references ?? []) {
      const position = columns.indexOf(field);
      if (position < 0) continue;
      const name = `${object}.${field}`;
      const count = this.#counts.get(name) ?? { resolved: 0, dangling: 0, outside: 0 };
      this.#counts.set(name, count);
      const others = referenceTo.flatMap((target) =>
        this.#contents.described.get(target)?.keyPrefix ? [] : (this.#ids.get(target) ?? []),
      );
      const blankable = described!.blankable.has(field);
      lookups.push({ position, count, others, blankable, last: Buffer.alloc(15), verdict: 'outside' });
    }
    lookups.sort((a, b) => a.position - b.position);
    const reading = readingOf(segment);
    const stands = this.#current.get(object)?.in(segment.key);
    return (batch) => {
      if (lookups.length === 0) return;
      for (let i = 0; i < batch.ends.length; i++)
        if (!stands || stands(batch.bytes, rowStart(batch, i) + 1)) this.#row(batch, i, lookups, reading);
    };
  }

  #row(batch: RowBatch, row: number, lookups: readonly Column[], reading: Reading): void {
    const { bytes } = batch;
    const end = batch.ends[row]!;
    let open = rowStart(batch, row);
    let next = 0;
    for (let n = 0; next < lookups.length; n++) {
      const close = closingQuote(bytes, open, end);
      if (close < 0) return;
      const lookup = lookups[next]!;
      if (n === lookup.position) {
        next += 1;
        const length = close - open - 1;
        const verdict = length > 0 ? this.#follow(lookup, bytes, open + 1, length, reading) : undefined;
        if (verdict) lookup.count[verdict] += 1;
      }
      open = close + 2;
    }
  }

  #follow(lookup: Column, bytes: Buffer, at: number, length: number, reading: Reading): Column['verdict'] {
    if (length !== 15 && length !== 18) return 'outside';
    if (lookup.last.compare(bytes, at, at + 15) === 0) return lookup.verdict;
    const sets = this.#byPrefix.get(prefixAt(bytes, at)) ?? lookup.others;
    const found = sets.some((set) => set.has(bytes, at));
    if (lookup.blankable && this.#dead.hasEmptied(bytes, at, reading)) lookup.verdict = undefined;
    else lookup.verdict = found ? 'resolved' : sets.length > 0 ? 'dangling' : 'outside';
    bytes.copy(lookup.last, 0, at, at + 15);
    return lookup.verdict;
  }

  /** Dangling lookups are told and are no problem: orgs have them, to rows that were deleted. */
  report(rung: Rung): void {
    const total: Count = { resolved: 0, dangling: 0, outside: 0 };
    const dangling: { field: string; count: number }[] = [];
    for (const [field, count] of this.#counts) {
      total.resolved += count.resolved;
      total.dangling += count.dangling;
      total.outside += count.outside;
      if (count.dangling > 0) dangling.push({ field, count: count.dangling });
    }
    rung.figure = `${written(total.resolved)} resolve, ${written(total.dangling)} dangling, ${written(total.outside)} to objects outside the point`;
    rung.dangling = dangling.sort((a, b) => b.count - a.count || (a.field < b.field ? -1 : 1));
  }
}

function prefixAt(bytes: Buffer, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}
