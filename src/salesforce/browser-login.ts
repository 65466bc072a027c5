import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from '../context.ts';
import { Fault, systemCode } from '../errors.ts';
import { abortFault } from './faults.ts';
import { checkedOrigin } from './hosts.ts';
import { Http } from './http.ts';
import { requestToken } from './oauth.ts';
import type { Grant } from './session.ts';
import { Usage } from './usage.ts';

export interface BrowserLogin {
  readonly clientId: string;
  /** Only for an app that is not public. */
  readonly clientSecret?: string;
  /** Default https://login.salesforce.com. */
  readonly loginUrl?: string;
  /** Of the redirect `http://localhost:<port>/OauthRedirect`, which the app must allow. Default 1717; 0: any. */
  readonly port?: number;
  /** Is given the address that the person opens. It is not printed here. */
  readonly show: (url: string) => void | Promise<void>;
}

const redirectPath = '/OauthRedirect';
const timeLimit = 15 * 60_000;

/**
 * Authorization code flow with PKCE (S256) and a redirect to this machine (field guide, extract 1.3). Waits 15 minutes for the
 * person. Throws `login-failed`, or the signal's Fault.
 */
export async function authorizeInBrowser(
  ctx: Context,
  login: BrowserLogin,
): Promise<{ readonly grant: Grant; readonly refreshToken: string | undefined; readonly loginUrl: string }> {
  const loginUrl = checkedOrigin(login.loginUrl ?? 'https://login.salesforce.com', 'login URL');
  const state = randomBytes(24).toString('base64url');
  const verifier = randomBytes(48).toString('base64url');
  const callback = await Callback.listen(login.port ?? 1717, state);
  const http = new Http(ctx, { usage: new Usage(ctx) });
  try {
    const redirectUri = `http://localhost:${callback.port}${redirectPath}`;
    const question = new URLSearchParams({
      response_type: 'code',
      client_id: login.clientId,
      redirect_uri: redirectUri,
      scope: 'api refresh_token',
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    await login.show(`${loginUrl}/services/oauth2/authorize?${question}`);
    const code = await callback.code(ctx.signal);
    const { grant, refreshToken } = await requestToken(http, loginUrl, {
      grant_type: 'authorization_code',
      code,
      client_id: login.clientId,
      ...(login.clientSecret && { client_secret: login.clientSecret }),
      redirect_uri: redirectUri,
      code_verifier: verifier,
    });
    return { grant, refreshToken, loginUrl };
  } finally {
    callback.close();
    await http.close();
  }
}

/** The small server on this machine to which the browser comes back. */
class Callback {
  readonly #server: Server;
  readonly #state: string;
  readonly #result = Promise.withResolvers<string>();

  private constructor(server: Server, state: string) {
    this.#server = server;
    this.#state = state;
    this.#result.promise.catch(() => {});
    server.on('request', (request, response) => this.#answer(request.url ?? '/', response));
  }

  static async listen(port: number, state: string): Promise<Callback> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, 'localhost', resolve);
    }).catch((cause: unknown) => {
      if (systemCode(cause) !== 'EADDRINUSE') throw cause;
      throw new Fault('login-failed', `Port ${port} of this machine is in use.`, {
        actions: ['end the other login that waits there, or choose another port that the app allows'],
      });
    });
    return new Callback(server, state);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async code(signal: AbortSignal): Promise<string> {
    const stop = () => this.#result.reject(abortFault(signal));
    const late = setTimeout(
      () => this.#result.reject(new Fault('login-failed', 'Nobody finished the login within 15 minutes.')),
      timeLimit,
    );
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await this.#result.promise;
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(path: string, response: ServerResponse): void {
    const url = new URL(path, 'http://localhost');
    const state = Buffer.from(url.searchParams.get('state') ?? '');
    const wanted = Buffer.from(this.#state);
    // Without the right state it is not an answer to our question: someone else's page may have sent it.
    if (url.pathname !== redirectPath || state.length !== wanted.length || !timingSafeEqual(state, wanted)) {
      respond(response, 400, 'This is not the answer to a login that waits here.');
      return;
    }
    const code = url.searchParams.get('code');
    if (code) {
      respond(response, 200, 'The login is done. You can close this page.');
      this.#result.resolve(code);
      return;
    }
    respond(response, 200, 'The login was not approved. You can close this page.');
    const denied = /access.denied/.test(url.searchParams.get('error') ?? '');
    const why = denied ? 'The login was not approved in the browser.' : 'The org ended the login with an error.';
    const error = url.searchParams
      .get('error')
      ?.replace(/[^\w-]/g, '')
      .slice(0, 60);
    this.#result.reject(new Fault('login-failed', why, { data: { error } }));
  }
}

function respond(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${text}\n`);
}
