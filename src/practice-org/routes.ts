import type { Answer, ApiRequest, Handler } from './answer.ts';
import { createJob } from './bulk/create.ts';
import { abortJob, deleteJob, listJobs, pollJob } from './bulk/job-endpoints.ts';
import { jobResults, resultPages } from './bulk/results.ts';
import type { Endpoint } from './endpoints.ts';
import { faultAnswer } from './fault-answers.ts';
import type { FaultTarget, OrgFault } from './faults.ts';
import { authorize, identity, revoke, token, userinfo } from './oauth.ts';
import { notFound, Refusal, sessionInvalid } from './refusal.ts';
import { composite, compositeBatch } from './rest/composite.ts';
import { describeGlobal, describeObject, objectInfo } from './rest/describe.ts';
import { limits, recordCount, requestsUsed } from './rest/limits.ts';
import { query, queryMore } from './rest/query.ts';
import { getBlob, getRecord, getRecords } from './rest/record.ts';
import { deleted, updated } from './rest/replication.ts';
import { checkVersion, listResources, listVersions } from './rest/versions.ts';
import type { Session } from './sessions.ts';
import type { OrgState } from './state.ts';

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly endpoint: Endpoint;
  readonly handler: Handler;
  /** False: answered without a session. */
  readonly needsSession: boolean;
}

function open(method: string, path: string, endpoint: Endpoint, handler: Handler): Route {
  return { method, pattern: new RegExp(`^${path}/?$`, 'i'), endpoint, handler, needsSession: false };
}

/** `{}` catches one path segment; the version is caught in front. */
function api(method: string, path: string, endpoint: Endpoint, handler: Handler): Route {
  const pattern = new RegExp(`^/services/data/v([^/]+)${path.replaceAll('{}', '([^/]+)')}/?$`, 'i');
  return { method, pattern, endpoint, handler, needsSession: true };
}

/** Own objects first: the more special pattern stands before the more general. */
const routes: readonly Route[] = [
  open('GET', '/services/oauth2/authorize', 'oauth.authorize', authorize),
  open('POST', '/services/oauth2/token', 'oauth.token', token),
  open('POST', '/services/oauth2/revoke', 'oauth.revoke', revoke),
  { ...open('GET', '/services/oauth2/userinfo', 'oauth.userinfo', userinfo), needsSession: true },
  { ...open('POST', '/services/oauth2/userinfo', 'oauth.userinfo', userinfo), needsSession: true },
  { ...open('GET', '/id/([^/]+)/([^/]+)', 'identity', identity), needsSession: true },
  open('GET', '/services/data', 'versions', listVersions),
  api('GET', '', 'resources', listResources),
  api('GET', '/sobjects', 'describeGlobal', describeGlobal),
  api('GET', '/sobjects/{}/describe', 'describe', describeObject),
  api('GET', '/sobjects/{}/updated', 'updated', updated),
  api('GET', '/sobjects/{}/deleted', 'deleted', deleted),
  api('GET', '/sobjects/{}', 'object', objectInfo),
  api('GET', '/sobjects/{}/{}', 'record', getRecord),
  api('GET', '/sobjects/{}/{}/{}', 'blob', getBlob),
  api('GET', '/query', 'query', query),
  api('GET', '/queryAll', 'queryAll', query),
  api('GET', '/query/{}', 'queryMore', queryMore),
  api('GET', '/queryAll/{}', 'queryMore', queryMore),
  api('GET', '/limits', 'limits', limits),
  api('GET', '/limits/recordCount', 'recordCount', recordCount),
  api('POST', '/composite/sobjects/{}', 'records', getRecords),
  api('POST', '/composite/batch', 'composite.batch', compositeBatch),
  api('POST', '/composite', 'composite', composite),
  api('POST', '/jobs/query', 'bulk.create', createJob),
  api('GET', '/jobs/query', 'bulk.list', listJobs),
  api('GET', '/jobs/query/{}', 'bulk.job', pollJob),
  api('PATCH', '/jobs/query/{}', 'bulk.abort', abortJob),
  api('DELETE', '/jobs/query/{}', 'bulk.delete', deleteJob),
  api('GET', '/jobs/query/{}/results', 'bulk.results', jobResults),
  api('GET', '/jobs/query/{}/resultPages', 'bulk.resultPages', resultPages),
];

export interface RoutedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Given for subrequests: they share the session of the request around them. */
  readonly session?: Session | undefined;
}

