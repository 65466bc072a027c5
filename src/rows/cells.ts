import type { RowBatch } from './batch.ts';
import { closingQuote, decodeRow } from './csv.ts';

/** Where row `i` begins in `batch.bytes`. */
export function rowStart(batch: RowBatch, i: number): number {
  return i === 0 ? 0 : batch.ends[i - 1]!;
}

/** The bytes of row `i` with its LF, not copied. */
export function rowBytes(batch: RowBatch, i: number): Buffer {
  return batch.bytes.subarray(rowStart(batch, i), batch.ends[i]!);
}

/** All cells of row `i`. */
export function cells(batch: RowBatch, i: number): string[] {
  return decodeRow(batch.bytes, rowStart(batch, i), batch.ends[i]!);
}

/** Cell `column` (from 0) of row `i`, without decoding the others; the empty text when the row has fewer. */
export function cell(batch: RowBatch, i: number, column: number): string {
  const end = batch.ends[i]!;
  let open = rowStart(batch, i);
  for (let n = 0; open < end; n++) {
    const close = closingQuote(batch.bytes, open, end);
    if (close < 0) return '';
    if (n === column) {
      const text = batch.bytes.toString('utf8', open + 1, close);
      return text.includes('"') ? text.replaceAll('""', '"') : text;
    }
    open = close + 2;
  }
  return '';
}

/** Rows `from` to `to` (not included), not copied: it keeps the whole of `batch.bytes` alive. */
export function sliceBatch(batch: RowBatch, from: number, to: number): RowBatch {
  if (from === 0 && to === batch.ends.length) return batch;
  const start = rowStart(batch, from);
  const ends = batch.ends.slice(from, to);
  for (let i = 0; i < ends.length; i++) ends[i]! -= start;
  return { bytes: batch.bytes.subarray(start, start + (ends.at(-1) ?? 0)), ends };
}

/** Reads the columns that the program itself looks at: Id, SystemModstamp and IsDeleted; fastest when they come first. */
export class Keys {
  /** Position of each column, -1 when there is none. */
  readonly idColumn: number;
  readonly stampColumn: number;
  readonly deletedColumn: number;

  /** Column names are compared without case, as Salesforce does. */
  constructor(columns: readonly string[]) {
    const lower = columns.map((column) => column.toLowerCase());
    this.idColumn = lower.indexOf('id');
    this.stampColumn = lower.indexOf('systemmodstamp');
    this.deletedColumn = lower.indexOf('isdeleted');
  }

  /** The Id of row `i`, a text of one character per byte, so that `<` compares by the bytes; '' without such a column. */
  id(batch: RowBatch, i: number): string {
    if (this.idColumn !== 0) return this.idColumn < 0 ? '' : cell(batch, i, this.idColumn);
    const start = i === 0 ? 0 : batch.ends[i - 1]!;
    const { bytes } = batch;
    // Nearly every Id has 18 characters: look there before searching for the closing quote.
    if (bytes[start + 19] === 0x22 && bytes[start + 20] !== 0x22) {
      const id = bytes.toString('latin1', start + 1, start + 19);
      if (!id.includes('"')) return id;
    }
    return bytes.toString('latin1', start + 1, closingQuote(bytes, start, batch.ends[i]!));
  }

  /** The SystemModstamp of row `i` as it stands there, or ''. */
  stamp(batch: RowBatch, i: number): string {
    return this.stampColumn < 0 ? '' : cell(batch, i, this.stampColumn);
  }

  /** True when IsDeleted of row `i` says so. */
  deleted(batch: RowBatch, i: number): boolean {
    return this.deletedColumn >= 0 && cell(batch, i, this.deletedColumn) === 'true';
  }
}
