import { encodeRow } from '../rows/csv.ts';
import type { WriteError } from './writing.ts';

/*
 * The CSV of Bulk API 2.0 ingest (field guide, restore 1.4 and 1.5): the vault's dialect, in which an empty cell leaves the field alone and
 * `#N/A` clears it. Pure: no request is made here.
 */

/** How Bulk writes a null. */
const cleared = '#N/A';
const mostCellCharacters = 32_000;
const mostRowCharacters = 400_000;
const mostHeaderCharacters = 32_000;
const mostColumns = 5_000;

/** Why Bulk cannot carry a row as it is. */
export type BulkUnfit = 'cell-too-long' | 'row-too-long' | 'literal-null' | 'carriage-return';

/**
 * Why a row must be sent by REST instead; undefined: it is fit for Bulk. `literal-null`: a text that Bulk takes for a null.
 * `carriage-return`: with it a cell may mix line ends, which can ruin the whole job (restore 14). Characters are counted in UTF-16 units,
 * which are never fewer than those that the org counts.
 */
export function bulkUnfit(cells: readonly (string | null | undefined)[]): BulkUnfit | undefined {
  let characters = 0;
  for (const cell of cells) {
    if (!cell) continue;
    const unfit = cellUnfit(cell);
    if (unfit) return unfit;
    characters += cell.length;
  }
  return characters > mostRowCharacters ? 'row-too-long' : undefined;
}

/** As `bulkUnfit`, of one cell. */
export function cellUnfit(cell: string): BulkUnfit | undefined {
  if (cell.length > mostCellCharacters) return 'cell-too-long';
  if (cell === cleared) return 'literal-null';
  return cell.includes('\r') ? 'carriage-return' : undefined;
}

/** True when a job cannot have these columns, and the object must be written by REST. */
export function tooManyColumns(columns: readonly string[]): boolean {
  return columns.length > mostColumns || columns.join('","').length + 3 > mostHeaderCharacters;
}

/** A row for upload, with its LF: null and '' clear the field, undefined leaves it alone (insert: the org sets its default). */
export function encodeBulkRow(cells: readonly (string | null | undefined)[]): string {
  return encodeRow(cells.map((cell) => (cell === undefined ? '' : cell || cleared)));
}

/**
 * Reads an `sf__Error` cell, `CODE:message:field,field --`, several joined with `;` (restore 1.6). The message may hold colons, commas, line
 * breaks and semicolons. A text without this form comes back as one error with the code '' and the text as its message; an empty one as
 * none.
 */
export function parseErrorCell(text: string): WriteError[] {
  if (text.trim() === '') return [];
  return text.split(nextError).map(errorFrom);
}

/** Between two errors: the end mark, a semicolon, and what looks like a code. */
const nextError = /(?<=--)\s*;\s*(?=[A-Z][A-Z0-9_]+:)/;

function errorFrom(text: string): WriteError {
  const match = /^\s*([A-Za-z][A-Za-z0-9_]*):(.*)$/s.exec(text);
  if (!match) return { code: '', message: text.trim(), fields: [] };
  const [, code, behind] = match as unknown as [string, string, string];
  const ended = behind.trimEnd().replace(/;$/, '').trimEnd();
  const marked = ended.endsWith('--');
  const body = marked ? ended.slice(0, -2).trimEnd() : behind;
  const colon = body.lastIndexOf(':');
  if (!marked || colon < 0) return { code, message: body.trim(), fields: [] };
  const fields = body
    .slice(colon + 1)
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return { code, message: body.slice(0, colon).trim(), fields };
}
