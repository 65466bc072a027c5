import { Fault } from '../../errors.ts';
import type { RowBatch } from '../../rows/batch.ts';
import { cellsAt, Keys } from '../../rows/cells.ts';
import { type Ids, IdTable } from '../../rows/id-table.ts';
import { groupsInOrder } from '../../schema/graph.ts';
import type { ReferenceMapping } from './mapping.ts';
import type { FieldLeftOut, ObjectPlan, Withheld } from './plan.ts';
import { PlannedRows } from './planned-rows.ts';
import { isReferenceOnly, platformRules } from './platform.ts';
import type { References } from './references.ts';
import { type Levels, RowLevels } from './row-levels.ts';
import type { ObjectScope, PlanScope } from './scope.ts';
import type { TakenValues } from './taken-values.ts';
import { insertable, type LeftOutReason, type WritableField } from './writable.ts';

/** What a plan of inserts adds to the rows: what cannot be restored, and the order of the objects. */
export interface InsertsPlanned {
  /** In the order in which they are made; those that are made together stand behind each other. */
  readonly objects: readonly ObjectPlan[];
  readonly withheld: readonly Withheld[];
  readonly leftOut: readonly FieldLeftOut[];
}

/** Rows of an object that come back under a new Id, and how they are written. */
export class ObjectInserts {
  readonly scope: ObjectScope;
  readonly ids: Ids;
  readonly fields: readonly WritableField[];
  readonly lookups: readonly { readonly name: string; readonly required: boolean; readonly writable: boolean }[];
  readonly leftOut: readonly LeftOutReason[];
  /** The field that holds the file of each row; undefined: rows have none. */
  readonly file: string | undefined;
  /** Columns that have to be read to plan; Id comes first. */
  readonly columns: readonly string[];

  constructor(plan: PlanScope, scope: ObjectScope, ids: Ids) {
    this.scope = scope;
    this.ids = ids;
    const { fields, leftOut } = insertable(scope.source, scope.target!, scope.columns);
    this.fields = fields;
    this.leftOut = leftOut;
    this.file = scope.target!.fields.find(({ type, createable }) => type === 'base64' && createable)?.name;
    this.lookups = plan.lookups(scope).map(({ field }) => {
      const writable = fields.find(({ name }) => name === field.name);
      return { name: field.name, required: writable?.required ?? false, writable: writable !== undefined };
    });
    const looked = new Set([
      ...this.lookups.map(({ name }) => name),
      ...fields
        .filter(({ required, check, describe }) => required || check || describe.unique === true)
        .map(({ name }) => name),
      ...leftOut.map(({ field }) => field),
      ...[...platformFields, ...(platformRules(scope.object).reads ?? [])].filter((name) =>
        scope.columns.includes(name),
      ),
    ]);
    this.columns = ['Id', ...scope.columns.filter((name) => name !== 'Id' && looked.has(name))];
  }

  /** Batches of these rows as the point has them, with a reader of cells by field. */
  async *rows(plan: PlanScope): AsyncGenerator<{ id: string; cells: (field: string) => string }> {
    const { object } = this.scope;
    const flow = await plan.reader.rows(object, { ids: this.ids, columns: this.columns, signal: plan.ctx.signal });
    const keys = new Keys(flow.columns);
    const at = new Map(flow.columns.map((name, index) => [name, index]));
    const positions = flow.columns.map((_, index) => index);
    for await (const batch of flow.batches as AsyncIterable<RowBatch>) {
      plan.ctx.signal.throwIfAborted();
      for (let i = 0; i < batch.ends.length; i++) {
        const values = cellsAt(batch, i, positions);
        yield { id: keys.id(batch, i), cells: (field) => values[at.get(field) ?? -1] ?? '' };
      }
      batch.release?.();
    }
  }
}

