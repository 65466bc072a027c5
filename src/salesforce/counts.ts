import type { ObjectDescribe } from '../schema/describe.ts';
import { type Part, queries } from './composite.ts';
import { isObjectLevel } from './faults.ts';
import type { Org } from './org.ts';
import { planFor } from './plan.ts';
import { and, datetime, queryPath, select } from './soql.ts';
import type { Wire } from './wire.ts';

/** limits/recordCount: cached, approximate (field guide, extract 2.4). Empty where the user may not see it. */
export async function approximateCounts(wire: Wire): Promise<Map<string, number>> {
  try {
    const answer = (await wire.http.json({
      what: 'the approximate record counts',
      url: `${wire.root}/limits/recordCount`,
    })) as { sObjects?: { name: string; count: number }[] };
    return new Map((answer?.sObjects ?? []).map(({ name, count }) => [name, Number(count)]));
  } catch (error) {
    if (isObjectLevel(error)) return new Map();
    throw error;
  }
}

/** Exact counts by COUNT(), five to a call; undefined where the org refuses to count or takes too long. */
export async function exactCounts(wire: Wire, requests: Parameters<Org['counts']>[0]): Promise<(number | undefined)[]> {
  const result: (number | undefined)[] = new Array(requests.length).fill(undefined);
  const asked = requests.flatMap(({ object, since, where }, place) => {
    const soql = countQuery(object, since, where);
    if (soql === undefined) return [];
    return [
      { place, name: object.name, url: queryPath(wire.root, 'queryAll', soql), what: `the count of ${object.name}` },
    ];
  });
  const parts = await queries(wire, asked, (group) => `the counts of ${group.map(({ name }) => name).join(', ')}`);
  for (const [i, { place }] of asked.entries()) result[place] = countFrom(parts[i]!);
  return result;
}

/** undefined: the object cannot be counted like this. */
function countQuery(object: ObjectDescribe, since: Date | undefined, where: string | undefined): string | undefined {
  // Big objects know no aggregates (field guide, extract 4.1).
  if (object.name.endsWith('__b')) return undefined;
  const plan = planFor(object);
  // What no count without a filter finds all of is counted by none.
  if (plan.way === 'none' || plan.whole) return undefined;
  const has = (name: string) => object.fields.some((field) => field.name === name);
  if (since) {
    if (!has('SystemModstamp')) return undefined;
    return select(['COUNT()'], object.name, and(`SystemModstamp >= ${datetime(since)}`, where));
  }
  return select(['COUNT()'], object.name, and(has('IsDeleted') ? 'IsDeleted = false' : undefined, where));
}

function countFrom(part: Part): number | undefined {
  const total = 'body' in part ? (part.body as { totalSize?: unknown } | null)?.totalSize : undefined;
  return typeof total === 'number' && total >= 0 ? total : undefined;
}
