import { isExpiredSession, limitReached, type Refusal } from './faults.ts';

/** How often a request is sent in all, and how long to wait before try `attempt + 1`, in milliseconds. */
export interface RetryRule {
  readonly tries: number;
  wait(attempt: number): number;
}

const transient: RetryRule = { tries: 8, wait: (attempt) => jittered(Math.min(60_000, 500 * 2 ** attempt)) };
const gack: RetryRule = { tries: 3, wait: transient.wait };
const edge: RetryRule = { tries: 3, wait: (attempt) => jittered(5_000 * attempt) };
const concurrent: RetryRule = { tries: 8, wait: (attempt) => jittered(Math.min(120_000, 30_000 * attempt)) };
const lock: RetryRule = { tries: 6, wait: (attempt) => jittered(Math.min(30_000, 1000 * 2 ** attempt)) };

const brokenConnection =
  /^(E(CONN|PIPE|TIMEDOUT|NET|HOST|AI_AGAIN|NOTFOUND)|UND_ERR_(SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|ABORTED|RES_CONTENT_LENGTH_MISMATCH|PRX)|HPE_|Z_|ERR_SSL|DEADLINE|CUT_BODY)/;

/**
 * The retry table (field guide, extract 2.9 and 6.2); undefined: trying again would not help.
 *
 * | refusal | tries | waits |
 * |---|---|---|
 * | broken connection, time-out, cut body, 406, 408, 429, 502, 503, 504, web page or nothing instead of data | 8 | 1 to 60 s, doubling |
 * | 500 with an errorCode: often deterministic for an object | 3 | 1, 2 s |
 * | 420: the edge has no route to the org | 3 | 5, 10 s |
 * | 403 REQUEST_LIMIT_EXCEEDED of concurrent requests | 8 | 30 to 120 s |
 * | UNABLE_TO_LOCK_ROW of the request as a whole | 6 | 2 to 30 s, doubling |
 * | everything else | 1 | |
 *
 * An expired session is not in it: the token is renewed, and the request is sent again at once.
 */
export function retryRule(refusal: Refusal): RetryRule | undefined {
  const { status, errorCode } = refusal;
  const limit = limitReached(refusal);
  if (limit) return limit === 'concurrent' ? concurrent : undefined;
  if (errorCode === lockCode) return lock;
  if (status === 0) return brokenConnection.test(errorCode) ? transient : undefined;
  if (status === 420) return edge;
  if (status === 500) return errorCode === '' ? transient : gack;
  if (status === 406 || status === 408 || status === 429 || status > 500) return transient;
  // A page or nothing where data should be: something in between answered instead of the org.
  return status < 300 ? transient : undefined;
}

/**
 * True when the request may have been done all the same, so that it must not be sent again unless twice is as good as once.
 * False for what certainly was not done: no connection came to stand, and the refusals that come before any work.
 */
export function mayBeDone(refusal: Refusal): boolean {
  const { status, errorCode } = refusal;
  if (status === 0) return !neverConnected.test(errorCode);
  // An answer that cannot be read, or none that is the org's own: what it was about is unknown.
  if (status < 300 || status === 406) return true;
  if (status < 500 || limitReached(refusal) || errorCode === lockCode || isExpiredSession(refusal)) return false;
  return !(status === 503 && (errorCode !== '' || refusal.page));
}

const lockCode = 'UNABLE_TO_LOCK_ROW';
const neverConnected =
  /^(ECONNREFUSED|ENOTFOUND|EAI_|EHOST|ENETUNREACH|ENETDOWN|UND_ERR_CONNECT_TIMEOUT|UND_ERR_PRX|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO_|ERR_TLS)/;

/** How long to wait now: what the server asked for (up to two minutes), or what the rule says. */
export function waitFor(rule: RetryRule, refusal: Refusal, attempt: number): number {
  return refusal.retryAfter === undefined ? rule.wait(attempt) : Math.min(120_000, refusal.retryAfter);
}

function jittered(ms: number): number {
  return Math.round(ms * (0.75 + Math.random() / 2));
}
