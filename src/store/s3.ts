import { createHash } from 'node:crypto';
import { addAbortSignal, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Fault } from '../errors.ts';
import { assertKey, isKey } from './key.ts';
import type { OpenStoreOptions } from './open.ts';
import { DamagedBody, readS3Error, type S3Answer, StrangeAnswer, s3Fault } from './s3-errors.ts';
import { parseS3Url, type S3Place } from './s3-url.ts';
import { type Store, type StoredObject, tooLarge } from './store.ts';
import { isLeftBehind } from './strangers.ts';

/** Under this prefix nothing is locked, so that a probe can clean up behind itself. */
const unlocked = 'probe/';

const dayMs = 86_400_000;

/** Commands that S3 answers with a body of its own; a good answer to any other has none. */
const answering = new Set([
  'ListObjectsV2Command',
  'GetBucketLocationCommand',
  'GetBucketVersioningCommand',
  'GetObjectLockConfigurationCommand',
]);

/** An answer that ends the attempts and is not an error to every verb. */
class Refusal extends Error {
  readonly answer: S3Answer;
  constructor(answer: S3Answer, cause: unknown) {
    super(answer.reason, { cause });
    this.answer = answer;
  }
}

/**
 * A store in a bucket; the URL as `parseS3Url` reads it, credentials and region as the SDK finds them. Each object is one
 * PutObject of a buffer with `If-None-Match: *`, signed with the digest of its bytes. Attempts are made here and not in the
 * SDK. A put that lost the answer to its first attempt may say 'exists' of its own object; read the key to learn whose it is.
 * In a versioned bucket, delete leaves a marker and the older versions.
 */
