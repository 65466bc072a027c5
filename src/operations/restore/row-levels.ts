export interface Levels {
  /** By row: 0 for rows that refer to no other row; else one more than the highest level among those that it refers to. */
  readonly levels: Uint16Array;
  /** Row -> fields that have to wait for a second pass. */
  readonly later: ReadonlyMap<number, readonly number[]>;
  /** Row -> fields that refer to a row that can never be made. */
  readonly lost: ReadonlyMap<number, readonly number[]>;
  /** Rows that can never be made: they were refused, need each other at once, or need such a row. */
  readonly impossible: ReadonlySet<number>;
}

/** Rows that stand deeper than this are all on this level. */
const deepest = 65_000;

/** Lookups as numbers, 10 bytes each: from which row, to which, by which field, and whether it may be empty. */
class Lookups {
  #rows = new Int32Array(256);
  #parents = new Int32Array(256);
  #fields = new Uint16Array(256);
  size = 0;

  add(row: number, parent: number, field: number, required: boolean): void {
    if (this.size === this.#rows.length) this.#grow();
    this.#rows[this.size] = row;
    this.#parents[this.size] = parent;
    this.#fields[this.size++] = field * 2 + (required ? 1 : 0);
  }

  row = (at: number): number => this.#rows[at]!;
  parent = (at: number): number => this.#parents[at]!;
  field = (at: number): number => this.#fields[at]! >> 1;
  required = (at: number): boolean => (this.#fields[at]! & 1) === 1;

  /** The lookups grouped by `key`: those of group n are `order[starts[n]]` to `order[starts[n + 1]]`. */
  by(key: (at: number) => number, groups: number): { starts: Int32Array; order: Int32Array } {
    const starts = new Int32Array(groups + 1);
    for (let at = 0; at < this.size; at++) starts[key(at) + 1]! += 1;
    for (let group = 0; group < groups; group++) starts[group + 1]! += starts[group]!;
    const next = starts.slice(0, groups);
    const order = new Int32Array(this.size);
    for (let at = 0; at < this.size; at++) order[next[key(at)]!++] = at;
    return { starts, order };
  }

  #grow(): void {
    const size = 2 * this.size;
    const [rows, parents, fields] = [new Int32Array(size), new Int32Array(size), new Uint16Array(size)];
    rows.set(this.#rows);
    parents.set(this.#parents);
    fields.set(this.#fields);
    [this.#rows, this.#parents, this.#fields] = [rows, parents, fields];
  }
}

/**
 * Rows that refer to each other, so that each comes after those that it refers to. A circle is broken at one lookup that may be empty: only
 * rows of true circles need a second pass. Rows are numbered by the caller from 0; a row has a field once.
 */
export class RowLevels {
  readonly #rows: number;
  readonly #lookups = new Lookups();
  readonly #refused: number[] = [];

  constructor(rows: number) {
    this.#rows = rows;
  }

  refer(row: number, parent: number, field: number, required: boolean): void {
    this.#lookups.add(row, parent, field, required);
  }

  /** This row is not made, whatever it refers to. */
  refuse(row: number): void {
    this.#refused.push(row);
  }

  solve(): Levels {
    return new Solver(this.#rows, this.#lookups).solve(this.#refused);
  }
}

const open = 0;
const met = 1;
const deferred = 2;

class Solver {
  readonly #lookups: Lookups;
  readonly #rows: number;
  readonly #own: { starts: Int32Array; order: Int32Array };
  readonly #children: { starts: Int32Array; order: Int32Array };
  /** By lookup: what became of it. */
  readonly #state: Uint8Array;
  /** By row: lookups that are still open. */
  readonly #waiting: Int32Array;
  readonly #done: Uint8Array;
  readonly #levels: Uint16Array;
  readonly #later = new Map<number, number[]>();
  readonly #lost = new Map<number, number[]>();
  readonly #impossible = new Set<number>();
  readonly #ready: number[] = [];

  constructor(rows: number, lookups: Lookups) {
    this.#rows = rows;
    this.#lookups = lookups;
    this.#own = lookups.by(lookups.row, rows);
    this.#children = lookups.by(lookups.parent, rows);
    this.#state = new Uint8Array(lookups.size);
    this.#waiting = new Int32Array(rows);
    this.#done = new Uint8Array(rows);
    this.#levels = new Uint16Array(rows);
  }

  solve(refused: readonly number[]): Levels {
    for (let row = 0; row < this.#rows; row++) this.#waiting[row] = this.#own.starts[row + 1]! - this.#own.starts[row]!;
    for (const row of refused) this.#giveUp(row);
    this.#ready.length = 0;
    for (let row = 0; row < this.#rows; row++)
      if (this.#waiting[row] === 0 && !this.#impossible.has(row)) this.#ready.push(row);
    this.#finish();
    for (let row = 0; row < this.#rows; row++) {
      while (!this.#done[row] && !this.#impossible.has(row)) {
        const circle = this.#circleFrom(row);
        const soft = circle.find((at) => !this.#lookups.required(at));
        if (soft === undefined) this.#giveUp(this.#lookups.row(circle[0]!));
        else this.#defer(soft, this.#later);
        this.#finish();
      }
    }
    return { levels: this.#levels, later: this.#later, lost: this.#lost, impossible: this.#impossible };
  }

  *#lookupsOf({ starts, order }: { starts: Int32Array; order: Int32Array }, row: number): Generator<number> {
    for (let n = starts[row]!; n < starts[row + 1]!; n++) yield order[n]!;
  }

  /** Takes every row that waits for nothing any more, and those that waited for it. */
  #finish(): void {
    for (let row = this.#ready.pop(); row !== undefined; row = this.#ready.pop()) {
      this.#done[row] = 1;
      for (const at of this.#lookupsOf(this.#children, row)) {
        if (this.#state[at] !== open) continue;
        this.#state[at] = met;
        const child = this.#lookups.row(at);
        this.#levels[child] = Math.max(this.#levels[child]!, Math.min(deepest, this.#levels[row]! + 1));
        this.#wait(child);
      }
    }
  }

  #wait(row: number): void {
    this.#waiting[row]! -= 1;
    if (this.#waiting[row] === 0 && !this.#impossible.has(row)) this.#ready.push(row);
  }

  #defer(at: number, among: Map<number, number[]>): void {
    this.#state[at] = deferred;
    const row = this.#lookups.row(at);
    const fields = among.get(row);
    if (fields) fields.push(this.#lookups.field(at));
    else among.set(row, [this.#lookups.field(at)]);
    this.#wait(row);
  }

  /** Walks from an unfinished row to what it waits for until a row comes again: the lookups of that circle. */
  #circleFrom(start: number): number[] {
    const steps: number[] = [];
    const seen = new Map<number, number>();
    for (let row = start; ; ) {
      const before = seen.get(row);
      if (before !== undefined) return steps.slice(before);
      seen.set(row, steps.length);
      for (const at of this.#lookupsOf(this.#own, row)) {
        if (this.#state[at] !== open) continue;
        steps.push(at);
        row = this.#lookups.parent(at);
        break;
      }
    }
  }

  /** A row of a circle in which every lookup is required, and all that need one of them. Others lose the lookup and go on. */
  #giveUp(first: number): void {
    const lost = [first];
    for (let row = lost.pop(); row !== undefined; row = lost.pop()) {
      if (this.#impossible.has(row)) continue;
      this.#impossible.add(row);
      for (const at of this.#lookupsOf(this.#children, row)) {
        if (this.#state[at] !== open) continue;
        if (this.#lookups.required(at)) {
          this.#state[at] = met;
          lost.push(this.#lookups.row(at));
        } else this.#defer(at, this.#lost);
      }
    }
  }
}
