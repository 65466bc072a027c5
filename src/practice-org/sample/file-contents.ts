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
  return { size, bytes: () => contents(extension, size, seed) };
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
  // A large file is one random block over and over, with a number in each so that no two are the same.
  const block = random.bytes(mebibyte);
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0, n = 0; at < size; at += mebibyte, n++) {
    block.writeUInt32BE(n, 0);
    block.copy(bytes, at);
  }
  return bytes;
}

/** Cut, or filled by repetition. */
function fit(bytes: Buffer, size: number): Buffer {
  if (bytes.length >= size) return bytes.subarray(0, size);
  return Buffer.alloc(size, bytes.length === 0 ? 32 : bytes);
}

export function md5(file: SampleFile): string {
  return createHash('md5').update(file.bytes()).digest('hex');
}
