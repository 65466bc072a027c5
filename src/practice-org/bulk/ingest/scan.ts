import type { Dialect } from './jobs.ts';

/** How much of a CSV is taken, and what of it is refused (restore 1.4, 1.5). */
export interface CsvLimits {
  /** Newlines inside cells need not be those of the job. */
  readonly mixedNewlines: boolean;
  readonly cellCharacters: number;
}

/** Why a CSV is refused, as the job's error message says it. */
export class BadCsv extends Error {}

export const unescapedQuote = 'InvalidBatch : Failed to parse CSV. Found unescaped quote';

const quote = 0x22;
const lf = 0x0a;
const cr = 0x0d;
const rowCharacters = 400_000;
const rowCells = 5_000;

/**
 * Goes through a CSV row by row, by RFC 4180 with the job's delimiter and line ending: quotes are doubled inside quoted cells and
 * stand nowhere else, every row has as many cells as the first, empty lines are no rows. Throws BadCsv (restore 1.5).
 */
export class Scanner {
  readonly #bytes: Buffer;
  readonly #delimiter: number;
  readonly #lineEnding: Dialect['lineEnding'];
  readonly #limits: CsvLimits;
  #columns = 0;
  #rows = 0;
  /** Where the next row begins. */
  at = 0;
  /** Where the row that was found begins and, without its line ending, ends. */
  start = 0;
  end = 0;

  constructor(bytes: Buffer, dialect: Dialect, limits: CsvLimits) {
    this.#bytes = bytes;
    this.#delimiter = dialect.delimiter.charCodeAt(0);
    this.#lineEnding = dialect.lineEnding;
    this.#limits = limits;
  }

  /** Finds the next row; false: there is none. */
  next(): boolean {
    while (this.at < this.#bytes.length) {
      const cells = this.#row();
      if (this.end === this.start) continue;
      this.#check(cells);
      this.#rows += 1;
      return true;
    }
    return false;
  }

  /** Reads a line and returns how many cells it has. */
  #row(): number {
    const bytes = this.#bytes;
    const { cellCharacters } = this.#limits;
    this.start = this.at;
    for (let cells = 1; ; cells += 1) {
      const from = this.at;
      const end = bytes[from] === quote ? this.#quoted(from + 1) : this.#plain(from);
      if (end - from > cellCharacters) checkCell(bytes.toString('utf8', from, end), cellCharacters);
      if (bytes[end] !== this.#delimiter) {
        this.#endRow(end);
        return cells;
      }
      this.at = end + 1;
    }
  }

  /** Where a quoted cell ends, behind its last quote. */
  #quoted(from: number): number {
    const bytes = this.#bytes;
    const { length } = bytes;
    for (let at = from; at < length; at += 1) {
      const byte = bytes[at];
      if (byte === quote) {
        if (bytes[at + 1] !== quote) return at + 1;
        at += 1;
      } else if (byte === lf) this.#checkNewline(bytes[at - 1] === cr);
    }
    throw new BadCsv('InvalidBatch : Failed to parse CSV. EOF reached before closing an opened quote');
  }

  #plain(from: number): number {
    const bytes = this.#bytes;
    const { length } = bytes;
    const delimiter = this.#delimiter;
    for (let at = from; at < length; at += 1) {
      const byte = bytes[at];
      if (byte === delimiter || byte === lf || byte === cr) return at;
      if (byte === quote) throw new BadCsv(unescapedQuote);
    }
    return length;
  }

  #endRow(end: number): void {
    this.end = end;
    const byte = this.#bytes[end];
    if (byte === undefined) this.at = end;
    else if (byte === lf && this.#lineEnding === 'LF') this.at = end + 1;
    else if (byte === cr && this.#bytes[end + 1] === lf && this.#lineEnding === 'CRLF') this.at = end + 2;
    else if (byte === lf || byte === cr) throw this.#badNewline();
    else throw new BadCsv(unescapedQuote);
  }

  #checkNewline(afterReturn: boolean): void {
    if (!this.#limits.mixedNewlines && afterReturn !== (this.#lineEnding === 'CRLF')) throw this.#badNewline();
  }

  #badNewline(): BadCsv {
    return new BadCsv(
      `ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is ${this.#lineEnding}`,
    );
  }

  #check(cells: number): void {
    if (this.#rows === 0) this.#columns = cells;
    if (cells !== this.#columns)
      throw new BadCsv(
        `InvalidBatch : Failed to parse CSV. Row ${this.#rows} has ${cells} cells, the header ${this.#columns}`,
      );
    if (cells > rowCells) throw new BadCsv(`InvalidBatch : A record has more than ${rowCells} fields`);
    const { start, end } = this;
    if (end - start > rowCharacters && this.#bytes.toString('utf8', start, end).length > rowCharacters)
      throw new BadCsv(`InvalidBatch : A record is longer than ${rowCharacters} characters`);
  }
}

function checkCell(raw: string, most: number): void {
  const text = raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw;
  if (text.length > most)
    throw new BadCsv(`InvalidBatch : Failed to parse CSV. A cell is longer than ${most} characters`);
}

/** The cells of one well-formed row without its line ending. */
export function splitRow(text: string, delimiter: string): string[] {
  if (!text.includes('"')) return text.split(delimiter);
  const cells: string[] = [];
  for (let at = 0; at <= text.length; at += 1) {
    if (text.charCodeAt(at) !== quote) {
      const found = text.indexOf(delimiter, at);
      const end = found < 0 ? text.length : found;
      cells.push(text.slice(at, end));
      at = end;
      continue;
    }
    let end = text.indexOf('"', at + 1);
    let doubled = false;
    while (text.charCodeAt(end + 1) === quote) {
      doubled = true;
      end = text.indexOf('"', end + 2);
    }
    const cell = text.slice(at + 1, end);
    cells.push(doubled ? cell.replaceAll('""', '"') : cell);
    at = end + 1;
  }
  return cells;
}

/** The same row with every cell in quotes. */
export function quoteRow(text: string, delimiter: string): string {
  if (!text.includes('"')) return `"${text.replaceAll(delimiter, `"${delimiter}"`)}"`;
  let quoted = '';
  let copied = 0;
  for (let at = 0; at <= text.length; at += 1) {
    if (text.charCodeAt(at) === quote) {
      at = text.indexOf('"', at + 1);
      while (text.charCodeAt(at + 1) === quote) at = text.indexOf('"', at + 2);
      at += 1;
      continue;
    }
    const found = text.indexOf(delimiter, at);
    const end = found < 0 ? text.length : found;
    quoted += `${text.slice(copied, at)}"${text.slice(at, end)}"`;
    copied = end;
    at = end;
  }
  return quoted === '' ? text : quoted + text.slice(copied);
}