export async function openS3(url: string, options: OpenStoreOptions = {}): Promise<Store> {
  const { attempts = 8, backoffMs = 250 } = options;
  const place = parseS3Url(url);
  const client = await connect(place, options);
  const { bucket: Bucket, prefix: root } = place;

  /** Calls `attempt` until it succeeds, is refused or has failed too often. */
  async function tried<T>(
    what: string,
    signal: AbortSignal | undefined,
    attempt: (signal?: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const both = options.signal && signal ? AbortSignal.any([options.signal, signal]) : (signal ?? options.signal);
    for (let count = 1; ; count++) {
      both?.throwIfAborted();
      try {
        return await attempt(both);
      } catch (error) {
        both?.throwIfAborted();
        const answer = readS3Error(error);
        if (answer.kind === 'bug') throw error;
        const retry = answer.kind === 'retry' || answer.kind === 'damaged';
        if (!retry) throw new Refusal(answer, error);
        if (count >= attempts) throw s3Fault(answer, what, Bucket, error);
        const waitMs = Math.round(
          answer.waitMs ?? Math.min(backoffMs * 2 ** (count - 1), 10_000) * (0.5 + Math.random() / 2),
        );
        options.report?.({ type: 'retry', what, attempt: count, waitMs, reason: answer.reason });
        await sleep(waitMs, undefined, { signal: both }).catch(() => both?.throwIfAborted());
      }
    }
  }

  /** The Fault for a refusal, unless its kind is one of `values`: then `value`. */
  function unless<T>(error: unknown, what: string, kinds: S3Answer['kind'][], value: () => T): T {
    if (!(error instanceof Refusal)) throw error;
    if (kinds.includes(error.answer.kind)) return value();
    throw s3Fault(error.answer, what, Bucket, error.cause);
  }

  async function read(
    key: string,
    signal?: AbortSignal,
    { range, atMost = Number.POSITIVE_INFINITY }: { range?: { start: number; length: number }; atMost?: number } = {},
  ): Promise<Buffer> {
    signal?.throwIfAborted();
    if (!isKey(key)) throw objectMissing(key);
    const what = `GET ${key}`;
    const Range = range && `bytes=${range.start}-${range.start + range.length - 1}`;
    try {
      return await tried(what, signal, async (abortSignal) => {
        const answer = await client.send(new GetObjectCommand({ Bucket, Key: root + key, Range }), { abortSignal });
        if (answer.ETag === undefined) throw new StrangeAnswer('an answer without ETag');
        if (answer.ContentLength !== undefined && answer.ContentLength > atMost) {
          (answer.Body as Readable).destroy();
          throw tooLarge(key, answer.ContentLength, atMost);
        }
        const body = await whole(answer.Body as Readable, answer.ContentLength, abortSignal);
        if (range === undefined) return body;
        if (answer.ContentRange === undefined) return body.subarray(range.start, range.start + range.length);
        const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange)?.map(Number) ?? [];
        const end = Math.min(range.start + range.length, size ?? 0);
        if (first !== range.start || last !== end - 1 || body.length !== end - first) {
          throw new StrangeAnswer('another range than was asked for');
        }
        return body;
      });
    } catch (error) {
      if (error instanceof Refusal && isBeyond(error.cause)) return Buffer.alloc(0);
      return unless(error, what, ['missing'], () => {
        throw objectMissing(key, error);
      });
    }
  }

  async function head(key: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    signal?.throwIfAborted();
    if (!isKey(key)) return undefined;
    const what = `HEAD ${key}`;
    try {
      return await tried(what, signal, async (abortSignal) => {
        const { ContentLength: size, LastModified: modified } = await client.send(
          new HeadObjectCommand({ Bucket, Key: root + key }),
          { abortSignal },
        );
        if (size === undefined || modified === undefined) throw new StrangeAnswer('an answer without size or time');
        return { key, size, modified };
      });
    } catch (error) {
      return unless(error, what, ['missing'], () => undefined);
    }
  }

  /** Names that are no keys among them, which no put of ours gave. */
  async function* all(prefix: string, { after, signal }: { after?: string; signal?: AbortSignal } = {}) {
    const what = `LIST ${prefix}`;
    let last = after ?? '';
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket,
        Prefix: root + prefix,
        StartAfter: after ? root + after : undefined,
        ContinuationToken: token,
        EncodingType: 'url',
      });
      const page = await tried(what, signal, async (abortSignal) => {
        const page = await client.send(command, { abortSignal });
        if (page.IsTruncated === undefined) throw new StrangeAnswer('an answer that is no list');
        if (page.IsTruncated && !page.NextContinuationToken) throw new StrangeAnswer('a list that cannot be continued');
        return page;
      }).catch((error: unknown) => unless(error, what, [], () => undefined as never));
      for (const { Key, Size, LastModified, ETag } of page.Contents ?? []) {
        const key = (decoded(Key, page.EncodingType) ?? Key ?? '').slice(root.length);
        if (Size === undefined || LastModified === undefined)
          throw s3Fault({ kind: 'retry', reason: 'a list without sizes' }, what, Bucket, undefined);
        if (isKey(key)) {
          if (key <= last)
            throw new Fault('unproven-store', `the store lists ${key} behind ${last}: its lists are not in order`);
          last = key;
        }
        signal?.throwIfAborted();
        yield { key, size: Size, modified: LastModified, ...(ETag && { etag: ETag }) };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async function* list(prefix: string, options?: { after?: string; signal?: AbortSignal }) {
    for await (const object of all(prefix, options)) if (isKey(object.key)) yield object;
  }

  async function extendLock(
    { key, modified }: Pick<StoredObject, 'key' | 'modified'>,
    { mode, days }: NonNullable<S3Place['retention']>,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const half = (days / 2) * dayMs;
    if (key.startsWith(unlocked) || Date.now() - modified.getTime() < half) return false;
    const what = `PUT the retention of ${key}`;
    try {
      return await tried(what, signal, async (abortSignal) => {
        const at = { Bucket, Key: root + key };
        const { ObjectLockRetainUntilDate: until } = await client.send(new HeadObjectCommand(at), { abortSignal });
        if (until && until.getTime() - Date.now() >= half) return false;
        const Retention = { Mode: mode, RetainUntilDate: new Date(Date.now() + days * dayMs) };
        await client.send(new PutObjectRetentionCommand({ ...at, Retention }), { abortSignal });
        return true;
      });
    } catch (error) {
      return unless(error, what, ['missing'], () => {
        throw objectMissing(key, error);
      });
    }
  }

  return {
    url: place.url,

    async putIfAbsent(key, body, signal) {
      assertKey(key);
      signal?.throwIfAborted();
      const what = `PUT ${key}`;
      const input: PutObjectCommandInput = {
        Bucket,
        Key: root + key,
        Body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
        IfNoneMatch: '*',
        ServerSideEncryption: place.sse,
        SSEKMSKeyId: place.kmsKeyId,
        // Without the SDK's own checksum; a put with retention is refused without any.
        ...(place.checksums === 'when_required' && { ContentMD5: createHash('md5').update(body).digest('base64') }),
        ...(place.retention &&
          !key.startsWith(unlocked) && {
            ObjectLockMode: place.retention.mode,
            ObjectLockRetainUntilDate: new Date(Date.now() + place.retention.days * dayMs),
          }),
      };
      try {
        return await tried(what, signal, async (abortSignal) => {
          const { ETag } = await client.send(new PutObjectCommand(input), { abortSignal });
          if (ETag === undefined) throw new StrangeAnswer('an answer without ETag');
          return 'created' as const;
        });
      } catch (error) {
        return unless(error, what, ['precondition'], () => 'exists' as const);
      }
    },

    get: async (key, signal, atMost) => await read(key, signal, { atMost }),

    async getRange(key, start, length, signal) {
      if (length > 0) return await read(key, signal, { range: { start, length } });
      if ((await head(key, signal)) === undefined) throw objectMissing(key);
      return Buffer.alloc(0);
    },

    head,
    list,

    async delete(key, signal) {
      signal?.throwIfAborted();
      if (!isKey(key)) return true;
      const what = `DELETE ${key}`;
      try {
        return await tried(what, signal, async (abortSignal) => {
          await client.send(new DeleteObjectCommand({ Bucket, Key: root + key }), { abortSignal });
          return true;
        });
      } catch (error) {
        if (error instanceof Refusal && error.answer.kind === 'lock') return false;
        return unless(error, what, ['missing'], () => true);
      }
    },

    async *strangers(signal) {
      // An empty object with a slash behind its name is how consoles make a folder.
      for await (const { key, size } of all('', { signal }))
        if (!isKey(key) && !isLeftBehind(key) && !(size === 0 && /(^|\/)$/.test(key))) yield key;
    },

    ...(place.retention && { extendLock: (object, signal) => extendLock(object, place.retention!, signal) }),

    async close() {
      client.destroy();
    },
  };
}

