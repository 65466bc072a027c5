import type { Ids, IdTable } from './id-table.ts';

/** Some Ids of a table, in four bytes each. Nothing may be added to the table meanwhile. */
export class IdSelection implements Ids {
  readonly #ids: IdTable;
  readonly #numbers: Uint32Array;
  readonly #chosen: Uint8Array;

  /** `numbers`: of the Ids in the table, each once. */
  constructor(ids: IdTable, numbers: Uint32Array) {
    this.#ids = ids;
    this.#numbers = numbers;
    this.#chosen = new Uint8Array(Math.ceil(ids.end / 8));
    for (const n of numbers) this.#chosen[n >>> 3]! |= 1 << (n & 7);
  }

  get size(): number {
    return this.#numbers.length;
  }

  get end(): number {
    return this.#ids.end;
  }

  number(id: string | Buffer, start = 0): number {
    const n = this.#ids.number(id, start);
    return n >= 0 && this.#chosen[n >>> 3]! & (1 << (n & 7)) ? n : -1;
  }

  has(id: string | Buffer, start = 0): boolean {
    return this.number(id, start) >= 0;
  }

  *[Symbol.iterator](): Generator<string> {
    for (const n of this.#numbers) yield this.#ids.id(n);
  }

  *sorted(): Generator<string> {
    const numbers = this.#ascends() ? this.#numbers : this.#ids.sortedNumbers();
    for (const n of numbers) if (this.#chosen[n >>> 3]! & (1 << (n & 7))) yield this.#ids.id(n);
  }

  /** Rows that were read in order are in order: most selections need not be sorted. */
  #ascends(): boolean {
    for (let i = 1; i < this.#numbers.length; i++) {
      if (this.#ids.compare(this.#numbers[i - 1]!, this.#numbers[i]!) >= 0) return false;
    }
    return true;
  }
}
