import { stripVTControlCharacters } from 'node:util';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Figures stand on the right. */
  readonly right?: true;
}

/**
 * Rows under titles, in columns two spaces apart. `head` paints the line of titles. Cells come as they are: what an org or a vault
 * wrote has gone through `printable` before.
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  head = (line: string) => line,
): string {
  const cells = rows.map((row) => columns.map(({ value }) => value(row)));
  const widths = columns.map(({ title }, at) => Math.max(width(title), ...cells.map((line) => width(line[at]!))));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, at) => {
        const space = ' '.repeat(widths[at]! - width(text));
        return columns[at]!.right ? space + text : text + space;
      })
      .join('  ')
      .trimEnd();
  return [head(line(columns.map(({ title }) => title))), ...cells.map(line)].join('\n');
}

/** Places that a text takes on a terminal; colours take none. */
function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** A text from outside with its control characters shown as spaces, so that it cannot steer the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
