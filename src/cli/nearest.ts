/** The name in `known` that `name` was probably meant to be; undefined when none is near. Upper and lower case count as the same. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  // more than two slips in five letters is another word
  let least = Math.max(1, Math.floor(name.length * 0.4)) + 1;
  for (const candidate of known) {
    // each letter that one has more is a step
    if (Math.abs(name.length - candidate.length) >= least) continue;
    const steps = distance(name.toLowerCase(), candidate.toLowerCase());
    if (steps < least) [best, least] = [candidate, steps];
  }
  return best;
}

/** Letters to insert, delete, replace or swap with their neighbour to come from one word to the other. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line++) {
    const next = [line];
    for (let column = 1; column <= to.length; column++) {
      const replaced = row[column - 1]! + (from[line - 1] === to[column - 1] ? 0 : 1);
      let least = Math.min(replaced, row[column]! + 1, next[column - 1]! + 1);
      if (line > 1 && column > 1 && from[line - 1] === to[column - 2] && from[line - 2] === to[column - 1]) {
        least = Math.min(least, before[column - 2]! + 1);
      }
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[to.length]!;
}
