import { type Answer, type ApiRequest, json } from '../answer.ts';
import { Refusal, unsupported } from '../refusal.ts';
import { dispatch } from '../routes.ts';
import type { OrgState } from '../state.ts';
import { isJsonObject, jsonBody, parserError } from './record-input.ts';
import { References, type Subresponse } from './references.ts';
import { allOrNothing, rolledBackResponses } from './rollback.ts';

/** One request inside another, as the client wrote it. */
export interface Subrequest {
  readonly method?: unknown;
  readonly url?: unknown;
  readonly referenceId?: unknown;
  readonly httpHeaders?: unknown;
  readonly body?: unknown;
  readonly richInput?: unknown;
}

/** POST composite/batch: up to 25 subrequests, each of which counts as an API call and stands alone (extract 14). */
export async function compositeBatch(state: OrgState, request: ApiRequest): Promise<Answer> {
  const { list: batchRequests, body } = read(request, 'batchRequests');
  const results: { statusCode: number; result: unknown }[] = [];
  let hasErrors = false;
  for (const subrequest of batchRequests) {
    if (hasErrors && body.haltOnError === true) {
      const halted = new Refusal(412, 'PROCESSING_HALTED', 'Not processed: an earlier request of the batch failed');
      results.push({ statusCode: 412, result: halted.body });
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
const collectionUrl = /^\/+services\/data\/v[^/]+\/composite\/sobjects(?:[/?]|$)/i;

/**
 * POST composite: up to 25 subrequests in order, of which five are queries or collections; `@{reference.path}` stands for earlier
 * results. One API call. With `allOrNone`, writes are taken back when one subrequest fails; queries beside them are not supported,
 * as their answers take time, in which others would see what may be taken back.
 */
export async function composite(state: OrgState, request: ApiRequest): Promise<Answer> {
  const { list, body } = read(request, 'compositeRequest');
  const isQuery = ({ url }: Subrequest) => queryUrl.test(String(url));
  const costly = list.filter((one) => isQuery(one) || collectionUrl.test(String(one.url)));
  if (costly.length > 5)
    throw new Refusal(
      400,
      'LIMIT_EXCEEDED',
      'Cannot specify more than 5 query or sObject Collections requests in a composite request',
    );
  const allOrNone = body.allOrNone === true;
  const writes = list.some(({ method }) => String(method).toUpperCase() !== 'GET');
  if (allOrNone && writes) {
    if (list.some(isQuery)) throw unsupported('a query beside writes in a composite request with allOrNone');
    const { responses } = allOrNothing(state, list, (subrequest, known) =>
      answerNow(state, request, subrequest, known),
    );
    return json({ compositeResponse: responses });
  }
  const known = new References();
  const responses: Subresponse[] = [];
  for (const subrequest of list) {
    if (allOrNone && responses.some(({ httpStatusCode }) => httpStatusCode >= 400)) break;
    responses.push(await known.answer(subrequest, (url, content) => send(state, request, subrequest, url, content)));
  }
  const failed = responses.some(({ httpStatusCode }) => httpStatusCode >= 400);
  return json({ compositeResponse: allOrNone && failed ? rolledBackResponses(list, responses) : responses });
}

/** Answers a subrequest whose answer is there at once. */
export function answerNow(state: OrgState, outer: ApiRequest, subrequest: Subrequest, known: References): Subresponse {
  return known.answerNow(subrequest, (url, content) => {
    const answer = send(state, outer, subrequest, url, content, true);
    if (answer instanceof Promise) throw unsupported(`${url} in a request that is all or none`);
    return answer;
  });
}

function read(request: ApiRequest, list: string): { list: readonly Subrequest[]; body: Record<string, unknown> } {
  const body = jsonBody(request);
  const items = body[list];
  if (!Array.isArray(items) || items.length === 0 || !items.every(isJsonObject))
    throw parserError(`${list} is missing`);
  if (items.length > 25) throw new Refusal(400, 'LIMIT_EXCEEDED', 'The number of subrequests exceeds the limit of 25');
  return { list: items, body };
}

function send(
  state: OrgState,
  outer: ApiRequest,
  subrequest: Subrequest,
  url: string,
  body: unknown,
  allOrNone = false,
): Answer | Promise<Answer> {
  const answer = dispatch(state, {
    method: text(subrequest.method, 'method').toUpperCase(),
    url,
    headers: { ...outer.headers, 'content-type': 'application/json', ...headersOf(subrequest.httpHeaders) },
    body: Buffer.from(JSON.stringify(body ?? null)),
    session: outer.session,
    allOrNone,
  });
  return answer instanceof Promise ? answer.then(withoutBytes) : withoutBytes(answer);
}

function withoutBytes(answer: Answer): Answer {
  if (!answer.bytes && !answer.stream) return answer;
  return json(new Refusal(400, 'INVALID_INPUT', 'this resource cannot be used in a composite request').body, 400);
}

/** Names in lower case, texts only. */
function headersOf(given: unknown): Record<string, string> {
  const entries = Object.entries((given ?? {}) as Record<string, unknown>);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name.toLowerCase(), value]] : [])),
  );
}

export function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw parserError(`${name} is missing`);
  return value;
}
