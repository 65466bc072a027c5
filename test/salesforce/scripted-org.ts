import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Context } from '../../src/context.ts';
import type { Event } from '../../src/events.ts';

/** A request as the test sees it. */
export interface Call {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** How many calls of this method and path came before. */
  readonly before: number;
}

export type Handler = (call: Call, response: ServerResponse) => void | Promise<void>;

export const token = '00D000000000001!AQ0AQCanaryCanaryCanary.first';
export const orgId = '00D000000000001EAA';
export const userId = '005000000000001AAA';

/** A server whose answers a test writes down one by one, so that every fault of the wire can be shown. */
export class ScriptedOrg implements AsyncDisposable {
  readonly calls: Call[] = [];
  readonly sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #routes: { method: string; path: string; handler: Handler }[] = [];
  readonly #counts = new Map<string, number>();

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.destroy(error as Error);
      });
    });
    this.#server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => {});
    });
  }

  static async start(): Promise<ScriptedOrg> {
    const org = new ScriptedOrg();
    await new Promise<void>((resolve) => org.#server.listen(0, '127.0.0.1', resolve));
    return org.on('GET', '/services/data/', (_call, response) => {
      json(response, 200, [{ version: '46.0' }, { version: '66.0' }, { version: '67.0' }, { version: '99.0' }]);
    });
  }

  /** As `start`, and it knows what `connect` asks for. */
  static async startWithIdentity(): Promise<ScriptedOrg> {
    const org = await ScriptedOrg.start();
    org.on('GET', '/services/oauth2/userinfo', (_call, response) => json(response, 200, { user_id: userId }));
    org.on('GET', '/query', (call, response) => {
      const soql = call.query.get('q') ?? '';
      const record = soql.includes('Organization')
        ? { Id: orgId, Name: 'Scripted', IsSandbox: false }
        : { Id: userId, Username: 'backup@example.com' };
      json(response, 200, { totalSize: 1, done: true, records: [record] });
    });
    return org;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A path that does not begin with /services is below the version's root. The newest handler for a path wins. */
  on(method: string, path: string, handler: Handler): this {
    this.#routes.unshift({
      method,
      path: path.startsWith('/services') ? path : `/services/data/v67.0${path}`,
      handler,
    });
    return this;
  }

  callsTo(part: string): Call[] {
    return this.calls.filter(({ path }) => path.includes(part));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const key = `${request.method} ${url.pathname}`;
    const before = this.#counts.get(key) ?? 0;
    this.#counts.set(key, before + 1);
    const call = {
      method: request.method!,
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
      before,
    };
    this.calls.push(call);
    const route = this.#routes.find(({ method, path }) => method === call.method && path === call.path);
    if (route) await route.handler(call, response);
    else json(response, 404, [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }]);
  }
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response
    .writeHead(status, {
      'content-type': 'application/json;charset=UTF-8',
      'sforce-limit-info': 'api-usage=18/5000',
      ...headers,
    })
    .end(JSON.stringify(body));
}

/** A context that remembers its events. */
export function testContext(signal = new AbortController().signal): Context & { readonly events: Event[] } {
  const events: Event[] = [];
  return { signal, events, report: (event) => events.push(event), now: () => new Date(), tempDir: '/nonexistent' };
}

/** Waits for `wait` options: not at all, but remembers how long it should have been. */
export function noWaits(): { readonly waits: number[]; wait(ms: number): Promise<void> } {
  const waits: number[] = [];
  return {
    waits,
    wait: async (ms) => {
      waits.push(ms);
    },
  };
}
