import { isObjectLevel } from './faults.ts';
import type { RestRecord } from './rest-json.ts';
import { queryPages } from './rest-query.ts';
import type { RestRead } from './rest-rows.ts';
import { and, select, text } from './soql.ts';
import type { Wire } from './wire.ts';

/** Rows of a page; the org gives 200 of any width (field guide, extract 2.6). */
const mostRows = 2_000;
const fewestRows = 50;

/** How the org says that more rows match than one page holds, and that there is no next one (field guide, extract 4.1). */
export const wantsOnePage = /EXCEEDED_ID_LIMIT|does not support queryMore/i;

/** All records by queries of one page each, in the order of their Ids: custom metadata knows no next page. */
export async function* idPages(wire: Wire, read: RestRead): AsyncGenerator<readonly RestRecord[]> {
  const { object, fields, where } = read;
  let size = mostRows;
  for (let last: string | undefined; ; ) {
    const from = and(where, last && `Id > ${text(last)}`);
    const soql = `${select(fields, object, from)} ORDER BY Id LIMIT ${size}`;
    const page: RestRecord[] = [];
    try {
      for await (const records of queryPages(wire, soql, { what: `the query of ${object}` })) page.push(...records);
    } catch (error) {
      if (!isObjectLevel(error) || !wantsOnePage.test(error.message) || size <= fewestRows) throw error;
      size = Math.max(fewestRows, Math.floor(size / 2));
      continue;
    }
    if (page.length > 0) yield page;
    if (page.length < size) return;
    last = String(page.at(-1)!.Id);
  }
}
