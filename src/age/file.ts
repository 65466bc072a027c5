import { Fault } from '../errors.ts';
import { isArmored, removeArmor } from './armor.ts';
import { headerLength, type Identity, longestHeader, makeHeader, openHeader, type Recipient } from './header.ts';
import {
  chunkSpan,
  nonceSize,
  openChunkRange,
  openPayload,
  PayloadOpener,
  PayloadSealer,
  payloadSize,
  plaintextSize,
  sealPayloadInto,
} from './payload.ts';

/** The longest armored file that is read as a stream, in bytes; armor is decoded in memory. */
const longestArmor = 64 * 1024 * 1024;

/** An age file of the joined `plaintext`, which any of `recipients` opens. Throws `key-invalid`. */
export async function seal(recipients: readonly Recipient[], plaintext: Buffer | readonly Buffer[]): Promise<Buffer> {
  const pieces = Buffer.isBuffer(plaintext) ? [plaintext] : plaintext;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const { header, fileKey } = await makeHeader(recipients);
  const file = Buffer.allocUnsafe(header.length + payloadSize(length));
  sealPayloadInto(fileKey, pieces, file, header.copy(file, 0));
  fileKey.fill(0);
  return file;
}

/**
 * The plaintext of an age file, armored or not.
 * Throws `wrong-identity` when the file is for others, `not-authentic` when any byte was changed, cut or added.
 */
export async function open(identities: readonly Identity[], file: Buffer): Promise<Buffer> {
  return isArmored(file) === true ? openInPlace(identities, file) : decrypted(identities, file);
}

/** As `open`, of a file that is no longer needed: the plaintext takes its place, so that a large one is not in memory twice. */
export async function openInPlace(identities: readonly Identity[], file: Buffer): Promise<Buffer> {
  const bytes = isArmored(file) === true ? removeArmor(file) : file;
  return decrypted(identities, bytes, bytes);
}

/** `into`: where the plaintext goes; the file itself, or undefined for a buffer of its own. */
async function decrypted(identities: readonly Identity[], file: Buffer, into?: Buffer): Promise<Buffer> {
  const { fileKey, headerLength: from } = await openHeader(identities, file);
  try {
    return openPayload(fileKey, file.subarray(from), into?.subarray(from));
  } finally {
    fileKey.fill(0);
  }
}

/** As `seal`, for files of any length: yields the file in pieces about as long as those of `plaintext`. */
export async function* sealStream(
  recipients: readonly Recipient[],
  plaintext: AsyncIterable<Buffer> | Iterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const { header, fileKey } = await makeHeader(recipients);
  const sealer = new PayloadSealer(fileKey);
  fileKey.fill(0);
  try {
    yield Buffer.concat([header, sealer.nonce]);
    for await (const piece of plaintext) {
      const sealed = sealer.push(piece);
      if (sealed.length > 0) yield sealed;
    }
    yield sealer.end();
  } finally {
    sealer.wipe();
  }
}

/**
 * As `open`, for files of any length: yields plaintext in pieces of up to 64 KiB. Every piece is authentic; that they
 * are all is known only when the generator ends without throwing. Nothing may be kept of a stream that threw.
 */
export async function* openStream(
  identities: readonly Identity[],
  file: AsyncIterable<Buffer> | Iterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const source = piecesOf(file);
  let opener: PayloadOpener | undefined;
  try {
    let start = await startOf(source);
    if (isArmored(start) === true) start = removeArmor(start);
    const header = await openHeader(identities, start);
    const from = header.headerLength + nonceSize;
    if (start.length < from) throw new Fault('not-authentic', 'the age file is cut behind its header');
    opener = new PayloadOpener(header.fileKey, start.subarray(header.headerLength, from));
    header.fileKey.fill(0);
    yield* opener.push(start.subarray(from));
    for await (const piece of source) yield* opener.push(piece);
    const last = opener.end();
    if (last.length > 0) yield last;
  } finally {
    opener?.wipe();
    await source.return?.();
  }
}

async function* piecesOf(file: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield* file;
}

/** Reads until header and nonce are there, or the end; an armored file whole. */
async function startOf(source: AsyncGenerator<Buffer, void, undefined>): Promise<Buffer> {
  let start: Buffer = Buffer.alloc(0);
  const pieces: Buffer[] = [];
  let length = 0;
  let wanted = 1;
  for (;;) {
    const next = await source.next();
    if (!next.done) {
      pieces.push(next.value);
      length += next.value.length;
    }
    // joined at doubling lengths only, so that many small pieces stay cheap
    if (!next.done && length < wanted) continue;
    start = Buffer.concat([start, ...pieces.splice(0)]);
    if (next.done) return start;
    wanted = Math.min(2 * length, longestArmor);
    const armored = isArmored(start);
    if (armored !== false && length >= longestArmor) {
      throw new Fault('not-authentic', `an armored age file is longer than ${longestArmor} bytes; remove its armor`);
    }
    if (armored !== false) continue;
    const header = headerLength(start);
    if (header !== undefined && start.length >= header + nonceSize) return start;
  }
}

/** Reads `length` bytes from `start` on of a stored file. */
export type ReadRange = (start: number, length: number) => Promise<Buffer>;

/** Random access to the plaintext of one age file. */
export interface RangeReader {
  /** Bytes of plaintext that a file of this size holds. */
  readonly plaintextSize: number;
  /** Throws RangeError beyond the end, `not-authentic` when a chunk that it touches was changed. */
  read(start: number, length: number): Promise<Buffer>;
  /** Forgets the file key. */
  close(): void;
}

/**
 * Opens the header of a file of `size` bytes (not armored) for random access; each `read` is one `readRange`.
 * A changed `size` shows only when the end is read: take it from a signed record. Throws as `open` does.
 */
export async function openRanges(
  identities: readonly Identity[],
  size: number,
  readRange: ReadRange,
): Promise<RangeReader> {
  let start: Buffer = Buffer.alloc(0);
  let header: number | undefined;
  for (let wanted = 4096; header === undefined || start.length < header + nonceSize; wanted *= 8) {
    const length = Math.min(size, wanted, 2 * longestHeader);
    if (length <= start.length) throw new Fault('not-authentic', 'the age file is cut in its header');
    start = await readRange(0, length);
    if (start.length !== length) throw new Fault('not-authentic', 'the age file is shorter than it should be');
    header = headerLength(start);
  }
  const { fileKey, headerLength: payloadStart } = await openHeader(identities, start);
  const nonce = Buffer.from(start.subarray(payloadStart, payloadStart + nonceSize));
  const payload = size - payloadStart;
  return {
    plaintextSize: plaintextSize(payload),
    async read(from, length) {
      const span = chunkSpan(from, length, payload);
      const sealed = await readRange(payloadStart + span.offset, span.length);
      return openChunkRange(fileKey, nonce, payload, sealed, from, length);
    },
    close() {
      fileKey.fill(0);
    },
  };
}

/** One range of the plaintext: `openRanges`, one `read`, `close`. */
export async function openRange(
  identities: readonly Identity[],
  size: number,
  readRange: ReadRange,
  start: number,
  length: number,
): Promise<Buffer> {
  const reader = await openRanges(identities, size, readRange);
  try {
    return await reader.read(start, length);
  } finally {
    reader.close();
  }
}
