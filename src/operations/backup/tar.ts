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
