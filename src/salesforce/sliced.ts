import type { RowBatch } from '../rows/batch.ts';
import { groups } from './composite.ts';
import { queryPages } from './rest-query.ts';
import { type RestRead, restRows } from './rest-rows.ts';
import { and, select, text } from './soql.ts';
import type { Wire } from './wire.ts';

const documentsPerQuery = 200;

/** How the org says that this object wants a filter on its parent (field guide, extract 4.1). */
export const wantsParentFilter = /Implementation restriction|requires a filter/i;

/**
 * ContentDocumentLink for a user without "Query All Files": the links of 200 documents at a time. Only documents that the
 * user sees are found.
 */
export async function* slicedRows(wire: Wire, read: RestRead): AsyncGenerator<RowBatch> {
  const documents = queryPages(wire, select(['Id'], 'ContentDocument'), {
    all: read.all,
    what: 'the Ids of ContentDocument',
  });
  for await (const page of documents) {
    for (const group of groups(page, documentsPerQuery)) {
      const ids = group.map((record) => text(String(record.Id))).join(',');
      yield* restRows(wire, { ...read, where: and(read.where, `ContentDocumentId IN (${ids})`) });
    }
  }
}
