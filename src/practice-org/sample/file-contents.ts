import { createHash } from 'node:crypto';
import { Random } from '../random.ts';
import type { SampleFile } from '../sample.ts';
import { torture } from '../torture.ts';
import { prose } from '../words.ts';

const mebibyte = 1 << 20;

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** The bytes of a made-up file of this extension; the same for the same seed, as many as `size` says. */
export function fileOf(extension: string, size: number, seed: number): SampleFile {
  const bytes = () => contents(extension, size, seed);
  return isBlocks(extension, size) ? { size, bytes, chunks: () => blocks(size, seed) } : { size, bytes };
}

/** Too large to be made in one piece. */
function isBlocks(extension: string, size: number): boolean {
  return size > mebibyte && !['txt', 'csv', 'png', 'pdf'].includes(extension);
}

/** One random block over and over, with a number in each so that no two are the same. */
function* blocks(size: number, seed: number): Generator<Buffer> {
  const block = new Random(seed).bytes(mebibyte);
  for (let at = 0, n = 0; at < size; at += mebibyte, n++) {
    const piece = Buffer.from(block.subarray(0, Math.min(mebibyte, size - at)));
    if (piece.length >= 4) piece.writeUInt32BE(n, 0);
    yield piece;
  }
}

function contents(extension: string, size: number, seed: number): Buffer {
  const random = new Random(seed);
  if (extension === 'txt') return fit(Buffer.from(prose(random, size)), size);
  if (extension === 'csv') {
    return fit(
      Buffer.from(`\ufeffName;"Value"\r\n${torture.map((text, n) => `${n};"${text}"`).join('\r\n')}\r\n`),
      size,
    );
  }
  if (extension === 'png') return fit(png, size);
  const head = extension === 'pdf' ? Buffer.from('%PDF-1.7\n%âãÏÓ\n', 'latin1') : Buffer.alloc(0);
  if (size <= mebibyte) return fit(Buffer.concat([head, random.bytes(size)]), size);
  return Buffer.concat([...blocks(size, seed)], size);
}

/** Cut, or filled by repetition. */
function fit(bytes: Buffer, size: number): Buffer {
  if (bytes.length >= size) return bytes.subarray(0, size);
  return Buffer.alloc(size, bytes.length === 0 ? 32 : bytes);
}

export function md5(file: SampleFile): string {
  const hash = createHash('md5');
  for (const chunk of file.chunks?.() ?? [file.bytes()]) hash.update(chunk);
  return hash.digest('hex');
}
