import { PassThrough, pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Answer } from './http.ts';

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
  pipeline(answer.body, decoder, () => {});
  return decoder;
}
