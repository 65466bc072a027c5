/** Bytes of an Id that tell it from others; the three behind them only repeat the case of its letters. */
const idBytes = 15;
const largestChunk = 65_536;

/** Some Ids, ascending without a gap in the order, and the ones behind each other in one Buffer. */
interface Chunk {
  bytes: Buffer;
  count: number;
}

/**
 * A set of Salesforce Ids for millions of them: 15 bytes each and nothing on the heap. Ids are added in ascending stretches, as
 * segments hold them; a look-up costs a binary search per group of stretches whose ranges do not overlap.
 */
export class IdSet {
  /** Ascending stretches as they were added. */
  #stretches: Chunk[][] = [];
  /** The same chunks; those of one level have disjoint ranges and ascend. Undefined after an `add`. */
  #levels: Chunk[][] | undefined;
  #size = 0;

  /** How many Ids were added. */
  get size(): number {
    return this.#size;
  }

  /** Adds the Id of 15 or 18 characters that begins at `start`. One that was just added is not added again. */
  add(bytes: Buffer, start = 0): void {
    this.#levels = undefined;
    let stretch = this.#stretches.at(-1);
    let chunk = stretch?.at(-1);
    if (chunk) {
      const order = compareAt(chunk.bytes, (chunk.count - 1) * idBytes, bytes, start);
      if (order === 0) return;
      if (order > 0) {
        trim(chunk);
        chunk = undefined;
        stretch = undefined;
      }
    }
    if (!stretch) {
      stretch = [];
      this.#stretches.push(stretch);
    }
    if (!chunk || chunk.count === largestChunk) {
      chunk = { bytes: Buffer.allocUnsafeSlow(idBytes * (stretch.length === 0 ? 64 : largestChunk)), count: 0 };
      stretch.push(chunk);
    } else if (chunk.count * idBytes === chunk.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(4 * chunk.bytes.length, largestChunk * idBytes));
      chunk.bytes.copy(larger);
      chunk.bytes = larger;
    }
    bytes.copy(chunk.bytes, chunk.count * idBytes, start, start + idBytes);
    chunk.count += 1;
    this.#size += 1;
  }

  /** True when the Id of 15 or 18 characters that begins at `start` was added. */
  has(bytes: Buffer, start = 0): boolean {
    this.#levels ??= levelsOf(this.#stretches);
    return this.#levels.some((level) => inLevel(level, bytes, start));
  }
}

/** Puts each stretch behind another that ends before it begins, so that few levels have to be searched. */
function levelsOf(stretches: readonly Chunk[][]): Chunk[][] {
  const levels: Chunk[][] = [];
  const sorted = [...stretches].sort(([a], [b]) => compareAt(a!.bytes, 0, b!.bytes, 0));
  for (const stretch of sorted) {
    const level = levels.find((one) => {
      const last = one.at(-1)!;
      return compareAt(last.bytes, (last.count - 1) * idBytes, stretch[0]!.bytes, 0) < 0;
    });
    if (level) level.push(...stretch);
    else levels.push([...stretch]);
  }
  return levels;
}

function inLevel(level: readonly Chunk[], bytes: Buffer, start: number): boolean {
  let low = 0;
  for (let high = level.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (compareAt(level[middle]!.bytes, 0, bytes, start) <= 0) low = middle;
    else high = middle;
  }
  const chunk = level[low]!;
  let from = 0;
  let to = chunk.count;
  while (from < to) {
    const middle = (from + to) >> 1;
    const order = compareAt(chunk.bytes, middle * idBytes, bytes, start);
    if (order === 0) return true;
    if (order < 0) from = middle + 1;
    else to = middle;
  }
  return false;
}

/** Below, at or above zero as the Id in `a` sorts before, with or behind the one in `b`. */
function compareAt(a: Buffer, at: number, b: Buffer, start: number): number {
  for (let i = 0; i < idBytes; i++) {
    const difference = a[at + i]! - b[start + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function trim(chunk: Chunk): void {
  if (chunk.count * idBytes < chunk.bytes.length)
    chunk.bytes = Buffer.from(chunk.bytes.subarray(0, chunk.count * idBytes));
}
