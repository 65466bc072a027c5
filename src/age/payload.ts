import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { Fault } from '../errors.ts';

/*
 * The payload of an age v1 file (C2SP age.md, "Payload"): a nonce of 16 bytes, then chunks of 64 KiB under
 * ChaCha20-Poly1305, each with its tag. A chunk's nonce is its number and a flag that marks the last one.
 */

/** Bytes of plaintext in every chunk but the last. */
export const chunkSize = 64 * 1024;
/** Bytes that each chunk grows by. */
export const tagSize = 16;
/** Bytes in front of the first chunk. */
export const nonceSize = 16;

const sealedChunkSize = chunkSize + tagSize;
const none = Buffer.alloc(0);

/** Bytes of the payload, nonce included, that `plaintextLength` bytes become. */
export function payloadSize(plaintextLength: number): number {
  return nonceSize + plaintextLength + tagSize * Math.max(1, Math.ceil(plaintextLength / chunkSize));
}

/** Bytes of plaintext in a payload of `size` bytes, nonce included. Throws `not-authentic` for a size no payload has. */
export function plaintextSize(size: number): number {
  const sealed = size - nonceSize;
  const last = sealed % sealedChunkSize;
  const cut = sealed < tagSize || (last !== 0 && last < tagSize) || (last === tagSize && sealed !== tagSize);
  if (cut) throw new Fault('not-authentic', 'an age payload has a length that none can have: it was cut or extended');
  return sealed - Math.ceil(sealed / sealedChunkSize) * tagSize;
}

