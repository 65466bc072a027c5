import { significant } from '../schema/ids.ts';
import { type Ids, IdTable } from './id-table.ts';

/** Sets of Ids that have most of their Ids in common, in the memory of one: up to eight marks on each Id of one table. */
export class IdMarks {
  readonly #ids = new IdTable();
  readonly #marks = { of: new Uint8Array(64) };
  #next = 0;

  /** Another of the sets, empty. */
  mark(): MarkedIds {
    if (this.#next === 8) throw new RangeError('there are eight marks');
    return new MarkedIds(this.#ids, this.#marks, 1 << this.#next++);
  }
}

/** The Ids that have one mark; `number` counts the Ids of all marks. */
export class MarkedIds implements Ids {
  readonly #ids: IdTable;
  readonly #marks: { of: Uint8Array };
  readonly #mark: number;
  #size = 0;

  constructor(ids: IdTable, marks: { of: Uint8Array }, mark: number) {
    this.#ids = ids;
    this.#marks = marks;
    this.#mark = mark;
  }

  get size(): number {
    return this.#size;
  }

  get end(): number {
    return this.#ids.end;
  }

  add(id: string | Buffer, start = 0): void {
    const number = this.#ids.add(id, start);
    if (number >= this.#marks.of.length) {
      const marks = new Uint8Array(2 * this.#marks.of.length);
      marks.set(this.#marks.of);
      this.#marks.of = marks;
    }
    if (this.#marks.of[number]! & this.#mark) return;
    this.#marks.of[number]! |= this.#mark;
    this.#size += 1;
  }

  /** Adds all Ids of a table. */
  addAll(table: IdTable): void {
    const bytes = Buffer.alloc(significant);
    this.#ids.reserve(this.#ids.size + table.size);
    for (let n = 0; n < table.size; n++) {
      table.copy(n, bytes);
      this.add(bytes);
    }
  }

  number(id: string | Buffer, start = 0): number {
    const number = this.#ids.number(id, start);
    return number >= 0 && this.#marks.of[number]! & this.#mark ? number : -1;
  }

  has(id: string | Buffer, start = 0): boolean {
    return this.#size > 0 && this.number(id, start) >= 0;
  }

  /** True when the Id of this number has the mark: nothing is made for it, unlike for its text. */
  at(number: number): boolean {
    return (this.#marks.of[number]! & this.#mark) !== 0;
  }

  /** The Id of a number of any mark, 18 characters. */
  id(number: number): string {
    return this.#ids.id(number);
  }

  /** Marks the Id of a number that has another mark. */
  mark(number: number): void {
    if (this.at(number)) return;
    this.#marks.of[number]! |= this.#mark;
    this.#size += 1;
  }

  /** The numbers of its Ids, ascending. */
  *numbers(): Generator<number> {
    for (let n = 0; n < this.#ids.end; n++) if (this.#marks.of[n]! & this.#mark) yield n;
  }

  *[Symbol.iterator](): Generator<string> {
    for (const n of this.numbers()) yield this.#ids.id(n);
  }

  *sorted(): Generator<string> {
    if (this.#size === 0) return;
    for (const n of this.#ids.sortedNumbers()) if (this.#marks.of[n]! & this.#mark) yield this.#ids.id(n);
  }
}
