import { type Part, queries } from './composite.ts';
import type { Org, Standing } from './org.ts';
import { planFor } from './plan.ts';
import { queryPath, select } from './soql.ts';
import type { Wire } from './wire.ts';

/**
 * How many rows each object has and when the last of them was touched, by one aggregate query for an object and five objects to a call: live rows and
 * those in the recycle bin apart. undefined where the org refuses such a query or takes too long.
 */
export async function standings(
  wire: Wire,
  requests: Parameters<Org['standings']>[0],
): Promise<(Standing | undefined)[]> {
  const asked = requests.flatMap(({ object, stamp, where }, place) => {
    const plan = planFor(object);
    if (object.name.endsWith('__b') || plan.way === 'none' || plan.whole) return [];
    const grouped = object.fields.some(({ name, groupable }) => name === 'IsDeleted' && groupable !== false);
    const columns = ['COUNT(Id)', `MAX(${stamp})`];
    const soql = grouped
      ? `${select(['IsDeleted', ...columns], object.name, where)} GROUP BY IsDeleted`
      : select(columns, object.name, where);
    const what = `the number of rows of ${object.name}`;
    return [{ place, name: object.name, grouped, url: queryPath(wire.root, 'queryAll', soql), what }];
  });
  const parts = await queries(
    wire,
    asked,
    (group) => `the numbers of rows of ${group.map(({ name }) => name).join(', ')}`,
  );
  const result: (Standing | undefined)[] = new Array(requests.length).fill(undefined);
  for (const [i, { place, grouped }] of asked.entries()) result[place] = standingFrom(parts[i]!, grouped);
  return result;
}

interface Group {
  readonly IsDeleted?: unknown;
  readonly expr0?: unknown;
  readonly expr1?: unknown;
}

function standingFrom(part: Part, grouped: boolean): Standing | undefined {
  const groups = 'body' in part ? (part.body as { records?: unknown } | null)?.records : undefined;
  if (!Array.isArray(groups)) return undefined;
  let rows = 0;
  let newest: Date | undefined;
  for (const { IsDeleted, expr0, expr1 } of groups as Group[]) {
    const count = Number(expr0);
    const stamp = expr1 === null || expr1 === undefined ? undefined : new Date(String(expr1));
    if (!(count >= 0) || (stamp && Number.isNaN(stamp.getTime()))) return undefined;
    // Rows that nobody stamped are none that a window would find.
    if (count > 0 && !stamp) return undefined;
    if (!grouped || IsDeleted === false || IsDeleted === 'false') rows += count;
    if (stamp && !(newest && newest > stamp)) newest = stamp;
  }
  return { rows, newest };
}
