import { Fault } from '../../errors.ts';

const block = 512;

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
