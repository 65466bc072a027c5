import { Fault, isFault, systemCode } from '../errors.ts';

/** What an answer of S3 means for the caller, and in a few words why. */
export interface S3Answer {
  kind:
    | 'precondition'
    | 'missing'
    | 'no-bucket'
    | 'denied'
    | 'lock'
    | 'not-implemented'
    | 'damaged'
    | 'retry'
    | 'final'
    | 'bug';
  reason: string;
  /** What the store asks to wait, in milliseconds. */
  waitMs?: number;
}

/** A body that came whole and does not match the checksum that the store sent with it. */
export class DamagedBody extends Error {}

/** An answer with a good status that cannot be S3's: a proxy's page, a body that ends early. */
export class StrangeAnswer extends Error {}

/** Refused with a status that is not its own, or worth the same bytes again. */
const again = new Set([
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequests',
  'InternalError',
  'ServiceUnavailable',
  'IncompleteBody',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'XAmzContentChecksumMismatch',
  'ConditionalRequestConflict',
  'OperationAborted',
]);

/** Reads an error that the SDK threw. S3's own code counts before the status: errors come with status 200 too. */
export function readS3Error(error: unknown): S3Answer {
  if (!(error instanceof Error)) return { kind: 'bug', reason: String(error) };
  if (error instanceof DamagedBody) return { kind: 'damaged', reason: error.message };
  if (error instanceof StrangeAnswer) return { kind: 'retry', reason: error.message };
  const { name: code } = error;
  const status = statusOf(error);
  const reason = status === undefined ? (systemCode(error) ?? code) : `${code} (${status})`;
  const waitMs = retryAfter(error);
  if (code === 'PreconditionFailed' || status === 412) return { kind: 'precondition', reason };
  if (code === 'NoSuchBucket') return { kind: 'no-bucket', reason };
  if (again.has(code)) return { kind: 'retry', reason, waitMs };
  if (code === 'AccessDenied' || code === 'ObjectLocked') return { kind: 'lock', reason: explained(reason, error) };
  if (code === 'CredentialsProviderError' || code === 'TokenProviderError')
    return { kind: 'denied', reason: error.message };
  if (status === undefined) return withoutStatus(error, reason);
  if (status === 501 || code === 'NotImplemented') return { kind: 'not-implemented', reason: explained(reason, error) };
  if (status === 404) return { kind: 'missing', reason };
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500 || status < 300) {
    return { kind: 'retry', reason, waitMs };
  }
  return { kind: 'denied', reason: explained(reason, error) };
}

/** Node's codes for certificates, and for what no second attempt changes. */
const forGood = /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_INVALID_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/;

function withoutStatus(error: Error, reason: string): S3Answer {
  const code = systemCode(error);
  if (code !== undefined) return { kind: forGood.test(code) ? 'final' : 'retry', reason };
  if (error.name === 'TimeoutError') return { kind: 'retry', reason: 'time-out' };
  // The SDK marks what it could not parse with the raw answer; what has neither mark nor code is a bug.
  return { kind: '$response' in error ? 'retry' : 'bug', reason: error.message };
}

/** The Fault for an answer that no attempt will change, or that the last attempt brought. `what`: `PUT key`. */
export function s3Fault(answer: S3Answer, what: string, bucket: string, cause: unknown): Fault {
  if (isFault(cause)) return cause;
  const { kind, reason } = answer;
  if (kind === 'no-bucket') {
    const actions = ['create the bucket, or correct its name, region and endpoint in the URL of the vault'];
    return new Fault('no-vault', `there is no bucket ${JSON.stringify(bucket)}`, { actions, cause });
  }
  if (kind === 'not-implemented') {
    return new Fault('unproven-store', `the store does not implement ${what} as salvor needs it: ${reason}`, { cause });
  }
  if (kind === 'damaged') {
    return new Fault('digest-mismatch', `${what} gave bytes that do not match the checksum the store holds`, { cause });
  }
  if (kind === 'denied' || kind === 'lock') {
    return new Fault('store-denied', `the store refused ${what}: ${reason}`, { cause });
  }
  if (reason.startsWith('RequestTimeTooSkewed')) {
    const actions = ['set the clock of this host, or of the store'];
    return new Fault('store-denied', `the store refused ${what}: its clock and ours differ too much`, {
      actions,
      cause,
    });
  }
  return new Fault('store-unreachable', `${what} had no usable answer from the store: ${reason}`, { cause });
}

function statusOf(error: Error): number | undefined {
  const metadata = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number } | undefined) : undefined;
  return metadata?.httpStatusCode;
}

function retryAfter(error: Error): number | undefined {
  const response =
    '$response' in error ? (error.$response as { headers?: Record<string, string> } | undefined) : undefined;
  const seconds = Number(response?.headers?.['retry-after'] ?? Number.NaN);
  return seconds >= 0 ? Math.min(seconds, 60) * 1000 : undefined;
}

function explained(reason: string, error: Error): string {
  return error.message === '' || error.message === 'UnknownError' ? reason : `${reason}, ${error.message}`;
}