/** A client for the bucket of a URL; attempts are not made by it. */
export async function connect(
  place: S3Place,
  { report, credentials, timeoutMs = 60_000 }: OpenStoreOptions,
): Promise<S3Client> {
  const warn = (message: unknown) => report?.({ type: 'warning', name: 'store', message: String(message) });
  const quiet = () => {};
  const proxy = process.env.HTTPS_PROXY ?? process.env.https_proxy;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (proxy && (major < 22 || (major === 22 && minor < 21)))
    warn('HTTPS_PROXY is only used for the store from Node 22.21 on');
  const agent = { keepAlive: true, maxSockets: 64, proxyEnv: process.env };
  const build = (region: string | undefined) =>
    new S3Client({
      region,
      credentials,
      endpoint: place.endpoint,
      forcePathStyle: place.forcePathStyle,
      followRegionRedirects: true,
      maxAttempts: 1,
      requestChecksumCalculation: place.checksums === 'when_required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
      responseChecksumValidation: place.checksums === 'when_required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
      requestHandler: {
        httpAgent: agent,
        httpsAgent: agent,
        connectionTimeout: Math.min(timeoutMs, 10_000),
        socketTimeout: timeoutMs,
        logger: { trace: quiet, debug: quiet, info: quiet, warn, error: warn },
      },
    });
  let client = build(place.region);
  try {
    await client.config.region();
  } catch (cause) {
    // Stores other than Amazon's mostly have one region, and take this name for it.
    if (!place.forcePathStyle) {
      throw new Fault('usage', 'the region of the bucket is not known', {
        actions: ['add ?region=… to the URL, or set AWS_REGION'],
        cause,
      });
    }
    client = build('us-east-1');
  }
  watchForErrors(client);
  return client;
}

/**
 * S3 and what stands in front of it may answer with status 200 and an error in the body, which the SDK takes for success of
 * a put and for an empty list: gives these the status 500, so that the SDK reads the error.
 */
function watchForErrors(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const response = result.response as { statusCode: number; body?: unknown };
      if (context.commandName === 'GetObjectCommand' || !isReadable(response.body)) return result;
      const body = Buffer.concat(await response.body.toArray());
      response.body = body;
      if (response.statusCode >= 300 || body.length === 0) return result;
      if (/^\s*(<\?xml[^>]*>\s*)?<Error\b/.test(body.toString('utf8', 0, 200))) response.statusCode = 500;
      else if (!answering.has(context.commandName ?? '')) throw new StrangeAnswer('a page where S3 says nothing');
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'errorsInGoodAnswers' },
  );
}

function isReadable(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'toArray' in body;
}

async function whole(body: Readable, length: number | undefined, signal?: AbortSignal): Promise<Buffer> {
  if (signal) addAbortSignal(signal, body);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  } catch (error) {
    // The SDK's comparison of the checksum is the only error here without a code.
    if (error instanceof Error && !('code' in error)) throw new DamagedBody(error.message, { cause: error });
    throw error;
  }
  const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  if (length === undefined || bytes.length !== length)
    throw new StrangeAnswer(`a body of ${bytes.length} of ${length} bytes`);
  return bytes;
}

/** A range that begins at or behind the end. */
function isBeyond(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'InvalidRange' ||
      ('$metadata' in error && (error.$metadata as { httpStatusCode?: number }).httpStatusCode === 416))
  );
}

function decoded(key: string | undefined, encoding: string | undefined): string | undefined {
  if (key === undefined || encoding !== 'url') return key;
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    // Not a name that this store gave.
    return undefined;
  }
}

function objectMissing(key: string, cause?: unknown): Fault {
  return new Fault('object-missing', `there is no object ${JSON.stringify(key)}`, { data: { key }, cause });
}
