import type { RowBatch } from '../../rows/batch.ts';
import { cellsAt } from '../../rows/cells.ts';
import type { Chosen } from './select.ts';

/** Which objects of a run take rows of others along when a row of theirs is deleted (`cascadeDelete`, field guide, restore 5.1). */
export class Cascades {
  /** The object that an Id of this prefix is of; a prefix that several share is none of theirs. */
  readonly #byPrefix = new Map<string, Chosen | undefined>();
  /** Child -> field -> parents. */
  readonly #parents = new Map<string, Map<string, Set<string>>>();

  constructor(chosen: readonly Chosen[]) {
    for (const one of chosen) {
      const { name, keyPrefix, childRelationships = [] } = one.describe;
      if (keyPrefix) this.#byPrefix.set(keyPrefix, this.#byPrefix.has(keyPrefix) ? undefined : one);
      for (const { childSObject, field, cascadeDelete } of childRelationships) {
        if (!cascadeDelete || !field) continue;
        const fields = this.#parents.get(childSObject) ?? new Map<string, Set<string>>();
        this.#parents.set(childSObject, fields);
        fields.set(field, (fields.get(field) ?? new Set()).add(name));
      }
    }
  }

  /** Fields of the object that name a row with which its own may go. */
  fieldsOf(object: string): string[] {
    return [...(this.#parents.get(object)?.keys() ?? [])];
  }

  /** Reads from rows of the object, in these columns, the Ids of rows with which they may go; none twice. */
  reader(object: string, columns: readonly string[]): (batch: RowBatch, row: number) => string[] {
    const fields = this.fieldsOf(object).filter((field) => columns.includes(field));
    const lookups = fields
      .map((field) => ({ position: columns.indexOf(field), parents: this.#parents.get(object)!.get(field)! }))
      .sort((a, b) => a.position - b.position);
    const positions = lookups.map(({ position }) => position);
    return (batch, row) => {
      const ids = cellsAt(batch, row, positions).filter((id, n) => {
        const parent = this.objectOf(id)?.describe.name;
        return parent !== undefined && lookups[n]!.parents.has(parent);
      });
      return [...new Set(ids)];
    };
  }

  /** The object of the run that an Id is of. */
  objectOf(id: string): Chosen | undefined {
    return this.#byPrefix.get(id.slice(0, 3));
  }
}
