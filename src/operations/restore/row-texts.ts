/** A text of always the same length for some of many rows, off the heap; nothing is held before there is the first. */
export class RowTexts {
  readonly #length: number;
  #bytes: Buffer | undefined;

  /** `length`: characters of each, none of them beyond Latin-1. */
  constructor(length: number) {
    this.#length = length;
  }

  /** `room`: there are no more rows so far. Throws TypeError for a text of another length. */
  set(row: number, text: string, room: number): void {
    if (text.length !== this.#length) throw new TypeError(`${text} has not ${this.#length} characters`);
    const length = room * this.#length;
    if (!this.#bytes || this.#bytes.length < length) {
      const bytes = Buffer.alloc(length);
      this.#bytes?.copy(bytes);
      this.#bytes = bytes;
    }
    this.#bytes.write(text, row * this.#length, 'latin1');
  }

  get(row: number): string | undefined {
    const from = row * this.#length;
    if (!this.#bytes || from >= this.#bytes.length || this.#bytes[from] === 0) return undefined;
    return this.#bytes.toString('latin1', from, from + this.#length);
  }
}
