import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { Fault, systemCode } from '../errors.ts';
import type { RowBatch } from './batch.ts';
import { inOrder } from './in-order.ts';

const compressAsync = promisify(zstdCompress);
const decompressAsync = promisify(zstdDecompress);

const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;
/** Fast: a spill lives for minutes. Not -1, which Node takes for "not set". */
const LEVEL = 1;
const IN_FLIGHT = 3;

/** Batches that lie on the disk, in order. */
export interface Run {
  readonly file: string;
  /** Number of the first block; the nonce of block n is `firstBlock + n`, so blocks cannot change places. */
  readonly firstBlock: number;
  /** Where each block ends in the file. */
  readonly ends: readonly number[];
  /** How long the longest block is when unpacked. */
  readonly longest: number;
}

/**
 * Rows that do not fit the memory, on disk in `tempDir`: compressed, then encrypted with AES-256-GCM under a random key
 * that exists in memory only. Blocks that were changed, cut or exchanged are found when they are read.
 * Throws the Faults `disk-full` and `disk-error`. Call `remove` at the end, whatever happened.
 */
export class Spill {
  readonly #tempDir: string;
  readonly #key = randomBytes(32);
  readonly #files = new Set<string>();
  #blocks = 0;
  /** Bytes written to the disk so far. */
  bytes = 0;

  constructor(tempDir: string) {
    this.#tempDir = tempDir;
  }

  /** Writes batches, one block for each: about 128 KiB is right. */
  async write(batches: AsyncIterable<RowBatch> | Iterable<RowBatch>): Promise<Run> {
    const file = path.join(this.#tempDir, `spill-${randomBytes(8).toString('hex')}`);
    const firstBlock = this.#blocks;
    const ends: number[] = [];
    let size = 0;
    let longest = 0;
    this.#files.add(file);
    const handle = await onDisk(open(file, 'wx', 0o600));
    try {
      for await (const { packed, length } of inOrder(batches, IN_FLIGHT, pack)) {
        const cipher = createCipheriv(CIPHER, this.#key, nonce(this.#blocks++));
        const sealed = cipher.update(packed);
        cipher.final();
        await onDisk(writeAll(handle, sealed));
        await onDisk(writeAll(handle, cipher.getAuthTag()));
        size += sealed.length + TAG_BYTES;
        longest = Math.max(longest, length);
        ends.push(size);
      }
    } finally {
      await onDisk(handle.close());
      this.bytes += size;
    }
    return { file, firstBlock, ends, longest };
  }

  /** The batches of a run, the next one read ahead. */
  async *read(run: Run): AsyncGenerator<RowBatch> {
    const handle = await onDisk(open(run.file, 'r'));
    let ahead: Promise<RowBatch> | undefined;
    try {
      for (let block = 0; block < run.ends.length; block++) {
        const batch = await (ahead ?? this.#block(handle, run, block));
        ahead = block + 1 < run.ends.length ? this.#block(handle, run, block + 1) : undefined;
        ahead?.catch(() => {});
        yield batch;
      }
    } finally {
      await ahead?.catch(() => {});
      await handle.close();
    }
  }

  /** Deletes a run that is not needed any more. */
  async drop(run: Run): Promise<void> {
    await onDisk(rm(run.file, { force: true }));
    this.#files.delete(run.file);
  }

  /** Deletes everything and forgets the key. */
  async remove(): Promise<void> {
    this.#key.fill(0);
    for (const file of this.#files) await onDisk(rm(file, { force: true }));
    this.#files.clear();
  }

  async #block(handle: FileHandle, run: Run, block: number): Promise<RowBatch> {
    const start = block === 0 ? 0 : run.ends[block - 1]!;
    const sealed = Buffer.allocUnsafeSlow(run.ends[block]! - start);
    const { bytesRead } = await onDisk(handle.read(sealed, 0, sealed.length, start));
    const decipher = createDecipheriv(CIPHER, this.#key, nonce(run.firstBlock + block));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const packed = decipher.update(sealed.subarray(0, -TAG_BYTES));
    try {
      if (bytesRead !== sealed.length) throw new Error('the file is too short');
      decipher.final();
    } catch (cause) {
      throw new Fault('disk-error', 'A temporary file was changed or cut while it was in use.', { cause });
    }
    return unpack(packed, run.longest);
  }
}

function nonce(block: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUIntBE(block, 6, 6);
  return bytes;
}

/** Number of rows, where each ends, and the rows; compressed. */
async function pack({ bytes, ends }: RowBatch): Promise<{ packed: Buffer; length: number }> {
  const plain = Buffer.allocUnsafeSlow(4 + 4 * ends.length + bytes.length);
  plain.writeUInt32LE(ends.length, 0);
  plain.set(new Uint8Array(ends.buffer, ends.byteOffset, ends.byteLength), 4);
  bytes.copy(plain, 4 + 4 * ends.length);
  const packed = await compressAsync(plain, {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
    pledgedSrcSize: plain.length,
    chunkSize: Math.ceil(plain.length / 2) + 64,
  });
  return { packed, length: plain.length };
}

async function unpack(packed: Buffer, longest: number): Promise<RowBatch> {
  // One byte more, or Node would take a second chunk to find out that there is no more.
  const plain = await decompressAsync(packed, { chunkSize: Math.max(longest + 1, 64) });
  const rows = plain.readUInt32LE(0);
  const ends = new Uint32Array(rows);
  new Uint8Array(ends.buffer).set(plain.subarray(4, 4 + 4 * rows));
  return { bytes: plain.subarray(4 + 4 * rows), ends };
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
}

async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw full
      ? new Fault('disk-full', 'There is no space left for temporary files.', { cause })
      : new Fault('disk-error', `A temporary file cannot be used (${code}).`, { cause });
  }
}
