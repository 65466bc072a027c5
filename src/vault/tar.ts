import { Fault } from '../errors.ts';

const block = 512;

/**
 * One ustar entry: header, content, padding. Names of up to 100 bytes of ASCII; every archive is closed with `tarEnd`. Plain enough that
 * any `tar` reads it; owner, group and time carry nothing.
 */
export function tarEntry(name: string, content: Buffer): Buffer[] {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'latin1');
  header.write('0000600\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

export const tarEnd = Buffer.alloc(1024);

/** The entries of a pack: name -> content, not copied. Throws `segment-invalid` for anything but plain ustar files and the closing zeros. */
export function tarEntries(archive: Buffer): Map<string, Buffer> {
  const invalid = (what: string) => new Fault('segment-invalid', `the pack is not a tar archive: ${what}`);
  const entries = new Map<string, Buffer>();
  for (let at = 0; ; ) {
    const header = archive.subarray(at, at + block);
    if (header.length < block) throw invalid('it ends without its closing blocks');
    if (header.every((byte) => byte === 0)) {
      if (archive.length - at < 2 * block || !archive.subarray(at).every((byte) => byte === 0))
        throw invalid('there is something behind its end');
      return entries;
    }
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
    if (sum !== octal(header, 148, 8)) throw invalid('the checksum of an entry does not hold');
    const size = octal(header, 124, 12);
    const content = archive.subarray(at + block, at + block + size);
    if (content.length !== size) throw invalid('it ends inside an entry');
    const name = text(header, 0, 100);
    if (entries.has(name)) throw invalid('it has two entries of one name');
    entries.set(name, content);
    at += block + Math.ceil(size / block) * block;
  }
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
}

function octal(header: Buffer, start: number, length: number): number {
  return Number.parseInt(text(header, start, length).trim(), 8);
}