/** Fields that `platform.ts` looks at. */
const platformFields = [
  ...[
    'Status',
    'SyncedQuoteId',
    'UnitPrice',
    'TotalPrice',
    'ListPrice',
    'UseStandardPrice',
    'IsChild',
    'RowCause',
    'Comments',
    'HasOpportunityLineItem',
    'Amount',
    'ContentBodyId',
  ],
  ...[
    'IsPersonAccount',
    'IsActive',
    'FirstPublishLocationId',
    'ContentDocumentId',
    'VersionNumber',
    'ContactId',
    'Pricebook2Id',
  ],
];

/** Why no row of an object can be made; undefined when they can. */
function notMade({ object, target }: ObjectScope): Pick<Withheld, 'code' | 'reason'> | undefined {
  if (!target) return { code: 'object-missing', reason: `the org has no ${object}, or hides it from this user` };
  if (isReferenceOnly(object)) return { code: 'reference-only', reason: 'setup is referred to and never restored' };
  const { never, made } = platformRules(object);
  if (never) return never;
  if (!target.createable && !made)
    return { code: 'not-createable', reason: 'the org does not let this user create any' };
  return undefined;
}

/** Plans the rows that come back under new Ids: their order, what they are made without, and which of them cannot be made. */
export async function planInserts(
  plan: PlanScope,
  references: References,
  taken: TakenValues,
  unmapped: ReferenceMapping['unmapped'],
): Promise<InsertsPlanned> {
  const withheld: Withheld[] = [];
  const all = new Map<string, ObjectInserts>();
  for (const scope of plan.objects) {
    const ids = comingAnew(plan, scope);
    if (ids.size === 0) continue;
    const refused = notMade(scope);
    if (!refused) all.set(scope.object, new ObjectInserts(plan, scope, ids));
    else for (const id of ids) withheld.push({ object: scope.object, id, ...refused });
  }
  const refersTo = await references.gather([...all.values()]);
  for (const object of all.keys()) {
    const before = refersTo.get(object) ?? new Set<string>();
    for (const other of platformRules(object).after ?? []) if (all.has(other)) before.add(other);
    refersTo.set(object, before);
  }
  await taken.gather([...all.values()]);
  const planner = new GroupPlanner(plan, references, taken, withheld, unmapped);
  const objects: ObjectPlan[] = [];
  for (const group of groupsInOrder([...all.keys()], refersTo)) {
    objects.push(...(await planner.group(group.map((object) => all.get(object)!))));
  }
  planner.assertMapped();
  return { objects, withheld, leftOut: planner.leftOut };
}

function comingAnew(plan: PlanScope, scope: ObjectScope): Ids {
  const { wanted } = scope;
  let count = 0;
  for (const n of wanted.numbers()) if (plan.comesAnewAt(scope, n)) count += 1;
  // Nothing is added to what is wanted any more: a table of millions need not be copied.
  if (count === wanted.size) return wanted;
  const ids = new IdTable();
  if (count > 0) for (const n of wanted.numbers()) if (plan.comesAnewAt(scope, n)) ids.add(wanted.id(n));
  return ids;
}

/** The rows of a group, each with a number. A table of one object, maybe of millions, is not copied. */
function numbersOf(group: readonly ObjectInserts[]): Ids {
  if (group.length === 1) return group[0]!.ids;
  const numbers = new IdTable();
  for (const { ids } of group) for (const id of ids) numbers.add(id);
  return numbers;
}

/** Plans objects that refer to each other. */
class GroupPlanner {
  readonly #plan: PlanScope;
  readonly #references: References;
  readonly #taken: TakenValues;
  readonly #withheld: Withheld[];
  /** Rows that are not made after all. */
  readonly #lost = new IdTable();
  readonly #leftOut = new Map<string, FieldLeftOut & { rows: number }>();
  readonly #unmapped: ReferenceMapping['unmapped'];
  /** Rows of setup in the point that nothing in the other org was found for, by object. */
  readonly #foreign = new Map<string, Set<string>>();

