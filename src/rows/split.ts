import { Fault, type FaultName } from '../errors.ts';
import type { RowBatch, RowFlow } from './batch.ts';
import { giveBlock, takeBlock } from './blocks.ts';
import { decodeHeader, encodeRow, nextQuote } from './csv.ts';
import { LenientRows } from './lenient.ts';

const BATCH_BYTES = 1024 * 1024;
const BATCH_ROWS = 16_384;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const LONGEST_ROW = 64 * 1024 * 1024;

export interface SplitOptions {
  /** The columns that the rows have. With a header line, it must name the same in the same order (case aside). */
  columns?: readonly string[];
  /** False: the bytes have no header line; `columns` says how many cells a row has. Default true. */
  header?: boolean;
  /** True: only the dialect itself is accepted, and nothing is rewritten. Default false. */
  strict?: boolean;
  /** What is thrown on a broken body: `count-mismatch` (default) for one from an org, `segment-invalid` for a vault's. */
  fault?: FaultName;
  /** Called once with the columns, before the first batch; never for an entirely empty body. */
  onColumns?: (columns: readonly string[]) => void;
  signal?: AbortSignal;
}

/**
 * Cuts raw CSV bytes, in chunks of any size, into batches of whole rows in the dialect of `csv.ts`. Bytes that are in the
 * dialect are not changed; after the first row that is not (unquoted cells, CRLF), rows are rewritten one by one.
 */
export class RowSplitter {
  readonly #options: SplitOptions;
  readonly #lenient = new LenientRows();
  #columns: readonly string[] | undefined;
  #needsHeader: boolean;
  #rewriting = false;
  /** How far the block has to be filled until the row that is not whole is looked at again. */
  #rewriteAt = 0;
  #block: Buffer = Buffer.alloc(0);
  #filled = 0;
  #ends = new Uint32Array(1024);
  #rows = 0;
  #rowsSeen = 0;
  /** Where the first row of the batch begins in the block: behind the header line in the first one. */
  #firstByte = 0;
  /** The state of the walk: where the row and the cell begin, and where to look for its closing quote. */
  #rowStart = 0;
  #cellStart = 0;
  #searchFrom = 1;
  #cells = 0;

