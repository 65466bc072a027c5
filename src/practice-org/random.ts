/** Numbers that look random and are the same for the same seed on every machine. */

/** 32 well-mixed bits of three numbers (murmur3's finaliser over a multiply-add chain). */
export function mix(a: number, b: number, c = 0): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35) ^ Math.imul(c + 1, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** 32 bits of a text (FNV-1a over UTF-16 units). */
export function hashOf(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** A stream of numbers from one seed (splitmix32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let h = this.#state;
    h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
    h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
    return (h ^ (h >>> 15)) >>> 0;
  }

  /** A whole number from `low` to `high`, both included; the range may be wider than 32 bits. */
  int(low: number, high: number): number {
    return low + Math.floor((this.next() / 4294967296) * (high - low + 1));
  }

  /** True `percent` times in a hundred. */
  chance(percent: number): boolean {
    return this.next() % 100 < percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.next() % list.length]!;
  }

  /** `length` bytes. */
  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    const words = length & ~3;
    for (let at = 0; at < words; at += 4) bytes.writeUInt32LE(this.next(), at);
    for (let at = words; at < length; at++) bytes[at] = this.next() & 0xff;
    return bytes;
  }
}
