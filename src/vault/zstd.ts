import { promisify } from 'node:util';
import { constants, createZstdCompress, type ZstdCompress, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { Fault } from '../errors.ts';
import { inOrder } from '../rows/in-order.ts';

/*
 * Zstandard as the vault uses it: one frame per block, one behind the other, each with its checksum. Node's readers stop
 * after the first frame and say nothing about the rest, so a stored stream is walked frame by frame, by the lengths in
 * the frame and block headers (RFC 8878, 3.1.1), and Node is never handed more than one.
 */

const decompressAsync = promisify(zstdDecompress);

const MAGIC = 0xfd2fb528;
/** Of frames up to this length the way to another thread and back takes longer than they do. */
const SMALL = 4 * 1024;
/** What one frame may unpack to; a row is at most 64 MiB (`rows/split.ts`). */
export const LARGEST_FRAME = 128 * 1024 * 1024;
const IN_FLIGHT = 3;

/** Bytes of output that are allocated at a time. */
const CHUNK = 512 * 1024;
/** More is not allocated at once, whatever a frame says of itself. */
const LARGEST_CHUNK = 4 * 1024 * 1024;
/** Compressors of one level that are kept; each holds some 3 MB. */
const MOST_IDLE = 4;

/** A compressor that makes frame after frame with the memory it has, which is a quarter of the work on a small one. */
class Compressor {
  readonly #stream: ZstdCompress;
  #fail: (error: Error) => void = () => {};

  constructor(level: number) {
    // Every write is one frame, and nothing of it waits in the stream.
    const options = {
      params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
      flush: constants.ZSTD_e_end,
      chunkSize: CHUNK,
      readableHighWaterMark: Number.MAX_SAFE_INTEGER,
    };
    this.#stream = createZstdCompress(options);
    this.#stream.on('error', (error) => this.#fail(error));
  }

  frame(bytes: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#stream.write(bytes, (error) => {
        if (error) return reject(error);
        const frame: Buffer | null = this.#stream.read();
        // What is small must not keep a whole chunk alive.
        resolve(frame && frame.length < CHUNK / 4 ? Buffer.from(frame) : frame!);
      });
    });
  }
}

const idle = new Map<number, Compressor[]>();

/** One zstd frame with checksum, made in the thread pool. */
export async function compressFrame(bytes: Uint8Array, level = 3): Promise<Buffer> {
  const compressors = idle.get(level) ?? [];
  idle.set(level, compressors);
  const compressor = compressors.pop() ?? new Compressor(level);
  const frame = await compressor.frame(bytes);
  if (compressors.length < MOST_IDLE) compressors.push(compressor);
  return frame;
}

/** Where a frame lies in a stored stream. */
export interface Frame {
  readonly offset: number;
  readonly length: number;
}

/**
 * The frames of `stored`, which they fill without a gap. Throws `segment-invalid` for an empty or truncated stream, a
 * skippable frame, a dictionary and anything else that is not a frame.
 */
export function* frames(stored: Buffer): Generator<Frame> {
  if (stored.length === 0) throw invalid('it is empty', 0);
  for (let offset = 0; offset < stored.length; ) {
    const length = frameLength(stored, offset);
    yield { offset, length };
    offset += length;
  }
}

/**
 * What the frames of `stored` unpack to, one buffer for each frame. Throws `segment-invalid` as `frames` does, and for a
 * frame that does not unpack or whose checksum does not hold. Nothing is proven before the generator has ended.
 */
export async function* decompressFrames(stored: Buffer): AsyncGenerator<Buffer> {
  const whole = [...frames(stored)];
  // Frames that are large, or do not say how large they are, would be in memory several at a time.
  const isSmall = ({ offset }: Frame) => (contentLength(stored.subarray(offset)) ?? LARGEST_FRAME) <= LARGEST_CHUNK;
  yield* inOrder(whole, whole.every(isSmall) ? IN_FLIGHT : 1, ({ offset, length }) =>
    decompressFrame(stored.subarray(offset, offset + length), offset),
  );
}

/**
 * What one frame unpacks to, in memory of its own. Throws `segment-invalid` when `frame` is not exactly one whole frame. `offset`: for the
 * message.
 */
export async function decompressFrame(frame: Buffer, offset = 0): Promise<Buffer> {
  if (frameLength(frame, 0, offset) !== frame.length) throw invalid('there is more behind the frame', offset);
  const said = contentLength(frame) ?? LARGEST_FRAME;
  if (said > LARGEST_FRAME) throw invalid('a frame says that it is larger than any is', offset);
  try {
    // Node counts what came out, and would otherwise go on in pieces as small as the frame says that it is.
    const options = { maxOutputLength: Math.max(1, said), chunkSize: outputChunk(frame) };
    return frame.length <= SMALL ? zstdDecompressSync(frame, options) : await decompressAsync(frame, options);
  } catch (cause) {
    throw invalid('a frame does not unpack', offset, cause);
  }
}

/** Bytes of output that are allocated at a time: one more than comes out, or a second piece would be; at least about what comes out. */
function outputChunk(frame: Buffer): number {
  const length = contentLength(frame);
  if (length !== undefined && length < LARGEST_CHUNK) return Math.max(64, length + 1);
  return Math.min(CHUNK, Math.max(16 * 1024, 4 * frame.length));
}

/** What the header of a frame says that it unpacks to; undefined when it does not say. */
function contentLength(frame: Buffer): number | undefined {
  const descriptor = frame[4]!;
  const at = (descriptor & 0x20) !== 0 ? 5 : 6;
  switch (descriptor >> 6) {
    case 0:
      return at === 5 ? frame[at]! : undefined;
    case 1:
      return frame.readUInt16LE(at) + 256;
    case 2:
      return frame.readUInt32LE(at);
    default:
      return Number(frame.readBigUInt64LE(at));
  }
}

function frameLength(stored: Buffer, start: number, base = 0): number {
  const need = (end: number) => {
    if (end > stored.length) throw invalid('it ends inside a frame', base + start);
  };
  need(start + 6);
  if (stored.readUInt32LE(start) !== MAGIC) throw invalid('there is something that is not a frame', base + start);
  const descriptor = stored[start + 4]!;
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) throw invalid('a frame sets a reserved bit', base + start);
  if ((descriptor & 0x03) !== 0) throw invalid('a frame wants a dictionary', base + start);
  const contentSizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  let at = start + 5 + (singleSegment ? 0 : 1) + contentSizeBytes;
  for (;;) {
    need(at + 3);
    const header = stored.readUIntLE(at, 3);
    const type = (header >> 1) & 3;
    if (type === 3) throw invalid('a block has a reserved type', base + start);
    // A block of one repeated byte (type 1) stores that byte only.
    at += 3 + (type === 1 ? 1 : header >> 3);
    if ((header & 1) === 1) break;
  }
  if ((descriptor & 0x04) !== 0) at += 4;
  need(at);
  return at - start;
}

function invalid(what: string, offset: number, cause?: unknown): Fault {
  return new Fault('segment-invalid', `A zstd stream cannot be read: ${what}.`, { data: { offset }, cause });
}
