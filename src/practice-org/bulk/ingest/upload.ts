import { isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import type { Dialect } from './jobs.ts';
import { BadCsv, type CsvLimits, quoteRow, Scanner, splitRow, unescapedQuote } from './scan.ts';

const headerCharacters = 32_000;
/** Bytes between two breaths of the event loop. */
const breath = 4 * 1024 * 1024;

/** A CSV that was read through once and is well formed. Its cells are read from the bytes whenever they are needed. */
export class Upload {
  readonly #bytes: Buffer;
  readonly #delimiter: string;
  /** Start and end of each row, the header first. */
  readonly #places: Uint32Array;
  /** The first row as it came, without its line ending. */
  readonly headerText: string;
  /** Rows after the header. */
  readonly size: number;

  private constructor(bytes: Buffer, delimiter: string, places: Uint32Array) {
    this.#bytes = bytes;
    this.#delimiter = delimiter;
    this.#places = places;
    this.size = places.length / 2 - 1;
    this.headerText = this.#text(0);
  }

  /** Throws BadCsv. */
  static async read(bytes: Buffer, dialect: Dialect, limits: CsvLimits): Promise<Upload> {
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) throw new BadCsv(unescapedQuote);
    if (!isUtf8(bytes)) throw new BadCsv('InvalidBatch : Failed to parse CSV. The content is not UTF-8');
    const places = await findRows(new Scanner(bytes, dialect, limits));
    if (places.length === 0) throw new BadCsv('InvalidBatch : Failed to parse CSV. There is no header row');
    const upload = new Upload(bytes, dialect.delimiter, places);
    if (upload.headerText.length > headerCharacters)
      throw new BadCsv(`InvalidBatch : The header row is longer than ${headerCharacters} characters`);
    return upload;
  }

  /** The cells of the first row. */
  get header(): string[] {
    return splitRow(this.headerText, this.#delimiter);
  }

  /** Cells of a row; rows count from 0 after the header. */
  row(number: number): string[] {
    return splitRow(this.#text(number + 1), this.#delimiter);
  }

  /** A row as CSV without its line ending, every cell quoted. */
  quotedRow(number: number): string {
    return quoteRow(this.#text(number + 1), this.#delimiter);
  }

  #text(row: number): string {
    return this.#bytes.toString('utf8', this.#places[row * 2]!, this.#places[row * 2 + 1]!);
  }
}

async function findRows(scanner: Scanner): Promise<Uint32Array> {
  let places = new Uint32Array(2048);
  let size = 0;
  let pause = breath;
  while (scanner.next()) {
    if (size === places.length) {
      const longer = new Uint32Array(size * 2);
      longer.set(places);
      places = longer;
    }
    places[size++] = scanner.start;
    places[size++] = scanner.end;
    if (scanner.at < pause) continue;
    pause = scanner.at + breath;
    await setImmediate();
  }
  return places.slice(0, size);
}
