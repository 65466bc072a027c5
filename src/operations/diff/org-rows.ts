import type { Context } from '../../context.ts';
import type { RowBatch, RowFlow } from '../../rows/batch.ts';
import { Keys } from '../../rows/cells.ts';
import type { IdPart } from '../../rows/id-part.ts';
import { IdTable } from '../../rows/id-table.ts';
import { keepRows } from '../../rows/keep.ts';
import { projection } from '../../rows/project.ts';
import { RowSorter } from '../../rows/sort.ts';
import type { Org } from '../../salesforce/org.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';

/** A flow of no rows. */
export function noRows(columns: readonly string[]): RowFlow {
  return { columns, batches: (async function* () {})() };
}

/** Rows of one object as the org has them. */
export class OrgRows {
  readonly #ctx: Context;
  readonly #org: Org;
  readonly describe: ObjectDescribe;

  constructor(ctx: Context, org: Org, describe: ObjectDescribe) {
    this.#ctx = ctx;
    this.#org = org;
    this.describe = describe;
  }

  /**
   * Live rows that meet a SOQL condition, ascending by Id, with these columns. `onRow` sees each row, deleted ones too, as the org gave it. `part`: only
   * rows of that part; SOQL cannot filter by it, so all are read and the others dropped.
   */
  async *sorted(
    columns: readonly string[],
    where: string | undefined,
    rowsExpected: number | undefined,
    onRow: (seen: SeenRow) => void = () => undefined,
    part?: IdPart,
  ): AsyncGenerator<RowBatch> {
    const read = this.#read(columns, where, rowsExpected);
    const keys = new Keys(read.columns);
    const sorter = new RowSorter(keys, { tempDir: this.#ctx.tempDir, signal: this.#ctx.signal });
    try {
      for await (const batch of read.batches) {
        this.#ctx.signal.throwIfAborted();
        const wanted = part ? keepRows(batch, (row) => part.has(keys.id(batch, row))) : batch;
        for (let row = 0; row < wanted.ends.length; row++)
          onRow({
            id: keys.id(wanted, row),
            deleted: keys.deleted(wanted, row),
            batch: wanted,
            row,
            columns: read.columns,
          });
        const live = keepRows(wanted, (row) => !keys.deleted(wanted, row));
        if (live.ends.length > 0) await sorter.add(live);
        live.release?.();
      }
      const project = projection(read.columns, columns);
      for await (const batch of sorter.sorted()) yield project(batch);
    } finally {
      await sorter.remove();
    }
  }

  /** Ids of all live rows that meet a SOQL condition, archived ones included. */
  async liveIds(where: string | undefined): Promise<IdTable> {
    const read = this.#read(['Id'], where, undefined);
    const keys = new Keys(read.columns);
    const ids = new IdTable();
    for await (const batch of read.batches) {
      this.#ctx.signal.throwIfAborted();
      for (let row = 0; row < batch.ends.length; row++) if (!keys.deleted(batch, row)) ids.add(keys.id(batch, row));
      batch.release?.();
    }
    return ids;
  }

  /** Rows with these Ids, ascending; `all`: those of the recycle bin too. */
  byId(ids: IdTable, columns: readonly string[], all = false): RowFlow {
    const flow = this.#org.records(this.describe, [...ids.sorted()], columns, { all });
    const project = projection(flow.columns, columns);
    return {
      columns,
      batches: (async function* () {
        for await (const batch of flow.batches) yield project(batch);
      })(),
    };
  }

  /** True when the org has the field. */
  has(field: string): boolean {
    return this.describe.fields.some(({ name }) => name === field);
  }

  /** Rows of the recycle bin and archived ones too; Id, SystemModstamp and IsDeleted first, as everywhere. */
  #read(columns: readonly string[], where: string | undefined, rowsExpected: number | undefined): RowFlow {
    const way = this.#org.plan(this.describe);
    if (way.way === 'none') throw new TypeError(`${this.describe.name} cannot be read: ${way.reason}`);
    const leading = ['Id', 'SystemModstamp', 'IsDeleted'].filter((name) => way.fields.includes(name));
    const fields = [...leading, ...columns.filter((name) => !leading.includes(name))];
    return this.#org.extract({
      object: this.describe.name,
      plan: { ...way, fields },
      all: true,
      ...(where === undefined ? {} : { where }),
      ...(rowsExpected === undefined ? {} : { rowsExpected }),
    });
  }
}

/** A row that comes from the org, good until the next one. */
export interface SeenRow {
  readonly id: string;
  readonly deleted: boolean;
  readonly columns: readonly string[];
  readonly batch: RowBatch;
  readonly row: number;
}
