import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { S3Error } from './answer.ts';

type Headers = Record<string, string | undefined>;

const crc32cTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

function crc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (c >>> 8) ^ crc32cTable[(c ^ byte) & 0xff]!;
  return ~c >>> 0;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const algorithms: Record<string, (bytes: Uint8Array) => Buffer> = {
  'x-amz-checksum-crc32': (bytes) => word(crc32(bytes)),
  'x-amz-checksum-crc32c': (bytes) => word(crc32c(bytes)),
  'x-amz-checksum-sha1': (bytes) => createHash('sha1').update(bytes).digest(),
  'x-amz-checksum-sha256': (bytes) => createHash('sha256').update(bytes).digest(),
};

/**
 * Verifies Content-MD5 and every `x-amz-checksum-*` of a request against its body, and returns the checksums to keep.
 * `trailers`: headers that came behind the body.
 */
export function verifyChecksums(headers: Headers, trailers: Headers, body: Uint8Array): Record<string, string> {
  const md5 = headers['content-md5'];
  if (md5 !== undefined) {
    if (Buffer.from(md5, 'base64').length !== 16)
      throw new S3Error(400, 'InvalidDigest', 'The Content-MD5 is not valid.');
    if (createHash('md5').update(body).digest('base64') !== md5) {
      throw new S3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
  }
  for (const name of (headers['x-amz-trailer'] ?? '').split(',').filter(Boolean)) {
    if (trailers[name.trim()] === undefined)
      throw new S3Error(400, 'MalformedTrailerError', `The trailer ${name} is missing.`);
  }
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...headers, ...trailers })) {
    if (!name.startsWith('x-amz-checksum-') || name === 'x-amz-checksum-mode' || name === 'x-amz-checksum-type')
      continue;
    const compute = algorithms[name];
    if (compute === undefined) throw new S3Error(501, 'NotImplemented', `This server does not know ${name}.`);
    if (compute(body).toString('base64') !== value) {
      throw new S3Error(400, 'BadDigest', `The ${name} you specified did not match what we received.`);
    }
    kept[name] = value!;
  }
  return kept;
}
