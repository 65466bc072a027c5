import { createHash } from 'node:crypto';
import type { RowFlow } from '../../rows/batch.ts';
import { cellsAt } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { ObjectInserts } from './object-inserts.ts';
import type { ObjectScope, PlanScope } from './scope.ts';

/** So few rows are asked for by their values; for more, all values of the org are read. */
const fewRows = 2000;

/**
 * Values of unique fields that other records of the org have by now, so that a row with one of them cannot be made (DUPLICATE_VALUE). Unique
 * values are compared without case, unless the field says otherwise. Only prints of them are kept.
 */
export class TakenValues {
  readonly #plan: PlanScope;
  /** Object -> unique fields, and prints of the values that the org has. */
  readonly #taken = new Map<string, UniqueField[]>();

  constructor(plan: PlanScope) {
    this.#plan = plan;
  }

  /** Reads the values that the unique fields of these objects have in the org. */
  async gather(all: readonly ObjectInserts[]): Promise<void> {
    for (const inserts of all) {
      const { scope, fields } = inserts;
      const unique = fields.filter(({ describe }) => describe.unique === true).map(uniqueField);
      if (unique.length === 0 || !scope.target?.queryable) continue;
      this.#taken.set(scope.object, unique);
      if (inserts.ids.size <= fewRows) await this.#gatherOf(inserts, unique);
      else await this.#gatherAll(scope, unique);
    }
  }

  /** The unique field of a row whose value is taken; undefined when it may be made. */
  of(object: string, cells: (field: string) => string): string | undefined {
    const taken = this.#taken.get(object)?.find(({ name, isExact, prints }) => {
      const value = cells(name);
      return value !== '' && prints.has(print(value, isExact));
    });
    return taken?.name;
  }

  async #gatherOf(inserts: ObjectInserts, unique: readonly UniqueField[]): Promise<void> {
    const values = new Map(unique.map(({ name }) => [name, new Set<string>()]));
    for await (const rows of inserts.rows(this.#plan))
      for (const { cell } of rows) for (const [name, found] of values) if (cell(name) !== '') found.add(cell(name));
    for (const field of unique) {
      const asked = [...values.get(field.name)!];
      if (asked.length === 0) continue;
      const match = { field: field.name, values: asked };
      await gatherFrom(this.#plan.org.matching(inserts.scope.target!, match, ['Id', field.name]), [field]);
    }
  }

  async #gatherAll({ object, target }: ObjectScope, unique: readonly UniqueField[]): Promise<void> {
    const plan = this.#plan.org.plan(target!);
    if (plan.way === 'none') return;
    const names = unique.map(({ name }) => name);
    const where = names.map((name) => `${name} != null`).join(' OR ');
    const flow = this.#plan.org.extract({ object, plan: { ...plan, fields: ['Id', ...names] }, where, all: false });
    await gatherFrom(flow, unique);
  }
}

interface UniqueField {
  readonly name: string;
  /** Values that differ by case only are not the same. */
  readonly isExact: boolean;
  readonly prints: IdTable;
}

function uniqueField({ name, describe }: ObjectInserts['fields'][number]): UniqueField {
  return { name, isExact: describe.caseSensitive === true, prints: new IdTable() };
}

async function gatherFrom(flow: RowFlow, unique: readonly UniqueField[]): Promise<void> {
  const positions = unique.map(({ name }) => flow.columns.indexOf(name));
  const ascending = [...positions].sort((a, b) => a - b);
  for await (const batch of flow.batches) {
    for (let i = 0; i < batch.ends.length; i++) {
      const cells = cellsAt(batch, i, ascending);
      for (const [n, { isExact, prints }] of unique.entries()) {
        const value = cells[ascending.indexOf(positions[n]!)]!;
        if (value !== '') prints.add(print(value, isExact));
      }
    }
    batch.release?.();
  }
}

/** 15 characters that stand for a value, of a form that an IdTable takes. */
function print(value: string, isExact: boolean): string {
  const compared = isExact ? value : value.toLowerCase();
  return createHash('sha256').update(compared).digest('hex').slice(0, 15);
}
