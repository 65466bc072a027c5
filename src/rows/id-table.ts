import { significant } from '../schema/ids.ts';
import { IdList } from './id-list.ts';

const none = 0xffff_ffff;
/** The table grows when more than this share of its slots is taken. */
const load = 0.7;
/** The bytes of the last Id that was given as a text. */
const scratch = Buffer.alloc(significant);

/** A set of Ids to ask and to walk. */
export interface Ids extends Iterable<string> {
  readonly size: number;
  /** Numbers of its Ids are below. */
  readonly end: number;
  /** The Id's number; -1 when the set does not have it. */
  number(id: string | Buffer, start?: number): number;
  has(id: string | Buffer, start?: number): boolean;
  /** Ids of 18 characters, ascending by their bytes, as rows do. */
  sorted(): IterableIterator<string>;
}

/**
 * A set of Salesforce Ids for millions of them, added in any order, each with a number: 0 for the first, then 1 … About 23
 * bytes an Id, nothing on the heap. Ids have 15 or 18 characters, which are the same, and their case counts. An Id is given
 * as a text, or as a Buffer in which it begins at `start`. An `IdSet` takes a third less where Ids come ascending.
 */
export class IdTable implements Ids {
  readonly #ids = new IdList();
  #slots = new Uint32Array(64).fill(none);

  /** A table of these Ids. */
  static of(ids: Iterable<string>): IdTable {
    const table = new IdTable();
    for (const id of ids) table.add(id);
    return table;
  }

  /** How many Ids it holds. */
  get size(): number {
    return this.#ids.size;
  }

  get end(): number {
    return this.#ids.size;
  }

  /** Adds the Id if it is new; returns its number. Throws TypeError for a text that is no Id. */
  add(id: string | Buffer, start = 0): number {
    const bytes = bytesOf(id);
    if (!bytes) throw new TypeError(`no Id of 15 or 18 characters: ${id}`);
    const from = bytes === id ? start : 0;
    let slot = this.#find(bytes, from);
    const known = this.#slots[slot]!;
    if (known !== none) return known;
    if (this.#ids.size >= load * this.#slots.length) {
      this.#resize(2 * this.#slots.length);
      slot = this.#find(bytes, from);
    }
    const number = this.#ids.push(bytes, from);
    this.#slots[slot] = number;
    return number;
  }

  /** The Id's number; -1 when it was not added, and for a text that is no Id. */
  number(id: string | Buffer, start = 0): number {
    const bytes = bytesOf(id);
    if (!bytes) return -1;
    const number = this.#slots[this.#find(bytes, bytes === id ? start : 0)]!;
    return number === none ? -1 : number;
  }

  has(id: string | Buffer, start = 0): boolean {
    return this.number(id, start) >= 0;
  }

  /** Makes room for so many Ids at once, which costs less than to grow with them. */
  reserve(count: number): void {
    let slots = this.#slots.length;
    while (load * slots < count) slots *= 2;
    if (slots > this.#slots.length) this.#resize(slots);
  }

  /** The Id of a number, 18 characters. Throws RangeError when there is none. */
  id(number: number): string {
    return this.#ids.id(number);
  }

  /** Copies the 15 bytes of the Id of a number to the start of `target`. */
  copy(number: number, target: Buffer): void {
    this.#ids.copy(number, target);
  }

  /** Ids of 18 characters, ascending by number. */
  *[Symbol.iterator](): Generator<string> {
    for (let n = 0; n < this.#ids.size; n++) yield this.#ids.id(n);
  }

  /** Ids of 18 characters, ascending by their bytes, as rows do. */
  *sorted(): Generator<string> {
    for (const n of this.sortedNumbers()) yield this.#ids.id(n);
  }

  /** Below 0 when the Id of the first number comes before that of the second in `sorted`, above 0 when behind. */
  compare(a: number, b: number): number {
    return this.#ids.compare(a, b);
  }

  /** The numbers in the order of `sorted`. */
  sortedNumbers(): Uint32Array {
    return this.#ids.sortedNumbers();
  }

  /** The slot that holds the Id, or the free one where it belongs. */
  #find(bytes: Buffer, start: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(bytes, start) & mask;
    for (;;) {
      const number = this.#slots[slot]!;
      if (number === none || this.#ids.equals(number, bytes, start)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #resize(length: number): void {
    const slots = new Uint32Array(length).fill(none);
    const mask = slots.length - 1;
    const bytes = Buffer.alloc(significant);
    for (let n = 0; n < this.#ids.size; n++) {
      this.#ids.copy(n, bytes);
      let slot = hash(bytes, 0) & mask;
      while (slots[slot] !== none) slot = (slot + 1) & mask;
      slots[slot] = n;
    }
    this.#slots = slots;
  }
}

/** Id -> Id, for millions of them: about 38 bytes a pair, nothing on the heap. */
export class IdMap implements Iterable<[from: string, to: string]> {
  readonly #keys = new IdTable();
  readonly #values = new IdList();

  get size(): number {
    return this.#keys.size;
  }

  /** Later pairs replace earlier ones of the same key. Throws TypeError for a text that is no Id. */
  set(from: string, to: string): void {
    if (!bytesOf(to)) throw new TypeError(`no Id of 15 or 18 characters: ${to}`);
    const number = this.#keys.add(from);
    const bytes = bytesOf(to)!;
    if (number < this.#values.size) this.#values.replace(number, bytes, 0);
    else this.#values.push(bytes, 0);
  }

  /** 18 characters; undefined when the key was not set. */
  get(from: string): string | undefined {
    const number = this.#keys.number(from);
    return number < 0 ? undefined : this.#values.id(number);
  }

  has(from: string): boolean {
    return this.#keys.has(from);
  }

  /** Pairs of 18 characters, in the order in which their keys were first set. */
  *[Symbol.iterator](): Generator<[string, string]> {
    for (let n = 0; n < this.#keys.size; n++) yield [this.#keys.id(n), this.#values.id(n)];
  }
}

/** A Buffer as it is; of a text its 15 bytes, valid until the next call; undefined for a text that is no Id. */
function bytesOf(id: string | Buffer): Buffer | undefined {
  if (typeof id !== 'string') return id;
  if (id.length !== significant && id.length !== significant + 3) return undefined;
  for (let i = 0; i < significant; i++) {
    const code = id.charCodeAt(i);
    if (code > 0x7f) return undefined;
    scratch[i] = code;
  }
  return scratch;
}

function hash(bytes: Buffer, start: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < significant; i++) h = Math.imul(h ^ bytes[start + i]!, 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return h ^ (h >>> 13);
}
