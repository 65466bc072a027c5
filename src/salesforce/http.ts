import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request as send } from 'undici';
import type { Context } from '../context.ts';
import { isFault, systemCode } from '../errors.ts';
import { decoded } from './decode.ts';
import { abortFault, faultOf, isExpiredSession, limitReached, lostAnswer, Refusal, readRefusal } from './faults.ts';
import { isLoopback } from './hosts.ts';
import { redact } from './redact.ts';
import { BrokenSource, bodyOf, type RequestBody, Upload } from './request-body.ts';
import { mayBeDone, retryRule, waitFor } from './retry.ts';
import type { Session } from './session.ts';
import type { Usage } from './usage.ts';

export interface Request {
  /** The request in words, for events and messages: `the describe of Account`. Without secrets. */
  readonly what: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A path on the instance, beginning with `/`; a whole URL only without `authorised`. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** Throws `answer-lost` where the request may have been done, instead of trying again (`mayBeDone`). */
  readonly once?: boolean;
  /** Told before a try when the one before it may have been done. */
  readonly onDoubt?: () => void;
  /** Calls that it counts against the org's daily limit. Default 1. */
  readonly cost?: number;
  /** Sends the access token. Default true. */
  readonly authorised?: boolean;
  /** Tries at most, whatever the retry table says. */
  readonly tries?: number;
  /** Any status but 401 is an answer. */
  readonly anyStatus?: true;
  /** For the whole exchange, body included. Default 15 minutes: above every limit of the server (field guide, extract 6.1). */
  readonly deadlineMs?: number;
}

export interface Answer {
  readonly status: number;
  /** One header, by its lower-case name. */
  header(name: string): string | undefined;
  /** Names as they were spelled and values, one after the other; of requests with `anyStatus` only. */
  readonly spelled?: readonly string[];
  /** As it came over the wire; see `decoded`. Must be read to its end or destroyed. */
  readonly body: Readable;
}

export interface HttpOptions {
  readonly usage: Usage;
  /** Where requests run out: wait, and ask again after so many milliseconds, in place of `api-budget`; undefined: do not. */
  readonly quotaMs?: number | undefined;
  /** Waits between tries; tests put a shorter one here. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds until a connection stands, until an answer begins, and between two parts of a body. */
  readonly timeouts?: { readonly connect?: number; readonly headers?: number; readonly body?: number };
}

/** A query may run for 2 minutes and any call for 10 before the server ends it (field guide, extract 6.1). */
const timeouts = { connect: 30_000, headers: 11 * 60_000, body: 2 * 60_000 };
const deadline = 15 * 60_000;

/**
 * Requests to one org, over connections of its own: tried again by the table in `retry.ts`, with a token that is
 * renewed when it expires, counted, redacted, and stopped by the context's signal. HTTPS_PROXY, HTTP_PROXY and NO_PROXY
 * are honoured, loopback is never proxied; NODE_EXTRA_CA_CERTS adds a CA. Redirects are not followed.
 */
export class Http {
  readonly #ctx: Context;
  readonly #options: HttpOptions;
  readonly #remote: Dispatcher;
  readonly #loopback: Dispatcher;
  #session: Session | undefined;
  #clock: { date: Date; at: number } | undefined;
  readonly #secrets = new Set<string>();
  /** Resolves when it is known whether the org has room for requests again. */
  #quota: Promise<void> | undefined;

  constructor(ctx: Context, options: HttpOptions) {
    this.#ctx = ctx;
    this.#options = options;
    const { connect, headers, body } = { ...timeouts, ...options.timeouts };
    const settings = {
      connect: { timeout: connect },
      headersTimeout: headers,
      bodyTimeout: body,
      allowH2: false,
    };
    this.#remote = new EnvHttpProxyAgent(settings);
    this.#loopback = new Agent(settings);
  }

  get context(): Context {
    return this.#ctx;
  }

  get usage(): Usage {
    return this.#options.usage;
  }

  /** The session that authorised requests use from now on. */
  use(session: Session): void {
    this.#session = session;
  }

  /** Keeps `secret` out of every message from now on. */
  hide(secret: string | undefined): void {
    if (secret) this.#secrets.add(secret);
  }

  /** The newest `Date` of the org's answers and its age in milliseconds by the host's steady clock. */
  get clock(): { readonly date: Date; readonly ageMs: number } | undefined {
    return this.#clock && { date: this.#clock.date, ageMs: performance.now() - this.#clock.at };
  }

  /** Sends; resolves with an answer of status 2xx whose body is still to be read. */
  send(request: Request): Promise<Answer> {
    return this.#exchange(request, async (answer) => answer);
  }

