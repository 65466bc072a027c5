import { readFileSync, writeFileSync } from 'node:fs';
import { compress } from '../../src/vault/sealed.ts';

/* Bytes that are few and become many: zstd frames by hand (RFC 8878, 3.1.1), whose blocks repeat one byte 128 Ki times and take four bytes each. */

const magic = Buffer.from('28b52ffd', 'hex');
const blockSize = 128 * 1024;
export const mebibyte = 1024 * 1024;

/** A frame of `first` and so much of one byte. `says`: what its header gives as its size; undefined: nothing. */
export function frameOf(first: string, fill: string, bytes: number, says?: bigint): Buffer {
  const blocks: Buffer[] = [];
  const block = (type: number, size: number, last: boolean, content: Buffer) => {
    const header = Buffer.alloc(3);
    header.writeUIntLE((size << 3) | (type << 1) | Number(last), 0, 3);
    blocks.push(header, content);
  };
  if (first !== '') block(0, Buffer.byteLength(first), false, Buffer.from(first));
  const count = Math.max(1, Math.ceil(bytes / blockSize));
  for (let n = 1; n <= count; n++) block(1, blockSize, n === count, Buffer.from(fill));
  const size = Buffer.alloc(says === undefined ? 0 : 8);
  if (says !== undefined) size.writeBigUInt64LE(says);
  // A window of 128 KiB, no checksum, no dictionary.
  return Buffer.concat([magic, Buffer.from([says === undefined ? 0 : 0xc0, 7 << 3]), size, ...blocks]);
}

/** Eight gigabytes, in frames that are each as large as one may be. */
export function manyFrames(first: string, fill: string): Buffer {
  const large = frameOf('', fill, 127 * mebibyte);
  return Buffer.concat([frameOf(first, fill, mebibyte), ...Array.from({ length: 64 }, () => large)]);
}

export function nested(levels = 100_000): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

/** JSON with a list of millions of items under a name. */
export async function listOfZeros(name: string, items = 8_000_000): Promise<Buffer> {
  return compress(Buffer.from(`{"v":1,"${name}":[0${',0'.repeat(items)}]}`));
}

/** Linux tells the peak since it was last asked to forget it; elsewhere there is only that of the whole process. */
function peakBytes(): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(statusOfProcess()) ?? [];
  return 1024 * Number(kib ?? process.resourceUsage().maxRSS);
}

function statusOfProcess(): string {
  return process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : '';
}

export interface Cost {
  /** How far the memory of the process rose above what it was. */
  readonly bytes: number;
  /** CPU time of all threads. */
  readonly milliseconds: number;
}

export async function costOf(work: () => Promise<void>): Promise<Cost> {
  if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
  const before = process.memoryUsage.rss();
  const used = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(used);
  return { bytes: peakBytes() - before, milliseconds: (user + system) / 1000 };
}
