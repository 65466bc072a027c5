import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer } from './answer.ts';
import { IngestJobs } from './bulk/ingest/jobs.ts';
import { BulkJobs } from './bulk/jobs.ts';
import { control, controlPath } from './control.ts';
import type { Database, OrgFacts } from './database.ts';
import { Dml } from './dml/dml.ts';
import { Journal } from './dml/journal.ts';
import { writableDatabase } from './dml/overlay.ts';
import type { Endpoint } from './endpoints.ts';
import { FaultMenu, type FaultRule, type OrgFault } from './faults.ts';
import { idSequence } from './identifiers.ts';
import { RequestLog } from './request-log.ts';
import { Cursors } from './rest/cursors.ts';
import { requestsUsed } from './rest/limits.ts';
import { type Dispatched, dispatch } from './routes.ts';
import { Schema } from './schema.ts';
import { Sessions } from './sessions.ts';
import { applySettings, defaultSettings, type Settings } from './settings.ts';
import type { OrgState } from './state.ts';
import { send } from './wire.ts';

/** A practice org that listens. */
export interface PracticeOrg extends AsyncDisposable {
  /** `http://127.0.0.1:port`, no trailing slash; login and data host in one. */
  readonly url: string;
  readonly facts: OrgFacts;
  /** A live session. */
  readonly accessToken: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** PKCS#8; the key for JWT bearer logins. Made when first asked for. */
  readonly jwtPrivateKeyPem: string;
  readonly refreshToken: string;
  /** What was asked so far: `entries`, `counts` by endpoint, `calls` that count against the daily limit. */
  readonly requests: RequestLog;
  /** May be changed at any time. */
  readonly settings: Settings;
  /** The next request of this endpoint is hit by this fault, `times` of them (default 1). */
  failNext(endpoint: Endpoint | '*', fault: OrgFault, more?: Omit<FaultRule, 'endpoint' | 'fault'>): void;
  /** Removes the faults that have not hit yet. */
  clearFaults(): void;
  /** Token of a session of this user: what it changes is stamped with its Id. Throws TypeError when the org has no such user. */
  sessionOf(userId: string): string;
  /** Ends every session, as a password change would. */
  expireSessions(): void;
  close(): Promise<void>;
}

/** URI and headers may have so many bytes together, and the URI alone (extract 2.6). */
const longestHead = 16_384;
/** Bodies are held in memory: less than the 2 GB that a file may have (restore 9), more than the 150 MB of an ingest job. */
const longestBody = 512 * 1024 * 1024;

/**
 * Starts a practice org over this database. It speaks HTTP on loopback and holds its state in memory; what is written to it lies over
 * the database, which stays as it is.
 */
export async function startPracticeOrg(given: Database, changes: Partial<Settings> = {}): Promise<PracticeOrg> {
  const settings = defaultSettings();
  applySettings(settings, changes);
  const sessions = new Sessions(given.facts, settings);
  const journal = new Journal();
  const database = writableDatabase(given, journal);
  const schema = new Schema(database, settings);
  const now = () => Date.now() + settings.clockSkew;
  const nextJobId = idSequence('750');
  const state: OrgState = {
    database,
    settings,
    schema,
    sessions,
    faults: new FaultMenu(),
    log: new RequestLog(),
    jobs: new BulkJobs(nextJobId),
    ingestJobs: new IngestJobs(nextJobId, now),
    cursors: new Cursors(settings, idSequence('0r8')),
    dml: new Dml({ database, schema, settings, journal, now }),
    url: '',
    now,
  };
  const server = createServer({ maxHeaderSize: 256 * 1024, keepAliveTimeout: 60_000 }, (request, response) => {
    answer(state, request, response).catch((error: unknown) => fail(response, error));
  });
  await listen(server, settings);
  state.url = `http://${settings.host}:${(server.address() as AddressInfo).port}`;
  const accessToken = sessions.open().token;
  const refreshToken = sessions.issueRefreshToken();
  return {
    url: state.url,
    facts: database.facts,
    accessToken,
    clientId: sessions.clientId,
    clientSecret: sessions.clientSecret,
    get jwtPrivateKeyPem() {
      return sessions.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    },
    refreshToken,
    requests: state.log,
    settings,
    failNext: (endpoint, fault, more) => state.faults.add({ endpoint, fault, ...more }),
    clearFaults: () => state.faults.clear(),
    sessionOf: (userId) => sessionOf(state, userId),
    expireSessions: () => sessions.closeAll(),
    close: () => close(server),
    [Symbol.asyncDispose]: () => close(server),
  };
}

function sessionOf({ database, sessions }: OrgState, userId: string): string {
  if ((database.tables.get('User')?.source.find(userId) ?? -1) < 0)
    throw new TypeError(`the practice org has no user ${userId}`);
  return sessions.open(userId).token;
}

function listen(server: Server, { host, port }: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(state: OrgState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const method = request.method ?? 'GET';
  const url = (request.url ?? '/').replace(/^\/+/, '/');
  response.sendDate = false;
  const headers: Record<string, string> = { Date: new Date(state.now()).toUTCString() };
  const tooLong = headTooLong(request);
  const body = tooLong ? undefined : await readBody(request);
  let answered: Dispatched;
  if (tooLong || !body) answered = { status: tooLong ?? 413, endpoint: 'unknown', fault: undefined };
  else answered = await dispatchOrControl(state, method, url, request, body);
  const isApi = /^\/services\/data\/v/i.test(url);
  const calls = answered.calls ?? (isApi && answered.status !== 401 ? 1 : 0);
  state.log.calls += calls;
  if (isApi) headers['Sforce-Limit-Info'] = `api-usage=${requestsUsed(state)}/${state.settings.dailyRequests}`;
  const { endpoint, fault } = answered;
  if (endpoint !== 'control')
    state.log.add({
      method,
      url: url.replace(/(oauth_token=)[^&]*/, '$1…'),
      endpoint,
      status: answered.status,
      calls,
      ...(fault && { fault: fault.name }),
    });
  await send(response, request, answered, headers, state.settings, fault);
}

async function dispatchOrControl(
  state: OrgState,
  method: string,
  url: string,
  request: IncomingMessage,
  body: Buffer,
): Promise<Dispatched> {
  if (url.startsWith(controlPath)) {
    const path = url.replace(/\?.*$/, '');
    const controlled: Answer = control(state, method, path, body);
    return { ...controlled, endpoint: 'control', fault: undefined };
  }
  return dispatch(state, { method, url, headers: request.headers as Record<string, string | undefined>, body });
}

/** 414 for the URI alone, 431 for URI and headers; undefined when both fit. */
function headTooLong(request: IncomingMessage): number | undefined {
  const uri = Buffer.byteLength(request.url ?? '');
  if (uri > longestHead) return 414;
  const headers = request.rawHeaders.reduce((sum, part) => sum + Buffer.byteLength(part) + 2, 0);
  return uri + headers > longestHead ? 431 : undefined;
}

/** Undefined: too large. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A bug of the practice org: 500 with the message, so that a test sees it. */
function fail(response: ServerResponse, error: unknown): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const message = `the practice org failed: ${error instanceof Error ? error.stack : String(error)}`;
  response.statusCode = 500;
  response.setHeader('Content-Type', 'application/json;charset=UTF-8');
  response.end(JSON.stringify([{ message, errorCode: 'PRACTICE_ORG_BUG' }]));
}
