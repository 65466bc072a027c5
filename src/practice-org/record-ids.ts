/**
 * Record Ids: three characters that name the object, two that name the instance, ten base-62 digits that count up, and
 * three that carry the case of the other fifteen.
 */

/** In ASCII order, so that Ids sort as they were given out. */
export const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const caseLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const instance = '5e';
/** Where counting starts; real orgs share the numbers of an instance. */
export const firstNumber = 62 ** 5 * 7;

const values = new Int8Array(128).fill(-1);
for (let value = 0; value < digits.length; value++) values[digits.charCodeAt(value)] = value;

/** The 18-character form of 15 characters: each suffix character says which of five characters are capitals. */
export function withSuffix(id15: string): string {
  let suffix = '';
  for (let block = 0; block < 3; block++) {
    let bits = 0;
    for (let i = 0; i < 5; i++) {
      const code = id15.charCodeAt(block * 5 + i);
      if (code >= 65 && code <= 90) bits |= 1 << i;
    }
    suffix += caseLetters[bits];
  }
  return id15 + suffix;
}

/** The Id of row `number` (from 0) of the object with this three-character prefix. */
export function recordId(prefix: string, number: number): string {
  let rest = firstNumber + number;
  let text = '';
  for (let i = 0; i < 10; i++) {
    text = digits[rest % 62]! + text;
    rest = Math.floor(rest / 62);
  }
  return withSuffix(prefix + instance + text);
}

/** The row number that `recordId` made this Id from, or -1: another prefix, a wrong suffix, a foreign Id. */
export function recordNumber(prefix: string, id: string): number {
  if (id.length !== 18 || !id.startsWith(prefix + instance)) return -1;
  let number = 0;
  for (let at = 5; at < 15; at++) {
    const value = values[id.charCodeAt(at)] ?? -1;
    if (value < 0) return -1;
    number = number * 62 + value;
  }
  return number < firstNumber || withSuffix(id.slice(0, 15)) !== id ? -1 : number - firstNumber;
}
