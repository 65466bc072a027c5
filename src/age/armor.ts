import { armor } from 'age-encryption';
import { Fault } from '../errors.ts';

const begin = '-----BEGIN AGE ENCRYPTED FILE-----';
const whitespace = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** True when `start` begins an armored age file: whitespace, then the first line. Undefined: too short to tell. */
export function isArmored(start: Buffer): boolean | undefined {
  let at = 0;
  while (at < start.length && whitespace.has(start[at]!)) at += 1;
  const text = start.toString('latin1', at, at + begin.length);
  if (!begin.startsWith(text)) return false;
  return text.length === begin.length ? true : undefined;
}

/** The bytes that an armored age file stands for. Throws `not-authentic` for anything but strict armor. */
export function removeArmor(file: Buffer): Buffer {
  try {
    const bytes = armor.decode(file.toString('latin1'));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (cause) {
    throw new Fault('not-authentic', 'the armor of an age file is damaged', { cause });
  }
}
