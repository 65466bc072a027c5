/** Disjoint ranges of Ids, both ends included, in order. */
export class IdRanges {
  readonly #limit: number;
  #mins: string[] = [];
  #maxs: string[] = [];

  /** Beyond `limit` ranges all become one that covers them. */
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#mins.length;
  }

  /** True when a range holds `id`. */
  covers(id: string): boolean {
    const at = this.#firstEndingAt(id);
    return at < this.#mins.length && this.#mins[at]! <= id;
  }

  /** Where the next range above `id` begins; undefined when there is none. `id` lies in no range. */
  above(id: string): string | undefined {
    return this.#mins[this.#firstEndingAt(id)];
  }

  /** Adds a range; it grows together with those that it touches. */
  add(min: string, max: string): void {
    const from = this.#firstEndingAt(min);
    let to = from;
    while (to < this.#mins.length && this.#mins[to]! <= max) to++;
    if (to > from) {
      if (this.#mins[from]! < min) min = this.#mins[from]!;
      if (this.#maxs[to - 1]! > max) max = this.#maxs[to - 1]!;
    }
    this.#mins.splice(from, to - from, min);
    this.#maxs.splice(from, to - from, max);
    if (this.#mins.length > this.#limit) {
      this.#mins = [this.#mins[0]!];
      this.#maxs = [this.#maxs.at(-1)!];
    }
  }

  /** The first range that does not end below `id`. */
  #firstEndingAt(id: string): number {
    let low = 0;
    let high = this.#maxs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#maxs[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
