import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { open, seal } from '../age/file.ts';
import { Fault, isFault } from '../errors.ts';
import { freeMemory } from '../rows/blocks.ts';
import { decompressFrames, LARGEST_FRAME } from './zstd.ts';

const zstd = promisify(zstdCompress);

/** What a page, a list or an entry may unpack to: each is written as one frame, and a few kB of other frames could hold any number of bytes. */
const largestDocument = LARGEST_FRAME;

/** One zstd frame. */
export async function compress(bytes: Uint8Array): Promise<Buffer> {
  // Output in many small pieces takes several times the work.
  return zstd(bytes, { chunkSize: Math.min(512 * 1024, Math.max(1024, bytes.length)) });
}

/** All frames of `stored`, to the end. Throws `segment-invalid` when it is not zstd, is cut, has more behind its end, or unpacks to more than any document has. */
export async function decompress(key: string, stored: Buffer): Promise<Buffer> {
  try {
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of decompressFrames(stored)) {
      length += part.length;
      if (length > largestDocument) throw new RangeError(`it unpacks to more than ${largestDocument} bytes`);
      parts.push(part);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  } catch (cause) {
    throw new Fault('segment-invalid', `${key} cannot be decompressed`, { cause, data: { key } });
  }
}

/** Compressed, then encrypted to `recipients`. */
export async function sealBytes(bytes: Uint8Array, recipients: readonly string[]): Promise<Buffer> {
  const packed = await compress(bytes);
  const sealed = await seal(recipients, packed);
  freeMemory(packed);
  return sealed;
}

/** The reverse of sealBytes. Throws `wrong-identity`, `not-authentic` or `segment-invalid`, each naming `key`. */
export async function openBytes(key: string, stored: Buffer, identities: readonly string[]): Promise<Buffer> {
  const packed = await openAge(key, stored, identities);
  const bytes = await decompress(key, packed);
  freeMemory(packed);
  return bytes;
}

/** Decrypts one age file and names it in the fault. */
export async function openAge(key: string, stored: Buffer, identities: readonly string[]): Promise<Buffer> {
  try {
    return await open(identities, stored);
  } catch (error) {
    if (isFault(error, 'not-authentic')) {
      throw new Fault('not-authentic', `${key} was changed or cut: it does not decrypt`, {
        cause: error,
        data: { key },
      });
    }
    if (isFault(error, 'wrong-identity')) {
      throw new Fault('wrong-identity', `no key at hand opens ${key}`, { cause: error, data: { key } });
    }
    throw error;
  }
}
