import type { RecordInput } from '../../dml/save.ts';
import type { ChildRelationship, Field, Schema, SObject } from '../../schema.ts';
import type { Batch } from './batches.ts';

/**
 * Which parents are locked while batches work at the same time: masters, and targets of lookups whose deletion reaches the
 * child, such as Account for Contact and Case (restore 1.3).
 */
export class Locks {
  readonly #lookups: readonly Field[];
  readonly #holders = new Map<string, Batch>();

  constructor(schema: Schema, object: SObject) {
    this.#lookups = object.fields.filter((field) => field.type === 'reference' && locksParent(schema, object, field));
  }

  /** The chunks of a round begin at the same time; those of the round before are committed. */
  beginRound(): void {
    this.#holders.clear();
  }

  /** Takes the parents of a record for its batch; false: another batch holds one of them. */
  take(batch: Batch, record: RecordInput): boolean {
    if (this.#lookups.length === 0) return true;
    const parents = this.#parents(record);
    if (parents.some((parent) => (this.#holders.get(parent) ?? batch) !== batch)) return false;
    for (const parent of parents) this.#holders.set(parent, batch);
    return true;
  }

  #parents({ fields, references }: RecordInput): string[] {
    const parents: string[] = [];
    for (const { name, relationshipName } of this.#lookups) {
      const id = fields[name];
      if (typeof id === 'string') parents.push(id.slice(0, 15));
      const reference = references?.find(({ relationship }) => relationship === relationshipName);
      if (reference) parents.push(`${reference.object}.${reference.keyField}=${reference.key}`);
    }
    return parents;
  }
}

function locksParent(schema: Schema, object: SObject, field: Field): boolean {
  return (field.referenceTo ?? []).some((target) => {
    const children = (schema.object(target)?.describe.childRelationships ?? []) as readonly (ChildRelationship & {
      readonly cascadeDelete?: boolean;
      readonly restrictedDelete?: boolean;
    })[];
    return children.some(
      (child) =>
        child.childSObject === object.name &&
        child.field === field.name &&
        (child.cascadeDelete === true || child.restrictedDelete === true),
    );
  });
}
