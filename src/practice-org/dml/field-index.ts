import type { Value } from '../database.ts';
import { hashOf } from '../random.ts';

/** What a value is looked up by; null is not looked up. */
export type KeyOf = (value: Value) => string;

/** Text without regard to case, as unique fields compare unless they say otherwise (restore 4.6). */
export const foldedKey: KeyOf = (value) => String(value).toLowerCase();
export const exactKey: KeyOf = (value) => String(value);

/**
 * Finds rows by the value of one field. Entries are only added, twelve bytes each; whether a row still has the value is seen when it
 * is looked up, so that changed and rolled back rows need no care.
 */
export class FieldIndex {
  readonly #cell: (number: number) => Value;
  readonly #key: KeyOf;
  #buckets = new Int32Array(1024).fill(-1);
  #rows = new Uint32Array(1024);
  #hashes = new Uint32Array(1024);
  #next = new Int32Array(1024);
  #size = 0;

  /** `cell`: the value that a row has now, null for rows that are gone. */
  constructor(cell: (number: number) => Value, key: KeyOf) {
    this.#cell = cell;
    this.#key = key;
  }

  add(number: number, value: Value): void {
    if (value === null) return;
    if (this.#size === this.#rows.length) this.#grow();
    const hash = hashOf(this.#key(value));
    const entry = this.#size++;
    this.#rows[entry] = number;
    this.#hashes[entry] = hash;
    this.#link(entry, hash);
  }

  /** Numbers of the rows that have this value, the latest entry first. */
  find(value: Value): number[] {
    if (value === null) return [];
    const key = this.#key(value);
    const hash = hashOf(key);
    const found: number[] = [];
    for (let entry = this.#buckets[hash & (this.#buckets.length - 1)]!; entry >= 0; entry = this.#next[entry]!) {
      if (this.#hashes[entry] !== hash) continue;
      const number = this.#rows[entry]!;
      const now = this.#cell(number);
      if (now !== null && this.#key(now) === key) found.push(number);
    }
    return found.length > 1 ? [...new Set(found)] : found;
  }

  #link(entry: number, hash: number): void {
    const bucket = hash & (this.#buckets.length - 1);
    this.#next[entry] = this.#buckets[bucket]!;
    this.#buckets[bucket] = entry;
  }

  #grow(): void {
    const longer = (old: Uint32Array) => {
      const grown = new Uint32Array(old.length * 2);
      grown.set(old);
      return grown;
    };
    this.#rows = longer(this.#rows);
    this.#hashes = longer(this.#hashes);
    this.#next = new Int32Array(this.#rows.length);
    this.#buckets = new Int32Array(this.#rows.length).fill(-1);
    for (let entry = 0; entry < this.#size; entry++) this.#link(entry, this.#hashes[entry]!);
  }
}
