import { longId, significant } from '../schema/ids.ts';

const chunkBits = 16;
const inChunk = (1 << chunkBits) - 1;
const firstRoom = 64;

/** Ids by number from 0, in 15 bytes each, off the heap. */
export class IdList {
  #chunks: Buffer[] = [];
  size = 0;

  /** Appends the 15 bytes that begin at `start`; returns their number. */
  push(bytes: Buffer, start: number): number {
    const number = this.size++;
    const chunk = this.#room(number);
    bytes.copy(chunk, (number & inChunk) * significant, start, start + significant);
    return number;
  }

  /** Puts another Id in the place of `number`, which there is. */
  replace(number: number, bytes: Buffer, start: number): void {
    bytes.copy(this.#chunks[number >>> chunkBits]!, (number & inChunk) * significant, start, start + significant);
  }

  /** Below 0 when the first of two Ids comes before the second by its bytes, above 0 when behind; 0: they are the same. */
  compare(a: number, b: number): number {
    const from = (a & inChunk) * significant;
    const to = (b & inChunk) * significant;
    const other = this.#chunks[b >>> chunkBits]!;
    return this.#chunks[a >>> chunkBits]!.compare(other, to, to + significant, from, from + significant);
  }

  /** 18 characters. Throws RangeError when there is no such number. */
  id(number: number): string {
    if (!(number >= 0 && number < this.size)) throw new RangeError(`Id number ${number} of ${this.size}`);
    const at = (number & inChunk) * significant;
    return longId(this.#chunks[number >>> chunkBits]!.toString('latin1', at, at + significant));
  }

  /** Copies the 15 bytes of the Id to the start of `target`. */
  copy(number: number, target: Buffer): void {
    const at = (number & inChunk) * significant;
    this.#chunks[number >>> chunkBits]!.copy(target, 0, at, at + significant);
  }

  /** Byte `position`, below 15, of the Id. */
  byte(number: number, position: number): number {
    return this.#chunks[number >>> chunkBits]![(number & inChunk) * significant + position]!;
  }

  /** True when the Id is the one of which 15 bytes begin at `start`. The last bytes differ most often. */
  equals(number: number, bytes: Buffer, start: number): boolean {
    const chunk = this.#chunks[number >>> chunkBits]!;
    const at = (number & inChunk) * significant;
    for (let i = significant - 1; i >= 0; i--) if (chunk[at + i] !== bytes[start + i]) return false;
    return true;
  }

  /** The numbers in the order of the bytes of their Ids: one counting pass for each byte in which Ids differ. */
  sortedNumbers(): Uint32Array {
    let numbers = Uint32Array.from({ length: this.size }, (_, n) => n);
    let other = new Uint32Array(this.size);
    const ends = new Uint32Array(256);
    for (let position = significant - 1; position >= 0; position--) {
      ends.fill(0);
      for (let n = 0; n < this.size; n++) ends[this.byte(n, position)]!++;
      if (ends.includes(this.size)) continue;
      for (let value = 0, from = 0; value < 256; value++) {
        const count = ends[value]!;
        ends[value] = from;
        from += count;
      }
      for (const n of numbers) other[ends[this.byte(n, position)]!++] = n;
      [numbers, other] = [other, numbers];
    }
    return numbers;
  }

  #room(number: number): Buffer {
    const at = number >>> chunkBits;
    const chunk = this.#chunks[at];
    const needed = ((number & inChunk) + 1) * significant;
    if (chunk && needed <= chunk.length) return chunk;
    const wanted = at > 0 ? inChunk + 1 : Math.min(inChunk + 1, Math.max(firstRoom, 4 * (number & inChunk)));
    const larger = Buffer.allocUnsafeSlow(wanted * significant);
    chunk?.copy(larger);
    this.#chunks[at] = larger;
    return larger;
  }
}
