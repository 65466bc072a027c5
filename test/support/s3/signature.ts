import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { S3Error } from './answer.ts';

export interface SignedRequest {
  method: string;
  /** Path and query as they came. */
  target: string;
  headers: Record<string, string | undefined>;
  body: Buffer;
}

export interface VerifiedRequest {
  accessKeyId: string;
  /** Without the framing of aws-chunked. */
  body: Buffer;
  trailers: Record<string, string>;
}

const emptyHash = createHash('sha256').digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const hash = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Verifies Signature Version 4 in the Authorization header, the hash of the body, and each chunk and trailer of an
 * aws-chunked body. `secretOf` gives the secret of an access key id; `now`: the server's clock in milliseconds.
 */
export function verifySignature(
  request: SignedRequest,
  secretOf: (id: string) => string | undefined,
  now: number,
): VerifiedRequest {
  const { headers, body } = request;
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (match === null) throw new S3Error(403, 'AccessDenied', 'The request is not signed with Signature Version 4.');
  const [, accessKeyId, day, region, signedNames, signature] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const secret = secretOf(accessKeyId);
  if (secret === undefined)
    throw new S3Error(403, 'InvalidAccessKeyId', 'The access key Id you provided does not exist in our records.');

  const date = headers['x-amz-date'] ?? '';
  const time = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(time - now) <= 15 * 60_000)) {
    throw new S3Error(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
    );
  }
  const names = signedNames.split(';');
  for (const name of Object.keys(headers)) {
    const mustBeSigned = name === 'host' || name === 'content-md5' || name.startsWith('x-amz-');
    if (mustBeSigned && !names.includes(name))
      throw new S3Error(403, 'AccessDenied', `There were headers that were not signed: ${name}`);
  }
  const payload = headers['x-amz-content-sha256'];
  if (payload === undefined)
    throw new S3Error(400, 'InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');

  const [path, query = ''] = request.target.split('?', 2) as [string, string?];
  const canonicalQuery = [...new URLSearchParams(query)]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const canonical = [
    request.method,
    path
      .split('/')
      .map((part) => encode(decodeURIComponent(part)))
      .join('/'),
    canonicalQuery,
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signedNames,
    payload,
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request');
  const sign = (kind: string, ...lines: string[]): string =>
    hmac(key, [kind, date, scope, ...lines].join('\n')).toString('hex');
  const same = (given: string, expected: string): void => {
    if (given.length !== expected.length || !timingSafeEqual(Buffer.from(given), Buffer.from(expected))) {
      throw new S3Error(
        403,
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided.',
      );
    }
  };
  same(signature, sign('AWS4-HMAC-SHA256', hash(canonical)));

  if (payload === 'UNSIGNED-PAYLOAD') return { accessKeyId, body, trailers: {} };
  if (!payload.startsWith('STREAMING-')) {
    if (hash(body) !== payload) {
      throw new S3Error(
        400,
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    return { accessKeyId, body, trailers: {} };
  }
  if (!/^STREAMING-(UNSIGNED-PAYLOAD-TRAILER|AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?)$/.test(payload)) {
    throw new S3Error(400, 'InvalidRequest', `The content sha256 ${payload} is not known.`);
  }
  let previous = signature;
  const chained = (kind: string, given: string | undefined, ...lines: string[]): void => {
    if (payload.startsWith('STREAMING-UNSIGNED')) return;
    const expected = sign(kind, previous, ...lines);
    same(given ?? '', expected);
    previous = expected;
  };
  const decoded = decodeChunks(body, {
    chunk: (bytes, given) => chained('AWS4-HMAC-SHA256-PAYLOAD', given, emptyHash, hash(bytes)),
    trailer: (text, given) => chained('AWS4-HMAC-SHA256-TRAILER', given, hash(text)),
  });
  if (String(decoded.body.length) !== headers['x-amz-decoded-content-length']) {
    throw new S3Error(400, 'IncompleteBody', 'The body does not have the length in x-amz-decoded-content-length.');
  }
  return { accessKeyId, ...decoded };
}

interface ChunkChecks {
  chunk(bytes: Buffer, signature: string | undefined): void;
  trailer(text: string, signature: string | undefined): void;
}

function decodeChunks(body: Buffer, checks: ChunkChecks): { body: Buffer; trailers: Record<string, string> } {
  const parts: Buffer[] = [];
  let at = 0;
  const line = (): string => {
    const end = body.indexOf('\r\n', at);
    if (end < 0) throw new S3Error(400, 'IncompleteBody', 'The request body terminated unexpectedly.');
    const text = body.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  for (;;) {
    const match = /^([0-9a-fA-F]+)(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line());
    if (match === null) throw new S3Error(400, 'InvalidRequest', 'A chunk of the body is malformed.');
    const size = Number.parseInt(match[1]!, 16);
    const bytes = body.subarray(at, at + size);
    if (bytes.length < size) throw new S3Error(400, 'IncompleteBody', 'The request body terminated unexpectedly.');
    checks.chunk(bytes, match[2]);
    at += size;
    if (size === 0) break;
    parts.push(bytes);
    if (line() !== '') throw new S3Error(400, 'InvalidRequest', 'A chunk of the body is longer than it says.');
  }
  const trailers: Record<string, string> = {};
  let signature: string | undefined;
  while (at < body.length) {
    const text = line();
    if (text === '') break;
    const colon = text.indexOf(':');
    const name = text.slice(0, colon).toLowerCase();
    if (name === 'x-amz-trailer-signature') signature = text.slice(colon + 1).trim();
    else trailers[name] = text.slice(colon + 1).trim();
  }
  if (at !== body.length) throw new S3Error(400, 'InvalidRequest', 'There are bytes behind the trailers of the body.');
  if (Object.keys(trailers).length > 0) {
    checks.trailer(
      Object.entries(trailers)
        .map(([name, value]) => `${name}:${value}\n`)
        .join(''),
      signature,
    );
  }
  return { body: Buffer.concat(parts), trailers };
}
