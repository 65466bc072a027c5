import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** An input of one way of a parser. */
export interface Input {
  readonly way: string;
  readonly bytes: Buffer;
}

/** Where the inputs of a parser are kept, in a folder for each way. */
export function corpusOf(parser: string): string {
  return path.join(import.meta.dirname, 'corpus', parser);
}

/** An input that is kept. */
export interface KeptInput extends Input {
  readonly file: string;
}

/** Everything that is kept below `folder`. */
export function readCorpus(folder: string): KeptInput[] {
  const below = (at: string) => {
    try {
      return readdirSync(at).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  };
  return below(folder).flatMap((way) =>
    below(path.join(folder, way)).map((name) => {
      const file = path.join(folder, way, name);
      return { way, file, bytes: readFileSync(file) };
    }),
  );
}

/** The input that is kept in a file, and its parser. */
export function inputOf(file: string): { parser: string; input: Input } {
  const folder = path.dirname(path.resolve(file));
  return {
    parser: path.basename(path.dirname(folder)),
    input: { way: path.basename(folder), bytes: readFileSync(file) },
  };
}

/** True for a kept input that a parser once failed at. */
export function hasFailed(file: string): boolean {
  return path.basename(file).includes('-');
}

/** Keeps an input under its digest, with `mark` before it; returns the file. */
export function keep(folder: string, { way, bytes }: Input, mark = ''): string {
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const file = path.join(folder, way, `${mark}${digest}`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
}
