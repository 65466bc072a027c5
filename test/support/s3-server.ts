import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, answer, errorAnswer, S3Error } from './s3/answer.ts';
import { Bucket, type Lock } from './s3/bucket.ts';
import { verifyChecksums } from './s3/checksums.ts';
import { bucketHandlers, listObjects } from './s3/listing.ts';
import { objectHandlers } from './s3/objects.ts';
import { operationOf, type S3Request } from './s3/request.ts';
import { verifySignature } from './s3/signature.ts';

/** True when the request may be done. */
export type Policy = (request: Pick<S3Request, 'action' | 'key' | 'headers'>) => boolean;

export interface S3ServerOptions {
  bucket?: string;
  versioned?: boolean;
  /** Object Lock; the bucket is versioned then. */
  objectLock?: boolean;
  defaultRetention?: { mode: Lock['mode']; days: number };
  /** For the first user; everything is permitted without. */
  policy?: Policy;
}

/** What goes wrong with the next requests that match. `applied`: the request takes effect before it goes wrong. */
export type S3Fault = {
  /** The name of the operation: `PutObject`, `GetObject`, `HeadObject`, `DeleteObject`, `ListObjectsV2`; every one without. */
  on?: string;
  /** What the key contains. */
  key?: string;
  /** How many requests; 1 unless told. */
  times?: number;
  applied?: boolean;
} & (
  | { kind: 'answer'; status: number; code: string; headers?: Record<string, string> }
  /** A page of something that is not S3. */
  | { kind: 'page'; status: number; text: string }
  /** No answer, the connection stays open. */
  | { kind: 'hang' }
  /** The connection is cut, `afterBytes` into the body of the answer. */
  | { kind: 'reset'; afterBytes?: number }
  /** The answer is well-formed and its body has only so many bytes. */
  | { kind: 'short-body'; bytes: number }
  /** One bit of the answer's body is another. */
  | { kind: 'wrong-bytes' }
  /** The list misses the object that was written last. */
  | { kind: 'stale-list' }
);

export interface RequestLine {
  operation: string;
  key: string;
  status: number;
  accessKeyId: string;
  /** Kind of the fault that was played. */
  fault?: string;
  headers: S3Request['headers'];
}

export interface S3Server {
  url: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Oldest first; complete when the answer is under way. */
  requests: RequestLine[];
  /** Key and bytes of every object that is current. */
  objects(): Map<string, Buffer>;
  state: Bucket;
  /** Queues a fault; the first that matches a request is played. */
  failNext(fault: S3Fault): void;
  /** Faults that nobody has met yet. */
  pendingFaults(): number;
  /** Asked for a fault at each request that no queued one matches. */
  chooseFault: ((operation: string, key: string) => S3Fault | undefined) | undefined;
  /** A second pair of credentials, bound by a policy. */
  addUser(policy: Policy): { accessKeyId: string; secretAccessKey: string };
  /** As a store that takes If-None-Match and does not look at it. */
  ignoreConditions: boolean;
  /** What the server's clock is ahead of the host's, in milliseconds. */
  clockSkew: number;
  close(): Promise<void>;
}

/**
 * The policy that README recommends for the host that takes backups: creating objects and reading what a next run needs,
 * no deleting, no overwriting, no reading of rows. `root`: the prefix of the vault, with its slash.
 */
export function writerPolicy(root = ''): Policy {
  const unreadable = ['data/', 'detail/', 'files/', 'restores/'].map((folder) => root + folder);
  return ({ action, key, headers }) => {
    if (action === 's3:PutObject') return headers['if-none-match'] === '*';
    if (action === 's3:GetObject') return !unreadable.some((folder) => key.startsWith(folder));
    return action === 's3:ListBucket';
  };
}

