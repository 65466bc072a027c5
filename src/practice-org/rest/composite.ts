import { type Answer, type ApiRequest, json } from '../answer.ts';
import { Refusal } from '../refusal.ts';
import { dispatch } from '../routes.ts';
import type { OrgState } from '../state.ts';

interface Subrequest {
  readonly method?: unknown;
  readonly url?: unknown;
  readonly referenceId?: unknown;
  readonly httpHeaders?: unknown;
  readonly body?: unknown;
  readonly richInput?: unknown;
}

/** POST composite/batch: up to 25 subrequests, each of which counts as an API call (extract 14). */
export async function compositeBatch(state: OrgState, request: ApiRequest): Promise<Answer> {
  const { batchRequests, haltOnError } = read<{ batchRequests: Subrequest[]; haltOnError?: boolean }>(
    request,
    'batchRequests',
  );
  const results: { statusCode: number; result: unknown }[] = [];
  let hasErrors = false;
  for (const subrequest of batchRequests) {
    if (hasErrors && haltOnError) {
      results.push({ statusCode: 412, result: halted('Not processed: an earlier request of the batch failed') });
      continue;
    }
    const url = text(subrequest.url, 'url').replace(/^\/?(?=v\d+\.0\/)/, '/services/data/');
    const answer = await send(state, request, subrequest, url, subrequest.richInput);
    results.push({ statusCode: answer.status, result: answer.json ?? null });
    if (answer.status >= 400) hasErrors = true;
  }
  return { ...json({ hasErrors, results }), calls: batchRequests.length };
}

const queryUrl = /^\/+services\/data\/v[^/]+\/(?:query|queryAll)(?:[/?]|$)/i;

/** POST composite: up to 25 subrequests in order, of which five are queries; `@{reference.path}` stands for earlier results. One API call. */
export async function composite(state: OrgState, request: ApiRequest): Promise<Answer> {
  const { compositeRequest, allOrNone } = read<{ compositeRequest: Subrequest[]; allOrNone?: boolean }>(
    request,
    'compositeRequest',
  );
  const queries = compositeRequest.filter((subrequest) => queryUrl.test(String(subrequest.url)));
  if (queries.length > 5)
    throw new Refusal(400, 'LIMIT_EXCEEDED', 'Cannot specify more than 5 query requests in a composite request');
  const known = new Map<string, unknown>();
  const responses: {
    body: unknown;
    httpHeaders: Record<string, string>;
    httpStatusCode: number;
    referenceId: string;
  }[] = [];
  for (const subrequest of compositeRequest) {
    const referenceId = text(subrequest.referenceId, 'referenceId');
    const failed = responses.some((response) => response.httpStatusCode >= 400);
    let status = 400;
    let body: unknown;
    let httpHeaders: Record<string, string> = {};
    if (failed && allOrNone) {
      body = halted('The transaction was rolled back since another operation in the same transaction failed.');
    } else {
      try {
        const url = substituted(text(subrequest.url, 'url'), known);
        const content = substituted(JSON.stringify(subrequest.body ?? null), known);
        const answer = await send(state, request, subrequest, url, JSON.parse(content));
        status = answer.status;
        body = answer.json ?? null;
        httpHeaders = shown(answer.headers);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        body = error.body;
      }
    }
    if (status < 400) known.set(referenceId, body);
    responses.push({ body, httpHeaders, httpStatusCode: status, referenceId });
  }
  if (allOrNone && responses.some((response) => response.httpStatusCode >= 400))
    for (const response of responses)
      if (response.httpStatusCode < 400) {
        response.httpStatusCode = 400;
        response.body = halted(
          'The transaction was rolled back since another operation in the same transaction failed.',
        );
      }
  return json({ compositeResponse: responses });
}

function read<T>(request: ApiRequest, list: keyof T & string): T {
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(request.body.toString('utf8')) as Record<string, unknown>;
  } catch {
    throw new Refusal(400, 'JSON_PARSER_ERROR', 'the request body is not JSON');
  }
  const items = body?.[list];
  if (!Array.isArray(items) || items.length === 0) throw new Refusal(400, 'JSON_PARSER_ERROR', `${list} is missing`);
  if (items.length > 25) throw new Refusal(400, 'LIMIT_EXCEEDED', 'The number of subrequests exceeds the limit of 25');
  return body as T;
}

async function send(
  state: OrgState,
  outer: ApiRequest,
  subrequest: Subrequest,
  url: string,
  body: unknown,
): Promise<Answer> {
  const answer = await dispatch(state, {
    method: text(subrequest.method, 'method').toUpperCase(),
    url,
    headers: { ...outer.headers, ...headersOf(subrequest.httpHeaders) },
    body: Buffer.from(JSON.stringify(body ?? null)),
    session: outer.session,
  });
  if (answer.bytes || answer.stream)
    return json(new Refusal(400, 'INVALID_INPUT', 'this resource cannot be used in a composite request').body, 400);
  return answer;
}

/** Names in lower case, texts only. */
function headersOf(given: unknown): Record<string, string> {
  const entries = Object.entries((given ?? {}) as Record<string, unknown>);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name.toLowerCase(), value]] : [])),
  );
}

/** The headers of a subrequest's answer that composite hands on. */
function shown(headers: Answer['headers'] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name === 'ETag' || name === 'Last-Modified'));
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new Refusal(400, 'JSON_PARSER_ERROR', `${name} is missing`);
  return value;
}

function halted(message: string): unknown {
  return new Refusal(400, 'PROCESSING_HALTED', message).body;
}

/** `@{reference.records[0].Id}` replaced by the value at that path. */
function substituted(template: string, known: ReadonlyMap<string, unknown>): string {
  return template.replaceAll(/@\{([^}.[\]]+)([^}]*)\}/g, (_, reference: string, path: string) => {
    let value: unknown = known.get(reference);
    for (const [, key, index] of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]/g))
      value = (value as Record<string, unknown> | undefined)?.[key ?? index!];
    if (value === undefined || typeof value === 'object')
      throw new Refusal(
        400,
        'PROCESSING_HALTED',
        `Invalid reference specified. No value for ${reference}${path} found in ${reference}`,
      );
    return String(value);
  });
}