  constructor(options: SplitOptions = {}) {
    this.#options = options;
    this.#needsHeader = options.header ?? true;
    if (!this.#needsHeader) this.#columns = options.columns;
  }

  /** The columns, known once the header line has passed. */
  get columns(): readonly string[] | undefined {
    return this.#columns;
  }

  /**
   * Takes the next bytes, which are copied; returns a batch when about 1 MiB of whole rows is there. A batch is no
   * larger than 1 MiB and a chunk together, unless a single row is.
   */
  push(chunk: Uint8Array): RowBatch | undefined {
    this.#append(chunk);
    if (!this.#rewriting) this.#walk();
    if (this.#rewriting) {
      // Rows in the dialect that came before go out first.
      if (this.#rows > 0) return this.#take();
      this.#rewrite();
      return this.#lenient.size >= BATCH_BYTES ? this.#lenient.batch() : undefined;
    }
    return this.#rowStart >= BATCH_BYTES || this.#rows >= BATCH_ROWS ? this.#take() : undefined;
  }

  /** The last rows, if there are any left. Throws when the bytes ended inside a row. */
  *end(): Generator<RowBatch> {
    if (this.#rows > 0) yield this.#take();
    this.#rewriteAt = 0;
    if (this.#rewriting) this.#rewrite();
    if (this.#lenient.size > 0) yield this.#lenient.batch();
    if (this.#filled > this.#rowStart) throw this.#broken('The body ends inside a row.');
    this.#startOver();
  }

  /** Nothing is left; more may still be pushed. */
  #startOver(): void {
    giveBlock(this.#block);
    this.#block = Buffer.alloc(0);
    this.#filled = 0;
    this.#rowStart = 0;
    this.#firstByte = 0;
    this.#cellStart = 0;
    this.#searchFrom = 1;
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#filled + chunk.length;
    if (needed > this.#block.length) {
      if (this.#filled - this.#rowStart > LONGEST_ROW) throw this.#broken('A row is longer than 64 MiB.');
      const block = takeBlock(Math.max(BATCH_BYTES, this.#block.length === 0 ? needed : 2 * needed));
      this.#block.copy(block, 0, 0, this.#filled);
      giveBlock(this.#block);
      this.#block = block;
    }
    this.#block.set(chunk, this.#filled);
    this.#filled = needed;
  }

  /** Goes from cell to cell over whatever is there, and remembers where it stopped. */
  #walk(): void {
    const block = this.#block.subarray(0, this.#filled);
    const last = this.#filled - 1;
    let cellStart = this.#cellStart;
    let from = this.#searchFrom;
    let cells = this.#cells;
    while (cellStart <= last) {
      if (block[cellStart] !== 0x22) {
        this.#leaveDialect();
        return;
      }
      let quote = nextQuote(block, from, block.length);
      while (quote >= 0 && quote < last && block[quote + 1] === 0x22) {
        from = quote + 2;
        quote = nextQuote(block, from, block.length);
      }
      if (quote < 0 || quote >= last) {
        from = quote < 0 ? Math.max(from, this.#filled) : quote;
        break;
      }
      const behind = block[quote + 1];
      cells++;
      cellStart = quote + 2;
      from = cellStart + 1;
      if (behind === 0x0a) {
        this.#row(cellStart, cells);
        cells = 0;
      } else if (behind !== 0x2c) {
        this.#leaveDialect();
        return;
      }
    }
    this.#cellStart = cellStart;
    this.#searchFrom = from;
    this.#cells = cells;
  }

  #row(end: number, cells: number): void {
    if (this.#needsHeader) {
      this.#header(this.#block.subarray(this.#rowStart, end));
      this.#rowStart = end;
      this.#firstByte = end;
      return;
    }
    this.#checkCells(cells);
    if (this.#rows === this.#ends.length) {
      const larger = new Uint32Array(2 * this.#rows);
      larger.set(this.#ends);
      this.#ends = larger;
    }
    this.#ends[this.#rows++] = end - this.#firstByte;
    this.#rowStart = end;
  }

  #header(line: Buffer): void {
    const columns = decodeHeader(line, this.#options.fault ?? 'count-mismatch');
    const wanted = this.#options.columns;
    if (wanted && !sameNames(columns, wanted)) {
      throw this.#broken('The header line names other columns than were asked for.', { columns, wanted });
    }
    this.#columns = wanted ?? columns;
    this.#needsHeader = false;
    this.#options.onColumns?.(this.#columns);
  }

  #checkCells(cells: number): void {
    this.#rowsSeen++;
    const columns = this.#columns?.length ?? cells;
    if (cells !== columns) {
      throw this.#broken('A row has another number of cells than the header line.', {
        row: this.#rowsSeen,
        cells,
        columns,
      });
    }
  }

  /** The rows that are whole; what follows them moves to another block. */
  #take(): RowBatch {
    const full = this.#block;
    const bytes = full.subarray(this.#firstByte, this.#rowStart);
    const ends = this.#ends.slice(0, this.#rows);
    const rest = full.subarray(this.#rowStart, this.#filled);
    // A small batch must not keep a large block alive.
    const small = bytes.length < full.length / 2;
    const batch: RowBatch = small
      ? { bytes: Buffer.from(bytes), ends }
      : { bytes, ends, release: () => giveBlock(full) };
    if (small) rest.copy(full);
    else {
      this.#block = takeBlock(Math.max(BATCH_BYTES, rest.length));
      rest.copy(this.#block);
    }
    this.#filled = rest.length;
    this.#cellStart -= this.#rowStart;
    this.#searchFrom -= this.#rowStart;
    this.#rowStart = 0;
    this.#firstByte = 0;
    this.#rows = 0;
    return batch;
  }

  #leaveDialect(): void {
    if (this.#options.strict) throw this.#broken('A row is not in the CSV dialect of the vault.');
    this.#rewriting = true;
  }

  #rewrite(): void {
    if (this.#filled < this.#rewriteAt) return;
    const bytes = this.#block.subarray(0, this.#filled);
    if (this.#needsHeader) {
      if (bytes.length < 3 && BYTE_ORDER_MARK.subarray(0, bytes.length).equals(bytes)) return;
      if (bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) this.#rowStart = 3;
    }
    while (this.#rowStart < this.#filled) {
      const found = this.#lenient.take(bytes, this.#rowStart);
      if (found === 'incomplete') break;
      if (found === 'invalid') throw this.#broken('The body is not CSV: text behind a closing quote.');
      if (this.#needsHeader) this.#header(this.#lenient.batch().bytes);
      else this.#checkCells(found.cells);
      this.#rowStart = found.end;
    }
    this.#block.copyWithin(0, this.#rowStart, this.#filled);
    this.#filled -= this.#rowStart;
    this.#rowStart = 0;
    // Each time from its beginning: a row that comes in ten thousand pieces is looked at a few times, not ten thousand.
    this.#rewriteAt = this.#filled + (this.#filled >> 1);
  }

  #broken(message: string, data: Record<string, unknown> = {}): Fault {
    return new Fault(this.#options.fault ?? 'count-mismatch', message, { data });
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name.toLowerCase() === b[i]!.toLowerCase());
}

/**
 * The whole rows of a CSV body. Chunks may be cut anywhere. A body that ends inside a row or a quoted cell, a row with
 * another number of cells than the header line, and text behind a closing quote throw `options.fault`
 * (`count-mismatch` unless set). An entirely empty body has no columns and no rows (field guide, extract 3.5).
 */
export async function* splitRows(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: SplitOptions = {},
): AsyncGenerator<RowBatch> {
  const splitter = new RowSplitter(options);
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += BATCH_BYTES) {
      options.signal?.throwIfAborted();
      const batch = splitter.push(chunk.subarray(from, from + BATCH_BYTES));
      if (batch) yield batch;
    }
  }
  yield* splitter.end();
}

/** As `splitRows`, but first waits for the header line, so that the columns are known; [] for an entirely empty body. */
export async function rowFlow(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: SplitOptions = {},
): Promise<RowFlow> {
  let columns: readonly string[] = [];
  const batches = splitRows(chunks, {
    ...options,
    onColumns: (found) => {
      columns = found;
      options.onColumns?.(found);
    },
  });
  const first = await batches.next();
  return {
    columns,
    batches: (async function* () {
      if (first.done) return;
      try {
        yield first.value;
        yield* batches;
      } finally {
        await batches.return(undefined);
      }
    })(),
  };
}

/** `rows` as CSV bytes with a header line. For small tables only. */
export function encodeTable(columns: readonly string[], rows: readonly (readonly string[])[]): Buffer {
  return Buffer.from([columns, ...rows].map(encodeRow).join(''));
}
