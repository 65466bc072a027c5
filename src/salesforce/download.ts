import { crc32 } from 'node:zlib';
import { Fault } from '../errors.ts';
import { decoded } from './decode.ts';
import { type Answer, cutBody, type Http, type Request } from './http.ts';

/**
 * One body that may be fetched any number of times, such as a page of Bulk results. When it breaks off it is fetched again
 * from its beginning; the bytes that were handed over are skipped, after a running CRC32 has shown that they are the same.
 */
export class Download {
  readonly #http: Http;
  readonly #request: Request;
  readonly #check: (answer: Answer) => void;
  #bytes = 0;
  #crc = 0;
  #tries = 0;
  /** The body is what Node's zlib unpacks. */
  #unpacked = false;

  /** `check` sees every answer before its body is read. */
  constructor(http: Http, request: Request, check: (answer: Answer) => void) {
    this.#http = http;
    this.#request = request;
    this.#check = check;
  }

  /** Decoded bytes handed over. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The same for the same bytes. */
  get fingerprint(): string {
    return `${this.#bytes}:${this.#crc}`;
  }

  /** Times that the body broke off, or was said to be short. */
  get tries(): number {
    return this.#tries;
  }

  /**
   * The decoded bytes that were not handed over yet, to the end of the body. After `short` it can be asked once more.
   * Throws `count-mismatch` when the body is another one the second time, and what `http` throws.
   */
  async *chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      try {
        yield* this.#once();
        return;
      } catch (error) {
        await this.#http.retry(error, this.#request, ++this.#tries);
      }
    }
  }

  /** As `chunks`, for who keeps none: a chunk is no more when the next is asked for, and its memory is used again. */
  async *passing(): AsyncGenerator<Buffer> {
    for await (const chunk of this.chunks()) {
      yield chunk;
      if (this.#unpacked) freeUnpacked(chunk);
    }
  }

  /** Says that the body ended well but too early; waits until it may be fetched again. */
  async short(why: string): Promise<void> {
    await this.#http.retry(cutBody(why), this.#request, ++this.#tries);
  }

  async *#once(): AsyncGenerator<Buffer> {
    const answer = await this.#http.send(this.#request);
    let body = answer.body;
    try {
      this.#check(answer);
      body = decoded(answer);
      this.#unpacked = body !== answer.body;
      let toSkip = this.#bytes;
      let skipped = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        const known = Math.min(toSkip, chunk.length);
        if (known > 0) {
          skipped = crc32(chunk.subarray(0, known), skipped);
          toSkip -= known;
          if (toSkip === 0 && skipped !== this.#crc) throw this.#changed();
          if (known === chunk.length) continue;
        }
        const fresh = known === 0 ? chunk : chunk.subarray(known);
        this.#crc = crc32(fresh, this.#crc);
        this.#bytes += fresh.length;
        yield fresh;
      }
      if (toSkip > 0) throw cutBody('the body is shorter than it was the first time');
    } finally {
      body.destroy();
      answer.body.destroy();
    }
  }

  #changed(): Fault {
    return new Fault('count-mismatch', `Fetched again, ${this.#request.what} holds other bytes than the first time.`, {
      data: { bytes: this.#bytes },
    });
  }
}

/** Frees the memory that zlib unpacks into, piece by piece, when its last piece was handed over: zlib takes other memory then. */
function freeUnpacked({ buffer, byteOffset, length }: Buffer): void {
  if (length > 0 && byteOffset + length === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
}
