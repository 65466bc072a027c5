/** `SELECT a,b FROM X WHERE (…)`. */
export function select(fields: readonly string[], object: string, where?: string): string {
  return `SELECT ${fields.join(',')} FROM ${object}${where ? ` WHERE ${where}` : ''}`;
}

/** Conditions, each in brackets, joined with AND; undefined when there is none. */
export function and(...conditions: readonly (string | undefined)[]): string | undefined {
  const given = conditions.filter((condition) => condition !== undefined && condition !== '');
  return given.length === 0 ? undefined : given.length === 1 ? given[0] : given.map((c) => `(${c})`).join(' AND ');
}

/** A string literal. */
export function text(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r')}'`;
}

/** A datetime literal, in UTC. */
export function datetime(value: Date): string {
  return value.toISOString();
}

/** The path of a query on the instance. */
export function queryPath(root: string, resource: 'query' | 'queryAll', soql: string): string {
  return `${root}/${resource}?q=${encoded(soql)}`;
}

/** SOQL as it stands in a URL. URL encodes quotes, too, which encodeURIComponent leaves. */
export function encoded(soql: string): string {
  return encodeURIComponent(soql).replaceAll('%20', '+').replaceAll("'", '%27');
}

/** Bytes that URI and headers may have, less room for the headers (field guide, extract 2.6 and 7.5). */
const mostUrlBytes = 16_384 - 2_500;

/** Bytes by which `path` may become longer; below zero: it is too long already. */
export function roomInUrl(instanceUrl: string, path: string): number {
  return mostUrlBytes - instanceUrl.length - path.length;
}

/** True when the query fits into a GET. */
export function fitsUrl(instanceUrl: string, path: string): boolean {
  return roomInUrl(instanceUrl, path) >= 0;
}
