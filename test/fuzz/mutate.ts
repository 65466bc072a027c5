import type { Random } from './random.ts';

/** Longest input, in bytes. */
export const longest = 64 * 1024 - 1;

interface Materials {
  readonly random: Random;
  readonly words: readonly Buffer[];
  /** Another input of the same way. */
  other(): Buffer;
}

type Mutation = (bytes: Buffer, materials: Materials) => Buffer;

const odd = [0, 1, 9, 10, 13, 32, 34, 37, 39, 44, 45, 46, 47, 48, 57, 58, 59, 60, 62, 92, 123, 125, 127, 128, 255];

/** Replaces `bytes[from, to)`. */
function replaced(bytes: Buffer, from: number, to: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)]);
}

/** A place in `bytes`, and one behind it that is mostly near. */
function span(bytes: Buffer, random: Random): [number, number] {
  const from = random.below(bytes.length + 1);
  const reach = random.below(4) === 0 ? bytes.length : 16;
  return [from, Math.min(bytes.length, from + random.below(reach + 1))];
}

/** Every way to change an input; the names are the menu of the short form. */
export const mutations: Readonly<Record<string, Mutation>> = {
  'a bit flipped': (bytes, { random }) => {
    if (bytes.length === 0) return bytes;
    const changed = Buffer.from(bytes);
    changed[random.below(bytes.length)]! ^= 1 << random.below(8);
    return changed;
  },
  'a byte changed': (bytes, { random }) => {
    if (bytes.length === 0) return bytes;
    const changed = Buffer.from(bytes);
    changed[random.below(bytes.length)] = random.below(2) === 0 ? random.of(odd) : random.below(256);
    return changed;
  },
  'bytes put in': (bytes, { random }) => {
    const from = random.below(bytes.length + 1);
    const more = Buffer.from(Array.from({ length: 1 + random.below(8) }, () => random.below(256)));
    return replaced(bytes, from, from, more);
  },
  'bytes left out': (bytes, { random }) => {
    const [from, to] = span(bytes, random);
    return replaced(bytes, from, to, Buffer.alloc(0));
  },
  'the end cut off': (bytes, { random }) => bytes.subarray(0, random.below(bytes.length + 1)),
  'a piece doubled': (bytes, { random }) => {
    const [from, to] = span(bytes, random);
    return replaced(bytes, to, to, bytes.subarray(from, to));
  },
  'a piece repeated often': (bytes, { random }) => {
    const from = random.below(bytes.length + 1);
    const to = Math.min(bytes.length, from + 1 + random.below(random.below(2) === 0 ? 3 : 24));
    const times = 2 ** (1 + random.below(15));
    const piece = bytes.subarray(from, to);
    if (piece.length === 0) return bytes;
    const room = Math.max(1, Math.floor((longest - bytes.length) / piece.length));
    return replaced(bytes, to, to, Buffer.concat(Array<Buffer>(Math.min(times, room)).fill(piece)));
  },
  'a word put in': (bytes, { random, words }) => {
    const [from, to] = span(bytes, random);
    return replaced(bytes, from, random.below(2) === 0 ? from : to, random.of(words));
  },
  'a number changed': (bytes, { random }) => {
    const text = bytes.toString('latin1');
    const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?/g)];
    if (numbers.length === 0) return bytes;
    const found = random.of(numbers);
    const number = Number(found[0]);
    const extremes = ['0', '-1', '1e400', '9007199254740993', '4294967296', '-0', '0.1', '00', '99999999999999999999'];
    const by = random.of([`${number + 1}`, `${number - 1}`, `${number * 2}`, `-${found[0]}`, ...extremes]);
    return replaced(bytes, found.index, found.index + found[0].length, Buffer.from(by));
  },
  'spliced with another': (bytes, { random, other }) => {
    const second = other();
    return Buffer.concat([
      bytes.subarray(0, random.below(bytes.length + 1)),
      second.subarray(random.below(second.length + 1)),
    ]);
  },
  'a piece of another put in': (bytes, { random, other }) => {
    const second = other();
    const [from, to] = span(second, random);
    const at = random.below(bytes.length + 1);
    return replaced(bytes, at, at, second.subarray(from, to));
  },
};
const names = Object.keys(mutations);

/** A changed input, at most `longest`; `did` is told each mutation. */
export function mutated(bytes: Buffer, materials: Materials, did: (name: string) => void): Buffer {
  let changed = bytes;
  for (let n = 2 ** materials.random.below(4); n > 0; n--) {
    const name = materials.random.of(names);
    const next = mutations[name]!(changed, materials);
    if (next === changed || next.length > longest) continue;
    changed = next;
    did(name);
  }
  return changed;
}
