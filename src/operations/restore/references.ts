import { cellsAt, Keys } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { ObjectDescribe } from '../../schema/describe.ts';
import type { ObjectInserts } from './object-inserts.ts';
import { isReferenceOnly } from './platform.ts';
import { RecentAnswers } from './recent-answers.ts';
import type { ObjectScope, PlanScope } from './scope.ts';
import { findStandings } from './standing.ts';

interface RecordTypeInfo {
  readonly recordTypeId: string;
  readonly available: boolean;
  readonly active?: boolean;
}

/** The record type of records that have none: nothing is sent for it (field guide, restore 4.5). */
const masterRecordType = '012000000000000';

/** What the lookups of rows that are made again lead to: whether it stands in the org, or comes back itself. */
export class References {
  readonly #plan: PlanScope;
  /** Rows outside the plan that stand in the org. */
  readonly #live = new IdTable();
  /** Rows outside the plan that do not. */
  readonly #dead = new IdTable();
  /** Of all objects that the user sees in the org. */
  readonly #prefixes = new Set<string>();
  /** Users that cannot own records, by their Ids in the org. */
  readonly #idle = new IdTable();

  constructor(plan: PlanScope) {
    this.#plan = plan;
  }

  /**
   * Reads the lookups of all rows that are made again, asks the org for the rows that they lead to outside the plan, and returns to which objects
   * of the plan those of each object lead.
   */
  async gather(all: readonly ObjectInserts[]): Promise<Map<string, Set<string>>> {
    const refersTo = new Map<string, Set<string>>();
    const outside = new Map<string, IdTable>();
    const users = new IdTable();
    const made = new Set(all.map(({ scope }) => scope.object));
    for (const inserts of all) {
      const { object } = inserts.scope;
      const parents = new Set<string>();
      refersTo.set(object, parents);
      const names = inserts.lookups.filter(({ writable }) => writable).map(({ name }) => name);
      const seen = new RecentAnswers((id) => {
        const of = this.#plan.objectOfId(id);
        if (of === undefined) return;
        if (of === 'User') users.add(this.#plan.references.get(id) ?? id);
        if (made.has(of) && this.#plan.comesAnew(id)) parents.add(of);
        else if (!this.#mapped(id)) tableOf(outside, of).add(id);
      });
      for await (const rows of inserts.rows(this.#plan)) {
        for (const { cell } of rows) {
          for (const name of names) {
            const id = cell(name);
            if (id !== '') seen.of(id);
          }
        }
      }
    }
    if (all.length > 0)
      for (const { keyPrefix } of await this.#plan.org.objects()) if (keyPrefix) this.#prefixes.add(keyPrefix);
    for (const [object, ids] of outside) await this.#look(object, ids);
    if (users.size > 0) await this.#lookAtUsers(users);
    return refersTo;
  }

  /** True when the lookup of a row that is made again may name this row of the point, under whatever Id. */
  stands(id: string, object: string, field: string): boolean {
    if (field === 'RecordTypeId' && id.startsWith(masterRecordType)) return true;
    if (this.#plan.isUndeleted(id) || this.#mapped(id) || this.#live.has(id)) return true;
    if (this.#plan.comesAnew(id) || this.#dead.has(id)) return false;
    const of = this.#plan.objectOfId(id);
    const scope = of === undefined ? undefined : this.#plan.known(of);
    if (scope?.live.has(id)) return !this.#plan.anotherOrg;
    // Setup that the point does not hold (profiles, layouts …) is taken to stand where it stood; another org has its own. What is of no object that
    // this user sees is refused with its row.
    if (this.#plan.anotherOrg || object === '') return false;
    return of === undefined ? this.#prefixes.has(id.slice(0, 3)) : !this.#plan.reader.objects().includes(of);
  }

  why(id: string): string {
    const of = this.#plan.objectOfId(id);
    if (of === undefined) return 'it refers to a record of an object that this user does not see in the org';
    if (this.#plan.anotherOrg && isReferenceOnly(of)) return `the org has no ${of} that it is mapped to`;
    return this.#plan.comesAnew(id)
      ? `the ${of} that it refers to cannot be restored`
      : `the ${of} that it refers to is not in the org and not selected`;
  }

  /** Why a row that stands in the org cannot be referred to all the same; undefined when it can. */
  unfit(id: string, { target }: ObjectScope, field: string): string | undefined {
    if (field === 'RecordTypeId') return unfitRecordType(this.#plan.references.get(id) ?? id, target);
    if (field === 'OwnerId' && this.#idle.has(this.#plan.references.get(id) ?? id))
      return 'its owner is inactive: the user who restores becomes the owner';
    return undefined;
  }

  #mapped(id: string): boolean {
    return this.#plan.earlier.has(id) || this.#plan.references.has(id);
  }

  async #look(object: string, ids: IdTable): Promise<void> {
    if (this.#plan.anotherOrg) return;
    if (this.#plan.reader.objects().includes(object)) {
      const scope = await this.#plan.object(object);
      await findStandings(this.#plan, scope, ids);
      for (const id of ids) (scope.live.has(id) ? this.#live : this.#dead).add(id);
    }
  }

  /** Inactive users and those of licences that cannot own records (field guide, restore 4.4), by their Ids in the org. */
  async #lookAtUsers(ids: IdTable): Promise<void> {
    const described = (await this.#plan.org.describe(['User'])).get('User');
    const target = described && !('reason' in described) ? described : undefined;
    const fields = ['Id', 'IsActive', 'UserType'].filter((name) => hasField(target, name));
    if (!target || fields.length < 2) return;
    const found = this.#plan.org.records(target, [...ids.sorted()], fields);
    const keys = new Keys(found.columns);
    const positions = fields
      .slice(1)
      .map((name) => found.columns.indexOf(name))
      .sort((a, b) => a - b);
    for await (const batch of found.batches) {
      for (let i = 0; i < batch.ends.length; i++) {
        const [active, type] = cellsAt(batch, i, positions);
        if (active === 'false' || (type ?? 'Standard') !== 'Standard') this.#idle.add(keys.id(batch, i));
      }
    }
  }
}

function unfitRecordType(id: string, target: ObjectDescribe | undefined): string | undefined {
  if (id.startsWith(masterRecordType)) return 'it is the record type of records that have none';
  const known = (target?.recordTypeInfos as readonly RecordTypeInfo[] | undefined)?.find(
    ({ recordTypeId }) => recordTypeId.slice(0, 15) === id.slice(0, 15),
  );
  if (!known) return 'the org has no such record type';
  if (known.active === false) return 'its record type is inactive';
  return known.available ? undefined : 'its record type is not available to this user';
}

function hasField(describe: ObjectDescribe | undefined, name: string): boolean {
  return describe?.fields.some((field) => field.name === name) ?? false;
}

function tableOf(found: Map<string, IdTable>, object: string): IdTable {
  const table = found.get(object) ?? new IdTable();
  found.set(object, table);
  return table;
}