/** An answer with what is to be known about it. */
export interface Dispatched extends Answer {
  readonly endpoint: Endpoint;
  readonly fault: OrgFault | undefined;
}

/** Answers a request or subrequest; refusals come back as answers, everything else is thrown. */
export async function dispatch(state: OrgState, request: RoutedRequest): Promise<Dispatched> {
  let endpoint: Endpoint = 'unknown';
  let fault: OrgFault | undefined;
  try {
    const [rawPath, search = ''] = split(request.url);
    const path = rawPath.replace(/^\/+/, '/');
    const here = routes.filter((route) => route.pattern.test(path));
    const route = here.find(({ method }) => method === request.method);
    if (!route) {
      if (here.length > 0)
        throw new Refusal(
          405,
          'METHOD_NOT_ALLOWED',
          `HTTP Method '${request.method}' not allowed. Allowed are ${here.map((r) => r.method)}`,
        );
      throw notFound();
    }
    endpoint = route.endpoint;
    state.log.count(endpoint);
    const caught = route.pattern
      .exec(path)!
      .slice(1)
      .map((part) => decodeURIComponent(part));
    const isApi = route.pattern.source.startsWith('^\\/services\\/data\\/v');
    const version = isApi ? caught.shift()! : '';
    const query = new URLSearchParams(search);
    const isSubrequest = request.session !== undefined;
    fault = state.faults.take(target(state, endpoint, caught, query, request.body, isSubrequest));
    let session = request.session;
    if (route.needsSession && !session) session = login(state, request, query, fault);
    if (isApi) checkVersion(state, version);
    const early = fault && faultAnswer(fault);
    if (early) return { ...early, endpoint, fault };
    const full: ApiRequest = {
      ...request,
      endpoint,
      path,
      parts: caught,
      query,
      version,
      session,
      fault,
      isSubrequest,
    };
    return { ...(await route.handler(state, full)), endpoint, fault };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const headers: Record<string, string> = error.status === 401 ? { 'WWW-Authenticate': 'Token' } : {};
    return { status: error.status, headers, json: error.body, endpoint, fault };
  }
}

function split(url: string): [string, string?] {
  const at = url.indexOf('?');
  return at < 0 ? [url] : [url.slice(0, at), url.slice(at + 1)];
}

/** The session of a request. Throws 401, or 403 when the user or the org may not. */
function login(state: OrgState, request: RoutedRequest, query: URLSearchParams, fault: OrgFault | undefined): Session {
  const inQuery = query.get('oauth_token');
  const session = state.sessions.use(inQuery === null ? request.headers.authorization : `Bearer ${inQuery}`);
  if (!session) throw sessionInvalid();
  if (fault?.name === 'session-expired') {
    state.sessions.close(session.token);
    throw sessionInvalid();
  }
  if (fault?.name === 'session-dies-after') session.requestsLeft = fault.requests;
  if (!state.settings.permissions.apiEnabled)
    throw new Refusal(403, 'API_DISABLED_FOR_ORG', 'API is not enabled for this Organization or Partner');
  if (requestsUsed(state) >= state.settings.dailyRequests)
    throw new Refusal(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.');
  return session;
}

function target(
  state: OrgState,
  endpoint: Endpoint,
  parts: readonly string[],
  query: URLSearchParams,
  body: Buffer,
  isSubrequest: boolean,
): FaultTarget {
  let soql = query.get('q') ?? '';
  if (endpoint === 'bulk.create') soql = body.toString('utf8');
  const isCount = /^\s*SELECT\s+COUNT\(\s*\)/i.test(soql);
  let object: string | undefined;
  if (soql !== '') object = /\bFROM\s+(\w+)/i.exec(withoutParentheses(soql))?.[1];
  else if (endpoint.startsWith('bulk.') && parts[0]) object = state.jobs.find(parts[0])?.plan.scope.object.name;
  else if (endpoint === 'queryMore') object = state.cursors.objectOf(parts[0]!);
  else if (['describe', 'record', 'records', 'blob', 'object', 'updated', 'deleted'].includes(endpoint))
    object = parts[0];
  return { endpoint, object, isCount, isSubrequest };
}

function withoutParentheses(text: string): string {
  let before: string;
  let after = text;
  do {
    before = after;
    after = before.replaceAll(/\([^()]*\)/g, '');
  } while (after !== before);
  return after;
}
