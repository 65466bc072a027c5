import { CsvError, parse } from 'csv-parse';
import { Fault, type FaultName } from '../errors.ts';
import type { RowBatch } from './batch.ts';

/*
 * The one CSV dialect of this program, in motion and in the vault. It is what Bulk API 2.0 writes with
 * `lineEnding: LF` (field guide, extract 3.5):
 *
 *   row  = cell *( "," cell ) LF          at least one cell
 *   cell = DQUOTE *( any byte but DQUOTE / DQUOTE DQUOTE ) DQUOTE
 *
 * UTF-8 without BOM. Every cell is quoted, also an empty one and a number. Inside a cell everything stands as it is:
 * LF, CR, NUL, commas; only the quote is doubled. LF ends every row, the last one too. A null and an empty text are one
 * thing, `""`; the words "null" and "#N/A" are text. A lone surrogate, which UTF-8 cannot carry, becomes U+FFFD.
 */

/** One row of the dialect, with its LF. A null or undefined cell is written as the empty one. Needs at least one cell. */
export function encodeRow(cells: readonly (string | null | undefined)[]): string {
  if (cells.length === 0) throw new RangeError('a CSV row needs at least one cell');
  let row = '';
  for (const cell of cells) {
    row += row === '' ? '"' : '","';
    if (cell) row += cell.includes('"') ? cell.replaceAll('"', '""') : cell;
  }
  return `${row}"\n`;
}

/** Rows of the dialect as one batch. For about 1,000 rows at a time. */
export function encodeRows(rows: readonly (readonly (string | null | undefined)[])[]): RowBatch {
  const texts = rows.map(encodeRow);
  const ends = new Uint32Array(rows.length);
  let end = 0;
  for (const [i, text] of texts.entries()) {
    end += Buffer.byteLength(text);
    ends[i] = end;
  }
  return { bytes: Buffer.from(texts.join('')), ends };
}

/**
 * The cells of the one row at `bytes[start, end)`, whose LF is the last byte.
 * Throws the Fault `segment-invalid` when that is not exactly one row of the dialect.
 */
export function decodeRow(bytes: Buffer, start = 0, end = bytes.length): string[] {
  const cells: string[] = [];
  let at = start;
  for (;;) {
    const close = bytes[at] === 0x22 ? closingQuote(bytes, at, end) : -1;
    if (close < 0) break;
    const cell = bytes.toString('utf8', at + 1, close);
    cells.push(cell.includes('"') ? cell.replaceAll('""', '"') : cell);
    at = close + 2;
    if (bytes[close + 1] === 0x0a && at === end) return cells;
    if (bytes[close + 1] !== 0x2c) break;
  }
  throw new Fault('segment-invalid', 'A row is not in the CSV dialect of the vault.', { data: { cell: cells.length } });
}

/** Where the quote stands that closes the cell opened at `open`; -1 when there is none with one more byte behind it. */
export function closingQuote(bytes: Buffer, open: number, end: number): number {
  let at = open + 1;
  for (;;) {
    const quote = nextQuote(bytes, at, end);
    if (quote < 0 || quote + 1 >= end) return -1;
    if (bytes[quote + 1] !== 0x22) return quote;
    at = quote + 2;
  }
}

/** Bytes that are looked at one by one before `indexOf` is called, whose call costs more than the search in most cells. */
const near = 32;

/** The first quote from `from` on; -1 when there is none before `end`, or one behind it. */
export function nextQuote(bytes: Buffer, from: number, end: number): number {
  const last = Math.min(from + near, end);
  for (let at = from; at < last; at++) if (bytes[at] === 0x22) return at;
  return last >= end ? -1 : bytes.indexOf(0x22, last);
}

/** The header line: the names of the columns as a row of the dialect. */
export function encodeHeader(columns: readonly string[]): Buffer {
  return Buffer.from(encodeRow(columns));
}

/** The columns of a header line that fills `bytes`. Throws `fault` on an empty or doubled name. */
export function decodeHeader(bytes: Buffer, fault: FaultName = 'segment-invalid'): string[] {
  const columns = decodeRow(bytes);
  if (columns.includes('') || new Set(columns).size !== columns.length) {
    throw new Fault(fault, 'A header line has an empty or a doubled column name.');
  }
  return columns;
}

/**
 * Rows of CSV that others wrote: a BOM, CRLF or CR, unquoted cells and a last row without line end are all accepted, and
 * blank lines are skipped. The header line, if the file has one, is simply the first row; rows may differ in length.
 * Yields up to 1,000 rows at a time. Throws the Fault `usage` when it is no CSV at all, such as an unclosed quote.
 */
export async function* parseForeign(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<string[][]> {
  const parser = parse({ bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true });
  const feeding = feed(chunks, parser);
  let rows: string[][] = [];
  try {
    for await (const row of parser as AsyncIterable<string[]>) {
      rows.push(row);
      if (rows.length === 1000) {
        yield rows;
        rows = [];
      }
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new Fault('usage', 'The file is not CSV that can be read.', { data: { code: cause.code }, cause });
  } finally {
    parser.destroy();
    await feeding;
  }
  if (rows.length > 0) yield rows;
}

async function feed(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, parser: ReturnType<typeof parse>) {
  try {
    for await (const chunk of chunks) {
      if (parser.destroyed) return;
      if (!parser.write(chunk)) await drained(parser);
    }
    parser.end();
  } catch (error) {
    parser.destroy(error as Error);
  }
}

function drained(parser: ReturnType<typeof parse>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      parser.off('drain', done).off('close', done);
      resolve();
    };
    parser.on('drain', done).on('close', done);
  });
}
