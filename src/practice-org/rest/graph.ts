import { type Answer, type ApiRequest, json } from '../answer.ts';
import { Refusal } from '../refusal.ts';
import type { OrgState } from '../state.ts';
import { answerNow, type Subrequest, text } from './composite.ts';
import { isJsonObject, type JsonObject, jsonBody, parserError } from './record-input.ts';
import { allOrNothing, halted } from './rollback.ts';

/** What one request may hold (restore 2). */
const most = { graphs: 75, nodes: 500, kinds: 15, depth: 15 };
/** Once so many graphs have failed, the rest is not begun. */
const mostFailed = 14;

interface Graph {
  readonly graphId: string;
  readonly nodes: readonly Subrequest[];
}

/** POST composite/graph: graphs of subrequests on single records, each of them all or none on its own. */
export function compositeGraph(state: OrgState, request: ApiRequest): Answer {
  const graphs = read(request);
  check(graphs);
  let failed = 0;
  const answers = graphs.map(({ graphId, nodes }) => {
    if (failed > mostFailed) return answer(graphId, nodes.map(halted), false);
    const { responses, isSuccessful } = allOrNothing(state, nodes, (node, known) =>
      answerNow(state, request, node, known),
    );
    if (!isSuccessful) failed += 1;
    return answer(graphId, responses, isSuccessful);
  });
  return json({ graphs: answers });
}

function answer(graphId: string, compositeResponse: unknown, isSuccessful: boolean): unknown {
  return { graphId, graphResponse: { compositeResponse }, isSuccessful };
}

function read(request: ApiRequest): Graph[] {
  const { graphs } = jsonBody(request);
  if (!Array.isArray(graphs) || graphs.length === 0 || !graphs.every(isJsonObject))
    throw parserError('graphs is missing');
  return graphs.map((graph: JsonObject) => {
    const nodes = graph.compositeRequest;
    if (!Array.isArray(nodes) || nodes.length === 0 || !nodes.every(isJsonObject))
      throw parserError('compositeRequest is missing');
    return { graphId: text(graph.graphId, 'graphId'), nodes };
  });
}

function check(graphs: readonly Graph[]): void {
  const limit = (what: string, count: number, allowed: number) => {
    if (count > allowed) throw new Refusal(400, 'LIMIT_EXCEEDED', `Cannot have more than ${allowed} ${what}`);
  };
  limit('graphs in a request', graphs.length, most.graphs);
  limit(
    'nodes in a request',
    graphs.reduce((sum, { nodes }) => sum + nodes.length, 0),
    most.nodes,
  );
  if (new Set(graphs.map(({ graphId }) => graphId)).size < graphs.length)
    throw new Refusal(400, 'INVALID_INPUT', 'each graph needs a graphId of its own');
  for (const { nodes } of graphs) {
    limit('kinds of nodes in a graph', new Set(nodes.map(kindOf)).size, most.kinds);
    limit('levels in a graph', depthOf(nodes), most.depth);
  }
}

const recordUrl = /^\/+services\/data\/v[^/]+\/sobjects\/([^/?]+)(?:\/[^/?]+){0,2}\/?(?:\?|$)/i;

/** Method and object; only single records may stand in a graph. */
function kindOf({ method, url }: Subrequest): string {
  const object = recordUrl.exec(text(url, 'url'))?.[1];
  if (object === undefined || /\/describe\/?$/i.test(String(url)))
    throw new Refusal(400, 'INVALID_INPUT', `${url} is not supported in a graph`);
  return `${text(method, 'method').toUpperCase()} ${object.toLowerCase()}`;
}

/** The longest chain of nodes of which each refers to the one before. */
function depthOf(nodes: readonly Subrequest[]): number {
  const depths = new Map<string, number>();
  for (const node of nodes) {
    const references = JSON.stringify([node.url, node.body]).matchAll(/@\{([^}.[\]]+)/g);
    const below = [...references].map(([, name]) => depths.get(name!) ?? 0);
    depths.set(text(node.referenceId, 'referenceId'), Math.max(0, ...below) + 1);
  }
  return Math.max(...depths.values());
}
