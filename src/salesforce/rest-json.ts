/** A record as REST sends it. A number is its source text, so that no digit is lost; compare with `typeof`, types come from the describe. */
export type RestRecord = Readonly<Record<string, unknown>>;

/** One page of a query. */
export interface QueryPage {
  readonly totalSize: number;
  readonly done: boolean;
  readonly nextRecordsUrl?: string;
  readonly records: readonly RestRecord[];
}

type SourceReviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

const keepSource: SourceReviver = (_key, value, context) => (typeof value === 'number' ? context.source : value);

/** Parses a query's answer: inside records every number becomes the text that stands in the answer. Throws SyntaxError. */
export function parseQueryPage(text: string): QueryPage {
  return pageFrom(parseWithSources(text));
}

/** As `parseQueryPage`, of the first query inside a composite; the rest of the answer stays as it is. Throws SyntaxError. */
export function parseWithSources(text: string): unknown {
  try {
    return JSON.parse(text, keepSource as (this: unknown, key: string, value: unknown) => unknown);
  } catch (cause) {
    // What is nested thousands deep ends the stack.
    throw cause instanceof RangeError ? new SyntaxError('nested too deep', { cause }) : cause;
  }
}

/** What an answer says in words; undefined for null and for anything that is no text, such as an object. */
export function word(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : undefined;
}

/** As `word`, of a list; empty for anything else. */
export function words(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).flatMap((one) => word(one) ?? []);
}

/** Throws SyntaxError when `json`, parsed with sources, is no page of a query. */
export function pageFrom(json: unknown): QueryPage {
  const page = json as { totalSize?: unknown; done?: unknown; nextRecordsUrl?: unknown; records?: unknown } | null;
  const totalSize = Number(word(page?.totalSize));
  if (!page || !Array.isArray(page.records) || typeof page.done !== 'boolean' || Number.isNaN(totalSize)) {
    throw new SyntaxError('not a page of a query');
  }
  const { nextRecordsUrl } = page;
  return {
    totalSize,
    done: page.done,
    nextRecordsUrl: typeof nextRecordsUrl === 'string' ? nextRecordsUrl : undefined,
    records: page.records as RestRecord[],
  };
}

/**
 * One value as Bulk API 2.0 writes it in CSV (field guide, extract 2.6 and 3.5): null as '', datetimes with `Z`, numbers as
 * their source text. `type` is the field's from the describe. A nested value that is no compound is kept as JSON.
 */
export function cellOf(value: unknown, type: string | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') {
    return type === 'datetime' && value.endsWith('+0000') ? `${value.slice(0, -5)}Z` : value;
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
