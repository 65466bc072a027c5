import { createHash } from 'node:crypto';
import type { RowBatch } from '../../rows/batch.ts';
import { cellsAt } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { ObjectInserts } from './inserts.ts';
import type { PlanScope } from './scope.ts';

/**
 * Values of unique fields that other records of the org have by now, so that a row with one of them cannot be made (DUPLICATE_VALUE). Unique
 * values are compared without case. Only prints of them are kept.
 */
export class TakenValues {
  readonly #plan: PlanScope;
  /** Object -> unique field -> prints of the values that the org has. */
  readonly #taken = new Map<string, Map<string, IdTable>>();

  constructor(plan: PlanScope) {
    this.#plan = plan;
  }

  /** Reads all values that the unique fields of these objects have in the org. */
  async gather(all: readonly ObjectInserts[]): Promise<void> {
    for (const { scope, fields } of all) {
      const unique = fields.filter(({ describe }) => describe.unique === true).map(({ name }) => name);
      if (unique.length === 0 || !scope.target?.queryable) continue;
      const tables = new Map(unique.map((name) => [name, new IdTable()]));
      this.#taken.set(scope.object, tables);
      const plan = this.#plan.org.plan(scope.target);
      if (plan.way === 'none') continue;
      const where = unique.map((name) => `${name} != null`).join(' OR ');
      const flow = this.#plan.org.extract({
        object: scope.object,
        plan: { ...plan, fields: ['Id', ...unique] },
        where,
        all: false,
      });
      const positions = unique.map((name) => flow.columns.indexOf(name));
      const ascending = [...positions].sort((a, b) => a - b);
      for await (const batch of flow.batches as AsyncIterable<RowBatch>) {
        for (let i = 0; i < batch.ends.length; i++) {
          const cells = cellsAt(batch, i, ascending);
          for (const [n, name] of unique.entries()) {
            const value = cells[ascending.indexOf(positions[n]!)]!;
            if (value !== '') tables.get(name)!.add(print(value));
          }
        }
        batch.release?.();
      }
    }
  }

  /** The unique field of a row whose value is taken; undefined when it may be made. */
  of(object: string, cells: (field: string) => string): string | undefined {
    for (const [field, table] of this.#taken.get(object) ?? []) {
      const value = cells(field);
      if (value !== '' && table.has(print(value))) return field;
    }
    return undefined;
  }
}

/** 15 characters that stand for a value, of a form that an IdTable takes. */
function print(value: string): string {
  return createHash('sha256').update(value.toLowerCase()).digest('hex').slice(0, 15);
}
