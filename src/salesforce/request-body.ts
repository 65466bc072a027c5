import { Readable } from 'node:stream';
import { Fault } from '../errors.ts';

/** A body that is sent in pieces, with its length in front. */
export interface StreamedBody {
  readonly size: number;
  /** Exactly `size` bytes. Called for every try; an error that it throws ends the request and is thrown as it is. */
  open(): AsyncIterable<Uint8Array>;
}

/** A function is asked for each try, with the access token of that try. */
export type RequestBody = string | StreamedBody | ((accessToken: string) => string);

/** What one try sends. */
export function bodyOf(body: RequestBody | undefined, token: string): string | Upload | undefined {
  if (typeof body === 'function') return body(token);
  return body === undefined || typeof body === 'string' ? body : new Upload(body);
}

/** What a body was to be made of failed: neither the org nor the network did. */
export class BrokenSource extends Error {}

/** A streamed body of one try; `stream` is to be destroyed when the try has ended. */
export class Upload {
  readonly size: number;
  readonly stream: Readable;
  /** Set when the source failed, or gave another number of bytes; then the org cannot have got the whole. */
  broken: BrokenSource | undefined;

  constructor(body: StreamedBody) {
    this.size = body.size;
    this.stream = Readable.from(this.#checked(body.open()), { objectMode: false });
    this.stream.on('error', () => {});
  }

  async *#checked(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let held: Uint8Array | undefined;
    let bytes = 0;
    try {
      for await (const chunk of source) {
        if (chunk.length === 0) continue;
        bytes += chunk.length;
        if (bytes > this.size) break;
        if (held) yield held;
        held = chunk;
      }
      if (bytes !== this.size) throw otherSize(bytes, this.size);
    } catch (cause) {
      this.broken = new BrokenSource('the source of a body failed', { cause });
      throw this.broken;
    }
    // The last piece goes out when it is sure that it is the last.
    if (held) yield held;
  }
}

function otherSize(bytes: number, size: number): Fault {
  const found = bytes > size ? `more than ${size}` : String(bytes);
  return new Fault('size-mismatch', `What was to be sent has ${found} bytes instead of ${size}.`, {
    data: { bytes, size },
  });
}
