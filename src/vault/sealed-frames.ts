import { createHash } from 'node:crypto';
import { makeHeader } from '../age/header.ts';
import { PayloadSealer, payloadSize } from '../age/payload.ts';

const SMALL_BODY = 1024 * 1024;
/** Bodies of large files that were given back, as in `rows/blocks.ts`. */
const idle: Buffer[] = [];
const MOST_IDLE = 4;

/** An age file that grows frame by frame, so that a segment is in memory once only. */
export class SealedFrames {
  readonly #header: Buffer;
  readonly #sealer: PayloadSealer;
  #body: Buffer;
  #filled: number;
  /** Bytes of the frames so far; the age file is larger by less than a thousandth. */
  size = 0;

  private constructor(header: Uint8Array, fileKey: Uint8Array) {
    this.#sealer = new PayloadSealer(fileKey);
    this.#header = Buffer.concat([header, this.#sealer.nonce]);
    this.#body = this.#header;
    this.#filled = this.#header.length;
  }

  /** A file for `recipients` that begins with the frame `first`. */
  static async begin(recipients: readonly string[], first: Buffer): Promise<SealedFrames> {
    const { header, fileKey } = await makeHeader(recipients);
    const frames = new SealedFrames(header, fileKey);
    fileKey.fill(0);
    frames.add(first, 0);
    return frames;
  }

  /** `largest`: how large the file is likely to become. */
  add(frame: Buffer, largest: number): void {
    this.#room(frame.length, largest);
    this.#filled = this.#sealer.pushInto(frame, this.#body, this.#filled);
    this.size += frame.length;
  }

  /** The whole file with its SHA-256 in hex, and how to give its memory back when it is stored. To be called once. */
  end(): { body: Buffer; sha256: string; size: number; release: () => void } {
    this.#room(0, 0);
    this.#filled = this.#sealer.endInto(this.#body, this.#filled);
    const whole = this.#body.subarray(0, this.#filled);
    // A small body must not keep a large buffer alive.
    const small = 2 * whole.length < this.#body.length;
    const body = small ? Buffer.from(whole) : whole;
    const memory = this.#body;
    const release = () => {
      if (memory.length > SMALL_BODY && idle.length < MOST_IDLE) idle.push(memory);
    };
    if (small) release();
    return {
      body,
      sha256: createHash('sha256').update(body).digest('hex'),
      size: body.length,
      release: small ? () => {} : release,
    };
  }

  /** Small at first, since most objects are; then at once as large as is likely. */
  #room(more: number, largest: number): void {
    const needed = this.#header.length + payloadSize(this.size + more);
    if (needed <= this.#body.length) return;
    const larger = bodyOf(needed <= SMALL_BODY ? SMALL_BODY : Math.max(needed + (needed >> 2), largest));
    this.#body.copy(larger, 0, 0, this.#filled);
    this.#body = larger;
  }

  /** Forgets the key of a file that will not be finished. */
  wipe(): void {
    this.#sealer.wipe();
  }
}

function bodyOf(length: number): Buffer {
  const known = idle.findIndex((body) => body.length >= length && body.length <= 2 * length);
  return known < 0 ? Buffer.allocUnsafeSlow(length) : idle.splice(known, 1)[0]!;
}
