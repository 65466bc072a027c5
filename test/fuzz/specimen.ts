import type { Parser } from './parser.ts';

/** A parser with a fault in it, to see that fuzzing finds it. */
export const parser: Parser = {
  sources: ['test/fuzz/specimen.ts'],
  words: ['{', '!'],
  ways: {
    // Each letter is a branch of its own: blind changes would have to guess all at once.
    crash: { seeds: ['abcd'], run: word, foreseen: (error) => error instanceof SyntaxError },
  },
};

function word(bytes: Buffer): string {
  if (bytes[0] !== 0x46) return 'other';
  if (bytes[1] !== 0x75) return 'F';
  if (bytes[2] !== 0x7a) return 'Fu';
  if (bytes[3] === 0x21) throw new TypeError('four letters deep');
  throw new SyntaxError('it is no word');
}
