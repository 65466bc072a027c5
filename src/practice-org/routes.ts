import type { Answer, Handler } from './answer.ts';
import { createJob } from './bulk/create.ts';
import { createIngestJob } from './bulk/ingest/create.ts';
import {
  changeState,
  deleteIngestJob,
  listIngestJobs,
  pollIngestJob,
  uploadContent,
} from './bulk/ingest/job-endpoints.ts';
import { failedResults, successfulResults, unprocessedRecords } from './bulk/ingest/results.ts';
import { abortJob, deleteJob, listJobs, pollJob } from './bulk/job-endpoints.ts';
import { jobResults, resultPages } from './bulk/results.ts';
import type { Endpoint } from './endpoints.ts';
import { faultAnswer } from './fault-answers.ts';
import { askedFor } from './fault-target.ts';
import type { OrgFault } from './faults.ts';
import { authorize, identity, revoke, token, userinfo } from './oauth.ts';
import { notFound, Refusal, sessionInvalid } from './refusal.ts';
import { createRecords, deleteRecords, updateRecords, upsertRecords } from './rest/collections.ts';
import { composite, compositeBatch } from './rest/composite.ts';
import { describeGlobal, describeObject, objectInfo } from './rest/describe.ts';
import { compositeGraph } from './rest/graph.ts';
import { limits, recordCount, requestsUsed } from './rest/limits.ts';
import { query, queryMore } from './rest/query.ts';
import { getBlob, getRecord, getRecords } from './rest/record.ts';
import { deleted, updated } from './rest/replication.ts';
import { createById, createRecord, deleteByKey, deleteRecord, updateRecord, upsertRecord } from './rest/save.ts';
import { createTree } from './rest/tree.ts';
import { checkVersion, listResources, listVersions } from './rest/versions.ts';
import type { Session } from './sessions.ts';
import { soapFaultOf } from './soap/envelope.ts';
import { soap } from './soap/soap.ts';
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
  api('POST', '/sobjects/{}', 'record.create', createRecord),
  api('PATCH', '/sobjects/{}/{}', 'record.update', updateRecord),
  api('DELETE', '/sobjects/{}/{}', 'record.delete', deleteRecord),
  api('POST', '/sobjects/{}/{}', 'record.create', createById),
  api('PATCH', '/sobjects/{}/{}/{}', 'record.upsert', upsertRecord),
  api('DELETE', '/sobjects/{}/{}/{}', 'record.delete', deleteByKey),
  api('GET', '/query', 'query', query),
  api('GET', '/queryAll', 'queryAll', query),
  api('GET', '/query/{}', 'queryMore', queryMore),
  api('GET', '/queryAll/{}', 'queryMore', queryMore),
  api('GET', '/limits', 'limits', limits),
  api('GET', '/limits/recordCount', 'recordCount', recordCount),
  api('POST', '/composite/sobjects/{}', 'records', getRecords),
  api('POST', '/composite/sobjects', 'collections.create', createRecords),
  api('PATCH', '/composite/sobjects', 'collections.update', updateRecords),
  api('PATCH', '/composite/sobjects/{}/{}', 'collections.upsert', upsertRecords),
  api('DELETE', '/composite/sobjects', 'collections.delete', deleteRecords),
  api('POST', '/composite/tree/{}', 'composite.tree', createTree),
  api('POST', '/composite/graph', 'composite.graph', compositeGraph),
  api('POST', '/composite/batch', 'composite.batch', compositeBatch),
  api('POST', '/composite', 'composite', composite),
  open('POST', '/services/Soap/([ucm])/([^/]+)(?:/[^/]*)?', 'soap', soap),
  api('POST', '/jobs/query', 'bulk.create', createJob),
  api('GET', '/jobs/query', 'bulk.list', listJobs),
  api('GET', '/jobs/query/{}', 'bulk.job', pollJob),
  api('PATCH', '/jobs/query/{}', 'bulk.abort', abortJob),
  api('DELETE', '/jobs/query/{}', 'bulk.delete', deleteJob),
  api('GET', '/jobs/query/{}/results', 'bulk.results', jobResults),
  api('GET', '/jobs/query/{}/resultPages', 'bulk.resultPages', resultPages),
  api('POST', '/jobs/ingest', 'ingest.create', createIngestJob),
  api('GET', '/jobs/ingest', 'ingest.list', listIngestJobs),
  api('PUT', '/jobs/ingest/{}/batches', 'ingest.upload', uploadContent),
  api('PATCH', '/jobs/ingest/{}', 'ingest.close', changeState),
  api('GET', '/jobs/ingest/{}', 'ingest.job', pollIngestJob),
  api('DELETE', '/jobs/ingest/{}', 'ingest.delete', deleteIngestJob),
  api('GET', '/jobs/ingest/{}/successfulResults', 'ingest.successful', successfulResults),
  api('GET', '/jobs/ingest/{}/failedResults', 'ingest.failed', failedResults),
  api('GET', '/jobs/ingest/{}/unprocessedrecords', 'ingest.unprocessed', unprocessedRecords),
];

