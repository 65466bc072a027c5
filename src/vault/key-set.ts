import { hash } from 'node:crypto';

/**
 * A set of keys in 16 bytes or so each, by 64 bits of their SHA-256: of a vault with millions of objects it fits into memory. It may take a
 * key for one that it holds, with a chance of one in 10^13 at a million keys; never the other way round.
 */
export class KeySet {
  #slots = new Uint32Array(2 * 1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** True when the key was not in the set before. */
  add(key: string): boolean {
    if (4 * (this.#size + 1) > this.#slots.length) this.#grow();
    const [high, low] = print(key);
    const at = this.#find(high, low);
    if (this.#isTaken(at)) return false;
    this.#slots[at] = high;
    this.#slots[at + 1] = low;
    this.#size += 1;
    return true;
  }

  has(key: string): boolean {
    return this.#isTaken(this.#find(...print(key)));
  }

  #isTaken(at: number): boolean {
    return this.#slots[at] !== 0 || this.#slots[at + 1] !== 0;
  }

  /** Where the print stands, or the free slot where it belongs. */
  #find(high: number, low: number): number {
    const mask = this.#slots.length / 2 - 1;
    let slot = low & mask;
    while (this.#isTaken(2 * slot) && (this.#slots[2 * slot] !== high || this.#slots[2 * slot + 1] !== low))
      slot = (slot + 1) & mask;
    return 2 * slot;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      const [high, low] = [old[i]!, old[i + 1]!];
      if (high === 0 && low === 0) continue;
      const at = this.#find(high, low);
      this.#slots[at] = high;
      this.#slots[at + 1] = low;
    }
  }
}

function print(key: string): [number, number] {
  const digest = hash('sha256', key, 'buffer');
  // Two zeros mark a free slot.
  return [digest.readUInt32LE(0) || 1, digest.readUInt32LE(4)];
}
