import { isObjectLevel, Refusal, refusalFrom, statusOf } from './faults.ts';
import { word } from './rest-json.ts';
import { fitsUrl } from './soql.ts';
import type { Wire } from './wire.ts';

/** One GET inside a composite, and what became of it. */
export type Part = { readonly body: unknown } | { readonly refusal: Refusal };

/**
 * Several GETs in one call: up to 25, of which five may be queries (field guide, extract 14). The answers come in the order of
 * `urls`. undefined: the org refuses composites of these, so ask one by one.
 */
export async function composite(
  wire: Wire,
  urls: readonly string[],
  what: string,
  parse: (text: string) => unknown = JSON.parse,
): Promise<Part[] | undefined> {
  const compositeRequest = urls.map((url, i) => ({ method: 'GET', url, referenceId: `r${i}` }));
  let json: unknown;
  try {
    const body = JSON.stringify({ allOrNone: false, compositeRequest });
    const headers = { 'content-type': 'application/json' };
    json = await wire.http.json({ what, method: 'POST', url: `${wire.root}/composite`, headers, body }, parse);
  } catch (error) {
    if (isObjectLevel(error) && statusOf(error) !== 0) return undefined;
    throw error;
  }
  const answers = (json as { compositeResponse?: unknown })?.compositeResponse;
  if (!Array.isArray(answers)) return undefined;
  const byReference = new Map(answers.map((answer) => [answer?.referenceId, answer]));
  const parts: Part[] = [];
  for (let i = 0; i < urls.length; i++) {
    const answer = byReference.get(`r${i}`);
    const status = Number(word(answer?.httpStatusCode));
    if (Number.isNaN(status)) return undefined;
    parts.push(status >= 200 && status < 300 ? { body: answer.body } : { refusal: refusalFrom(status, answer.body) });
  }
  return parts;
}

/** One GET on its own, with the refusal of the object as a value. Throws what stops the whole run. */
export async function single(
  wire: Wire,
  url: string,
  what: string,
  parse: (text: string) => unknown = JSON.parse,
): Promise<Part> {
  try {
    return { body: await wire.http.json({ what, url }, parse) };
  } catch (error) {
    if (!isObjectLevel(error)) throw error;
    return { refusal: new Refusal(statusOf(error), String(error.data.errorCode ?? ''), error.message) };
  }
}

/** Queries that one composite may hold (field guide, extract 14). */
const queriesPerCall = 5;

/**
 * Several queries, five to a call, of which each is small enough for one page; the answers in their order. One by one where
 * composites are refused, and once more on its own what was wrong with the moment only. `what`: a call in words; `parse`: of a whole answer.
 */
export async function queries<T extends { readonly url: string; readonly what: string }>(
  wire: Wire,
  asked: readonly T[],
  what: (group: T[]) => string,
  parse: (text: string) => unknown = JSON.parse,
): Promise<Part[]> {
  const answers = await inParallel(groups(asked, queriesPerCall), 3, async (group) => {
    const urls = group.map(({ url }) => url);
    const parts = isBetterTogether(wire, group) ? await composite(wire, urls, what(group), parse) : undefined;
    const answered: Part[] = [];
    for (const [i, { url, what: one }] of group.entries()) {
      const part = parts?.[i];
      answered.push(part && !isPassing(part) ? part : await single(wire, url, one, parse));
    }
    return answered;
  });
  return answers.flat();
}

/** Not one alone, unless it is too long for a URL: a POST carries it. */
function isBetterTogether({ instanceUrl }: Wire, group: readonly { readonly url: string }[]): boolean {
  return group.length > 1 || group.some(({ url }) => !fitsUrl(instanceUrl, url));
}

function isPassing(part: Part): boolean {
  if (!('refusal' in part)) return false;
  const { status } = part.refusal;
  return status === 401 || status === 403 || status === 406 || status === 429 || status === 502 || status === 503;
}

/** Runs `work` over `items`, at most `width` at a time; results in the order of `items`. The first error ends it. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      const i = next++;
      try {
        results[i] = await work(items[i]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(width, items.length) }, worker);
  const settled = await Promise.allSettled(workers);
  const bad = settled.find((one) => one.status === 'rejected');
  if (bad) throw bad.reason;
  return results;
}

/** `items` in groups of `size`. */
export function groups<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let i = 0; i < items.length; i += size) result.push(items.slice(i, i + size));
  return result;
}
