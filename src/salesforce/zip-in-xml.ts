const begin = /<(?:[\w.-]+:)?zipFile(?:\s[^>]*)?>/;
/** An opening tag may be cut in two by the end of a chunk. */
const longestTag = 200;

/** The base64 inside of the element `zipFile`, decoded as its XML passes by in chunks; what is around it is kept. */
export class ZipInXml {
  #state: 'before' | 'inside' | 'behind' = 'before';
  #around = '';
  /** What is not yet told to be a tag, or fewer than four letters. */
  #open = '';

  /** The XML without the zip, as far as it has come. */
  get around(): string {
    return this.#state === 'before' ? this.#around + this.#open : this.#around;
  }

  /** The element has come whole. */
  get ended(): boolean {
    return this.#state === 'behind';
  }

  /** The bytes of the zip that this chunk completes. */
  take(chunk: Buffer): Buffer {
    let text = chunk.toString('latin1');
    if (this.#state === 'before') {
      this.#open += text;
      const match = begin.exec(this.#open);
      if (!match) {
        const known = Math.max(0, this.#open.length - longestTag);
        this.#around += this.#open.slice(0, known);
        this.#open = this.#open.slice(known);
        return Buffer.alloc(0);
      }
      this.#around += this.#open.slice(0, match.index);
      text = this.#open.slice(match.index + match[0].length);
      this.#open = '';
      this.#state = 'inside';
    }
    if (this.#state === 'behind') {
      this.#around += text;
      return Buffer.alloc(0);
    }
    const end = text.indexOf('<');
    const letters = this.#open + (end < 0 ? text : text.slice(0, end)).replace(/\s|&#(?:13|xD|10|xA);/gi, '');
    if (end >= 0) {
      this.#around += text.slice(end);
      this.#open = '';
      this.#state = 'behind';
      return Buffer.from(letters, 'base64');
    }
    const whole = letters.length - (letters.length % 4);
    this.#open = letters.slice(whole);
    return Buffer.from(letters.slice(0, whole), 'base64');
  }
}
