import { Fault } from '../errors.ts';
import { isObjectLevel } from './faults.ts';
import { queryAll } from './rest-query.ts';
import { and, select, text } from './soql.ts';
import type { Wire } from './wire.ts';

/** The definition objects know no queryMore: each query must fit into one batch (field guide, extract 2.6 and 2.8). */
const batch = 2000;

/** Names of all fields of `object`, readable or not; undefined where the org does not tell. */
export async function fieldNames(wire: Wire, object: string): Promise<readonly string[] | undefined> {
  try {
    const condition = `EntityDefinition.QualifiedApiName = ${text(object)}`;
    const names = await qualifiedNames(wire, 'FieldDefinition', `the field definitions of ${object}`, condition);
    return names.length > 0 ? names : undefined;
  } catch (error) {
    if (isObjectLevel(error)) return undefined;
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
    const where = and(condition, last === undefined ? undefined : `QualifiedApiName > ${text(last)}`);
    const soql = `${select(['QualifiedApiName'], from, where)} ORDER BY QualifiedApiName LIMIT ${batch}`;
    const before = found.size;
    const rows = await queryAll(wire, soql, what);
    for (const row of rows) found.add(String(row.QualifiedApiName));
    if (rows.length < batch) return [...found];
    last = String(rows.at(-1)!.QualifiedApiName);
    if (found.size === before) throw new Fault('count-mismatch', `Paging through ${what} does not advance.`);
  }
}
