import { Chalk } from 'chalk';
import { type Column, printable, table } from './table.ts';

/** What the human text of a command is made with; without colours it gives plain text of the same width. */
export interface Paint {
  strong(text: string): string;
  faint(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  careful(text: string): string;
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string;
  /** The line that says what to do next: `next: salvor verify latest   prove the point`. */
  next(command: string, purpose: string): string;
  /** A text from outside, such as a label or a message of the org, without control characters. */
  printable(text: string): string;
}

export function makePaint(colours: boolean): Paint {
  const chalk = new Chalk({ level: colours ? 1 : 0 });
  return {
    strong: (text) => chalk.bold(text),
    faint: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    careful: (text) => chalk.yellow(text),
    table: (rows, columns) => table(rows, columns, (line) => chalk.dim(line)),
    next: (command, purpose) => `${chalk.dim('next:')} ${chalk.bold(command)}   ${chalk.dim(purpose)}`,
    printable,
  };
}
