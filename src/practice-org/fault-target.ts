import type { Endpoint } from './endpoints.ts';
import type { FaultTarget } from './faults.ts';
import { id18, isId } from './identifiers.ts';
import type { OrgState } from './state.ts';

/** The object that a request is about, as far as can be told before it is answered: of several, that of the first record. */
export function askedFor(
  state: OrgState,
  endpoint: Endpoint,
  parts: readonly string[],
  query: URLSearchParams,
  body: Buffer,
): Pick<FaultTarget, 'object' | 'isCount'> {
  let soql = query.get('q') ?? '';
  if (endpoint === 'bulk.create') soql = body.toString('utf8');
  const isCount = /^\s*SELECT\s+COUNT\(\s*\)/i.test(soql);
  if (state.faults.pending === 0) return { object: undefined, isCount };
  if (soql !== '') return { object: /\bFROM\s+(\w+)/i.exec(withoutParentheses(soql))?.[1], isCount };
  return { object: objectOf(state, endpoint, parts, query, body), isCount };
}

function objectOf(
  state: OrgState,
  endpoint: Endpoint,
  parts: readonly string[],
  query: URLSearchParams,
  body: Buffer,
): string | undefined {
  if (endpoint === 'queryMore') return state.cursors.objectOf(parts[0]!);
  if (endpoint === 'soap') return objectOfSoap(state, body.toString('utf8'));
  if (endpoint === 'collections.delete') return objectOfId(state, query.get('ids')?.split(',')[0]);
  if (endpoint === 'collections.create' || endpoint === 'collections.update')
    return /"type"\s*:\s*"(\w+)"/.exec(body.toString('utf8'))?.[1];
  if (endpoint === 'ingest.create') return /"object"\s*:\s*"(\w+)"/.exec(body.toString('utf8'))?.[1];
  if (endpoint.startsWith('ingest.')) return parts[0] && state.ingestJobs.find(parts[0])?.object.name;
  if (endpoint.startsWith('bulk.')) return parts[0] && state.jobs.find(parts[0])?.plan.scope.object.name;
  if (byPath.test(endpoint)) return parts[0];
  return undefined;
}

const byPath = /^(?:describe|object|updated|deleted|record(?:\..*)?|records|blob|collections\.upsert|composite\.tree)$/;

function objectOfSoap(state: OrgState, body: string): string | undefined {
  const type = /<(?:\w+:)?type\b[^>]*>\s*(\w+)\s*</.exec(body) ?? /xsi:type="(?:\w+:)?(\w+)"/.exec(body);
  return type?.[1] ?? objectOfId(state, /<(?:\w+:)?ids\b[^>]*>\s*(\w+)\s*</.exec(body)?.[1]);
}

function objectOfId(state: OrgState, id: string | undefined): string | undefined {
  return id && isId(id) ? state.schema.objectOfId(id18(id), [])?.name : undefined;
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
