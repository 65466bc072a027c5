import type { RowBatch } from './batch.ts';
import { closingQuote, decodeRow } from './csv.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;

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

/** The cells at these ascending positions of row `i`, in one walk over the row; '' where the row has fewer. */
export function cellsAt(batch: RowBatch, i: number, positions: readonly number[]): string[] {
  const found: string[] = [];
  const { bytes } = batch;
  const end = batch.ends[i]!;
  let open = rowStart(batch, i);
  for (let n = 0; found.length < positions.length && open < end; n++) {
    const close = closingQuote(bytes, open, end);
    if (close < 0) break;
    if (n === positions[found.length]) {
      const text = close === open + 1 ? '' : bytes.toString('utf8', open + 1, close);
      found.push(text.includes('"') ? text.replaceAll('""', '"') : text);
    }
    open = close + 2;
  }
  while (found.length < positions.length) found.push('');
  return found;
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

  /** Where the Id of row `i` begins in `batch.bytes` when it has 18 characters and comes first, as nearly always; else -1. */
  startOfUsualId(batch: RowBatch, i: number): number {
    const start = rowStart(batch, i);
    const { bytes } = batch;
    if (this.idColumn !== 0 || bytes[start + 19] !== QUOTE || bytes[start + 20] === QUOTE) return -1;
    for (let at = start + 1; at < start + 19; at++) if (bytes[at] === QUOTE) return -1;
    return start + 1;
  }

  /** True when row `i` has an empty Id. */
  empty(batch: RowBatch, i: number): boolean {
    if (this.idColumn !== 0) return this.id(batch, i) === '';
    const start = rowStart(batch, i);
    return batch.bytes[start + 1] === QUOTE && batch.bytes[start + 2] !== QUOTE;
  }

  /**
   * How row `i`, not the first, follows the one before it: 0 when its Id is not above that one's, else the number, from 1,
   * of the first character in which they differ; 1 also when they were compared as texts.
   */
  ascent(batch: RowBatch, i: number): number {
    if (this.idColumn === 0) {
      const { bytes } = batch;
      let at = rowStart(batch, i) + 1;
      const shift = at - 1 - rowStart(batch, i - 1);
      for (let n = 1; bytes[at] !== QUOTE && bytes[at - shift] !== QUOTE; n++, at++) {
        if (bytes[at] !== bytes[at - shift]) return bytes[at]! > bytes[at - shift]! ? n : 0;
      }
    }
    // One Id begins with the other, or has a quote inside.
    return this.id(batch, i) > this.id(batch, i - 1) ? 1 : 0;
  }

  /** True when the Id of row `i` is below `id`. */
  below(batch: RowBatch, i: number, id: string): boolean {
    if (this.idColumn === 0) {
      const start = rowStart(batch, i) + 1;
      for (let n = 0; n < id.length; n++) {
        const byte = batch.bytes[start + n]!;
        if (byte === QUOTE) break;
        if (byte !== id.charCodeAt(n)) return byte < id.charCodeAt(n);
      }
    }
    return this.id(batch, i) < id;
  }

  /** The SystemModstamp of row `i` as it stands there, or ''. */
  stamp(batch: RowBatch, i: number): string {
    return this.stampColumn < 0 ? '' : cell(batch, i, this.stampColumn);
  }

  /** True when IsDeleted of row `i` says so. */
  deleted(batch: RowBatch, i: number): boolean {
    if (this.deletedColumn === 2 && this.idColumn === 0 && this.stampColumn === 1) {
      const end = endOfUsualKeys(batch.bytes, rowStart(batch, i));
      // Nearly every row says false, and no other letter needs to be looked at.
      if (end > 0 && batch.bytes[end + 2] === 0x66) return false;
    }
    return this.deletedColumn >= 0 && cell(batch, i, this.deletedColumn) === 'true';
  }
}

/**
 * Where the first two cells of the row at `start` end, without the comma behind them, when they are an Id of 18 and a stamp
 * of 24 characters, as in nearly every row; -1 when they are anything else.
 */
export function endOfUsualKeys(bytes: Buffer, start: number): number {
  const end = start + 47;
  if (bytes[start + 19] !== QUOTE || bytes[start + 20] !== COMMA || bytes[start + 21] !== QUOTE) return -1;
  if (bytes[start + 46] !== QUOTE || bytes[end] !== COMMA) return -1;
  for (let at = start + 1; at < start + 19; at++) if (bytes[at] === QUOTE) return -1;
  for (let at = start + 22; at < start + 46; at++) if (bytes[at] === QUOTE) return -1;
  return end;
}
