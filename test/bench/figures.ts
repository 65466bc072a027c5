import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const readme = path.resolve(import.meta.dirname, '../../README.md');

/**
 * Prints what a bench measured. With `--readme` on the command line the figures replace, dated, those between `<!-- bench:name -->` and
 * `<!-- /bench:name -->` in README.md. `of`: what was measured, in a few words; cells of `lines` in the order of `titles`.
 * `among`: the first cells of all lines that there can be, in their order; those that this run has not measured stay as they are.
 */
export function publish(
  name: string,
  of: string,
  titles: readonly string[],
  lines: readonly (readonly string[])[],
  among: readonly string[] = [],
): void {
  process.stdout.write(`${of}: Node ${process.version}, ${availableParallelism()} cores\n\n${table(titles, lines)}\n`);
  if (!process.argv.includes('--readme')) return;
  const text = readFileSync(readme, 'utf8');
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`README.md lacks ${begin} … ${end}`);
  const date = new Date().toISOString().slice(0, 10);
  const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const before = text.slice(from, to).split('\n');
  const stay = (first: string) => before.filter((line) => line.startsWith(`${row([first]).slice(0, -1)}|`));
  const measured = Map.groupBy(lines, ([first]) => first!);
  const names = [...new Set([...among, ...measured.keys()])];
  const rows = [
    row(titles),
    row(titles.map((_, i) => (i === 0 ? '---' : '--:'))),
    ...names.flatMap((first) => measured.get(first)?.map(row) ?? stay(first)),
  ];
  const block = [`${of} (${date}, Node ${process.version}, ${availableParallelism()} cores):`, '', ...rows].join('\n');
  writeFileSync(readme, `${text.slice(0, from + begin.length)}\n${block}\n${text.slice(to)}`);
}

/** A table as text; all columns but the first and the last are figures. */
export function table(titles: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = titles.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
  const isText = (i: number) => i === 0 || i === titles.length - 1;
  const text = [titles, ...lines].map((line) =>
    line
      .map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  return text.join('\n');
}
