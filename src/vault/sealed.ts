import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { open, seal } from '../age/file.ts';
import { Fault, isFault } from '../errors.ts';
import { decompressFrames } from './zstd.ts';

const zstd = promisify(zstdCompress);

/** One zstd frame. */
export async function compress(bytes: Uint8Array): Promise<Buffer> {
  return zstd(bytes);
}

/** All frames of `stored`, to the end. Throws `segment-invalid` when it is not zstd, is cut, or has more behind its end. */
export async function decompress(key: string, stored: Buffer): Promise<Buffer> {
  try {
    const parts: Buffer[] = [];
    for await (const part of decompressFrames(stored)) parts.push(part);
    return Buffer.concat(parts);
  } catch (cause) {
    throw new Fault('segment-invalid', `${key} cannot be decompressed`, { cause, data: { key } });
  }
}

/** Compressed, then encrypted to `recipients`. */
export async function sealBytes(bytes: Uint8Array, recipients: readonly string[]): Promise<Buffer> {
  return seal(recipients, await compress(bytes));
}

/** The reverse of sealBytes. Throws `wrong-identity`, `not-authentic` or `segment-invalid`, each naming `key`. */
export async function openBytes(key: string, stored: Buffer, identities: readonly string[]): Promise<Buffer> {
  return decompress(key, await openAge(key, stored, identities));
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