  constructor(
    plan: PlanScope,
    references: References,
    taken: TakenValues,
    withheld: Withheld[],
    unmapped: ReferenceMapping['unmapped'],
  ) {
    this.#unmapped = unmapped;
    this.#plan = plan;
    this.#references = references;
    this.#taken = taken;
    this.#withheld = withheld;
    for (const { id } of withheld) this.#lost.add(id);
  }

  get leftOut(): FieldLeftOut[] {
    return [...this.#leftOut.values()];
  }

  /** Throws `unmapped-reference` when that was chosen and something was not found. */
  assertMapped(): void {
    if (this.#unmapped !== 'abort' || this.#foreign.size === 0) return;
    const named = [...this.#foreign].map(([object, ids]) => {
      const some = [...ids].slice(0, 3).join(', ');
      return `${ids.size} of ${object} (${some}${ids.size > 3 ? ' …' : ''})`;
    });
    throw new Fault('unmapped-reference', `nothing in the org was found for ${named.join('; ')}`, {
      data: Object.fromEntries([...this.#foreign].map(([object, ids]) => [object, [...ids]])),
    });
  }

  async group(group: readonly ObjectInserts[]): Promise<ObjectPlan[]> {
    const numbers = numbersOf(group);
    const levels = new RowLevels(numbers.end);
    const drafts = new Map<string, PlannedRows>();
    for (const inserts of group) drafts.set(inserts.scope.object, await this.#draft(inserts, numbers, levels));
    const solved = levels.solve();
    const together = group.map(({ scope }) => scope.object);
    return group.map((inserts) => ({
      object: inserts.scope.object,
      rows: this.#finished(inserts, drafts.get(inserts.scope.object)!, numbers, solved),
      together,
      ...keysOf(inserts.scope.object),
    }));
  }

  /** The rows of one object, levels not yet known. */
  async #draft(inserts: ObjectInserts, numbers: Ids, levels: RowLevels): Promise<PlannedRows> {
    const draft = new PlannedRows();
    const { object } = inserts.scope;
    const rules = platformRules(object);
    const always = inserts.leftOut.map(() => 0);
    for await (const { id, cells } of inserts.rows(this.#plan)) {
      const number = numbers.number(id);
      const without = new Map<string, LeftOutReason>();
      const leave = (reason: LeftOutReason) => without.set(reason.field, reason);
      const refuse = (code: string, reason: string) => {
        this.#withhold(object, id, code, reason);
        levels.refuse(number);
      };
      const never = rules.neverRow?.(cells);
      if (never !== undefined) {
        refuse('made-by-platform', never);
        continue;
      }
      for (const [n, { field }] of inserts.leftOut.entries()) if (cells(field) !== '') always[n]! += 1;
      for (const [field, reason] of Object.entries({ ...rules.derives?.(cells), ...rules.without?.(cells) })) {
        if (cells(field) !== '') leave({ field, code: 'platform-derives', reason });
      }
      for (const { name, check } of inserts.fields) {
        const value = check && cells(name);
        const problem = value ? check(value) : undefined;
        if (problem) leave({ field: name, ...problem });
      }
      const later = rules.later?.(cells) ?? [];
      let unmapped: string | undefined;
      for (const [n, lookup] of inserts.lookups.entries()) {
        const parent = cells(lookup.name);
        if (parent === '' || !lookup.writable || later.includes(lookup.name)) continue;
        const known = numbers.number(parent);
        if (known >= 0 && !this.#lost.has(parent)) levels.refer(number, known, n, lookup.required);
        else if (!this.#comes(parent) && !this.#references.stands(parent, object, lookup.name)) {
          const reason = this.#references.why(parent);
          if (this.#isForeign(parent) && this.#unmapped === 'skip') unmapped = `${lookup.name}: ${reason}`;
          leave({ field: lookup.name, code: 'reference-unresolved', reason });
        } else {
          const unfit = this.#references.unfit(parent, inserts.scope, lookup.name);
          if (unfit) leave({ field: lookup.name, code: 'value-not-allowed', reason: unfit });
        }
      }
      const fileless = inserts.file !== undefined && !(await this.#plan.reader.fileEntry(object, id, inserts.file));
      const missing = inserts.fields.filter(
        ({ name, required }) => required && !later.includes(name) && (cells(name) === '' || without.has(name)),
      );
      const duplicate = this.#taken.of(object, cells);
      const made = rules.made?.(cells) ? { made: true as const } : {};
      if (unmapped !== undefined) refuse('reference-unmapped', unmapped);
      else if (missing.length > 0 && !made.made) refuse('required-missing', requiredReason(missing, without));
      else if (fileless) refuse('file-missing', 'the point does not hold its file');
      else if (duplicate !== undefined) refuse('unique-taken', `another record of the org has its ${duplicate}`);
      else {
        for (const reason of without.values()) this.#count(object, reason);
        draft.add({
          id,
          action: 'insert',
          level: 0,
          fields: [],
          later: [...later],
          without: [...without.keys()],
          ...made,
        });
      }
    }
    for (const [n, reason] of inserts.leftOut.entries()) if (always[n]! > 0) this.#count(object, reason, always[n]);
    return draft;
  }

  /** The draft itself with its levels, unless rows of it cannot be made after all. */
  #finished(inserts: ObjectInserts, draft: PlannedRows, numbers: Ids, solved: Levels): PlannedRows {
    const { object } = inserts.scope;
    const names = (fields: readonly number[] | undefined) => (fields ?? []).map((n) => inserts.lookups[n]!.name);
    const impossible = new Set<number>();
    for (let n = 0; n < draft.size; n++) {
      const id = draft.idAt(n);
      const number = numbers.number(id);
      if (solved.impossible.has(number)) {
        impossible.add(n);
        this.#withhold(object, id, 'reference-unresolved', 'a record that it needs cannot be restored');
        continue;
      }
      const lost = names(solved.lost.get(number));
      for (const field of lost)
        this.#count(object, {
          field,
          code: 'reference-unresolved',
          reason: 'the record that it refers to cannot be restored',
        });
      draft.order(n, solved.levels[number]!, names(solved.later.get(number)), lost);
    }
    return impossible.size === 0 ? draft : draft.except(impossible);
  }

  /** True for a row that is made again, in a group before this one. */
  #comes(id: string): boolean {
    return this.#plan.comesAnew(id) && !this.#lost.has(id);
  }

  /** Setup of another org that nothing was found for here. */
  #isForeign(id: string): boolean {
    const object = this.#plan.objectOfId(id);
    if (!this.#plan.anotherOrg || object === undefined || !isReferenceOnly(object)) return false;
    const ids = this.#foreign.get(object) ?? new Set();
    this.#foreign.set(object, ids.add(id));
    return true;
  }

  #withhold(object: string, id: string, code: string, reason: string): void {
    this.#withheld.push({ object, id, code, reason });
    this.#lost.add(id);
  }

  #count(object: string, { field, code, reason }: LeftOutReason, rows = 1): void {
    const key = `${object}.${field} ${code} ${reason}`;
    const known = this.#leftOut.get(key);
    if (known) known.rows += rows;
    else this.#leftOut.set(key, { object, field, code, reason, rows });
  }
}

function keysOf(object: string): Pick<ObjectPlan, 'keys' | 'keysOfMadeOnly'> {
  const { keys, keysOfMadeOnly } = platformRules(object);
  return { ...(keys ? { keys } : {}), ...(keysOfMadeOnly ? { keysOfMadeOnly } : {}) };
}

function requiredReason(missing: readonly WritableField[], without: ReadonlyMap<string, LeftOutReason>): string {
  return missing
    .map(({ name }) => `${name} is required, and ${without.get(name)?.reason ?? 'the point has nothing there'}`)
    .join('; ');
}