export interface RoutedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Given for subrequests: they share the session of the request around them. */
  readonly session?: Session | undefined;
  /** True for subrequests of a request that is all or none. */
  readonly allOrNone?: boolean;
}

/** An answer with what is to be known about it. */
export interface Dispatched extends Answer {
  readonly endpoint: Endpoint;
  readonly fault: OrgFault | undefined;
}

/**
 * Answers a request or subrequest; refusals come back as answers, everything else is thrown. What needs no waiting is answered at
 * once, so that several subrequests can be one transaction.
 */
export function dispatch(state: OrgState, request: RoutedRequest): Dispatched | Promise<Dispatched> {
  const known: { endpoint: Endpoint; fault: OrgFault | undefined } = { endpoint: 'unknown', fault: undefined };
  const refused = (error: unknown): Dispatched => {
    if (!(error instanceof Refusal)) throw error;
    const headers: Record<string, string> = error.status === 401 ? { 'WWW-Authenticate': 'Token' } : {};
    return { status: error.status, headers, json: error.body, ...known };
  };
  try {
    const answer = answered(state, request, known);
    if (!(answer instanceof Promise)) return { ...answer, ...known };
    return answer.then((done) => ({ ...done, ...known }), refused);
  } catch (error) {
    return refused(error);
  }
}

/** Notes the endpoint and the fault in `known` as soon as it knows them. */
function answered(
  state: OrgState,
  request: RoutedRequest,
  known: { endpoint: Endpoint; fault: OrgFault | undefined },
): Answer | Promise<Answer> {
  const [rawPath, search = ''] = split(request.url);
  const path = rawPath.replace(/^\/+/, '/');
  const query = new URLSearchParams(search);
  const route = routeOf(methodOf(request, query), path);
  known.endpoint = route.endpoint;
  state.log.count(route.endpoint);
  const caught = route.pattern
    .exec(path)!
    .slice(1)
    .map((part) => decodeURIComponent(part));
  const isApi = route.pattern.source.startsWith('^\\/services\\/data\\/v');
  const version = isApi ? caught.shift()! : '';
  const isSubrequest = request.session !== undefined;
  const fault = state.faults.take({
    endpoint: route.endpoint,
    isSubrequest,
    ...askedFor(state, route.endpoint, caught, query, request.body),
  });
  known.fault = fault;
  let session = request.session;
  if (route.needsSession && !session) session = login(state, authorizationOf(request, query), fault);
  if (isApi) checkVersion(state, version);
  const early = fault && faultAnswer(fault);
  if (early) return route.endpoint === 'soap' ? soapFaultOf(early, caught[0]!) : early;
  return route.handler(state, {
    ...request,
    endpoint: route.endpoint,
    path,
    parts: caught,
    query,
    version,
    session,
    fault,
    isSubrequest,
    allOrNone: request.allOrNone === true,
  });
}

/** POST stands for the method that clients name which can send no other. */
function methodOf({ method }: RoutedRequest, query: URLSearchParams): string {
  return method === 'POST' ? (query.get('_HttpMethod')?.toUpperCase() ?? method) : method;
}

function routeOf(method: string, path: string): Route {
  const here = routes.filter((route) => route.pattern.test(path));
  const route = here.find((one) => one.method === method);
  if (route) return route;
  if (here.length === 0) throw notFound();
  const allowed = here.map((one) => one.method);
  throw new Refusal(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${method}' not allowed. Allowed are ${allowed}`);
}

function split(url: string): [string, string?] {
  const at = url.indexOf('?');
  return at < 0 ? [url] : [url.slice(0, at), url.slice(at + 1)];
}

function authorizationOf({ headers }: RoutedRequest, query: URLSearchParams): string | undefined {
  const inQuery = query.get('oauth_token');
  return inQuery === null ? headers.authorization : `Bearer ${inQuery}`;
}

/** The session of an Authorization header. Throws 401, or 403 when the user or the org may not. */
export function login(state: OrgState, authorization: string | undefined, fault: OrgFault | undefined): Session {
  const session = state.sessions.use(authorization);
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
