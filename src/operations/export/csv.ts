import type { RowBatch } from '../../rows/batch.ts';
import { cells } from '../../rows/cells.ts';
import { encodeHeader, encodeRow } from '../../rows/csv.ts';
import { decimal } from '../../schema/decimal.ts';
import type { FieldDescribe } from '../../schema/describe.ts';

/**
 * One object as CSV: a header line, then its rows as the point has them (UTF-8, every cell quoted, LF). `safe`: texts that a spreadsheet would
 * take for a formula get an apostrophe in front, which is no longer the value.
 */
export async function* csvOf(
  fields: readonly FieldDescribe[],
  batches: AsyncIterable<RowBatch>,
  safe: boolean,
): AsyncGenerator<Buffer> {
  yield encodeHeader(fields.map(({ name }) => name));
  for await (const batch of batches) {
    yield safe ? harmless(batch, fields) : batch.bytes;
  }
}

const numeric = new Set(['int', 'long', 'double', 'currency', 'percent']);
/** What spreadsheets begin formulas with, in full width too; a tab or line break in front is passed over by some (OWASP). */
const formula = /^[=+\-@\t\r\n＝＋－＠]/;

/** A cell that no spreadsheet takes for a formula; numbers stay numbers. */
export function withoutFormula(text: string, { type }: Pick<FieldDescribe, 'type'>): string {
  if (!formula.test(text) || (numeric.has(type) && decimal(text))) return text;
  return `'${text}`;
}

function harmless(batch: RowBatch, fields: readonly FieldDescribe[]): Buffer {
  const rows: string[] = [];
  for (let row = 0; row < batch.ends.length; row++)
    rows.push(encodeRow(cells(batch, row).map((cell, i) => withoutFormula(cell, fields[i]!))));
  return Buffer.from(rows.join(''));
}
