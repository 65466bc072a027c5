import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { Fault, systemCode } from '../errors.ts';
import type { RowBatch } from './batch.ts';
import { freeMemory, giveBlock, takeBlock } from './blocks.ts';
import { inOrder } from './in-order.ts';

const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;
/** Writes under way, and about how many bytes each takes to the disk. */
const IN_FLIGHT = 3;
const WRITE_BYTES = 1024 * 1024;

/** Batches that lie on the disk, in order. */
export interface Run {
  readonly file: string;
  /** Number of the first block; the nonce of block n is `firstBlock + n`, so blocks cannot change places. */
  readonly firstBlock: number;
  /** Where each block ends in the file. */
  readonly ends: readonly number[];
}

/**
 * Rows that do not fit the memory, on disk in `tempDir`: encrypted with AES-256-GCM under a random key that exists in memory
 * only. Blocks that were changed, cut or exchanged are found when they are read. They are not compressed, which would cost more
 * time than the rest of the sorting; the disk holds as many bytes as the rows have.
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

  /** Writes batches, one block for each: about 128 KiB is right. Takes the batches over. */
  async write(batches: AsyncIterable<RowBatch> | Iterable<RowBatch>): Promise<Run> {
    const file = path.join(this.#tempDir, `spill-${randomBytes(8).toString('hex')}`);
    const firstBlock = this.#blocks;
    const ends: number[] = [];
    let size = 0;
    this.#files.add(file);
    const handle = await onDisk(open(file, 'wx', 0o600));
    const put = async (pieces: Buffer[]): Promise<void> => {
      const at = size;
      for (const { length } of pieces) size += length;
      await onDisk(writeAll(handle, pieces, at));
      for (const piece of pieces) freeMemory(piece);
    };
    try {
      for await (const _ of inOrder(this.#sealed(batches, ends), IN_FLIGHT, put));
    } finally {
      await onDisk(handle.close());
      this.bytes += size;
    }
    return { file, firstBlock, ends };
  }

  /** Each batch as a block (number of rows, where each ends, the rows, and the tag); as many blocks as are written at once. */
  async *#sealed(batches: AsyncIterable<RowBatch> | Iterable<RowBatch>, ends: number[]): AsyncGenerator<Buffer[]> {
    let pieces: Buffer[] = [];
    let bytes = 0;
    for await (const { bytes: rows, ends: rowEnds, release } of batches) {
      const table = Buffer.allocUnsafe(4 + 4 * rowEnds.length);
      table.writeUInt32LE(rowEnds.length, 0);
      table.set(new Uint8Array(rowEnds.buffer, rowEnds.byteOffset, rowEnds.byteLength), 4);
      const cipher = createCipheriv(CIPHER, this.#key, nonce(this.#blocks++));
      pieces.push(cipher.update(table), cipher.update(rows), cipher.final(), cipher.getAuthTag());
      release?.();
      const length = table.length + rows.length + TAG_BYTES;
      ends.push((ends.at(-1) ?? 0) + length);
      bytes += length;
      if (bytes < WRITE_BYTES) continue;
      yield pieces;
      pieces = [];
      bytes = 0;
    }
    if (pieces.length > 0) yield pieces;
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
    const length = run.ends[block]! - start;
    const memory = takeBlock(length);
    const { bytesRead } = await onDisk(handle.read(memory, 0, length, start));
    const sealed = memory.subarray(0, length);
    const decipher = createDecipheriv(CIPHER, this.#key, nonce(run.firstBlock + block));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const plain = decipher.update(sealed.subarray(0, -TAG_BYTES));
    try {
      if (bytesRead !== length) throw new Error('the file is too short');
      decipher.final();
    } catch (cause) {
      throw new Fault('disk-error', 'A temporary file was changed or cut while it was in use.', { cause });
    }
    giveBlock(memory);
    const rows = plain.readUInt32LE(0);
    const ends = new Uint32Array(rows);
    new Uint8Array(ends.buffer).set(plain.subarray(4, 4 + 4 * rows));
    return { bytes: plain.subarray(4 + 4 * rows), ends, release: () => freeMemory(plain) };
  }
}

function nonce(block: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUIntBE(block, 6, 6);
  return bytes;
}

async function writeAll(handle: FileHandle, pieces: Buffer[], position: number): Promise<void> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const { bytesWritten } = await handle.writev(pieces, position);
  if (bytesWritten === length) return;
  const bytes = Buffer.concat(pieces);
  for (let at = bytesWritten; at < length; ) {
    at += (await handle.write(bytes, at, length - at, position + at)).bytesWritten;
  }
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
