import type { Parser } from './parser.ts';

const kept: Buffer[] = [];

/** A parser that takes too much for what it is given, to see that fuzzing tells. */
export const parser: Parser = {
  sources: ['test/fuzz/costly-specimen.ts'],
  words: ['a'],
  ways: {
    slow: { seeds: ['a'], run: busy, foreseen: () => false },
    large: { seeds: ['{'], run: () => kept.push(Buffer.alloc(400 * 1024 * 1024, 1)), foreseen: () => false },
    endless: { seeds: ['a'], run: endless, foreseen: () => false },
  },
};

/** Takes more than a second of this thread's time, on any machine. */
function busy(): void {
  const began = process.threadCpuUsage();
  const spent = () => {
    const { user, system } = process.threadCpuUsage(began);
    return user + system;
  };
  // Asking costs more than a step does, and most of it is the system's time.
  while (spent() < 1_500_000) for (let step = 0; step < 1_000_000; step++);
}

function endless(): never {
  for (;;);
}
