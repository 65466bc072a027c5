import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip, gzipSync } from 'node:zlib';
import type { Answer } from './answer.ts';
import type { OrgFault } from './faults.ts';
import type { Settings } from './settings.ts';

/** Bodies smaller than this go out as they are. */
const worthCompressing = 2048;

/** Sends an answer, with the fault that works on its bytes. Resolves when all is sent or the client has gone. */
export async function send(
  response: ServerResponse,
  request: IncomingMessage,
  answer: Answer,
  headers: Readonly<Record<string, string>>,
  settings: Settings,
  fault: OrgFault | undefined,
): Promise<void> {
  if (fault?.name === 'hang' && fault.afterBytes === 0) {
    await once(response, 'close');
    return;
  }
  if (fault?.name === 'commit-then-drop' || fault?.name === 'drop-before-commit') {
    response.socket?.resetAndDestroy();
    return;
  }
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries({ ...headers, ...answer.headers }))
    response.setHeader(spelled(name, settings), value);
  const body = bodyOf(answer, response);
  if (!body) {
    response.end();
    return;
  }
  const accepts = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const wanted =
    settings.gzip === 'always' || (settings.gzip === 'asked' && accepts) || fault?.name === 'truncate-gzip';
  const small = Buffer.isBuffer(body) && body.length < worthCompressing && fault?.name !== 'truncate-gzip';
  const gzip = wanted && !small && !answer.bytes && answer.headers?.['Content-Length'] === undefined;
  if (gzip) response.setHeader('Content-Encoding', 'gzip');
  const plainFault =
    fault && ['truncate', 'truncate-gzip', 'reset', 'hang', 'drip'].includes(fault.name) ? fault : undefined;
  if (Buffer.isBuffer(body) && !plainFault) {
    const bytes = gzip ? gzipSync(body, { level: 1 }) : body;
    response.setHeader('Content-Length', bytes.length);
    response.end(bytes);
    return;
  }
  await stream(response, Buffer.isBuffer(body) ? [body] : body, gzip, plainFault);
}

function bodyOf(answer: Answer, response: ServerResponse): Buffer | AsyncIterable<Buffer> | undefined {
  if (answer.stream) return answer.stream;
  if (answer.bytes) return answer.bytes;
  if (answer.text !== undefined) return Buffer.from(answer.text);
  if (answer.json === undefined) return undefined;
  response.setHeader('Content-Type', 'application/json;charset=UTF-8');
  return Buffer.from(JSON.stringify(answer.json));
}

function spelled(name: string, { headerCase }: Settings): string {
  if (headerCase === 'canonical' || !name.startsWith('Sforce-')) return name;
  return headerCase === 'lower' ? name.toLowerCase() : name.toUpperCase();
}

async function stream(
  response: ServerResponse,
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  gzip: boolean,
  fault: OrgFault | undefined,
): Promise<void> {
  const source = fault?.name === 'truncate' ? cut(body, fault.afterBytes) : body;
  const coded: AsyncIterable<Buffer> | Iterable<Buffer> = gzip ? compressed(source) : source;
  try {
    if (fault?.name === 'truncate-gzip') await pipeline(cut(coded, fault.afterBytes), response);
    else if (fault?.name === 'drip') await pipeline(drip(coded, fault.bytesPerSecond), response);
    else if (fault?.name === 'reset' || fault?.name === 'hang')
      await breakOff(response, cut(coded, fault.afterBytes), fault.name);
    else await pipeline(coded, response);
  } catch (error) {
    // The client went away: nobody is left to tell. Everything else is a bug of the practice org.
    if (
      !['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED'].includes(
        (error as NodeJS.ErrnoException).code ?? '',
      )
    )
      throw error;
  }
}

async function* compressed(source: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer> {
  const gzip = createGzip({ level: 1 });
  const filled = pipeline(source, gzip);
  filled.catch(() => undefined);
  yield* gzip as AsyncIterable<Buffer>;
  await filled;
}

async function breakOff(response: ServerResponse, bytes: AsyncIterable<Buffer>, how: 'reset' | 'hang'): Promise<void> {
  response.flushHeaders();
  for await (const chunk of bytes) await new Promise<void>((done) => response.write(chunk, () => done()));
  if (response.destroyed) return;
  if (how === 'hang') await once(response, 'close');
  else response.socket?.resetAndDestroy();
}

async function* cut(bytes: AsyncIterable<Buffer> | Iterable<Buffer>, limit: number): AsyncGenerator<Buffer> {
  let left = limit;
  if (left === 0) return;
  for await (const chunk of bytes) {
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      return;
    }
    left -= chunk.length;
    yield chunk;
  }
}

async function* drip(bytes: AsyncIterable<Buffer> | Iterable<Buffer>, perSecond: number): AsyncGenerator<Buffer> {
  const portion = Math.max(1, Math.floor(perSecond / 10));
  for await (const chunk of bytes)
    for (let at = 0; at < chunk.length; at += portion) {
      yield chunk.subarray(at, at + portion);
      await sleep(100);
    }
}
