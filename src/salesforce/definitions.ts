import { Fault } from '../errors.ts';
import { type Part, queries } from './composite.ts';
import { isObjectLevel } from './faults.ts';
import type { QueryPage } from './rest-json.ts';
import { queryAll } from './rest-query.ts';
import { and, queryPath, select, text } from './soql.ts';
import type { Wire } from './wire.ts';

/** The definition objects know no queryMore: each query must fit into one batch (field guide, extract 2.6 and 2.8). */
const batch = 2000;

/** Names of all fields of each of `objects`, readable or not, five objects to a call; undefined where the org does not tell. */
export async function fieldNames(wire: Wire, objects: readonly string[]): Promise<(readonly string[] | undefined)[]> {
  const asked = objects.map((object) => {
    const soql = firstNames('FieldDefinition', ofObject(object));
    return { object, url: queryPath(wire.root, 'query', soql), what: `the field definitions of ${object}` };
  });
  const parts = await queries(
    wire,
    asked,
    (group) => `the field definitions of ${group.map(({ object }) => object).join(', ')}`,
  );
  const found: (readonly string[] | undefined)[] = [];
  for (const [i, { object, what }] of asked.entries())
    found.push(namesIn(parts[i]!) ?? (await pagedNames(wire, object, what)));
  return found.map((names) => (names && names.length > 0 ? names : undefined));
}

function ofObject(object: string): string {
  return `EntityDefinition.QualifiedApiName = ${text(object)}`;
}

/** Undefined when these are not surely all of them. */
function namesIn(part: Part): string[] | undefined {
  if ('refusal' in part) return [];
  const { done, totalSize, records } = (part.body ?? {}) as Partial<QueryPage>;
  if (!done || !Array.isArray(records) || records.length !== totalSize || records.length >= batch) return undefined;
  return records.map(({ QualifiedApiName }) => String(QualifiedApiName));
}

async function pagedNames(wire: Wire, object: string, what: string): Promise<readonly string[]> {
  try {
    return await qualifiedNames(wire, 'FieldDefinition', what, ofObject(object));
  } catch (error) {
    if (isObjectLevel(error)) return [];
    throw error;
  }
}

/** Names of all objects, visible or not. */
export function objectNames(wire: Wire): Promise<readonly string[]> {
  return qualifiedNames(wire, 'EntityDefinition', 'the object definitions');
}

async function qualifiedNames(wire: Wire, from: string, what: string, condition?: string): Promise<string[]> {
  const found = new Set<string>();
  let last: string | undefined;
  for (;;) {
    const soql = firstNames(from, condition, last);
    const before = found.size;
    const rows = await queryAll(wire, soql, what);
    for (const row of rows) found.add(String(row.QualifiedApiName));
    if (rows.length < batch) return [...found];
    last = String(rows.at(-1)!.QualifiedApiName);
    if (found.size === before) throw new Fault('count-mismatch', `Paging through ${what} does not advance.`);
  }
}

/** As many names as one batch holds, from behind `last` on. */
function firstNames(from: string, condition?: string, last?: string): string {
  const where = and(condition, last === undefined ? undefined : `QualifiedApiName > ${text(last)}`);
  return `${select(['QualifiedApiName'], from, where)} ORDER BY QualifiedApiName LIMIT ${batch}`;
}
