import { digits } from './record-ids.ts';
import { type Target, targetOf, templates } from './scale.ts';

/** What stands in a slot of a template line. */
export const slotKinds = { id: 0, serial: 1, created: 2, modified: 3, stamped: 4, reference: 5, round: 6 } as const;

export interface Slot {
  readonly kind: number;
  /** Bytes from the start of the block. */
  readonly offset: number;
  /** Stamps: seconds after creation. References: the salt of the field. */
  readonly argument: number;
  readonly target: Target | undefined;
}

/** The lines of all templates in one piece, and what to write over them for each row. */
export interface Slots {
  readonly block: Buffer;
  /** Where the line of each template starts; one more for the end. */
  readonly starts: Int32Array;
  /** The first slot of each template; one more for the end. */
  readonly firsts: Int32Array;
  readonly slots: {
    readonly kind: Uint8Array;
    readonly offset: Int32Array;
    readonly argument: Float64Array;
    readonly target: Uint8Array;
    readonly targets: readonly Target[];
  };
  created(number: number): number;
  readonly size: number;
}

/** Rows `from` to `to` as CSV lines: whole runs of templates are copied, then each row's slots are written over. */
export function patch(slots: Slots, from: number, to: number): Buffer {
  const { block, starts } = slots;
  let length = 0;
  for (let number = from; number < to; ) {
    const at = number % templates;
    const run = Math.min(templates - at, to - number);
    length += starts[at + run]! - starts[at]!;
    number += run;
  }
  const out = Buffer.allocUnsafe(length);
  let position = 0;
  for (let number = from; number < to; ) {
    const at = number % templates;
    const run = Math.min(templates - at, to - number);
    block.copy(out, position, starts[at]!, starts[at + run]!);
    patchRun(slots, out, position - starts[at]!, at, number, run);
    position += starts[at + run]! - starts[at]!;
    number += run;
  }
  return out;
}

function patchRun(all: Slots, out: Buffer, shift: number, at: number, first: number, run: number): void {
  const { firsts, created } = all;
  const { kind, offset, argument, target, targets } = all.slots;
  for (let i = 0; i < run; i++) {
    const number = first + i;
    const seconds = created(number) / 1000;
    const round = Math.floor(number / templates) % 100;
    for (let slot = firsts[at + i]!; slot < firsts[at + i + 1]!; slot++) {
      const where = shift + offset[slot]!;
      switch (kind[slot]) {
        case slotKinds.id:
          writeId(out, where, number);
          break;
        case slotKinds.serial:
          writeDecimal(out, where, number, 8);
          break;
        case slotKinds.created:
        case slotKinds.modified:
        case slotKinds.stamped:
          writeInstant(out, where, seconds + argument[slot]!);
          break;
        case slotKinds.reference: {
          const pointed = targets[target[slot]!]!;
          writeId(out, where, targetOf(pointed, number, argument[slot]!));
          break;
        }
        default:
          writeDecimal(out, where, round, 2);
      }
    }
  }
}

const codes = Uint8Array.from(digits, (digit) => digit.charCodeAt(0));
const suffixes = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', (letter) => letter.charCodeAt(0));

/** Only the last five digits of an Id and the last letter of its suffix move: rows are fewer than 62 to the fifth. */
function writeId(out: Buffer, where: number, number: number): void {
  let rest = number;
  let capitals = 0;
  for (let i = 14; i >= 10; i--) {
    const digit = rest % 62;
    rest = (rest - digit) / 62;
    out[where + i] = codes[digit]!;
    if (digit >= 10 && digit < 36) capitals |= 1 << (i - 10);
  }
  out[where + 17] = suffixes[capitals]!;
}

function writeDecimal(out: Buffer, where: number, value: number, width: number): void {
  let rest = value;
  for (let i = width - 1; i >= 0; i--) {
    const digit = rest % 10;
    rest = (rest - digit) / 10;
    out[where + i] = 48 + digit;
  }
}

/** Days since 1970 -> `2026-11-20` in bytes. */
const days = new Map<number, Buffer>();
let lastDay = Number.NaN;
let lastBytes: Buffer = Buffer.alloc(0);

function dayBytes(day: number): Buffer {
  if (day === lastDay) return lastBytes;
  let bytes = days.get(day);
  if (!bytes) {
    bytes = Buffer.from(new Date(day * 86_400_000).toISOString().slice(0, 10));
    days.set(day, bytes);
  }
  lastDay = day;
  lastBytes = bytes;
  return bytes;
}

/** The first 19 of `2026-11-20T12:00:00.000Z`; the rest is in the template. */
function writeInstant(out: Buffer, where: number, seconds: number): void {
  const day = Math.floor(seconds / 86_400);
  const bytes = dayBytes(day);
  for (let i = 0; i < 10; i++) out[where + i] = bytes[i]!;
  const rest = seconds - day * 86_400;
  const hour = (rest / 3600) | 0;
  const minute = ((rest % 3600) / 60) | 0;
  const second = rest % 60;
  out[where + 11] = 48 + ((hour / 10) | 0);
  out[where + 12] = 48 + (hour % 10);
  out[where + 14] = 48 + ((minute / 10) | 0);
  out[where + 15] = 48 + (minute % 10);
  out[where + 17] = 48 + ((second / 10) | 0);
  out[where + 18] = 48 + (second % 10);
}
