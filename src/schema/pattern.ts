/** A piece of a pattern: a text, any one character, or any number of any. */
export type Piece = { readonly text: string } | 'one' | 'many';

/**
 * A test of whole texts. Each run of pieces between two `many` is taken at the first place where it fits, so that no pattern takes longer than
 * its length times that of the text.
 */
export function wildcards(pieces: readonly Piece[]): (text: string) => boolean {
  const runs: string[][] = [[]];
  for (const piece of pieces) {
    if (piece === 'many') runs.push([]);
    else if (piece === 'one') runs.at(-1)!.push('');
    else runs.at(-1)!.push(...piece.text.split(''));
  }
  const first = runs[0]!;
  if (runs.length === 1) return (text) => text.length === first.length && fits(text, 0, first);
  const last = runs.at(-1)!;
  const between = runs.slice(1, -1).map(finder);
  return (text) => {
    if (!fits(text, 0, first)) return false;
    let at = first.length;
    for (const find of between) {
      at = find(text, at);
      if (at < 0) return false;
    }
    const end = text.length - last.length;
    return end >= at && fits(text, end, last);
  };
}

/** Object names as people write them in `--objects` and `--exclude`: `*` stands for any characters, case does not matter. */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => expression(pattern)(name.toLowerCase()));
}

function expression(pattern: string): (name: string) => boolean {
  const parts = pattern.toLowerCase().split('*');
  return wildcards(parts.flatMap((text, i): Piece[] => (i === 0 ? [{ text }] : ['many', { text }])));
}

/** True when the run, in which '' is any one character, stands at `at`. */
function fits(text: string, at: number, run: readonly string[]): boolean {
  return at >= 0 && at + run.length <= text.length && run.every((unit, i) => unit === '' || text[at + i] === unit);
}

/** Where the first place from `at` on ends that the run fits; -1 when there is none. */
function finder(run: readonly string[]): (text: string, at: number) => number {
  if (!run.includes('')) {
    const literal = run.join('');
    return (text, at) => {
      const found = text.indexOf(literal, at);
      return found < 0 ? -1 : found + literal.length;
    };
  }
  return (text, at) => {
    for (let from = at; from + run.length <= text.length; from++) if (fits(text, from, run)) return from + run.length;
    return -1;
  };
}
