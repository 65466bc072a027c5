import { queries } from './composite.ts';
import type { ExtractRequest } from './org.ts';
import { pageFrom, parseWithSources, type QueryPage } from './rest-json.ts';
import { fitsUrl, queryPath, select } from './soql.ts';
import { serverNow, type Wire } from './wire.ts';

/** Below this many rows REST is quicker and costs fewer calls (field guide, extract 7). */
export const fewRows = 2_000;

/** Path and query of a reading by REST. */
export function readingPath({ root }: Wire, { object, plan, where, all }: ExtractRequest): string {
  return queryPath(root, all ? 'queryAll' : 'query', select(plan.fields, object, where));
}

/** The first page of a query that was asked for along with others. */
export interface FirstPage {
  /** The server's clock just before. */
  readonly started: Date;
  readonly page: QueryPage;
}

/**
 * The first pages of readings of few rows, five to a call; undefined where a reading has to ask by itself: it goes another way than rows by rows, would gain nothing,
 * or was refused. A query that is too long for a URL fits: it costs one call here, and four by Bulk.
 */
export async function firstPages(wire: Wire, requests: readonly ExtractRequest[]): Promise<(FirstPage | undefined)[]> {
  const asked = requests.flatMap((request, place) => {
    const { object, plan, rowsExpected } = request;
    const url = readingPath(wire, request);
    const byRows = (plan.way === 'bulk' || plan.way === 'rest') && !object.endsWith('__b');
    if (!byRows || rowsExpected === undefined || rowsExpected >= fewRows) return [];
    return [{ place, object, url, what: `the query of ${object}` }];
  });
  const result: (FirstPage | undefined)[] = new Array(requests.length).fill(undefined);
  if (asked.length === 0 || (asked.length === 1 && fitsUrl(wire.instanceUrl, asked[0]!.url))) return result;
  const started = await serverNow(wire);
  const what = (group: typeof asked) => `the queries of ${group.map(({ object }) => object).join(', ')}`;
  const parts = await queries(wire, asked, what, parseWithSources);
  for (const [i, { place }] of asked.entries()) {
    const part = parts[i]!;
    if (!('body' in part)) continue;
    const page = pageIn(part.body);
    if (page) result[place] = { started, page };
  }
  return result;
}

function pageIn(body: unknown): QueryPage | undefined {
  try {
    return pageFrom(body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
