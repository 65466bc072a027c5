import { and, encoded, queryPath, roomInUrl, select, text } from './soql.ts';

/** A query for rows that have one of some values in a field. */
export interface InList {
  readonly object: string;
  readonly fields: readonly string[];
  readonly field: string;
  /** Of `field`, from the describe. */
  readonly type: string;
  /** A further condition. */
  readonly where?: string;
  readonly all: boolean;
}

/** Where the columns alone fill a URL the query is asked in parts anyway (`wide.ts`), which name so many characters of values. */
const leastRoom = 4_500;
/** SOQL has no more characters (field guide, extract 2.6); and one list should not make the org think for minutes. */
const mostValues = 1_000;
const unquoted = new Set(['boolean', 'int', 'long', 'double', 'currency', 'percent', 'date', 'datetime', 'time']);

/** `values` once each, ascending by their characters. */
export function sortedOnce(values: readonly string[]): string[] {
  const sorted = [...values].sort();
  let last = 0;
  for (const value of sorted) if (value !== sorted[last]) sorted[++last] = value;
  sorted.length = Math.min(sorted.length, last + 1);
  return sorted;
}

/** `values` once each; those that differ in case only, which SOQL may take for equal, stand side by side. */
export function distinct(values: readonly string[], type: string): string[] {
  const sorted = sortedOnce(values);
  // Ids of 18 characters never differ in case only.
  if (type === 'id' || type === 'reference') return sorted;
  const folded = sorted.map((value) => [value.toLowerCase(), value] as const);
  return folded.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, value]) => value);
}

/**
 * `values` in groups whose queries fit into URLs. They must stand as `distinct` puts them: values that differ in case only come into one
 * group, so that no row is found by two.
 */
export function* urlGroups(
  instanceUrl: string,
  root: string,
  list: InList,
  values: readonly string[],
): Generator<string[]> {
  const resource = list.all ? 'queryAll' : 'query';
  const empty = queryPath(root, resource, select(list.fields, list.object, condition(list, [])));
  const room = Math.max(leastRoom, roomInUrl(instanceUrl, empty));
  let group: string[] = [];
  let length = 0;
  for (const value of values) {
    const more = encoded(`${literal(list.type, value)},`).length;
    const full = length + more > room || group.length >= mostValues;
    if (group.length > 0 && full && group.at(-1)!.toLowerCase() !== value.toLowerCase()) {
      yield group;
      group = [];
      length = 0;
    }
    group.push(value);
    length += more;
  }
  if (group.length > 0) yield group;
}

/** The whole condition of one group. */
export function condition(
  { field, type, where }: Pick<InList, 'field' | 'type' | 'where'>,
  values: readonly string[],
): string {
  return and(`${field} IN (${values.map((value) => literal(type, value)).join(',')})`, where)!;
}

function literal(type: string, value: string): string {
  if (!unquoted.has(type)) return text(value);
  if (!/^[\w.:+-]+$/.test(value)) throw new TypeError(`a value of the type ${type} is none that a query can name`);
  return value;
}