  /** Sends and reads the whole body as JSON; `parse` replaces JSON.parse. undefined for an empty 204. */
  json(request: Request, parse: (text: string) => unknown = JSON.parse): Promise<unknown> {
    const headers = { accept: 'application/json', 'accept-encoding': 'gzip', ...request.headers };
    return this.read({ ...request, headers }, (text, status) => {
      if (status === 204) return undefined;
      if (text.trim() === '' || text.trimStart().startsWith('<')) throw readRefusal(status, text);
      try {
        return parse(text);
      } catch (cause) {
        if (!(cause instanceof SyntaxError)) throw cause;
        throw new Refusal(status, '', 'the answer is not whole JSON');
      }
    });
  }

  /** Sends and gives the whole body to `parse`, which throws a Refusal when it is not what was asked for. */
  read<T>(request: Request, parse: (text: string, status: number) => T): Promise<T> {
    return this.#exchange(request, async (answer) => parse(await wholeText(answer), answer.status));
  }

  /** Sends, and resolves with the whole answer whatever its status; with `anyStatus`. */
  whole(request: Request): Promise<{ readonly answer: Answer; readonly text: string }> {
    return this.#exchange(request, async (answer) => ({ answer, text: await wholeText(answer) }));
  }

  /** Waits as long as the retry table says after try `attempt` failed with `error`; throws the Fault when it says no. */
  async retry(error: unknown, request: Request, attempt: number): Promise<void> {
    const refusal = this.#refusalOf(error);
    const doubtful = mayBeDone(refusal);
    if (doubtful && request.once) throw lostAnswer(refusal, request.what, this.#hidden());
    const rule = retryRule(refusal);
    if (!rule || attempt >= Math.min(rule.tries, request.tries ?? rule.tries)) {
      throw faultOf(refusal, request.what, this.#hidden());
    }
    const waitMs = waitFor(rule, refusal, attempt);
    const reason = redact(`${refusal.errorCode || refusal.status} ${refusal.message}`.slice(0, 200), this.#hidden());
    this.#ctx.report({ type: 'retry', what: request.what, attempt, waitMs, reason });
    if (doubtful) request.onDoubt?.();
    await this.wait(waitMs);
  }

  /** Throws the signal's Fault when the run is aborted meanwhile. */
  async wait(ms: number): Promise<void> {
    const { signal } = this.#ctx;
    if (signal.aborted) throw abortFault(signal);
    try {
      await (this.#options.wait ?? ((time, s) => pause(time, undefined, { signal: s })))(ms, signal);
    } catch (error) {
      if (signal.aborted) throw abortFault(signal);
      throw error;
    }
  }

  /** Closes every connection at once. */
  async close(): Promise<void> {
    await Promise.all([this.#remote.destroy(), this.#loopback.destroy()]);
  }

  async #exchange<T>(request: Request, read: (answer: Answer) => Promise<T>): Promise<T> {
    const { quotaMs } = this.#options;
    let renewals = 0;
    let open: (() => void) | undefined;
    try {
      for (let attempt = 1; ; ) {
        if (this.#ctx.signal.aborted) throw abortFault(this.#ctx.signal);
        const session = request.authorised === false ? undefined : this.#session;
        const token = session?.accessToken;
        try {
          return await this.#once(request, session, read, open !== undefined);
        } catch (error) {
          if (session && token && error instanceof Refusal && isExpiredSession(error) && renewals < 3) {
            renewals++;
            await session.renew(token);
          } else if (quotaMs !== undefined && isOutOfQuota(error)) {
            // One request at a time finds out whether there is room again; the others wait for what it is told.
            if (open === undefined && this.#quota !== undefined) await this.#quota;
            else {
              open ??= this.#waitForQuota();
              this.#ctx.report({ type: 'quota-wait', ...this.usage.newest, own: this.usage.own, waitMs: quotaMs });
              await this.wait(quotaMs);
            }
          } else {
            await this.retry(error, request, attempt);
            attempt++;
          }
        }
      }
    } finally {
      open?.();
    }
  }

  /** From here on requests that find no room wait until what is returned is called. */
  #waitForQuota(): () => void {
    let open = () => {};
    this.#quota = new Promise((resolve) => {
      open = resolve;
    });
    return () => {
      this.#quota = undefined;
      open();
    };
  }

  async #once<T>(
    request: Request,
    session: Session | undefined,
    read: (answer: Answer) => Promise<T>,
    probing: boolean,
  ): Promise<T> {
    const token = session?.accessToken;
    const url = new URL(request.url, session?.instanceUrl);
    if (session && url.origin !== session.instanceUrl) throw new TypeError('an authorised request leaves the instance');
    const upload = bodyOf(request.body, token ?? '');
    this.#options.usage.spend(request.cost ?? 1, probing);
    const until = new Deadline(this.#ctx.signal, request.deadlineMs ?? deadline);
    let body: Readable | undefined;
    try {
      const answer = await send(url, {
        dispatcher: isLoopback(url.hostname) ? this.#loopback : this.#remote,
        method: request.method ?? 'GET',
        headers: {
          ...(token && { authorization: `Bearer ${token}` }),
          'user-agent': 'salvor',
          ...(upload instanceof Upload && { 'content-length': String(upload.size) }),
          ...request.headers,
        },
        body: upload instanceof Upload ? upload.stream : upload,
        signal: until.signal,
        ...(request.anyStatus && { responseHeaders: 'raw' as const }),
      });
      body = answer.body;
      body.on('error', () => {}).on('close', () => until.clear());
      const spelled = request.anyStatus && (answer.headers as unknown as string[]);
      const headers = spelled ? lowered(spelled) : answer.headers;
      const header = (name: string) => single(headers[name]);
      if (session) this.#learn(header);
      const isAnswer = request.anyStatus ? answer.statusCode !== 401 : false;
      if (!isAnswer && (answer.statusCode < 200 || answer.statusCode >= 300)) {
        const text = await wholeText({ status: answer.statusCode, header, body }, 64 * 1024);
        throw readRefusal(answer.statusCode, text, { retryAfter: retryAfter(header('retry-after')) });
      }
      if (token) session?.accepted(token);
      return await read({ status: answer.statusCode, header, body, ...(spelled && { spelled }) });
    } catch (error) {
      body?.destroy();
      until.clear();
      if (upload instanceof Upload && upload.broken) throw upload.broken;
      throw error;
    } finally {
      if (upload instanceof Upload) upload.stream.destroy();
    }
  }

  #learn(header: (name: string) => string | undefined): void {
    const date = new Date(header('date') ?? '');
    if (!Number.isNaN(date.getTime()) && !(this.#clock && this.#clock.date > date)) {
      this.#clock = { date, at: performance.now() };
    }
    const limit = header('sforce-limit-info');
    if (limit) this.usage.take(limit);
  }

  #refusalOf(error: unknown): Refusal {
    if (this.#ctx.signal.aborted) throw abortFault(this.#ctx.signal);
    if (error instanceof Refusal) return error;
    if (error instanceof BrokenSource) throw error.cause;
    if (isFault(error)) throw error;
    const code = networkCode(error);
    if (code === undefined) throw error;
    return new Refusal(0, code, (error as Error).message);
  }

  #hidden(): Set<string> {
    const token = this.#session?.accessToken;
    return token ? new Set([...this.#secrets, token]) : this.#secrets;
  }
}

/** True when time gives room again: the org's requests of the day are used up, or the share of them that this run may use. */
function isOutOfQuota(error: unknown): boolean {
  if (error instanceof Refusal) return limitReached(error) === 'daily';
  return isFault(error, 'api-budget') && error.data.maxPercent !== undefined;
}

/** The code of an error of the network, of TLS or of decompression; undefined for any other error. */
export function networkCode(error: unknown): string | undefined {
  const code = systemCode(error);
  if (code && !/^(UND_ERR_INVALID|UND_ERR_NOT_SUPPORTED|ERR_INVALID|ERR_ASSERT)/.test(code)) {
    return /^(E[A-Z]|UND_ERR|HPE_|Z_|CERT_|DEPTH_|SELF_|UNABLE_|ERR_SSL|ERR_TLS|ERR_STREAM_PREMATURE|CUT_BODY|DEADLINE)/.test(
      code,
    )
      ? code.replace('ERR_STREAM_PREMATURE_CLOSE', 'CUT_BODY')
      : undefined;
  }
  if (error instanceof AggregateError) return networkCode(error.errors[0]);
  if (error instanceof Error && error.cause !== undefined) return networkCode(error.cause);
  return undefined;
}

/** An error with a code that `networkCode` knows, for a body that ended before it should have. */
export function cutBody(message: string): Error {
  return Object.assign(new Error(message), { code: 'CUT_BODY' });
}

async function wholeText(answer: Answer, most = 512 * 1024 * 1024): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of decoded(answer) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > most) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Raw headers by their lower-case names; of one that came twice, the last. */
function lowered(spelled: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i < spelled.length; i += 2) headers[spelled[i]!.toLowerCase()] = spelled[i + 1]!;
  return headers;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** The run's signal and a time limit in one, without leaving listeners behind. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #outer: AbortSignal;
  readonly #onAbort = () => this.#controller.abort(this.#outer.reason);

  constructor(outer: AbortSignal, ms: number) {
    this.#outer = outer;
    outer.addEventListener('abort', this.#onAbort, { once: true });
    const late = Object.assign(new Error(`no whole answer within ${ms} ms`), { code: 'DEADLINE' });
    this.#timer = setTimeout(() => this.#controller.abort(late), ms).unref();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#onAbort);
  }
}
