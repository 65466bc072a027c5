/** Characters of an Id that tell it from others, case included; the three behind them only repeat the case of its letters. */
export const significant = 15;

const suffixes = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/** True for a text that has the form of an Id of 15 or 18 characters; whether such a record exists is another question. */
export function looksLikeId(text: string): boolean {
  return /^[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?$/.test(text);
}

/** The Id in 18 characters; the suffix of one that has it already is made anew. Any other text comes back as it is. */
export function longId(id: string): string {
  if (id.length !== significant && id.length !== significant + 3) return id;
  let suffix = '';
  for (let from = 0; from < significant; from += 5) {
    let upper = 0;
    for (let bit = 0; bit < 5; bit++) {
      const code = id.charCodeAt(from + bit);
      if (code >= 0x41 && code <= 0x5a) upper |= 1 << bit;
    }
    suffix += suffixes[upper];
  }
  return id.slice(0, significant) + suffix;
}
