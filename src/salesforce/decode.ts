import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Answer } from './http.ts';

/** Bytes that are unpacked at once. */
const GATHERED = 128 * 1024;

/**
 * The body by its actual Content-Encoding, whatever was asked for (field guide, extract 3.4). A cut or damaged compressed
 * body ends in an error; destroying the result destroys the body.
 */
export function decoded(answer: Answer): Readable {
  const encoding = (answer.header('content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return answer.body;
  const chunkSize = 256 * 1024;
  const decoder =
    encoding === 'gzip' || encoding === 'x-gzip'
      ? createGunzip({ chunkSize })
      : encoding === 'br'
        ? createBrotliDecompress({ chunkSize })
        : encoding === 'deflate'
          ? createInflate({ chunkSize })
          : undefined;
  if (!decoder) {
    const refused = new PassThrough();
    answer.body.destroy();
    refused.destroy(Object.assign(new Error(`the body is encoded as ${encoding}`), { code: 'Z_DATA_ERROR' }));
    return refused;
  }
  pipeline(answer.body, gathered, decoder, () => {});
  return decoder;
}

/** Joins what came in small pieces: each piece that is unpacked takes a way to another thread and back. */
async function* gathered(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    held.push(piece);
    bytes += piece.length;
    if (bytes < GATHERED) continue;
    yield Buffer.concat(held, bytes);
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(held, bytes);
}
