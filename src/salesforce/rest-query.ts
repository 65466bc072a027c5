import { Fault } from '../errors.ts';
import { faultOf, isObjectLevel, refusalFrom, statusOf } from './faults.ts';
import type { Request } from './http.ts';
import { pageFrom, parseQueryPage, parseWithSources, type QueryPage, type RestRecord } from './rest-json.ts';
import { fitsUrl, queryPath } from './soql.ts';
import type { Wire } from './wire.ts';

export interface QueryOptions {
  /** Rows in the recycle bin and archived rows too. */
  readonly all?: boolean;
  /** The query in words, as in `the query of Account`. */
  readonly what: string;
  /** The first page, when it is there already. */
  readonly first?: QueryPage | undefined;
}

/**
 * The pages of a REST query, one request each. When it ends without a throw, as many records came as the org declared
 * (field guide, extract 2.6: `done` may come early), except where it declares none (a big object).
 * Throws `count-mismatch`, `object-refused` and what `http` throws.
 */
export async function* queryPages(
  wire: Wire,
  soql: string,
  options: QueryOptions,
): AsyncGenerator<readonly RestRecord[]> {
  const { what } = options;
  const path = queryPath(wire.root, options.all ? 'queryAll' : 'query', soql);
  const seen = new Set<string>();
  const ask = fitsUrl(wire.instanceUrl, path) ? nextPage : byComposite;
  let page = options.first ?? (await ask(wire, { what, url: path }));
  const { totalSize } = page;
  let rows = 0;
  for (;;) {
    rows += page.records.length;
    if (totalSize >= 0 && page.totalSize >= 0 && page.totalSize !== totalSize) {
      throw new Fault('count-mismatch', `${sentence(what)} changed its size between pages.`, {
        data: { declared: totalSize, later: page.totalSize },
      });
    }
    if (page.records.length > 0) yield page.records;
    if (page.done) break;
    const next = page.nextRecordsUrl;
    if (next === undefined || !next.startsWith('/services/data/') || seen.has(next)) {
      throw new Fault('count-mismatch', `${sentence(what)} says that there is more, but not where.`, {
        data: { rows },
      });
    }
    seen.add(next);
    page = await nextPage(wire, { what: `${what}, from row ${rows}`, url: next }).catch((error: unknown) => {
      if (!isObjectLevel(error)) throw error;
      throw new Fault('object-refused', `${error.message} (after ${rows} of ${totalSize} rows)`, {
        data: { ...error.data, retryable: true },
        cause: error,
      });
    });
  }
  if (totalSize >= 0 && rows !== totalSize) {
    throw new Fault('count-mismatch', `${sentence(what)} ended after ${rows} of ${totalSize} rows.`, {
      data: { rows, declared: totalSize },
    });
  }
}

/** The first page of a query, whatever there may be behind it. */
export async function firstPageOf(wire: Wire, soql: string, what: string): Promise<QueryPage> {
  const url = queryPath(wire.root, 'query', soql);
  return fitsUrl(wire.instanceUrl, url) ? nextPage(wire, { what, url }) : byComposite(wire, { what, url });
}

/** All records of a small query. */
export async function queryAll(wire: Wire, soql: string, what: string): Promise<RestRecord[]> {
  const records: RestRecord[] = [];
  for await (const page of queryPages(wire, soql, { what })) records.push(...page);
  return records;
}

async function nextPage(wire: Wire, request: Request): Promise<QueryPage> {
  return (await wire.http.json(request, parseQueryPage)) as QueryPage;
}

/** A query that is too long for a GET, inside a POST: one call (field guide, extract 2.6 and 14). */
async function byComposite(wire: Wire, request: Request): Promise<QueryPage> {
  const body = JSON.stringify({ compositeRequest: [{ method: 'GET', url: request.url, referenceId: 'query' }] });
  const json = (await wire.http.json(
    {
      what: request.what,
      method: 'POST',
      url: `${wire.root}/composite`,
      headers: { 'content-type': 'application/json' },
      body,
    },
    parseWithSources,
  )) as { compositeResponse?: { httpStatusCode?: unknown; body?: unknown }[] };
  const part = json?.compositeResponse?.[0];
  const status = Number(part?.httpStatusCode ?? 500);
  if (status !== 200) throw faultOf(refusalFrom(status, part?.body), request.what);
  return pageFrom(part?.body);
}

/** True when a query was refused for its length, or for what its formulas expand to, so that its columns must be asked for in parts. */
export function isTooMuch(error: unknown): boolean {
  if (!isObjectLevel(error)) return false;
  return [413, 414, 431].includes(statusOf(error)) || tooMuch.test(`${error.data.errorCode} ${error.message}`);
}

/** Field guide, extract 2.6 and 2.9. */
const tooMuch = /QUERY_TOO_COMPLICATED|SOQL statements? cannot be longer/i;

function sentence(what: string): string {
  return what.charAt(0).toUpperCase() + what.slice(1);
}
