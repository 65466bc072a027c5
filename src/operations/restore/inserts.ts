import { Fault } from '../../errors.ts';
import { type Ids, IdTable } from '../../rows/id-table.ts';
import { groupsInOrder } from '../../schema/graph.ts';
import type { ReferenceMapping } from './mapping.ts';
import { ObjectInserts } from './object-inserts.ts';
import type { FieldLeftOut, ObjectPlan, PlannedRow, Withheld } from './plan.ts';
import { PlannedRows } from './planned-rows.ts';
import { isReferenceOnly, platformRules } from './platform.ts';
import { RecentAnswers } from './recent-answers.ts';
import type { References } from './references.ts';
import { type Levels, RowLevels } from './row-levels.ts';
import type { ObjectScope, PlanScope } from './scope.ts';
import type { TakenValues } from './taken-values.ts';
import type { LeftOutReason, WritableField } from './writable.ts';

/** What a plan of inserts adds to the rows: what cannot be restored, and the order of the objects. */
export interface InsertsPlanned {
  /** In the order in which they are made; those that are made together stand behind each other. */
  readonly objects: readonly ObjectPlan[];
  readonly withheld: readonly Withheld[];
  readonly leftOut: readonly FieldLeftOut[];
}

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

interface UnfitParent {
  readonly left: LeftOutReason;
  /** Why the row is not restored at all. */
  readonly unmapped?: string;
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
    const { scope, file, leftOut } = inserts;
    const always = leftOut.map(() => 0);
    const unfit = inserts.lookups.map(({ name }) => new RecentAnswers((id) => this.#unfit(id, scope, name)));
    for await (const rows of inserts.rows(this.#plan)) {
      for (const { id, cell } of rows) {
        const number = numbers.number(id);
        const isFileless = file !== undefined && !(await this.#plan.reader.fileEntry(scope.object, id, file));
        const planned = this.#draftRow(inserts, id, cell, { numbers, number, levels, always, unfit, isFileless });
        if ('code' in planned) {
          this.#withhold(scope.object, id, planned.code, planned.reason);
          levels.refuse(number);
        } else draft.add(planned);
      }
    }
    for (const [n, reason] of leftOut.entries()) if (always[n]! > 0) this.#count(scope.object, reason, always[n]);
    return draft;
  }

  /** One row, level not yet known; or why it is not made. */
  #draftRow(
    inserts: ObjectInserts,
    id: string,
    cells: (field: string) => string,
    {
      numbers,
      number,
      levels,
      always,
      unfit,
      isFileless,
    }: {
      readonly numbers: Ids;
      readonly number: number;
      readonly levels: RowLevels;
      /** Counts, for each field that is never restored, the rows that have something there. */
      readonly always: number[];
      readonly unfit: readonly RecentAnswers<UnfitParent | undefined>[];
      readonly isFileless: boolean;
    },
  ): PlannedRow | Pick<Withheld, 'code' | 'reason'> {
    const { object } = inserts.scope;
    const { rules } = inserts;
    const never = rules.neverRow?.(cells);
    if (never !== undefined) return { code: 'made-by-platform', reason: never };
    for (let n = 0; n < always.length; n++) if (cells(inserts.leftOut[n]!.field) !== '') always[n]! += 1;
    const left = new Map<string, LeftOutReason>();
    if (rules.derives || rules.without) {
      for (const [field, reason] of Object.entries({ ...rules.derives?.(cells), ...rules.without?.(cells) })) {
        if (cells(field) !== '') left.set(field, { field, code: 'platform-derives', reason });
      }
    }
    for (const { name, check } of inserts.checked) {
      const value = cells(name);
      const problem = value ? check!(value) : undefined;
      if (problem) left.set(name, { field: name, ...problem });
    }
    const later = rules.later?.(cells) ?? [];
    let unmapped: string | undefined;
    for (const [n, lookup] of inserts.lookups.entries()) {
      const parent = cells(lookup.name);
      if (parent === '' || !lookup.writable || later.includes(lookup.name)) continue;
      const known = numbers.number(parent);
      if (known >= 0 && !this.#lost.has(parent)) levels.refer(number, known, n, lookup.required);
      else {
        const why = unfit[n]!.of(parent);
        if (why) left.set(lookup.name, why.left);
        unmapped = why?.unmapped ?? unmapped;
      }
    }
    const missing = inserts.required.filter(
      ({ name }) => !later.includes(name) && (cells(name) === '' || left.has(name)),
    );
    const duplicate = this.#taken.of(object, cells);
    const made = rules.made?.(cells) ?? false;
    if (unmapped !== undefined) return { code: 'reference-unmapped', reason: unmapped };
    if (missing.length > 0 && !made) return { code: 'required-missing', reason: requiredReason(missing, left) };
    if (isFileless) return { code: 'file-missing', reason: 'the point does not hold its file' };
    if (duplicate !== undefined) {
      return { code: 'unique-taken', reason: `another record of the org has its ${duplicate}` };
    }
    for (const reason of left.values()) this.#count(object, reason);
    const without = left.size === 0 ? [] : [...left.keys()];
    return { id, action: 'insert', level: 0, fields: [], later, without, ...(made ? { made: true } : {}) };
  }

  /** What keeps a row from naming a parent that is not of its group; undefined when nothing does. */
  #unfit(parent: string, scope: ObjectScope, field: string): UnfitParent | undefined {
    if (!this.#comes(parent) && !this.#references.stands(parent, scope.object, field)) {
      const reason = this.#references.why(parent);
      const left = { field, code: 'reference-unresolved', reason } as const;
      return this.#isForeign(parent) && this.#unmapped === 'skip'
        ? { left, unmapped: `${field}: ${reason}` }
        : { left };
    }
    const reason = this.#references.unfit(parent, scope, field);
    return reason === undefined ? undefined : { left: { field, code: 'value-not-allowed', reason } };
  }

  /** The draft itself with its levels, unless rows of it cannot be made after all. */
  #finished(inserts: ObjectInserts, draft: PlannedRows, numbers: Ids, solved: Levels): PlannedRows {
    const { object } = inserts.scope;
    const names = (fields: readonly number[] | undefined) => (fields ?? []).map((n) => inserts.lookups[n]!.name);
    const impossible = new Set<number>();
    for (let n = 0; n < draft.size; n++) {
      const number = draft.numberAt(n, numbers);
      if (solved.impossible.has(number)) {
        impossible.add(n);
        this.#withhold(object, draft.idAt(n), 'reference-unresolved', 'a record that it needs cannot be restored');
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
