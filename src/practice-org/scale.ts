import type { Describe, Row, RowSource } from './database.ts';
import { recordId, recordNumber } from './record-ids.ts';
import type { SampleOrg } from './sample.ts';

/** Rows of a large object repeat after so many, but for what differs in every row. More than zstd's window at level 3. */
export const templates = 8192;

export interface ScaledObject {
  readonly describe: Describe;
  readonly prefix: string;
  readonly size: number;
  template(number: number): Row;
  readonly org: SampleOrg;
  created(number: number): number;
}

export function scaledSource(object: ScaledObject): RowSource {
  return {
    size: object.size,
    row: (number) => ({ ...object.template(number % templates), Id: recordId(object.prefix, number) }),
    find: (id) => {
      const number = recordNumber(object.prefix, id);
      return number < object.size ? number : -1;
    },
  };
}