/**
 * A strict S3 on the loopback interface, all in memory: it verifies signatures, hashes, checksums and framing, keeps
 * conditions and locks, answers what it does not know with 501 NotImplemented, logs requests and fails on demand.
 * One bucket, path style only.
 */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const users = new Map<string, { secret: string; policy?: Policy }>();
  const faults: (S3Fault & { times: number })[] = [];
  const now = (): number => Date.now() + server.clockSkew;
  const { bucket: name = 'vault', versioned = false, objectLock: locked = false, defaultRetention } = options;
  const bucket = new Bucket(name, { versioned, locked, defaultRetention }, now);

  function addUser(policy?: Policy) {
    const accessKeyId = `AK${randomBytes(9).toString('hex').toUpperCase()}`;
    const secretAccessKey = randomBytes(20).toString('hex');
    users.set(accessKeyId, { secret: secretAccessKey, policy });
    return { accessKeyId, secretAccessKey };
  }

  function takeFault(operation: string, key: string): S3Fault | undefined {
    const index = faults.findIndex((fault) => (fault.on ?? operation) === operation && key.includes(fault.key ?? ''));
    const fault = faults[index];
    if (fault && --fault.times === 0) faults.splice(index, 1);
    return fault ?? server.chooseFault?.(operation, key);
  }

  function perform(request: S3Request, hidden?: string): Answer {
    if (request.operation === 'ListObjectsV2') return listObjects(bucket, request.query, hidden);
    const handler = objectHandlers[request.operation] ?? bucketHandlers[request.operation]!;
    return handler(request, { bucket, now: now(), ignoreConditions: server.ignoreConditions });
  }

  /** Everything before the operation itself. */
  function admit(message: IncomingMessage, raw: Buffer, line: RequestLine): S3Request {
    const target = message.url!;
    const [path, search = ''] = target.split('?', 2) as [string, string?];
    const method = message.method!;
    const headers = message.headers as S3Request['headers'];
    const [, bucketName = '', ...rest] = path.split('/').map(decodeURIComponent);
    const key = rest.join('/');
    const query = new Map(new URLSearchParams(search));
    line.key = key;
    const { operation, action } = operationOf(method, key, query, headers);
    line.operation = operation;
    const length = headers['content-length'];
    if (method === 'PUT' && length === undefined && headers['x-amz-decoded-content-length'] === undefined) {
      throw new S3Error(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
    }
    const verified = verifySignature({ method, target, headers, body: raw }, (id) => users.get(id)?.secret, now());
    line.accessKeyId = verified.accessKeyId;
    if (bucketName !== name) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
    const checksums = verifyChecksums(headers, verified.trailers, verified.body);
    const { policy } = users.get(verified.accessKeyId)!;
    if (policy && !policy({ action, key, headers })) throw new S3Error(403, 'AccessDenied', 'Access Denied');
    return { method, key, query, headers, body: verified.body, checksums, operation, action };
  }

  async function handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = Buffer.concat(await message.toArray());
    const headers = message.headers as S3Request['headers'];
    const line: RequestLine = { operation: '', key: '', status: 0, accessKeyId: '', headers };
    server.requests.push(line);
    let result: Answer;
    let fault: S3Fault | undefined;
    try {
      const request = admit(message, raw, line);
      fault = takeFault(request.operation, request.key);
      line.fault = fault?.kind;
      const harmless = fault === undefined || fault.applied || !['answer', 'page', 'hang'].includes(fault.kind);
      const before = fault?.kind === 'reset' && fault.afterBytes === undefined && !fault.applied;
      result =
        harmless && !before ? perform(request, fault?.kind === 'stale-list' ? bucket.newest : undefined) : answer(500);
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      result = errorAnswer(error, line.key);
    }
    if (fault?.kind === 'answer')
      result = {
        ...errorAnswer(new S3Error(fault.status, fault.code, 'as asked')),
        ...(fault.headers && { headers: fault.headers }),
      };
    if (fault?.kind === 'page') result = answer(fault.status, { 'content-type': 'text/html' }, fault.text);
    line.status = result.status;
    play(message, response, result, fault);
  }

  function play(message: IncomingMessage, response: ServerResponse, result: Answer, fault: S3Fault | undefined): void {
    let { body } = result;
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset' && fault.afterBytes === undefined) return void message.socket.destroy();
    const sent = { ...result.headers };
    if (fault?.kind === 'short-body') body = body.subarray(0, fault.bytes);
    if (fault?.kind === 'wrong-bytes') {
      body = Buffer.from(body);
      body[body.length >> 1]! ^= 1;
    }
    // The length that HEAD names belongs to the body that it does not send.
    if (message.method !== 'HEAD' && result.status !== 204) sent['content-length'] = String(body.length);
    response.writeHead(result.status, { ...sent, 'x-amz-request-id': 'strict', date: new Date(now()).toUTCString() });
    if (message.method === 'HEAD') return void response.end();
    if (fault?.kind === 'reset')
      return void response.write(body.subarray(0, fault.afterBytes), () => message.socket.destroy());
    response.end(body);
  }

  const http = createServer({ keepAliveTimeout: 60_000 }, (message, response) => {
    handle(message, response).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

  const server: S3Server = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    bucket: name,
    ...addUser(options.policy),
    requests: [],
    objects: () =>
      new Map(
        [...bucket.keys.keys()]
          .sort()
          .flatMap((key) => (bucket.current(key) ? [[key, bucket.current(key)!.body]] : [])),
      ),
    state: bucket,
    failNext: (fault) => void faults.push({ times: 1, ...fault }),
    pendingFaults: () => faults.length,
    chooseFault: undefined,
    addUser,
    ignoreConditions: false,
    clockSkew: 0,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}