/** As an object, whose memory OpenSSL clears when nobody holds it; Node takes longer to look at a key in bytes than to seal a small chunk with it. */
function streamKey(fileKey: Uint8Array, nonce: Uint8Array): KeyObject {
  const bytes = Buffer.from(hkdfSync('sha256', createSecretKey(fileKey), nonce, 'payload', 32));
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

function chunkNonce(counter: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  // 2^32 chunks are 256 TiB; the seven bytes in front stay zero
  nonce.writeUInt32BE(counter, 7);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** Copies what a cipher returned, and frees its memory at once, which then serves the next chunk. Returns where the copy ended. */
function move(chunk: Buffer, target: Buffer, at: number): number {
  const end = at + chunk.copy(target, at);
  if (chunk.length > 0 && chunk.length === chunk.buffer.byteLength) (chunk.buffer as ArrayBuffer).transfer(0);
  return end;
}

/** Turns plaintext into a payload, a chunk at a time. Call `end` once, after the last `push`. */
export class PayloadSealer {
  /** To be written in front of everything that `push` and `end` return. */
  readonly nonce: Buffer;
  #key: KeyObject | undefined;
  #counter = 0;
  #held: Buffer = none;
  #heldLength = 0;

  constructor(fileKey: Uint8Array) {
    this.nonce = randomBytes(nonceSize);
    this.#key = streamKey(fileKey, this.nonce);
  }

  /** Takes plaintext; returns the ciphertext that is ready, which may be empty. `plaintext` may be reused afterwards. */
  push(plaintext: Buffer): Buffer {
    // the last chunk has a flag of its own, so a full one waits until more arrives
    const ready = Math.max(0, Math.ceil((this.#heldLength + plaintext.length) / chunkSize) - 1);
    const out = ready === 0 ? none : Buffer.allocUnsafe(ready * sealedChunkSize);
    this.pushInto(plaintext, out, 0);
    return out;
  }

  /** As `push`, into `target` at `at`; returns where it ended. */
  pushInto(plaintext: Buffer, target: Buffer, at: number): number {
    let from = 0;
    if (this.#heldLength > 0 && this.#heldLength + plaintext.length > chunkSize) {
      from = plaintext.copy(this.#held, this.#heldLength, 0, chunkSize - this.#heldLength);
      at = this.#seal(this.#held, false, target, at);
      this.#heldLength = 0;
    }
    if (this.#heldLength === 0) {
      for (; plaintext.length - from > chunkSize; from += chunkSize) {
        at = this.#seal(plaintext.subarray(from, from + chunkSize), false, target, at);
      }
    }
    if (from < plaintext.length) {
      if (this.#held.length === 0) this.#held = Buffer.allocUnsafe(chunkSize);
      this.#heldLength += plaintext.copy(this.#held, this.#heldLength, from);
    }
    return at;
  }

  /** Returns the last chunk and forgets the key. */
  end(): Buffer {
    const out = Buffer.allocUnsafe(this.#heldLength + tagSize);
    this.endInto(out, 0);
    return out;
  }

  /** As `end`, into `target` at `at`; returns where it ended. */
  endInto(target: Buffer, at: number): number {
    at = this.#seal(this.#held.subarray(0, this.#heldLength), true, target, at);
    this.wipe();
    return at;
  }

  /** Forgets the key and what was held. */
  wipe(): void {
    this.#key = undefined;
    this.#held.fill(0);
  }

  #seal(plaintext: Buffer, last: boolean, target: Buffer, at: number): number {
    const nonce = chunkNonce(this.#counter++, last);
    const cipher = createCipheriv('chacha20-poly1305', this.#key!, nonce, { authTagLength: tagSize });
    at = move(cipher.update(plaintext), target, at);
    cipher.final();
    return at + cipher.getAuthTag().copy(target, at);
  }
}

function openChunk(key: KeyObject, counter: number, last: boolean, sealed: Buffer): Buffer {
  if (sealed.length < tagSize) throw new Fault('not-authentic', `the age payload is cut in chunk ${counter}`);
  const decipher = createDecipheriv('chacha20-poly1305', key, chunkNonce(counter, last), { authTagLength: tagSize });
  decipher.setAuthTag(sealed.subarray(sealed.length - tagSize));
  const plaintext = decipher.update(sealed.subarray(0, sealed.length - tagSize));
  try {
    decipher.final();
  } catch (cause) {
    plaintext.fill(0);
    const how = last ? 'was changed, or the payload cut or extended' : 'was changed';
    throw new Fault('not-authentic', `chunk ${counter} of the age payload ${how}`, { cause });
  }
  if (last && counter > 0 && plaintext.length === 0) {
    throw new Fault('not-authentic', `the age payload ends in an empty chunk ${counter}, which no writer makes`);
  }
  return plaintext;
}

/**
 * Turns a payload back into plaintext, a chunk at a time. What `push` returns is authentic but may not be the whole:
 * only when `end` has returned is it certain that nothing was cut off. Both throw `not-authentic`.
 */
export class PayloadOpener {
  #key: KeyObject | undefined;
  #counter = 0;
  #held: Buffer = none;
  #heldLength = 0;

  /** `nonce`: the first 16 bytes of the payload. */
  constructor(fileKey: Uint8Array, nonce: Uint8Array) {
    this.#key = streamKey(fileKey, nonce);
  }

  /** Takes what follows the nonce; returns the chunks that are whole and known not to be the last. */
  push(sealed: Buffer): Buffer[] {
    const out: Buffer[] = [];
    let from = 0;
    if (this.#heldLength > 0 && this.#heldLength + sealed.length > sealedChunkSize) {
      from = sealed.copy(this.#held, this.#heldLength, 0, sealedChunkSize - this.#heldLength);
      out.push(openChunk(this.#key!, this.#counter++, false, this.#held));
      this.#heldLength = 0;
    }
    if (this.#heldLength === 0) {
      for (; sealed.length - from > sealedChunkSize; from += sealedChunkSize) {
        out.push(openChunk(this.#key!, this.#counter++, false, sealed.subarray(from, from + sealedChunkSize)));
      }
    }
    if (from < sealed.length) {
      if (this.#held.length === 0) this.#held = Buffer.allocUnsafe(sealedChunkSize);
      this.#heldLength += sealed.copy(this.#held, this.#heldLength, from);
    }
    return out;
  }

  /** The last chunk, empty only when the whole plaintext is. Forgets the key. */
  end(): Buffer {
    const plaintext = openChunk(this.#key!, this.#counter, true, this.#held.subarray(0, this.#heldLength));
    this.wipe();
    return plaintext;
  }

  /** Forgets the key. */
  wipe(): void {
    this.#key = undefined;
  }
}

/** The payload, nonce first, of the joined `plaintext`, in `target` from `at` on; returns where it ended. */
export function sealPayloadInto(fileKey: Uint8Array, plaintext: readonly Buffer[], target: Buffer, at: number): number {
  const sealer = new PayloadSealer(fileKey);
  at += sealer.nonce.copy(target, at);
  for (const piece of plaintext) at = sealer.pushInto(piece, target, at);
  return sealer.endInto(target, at);
}

/** The payload, nonce first, of the joined `plaintext`. */
export function sealPayload(fileKey: Uint8Array, plaintext: readonly Buffer[]): Buffer {
  const length = plaintext.reduce((sum, piece) => sum + piece.length, 0);
  const payload = Buffer.allocUnsafe(payloadSize(length));
  sealPayloadInto(fileKey, plaintext, payload, 0);
  return payload;
}

/** The plaintext of a whole payload, nonce first, at the start of `target`, which may be the payload. Throws `not-authentic`. */
export function openPayload(
  fileKey: Uint8Array,
  payload: Buffer,
  target: Buffer = Buffer.allocUnsafe(plaintextSize(payload.length)),
): Buffer {
  // What is read lies behind what is written: every chunk is longer than its plaintext.
  const plaintext = target.subarray(0, plaintextSize(payload.length));
  const key = streamKey(fileKey, payload.subarray(0, nonceSize));
  let at = 0;
  for (let from = nonceSize, counter = 0; from < payload.length; from += sealedChunkSize, counter += 1) {
    const last = from + sealedChunkSize >= payload.length;
    at = move(openChunk(key, counter, last, payload.subarray(from, from + sealedChunkSize)), plaintext, at);
  }
  return plaintext;
}

/** A run of bytes: where it starts and how long it is. */
export interface Span {
  offset: number;
  length: number;
}

function chunksOf(start: number, length: number, size: number): { first: number; last: number; final: number } {
  const whole = plaintextSize(size);
  if (!(start >= 0 && length >= 0 && start + length <= whole)) {
    throw new RangeError(`bytes ${start} to ${start + length} of a plaintext of ${whole}`);
  }
  const final = Math.max(0, Math.ceil(whole / chunkSize) - 1);
  const first = Math.min(final, Math.floor(start / chunkSize));
  const last = length === 0 ? first : Math.floor((start + length - 1) / chunkSize);
  return { first, last, final };
}

/**
 * Where in a payload of `size` bytes (nonce included; offsets count from the nonce) the chunks lie that cover
 * `length` bytes of plaintext from `start` on. Throws RangeError when the plaintext is shorter than that.
 */
export function chunkSpan(start: number, length: number, size: number): Span {
  const { first, last } = chunksOf(start, length, size);
  const offset = nonceSize + first * sealedChunkSize;
  return { offset, length: Math.min(size, nonceSize + (last + 1) * sealedChunkSize) - offset };
}

/**
 * `length` bytes of plaintext from `start` on. `sealed`: exactly the bytes that `chunkSpan` names. Each chunk is
 * authenticated; that `size` is the true size is proven only when the range reaches the last chunk.
 * Throws `not-authentic`.
 */
export function openChunkRange(
  fileKey: Uint8Array,
  nonce: Uint8Array,
  size: number,
  sealed: Buffer,
  start: number,
  length: number,
): Buffer {
  const { first, last, final } = chunksOf(start, length, size);
  const span = chunkSpan(start, length, size);
  if (sealed.length !== span.length) {
    throw new Fault('not-authentic', `a read of an age payload gave ${sealed.length} bytes in place of ${span.length}`);
  }
  const key = streamKey(fileKey, nonce);
  const chunks: Buffer[] = [];
  for (let counter = first; counter <= last; counter += 1) {
    const from = (counter - first) * sealedChunkSize;
    chunks.push(openChunk(key, counter, counter === final, sealed.subarray(from, from + sealedChunkSize)));
  }
  const plaintext = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  const skip = start - first * chunkSize;
  return plaintext.subarray(skip, skip + length);
}
