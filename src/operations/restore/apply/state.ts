import { IdSelection } from '../../../rows/id-selection.ts';
import { IdTable } from '../../../rows/id-table.ts';
import type { Action, Plan, PlannedRow } from '../plan.ts';
import type { PlannedRows } from '../planned-rows.ts';
import type { Outcome, PlannedSlice, Step } from './entries.ts';
import { type Remedy, remedyOf } from './errors.ts';
import { Targets } from './targets.ts';

/** `result.done` of a restore, for one object. */
export interface Done {
  undeleted: number;
  inserted: number;
  relinked: number;
  updated: number;
  deleted: number;
  skipped: number;
  failed: number;
}

export interface FailedRow {
  readonly object: string;
  /** As in the plan. */
  readonly id: string;
  readonly step: Step;
  readonly code: string;
  /** The org's own words. */
  readonly reason: string;
  readonly advice: string;
}

/** A row that was kept since somebody changed it. */
export interface KeptRow {
  readonly object: string;
  readonly id: string;
  readonly fields: readonly string[];
  readonly reason: string;
}

/** A row whose step did not succeed at first, and how it is tried again. */
export interface Retry {
  readonly object: string;
  readonly id: string;
  readonly step: Step;
  readonly remedy: Remedy;
  /** Tries so far, and of them those for each kind of remedy. */
  readonly tries: number;
  readonly of: Readonly<Partial<Record<Remedy['kind'], number>>>;
  /** What the org said last. */
  readonly code: string;
  readonly message: string;
  /** Fields that are no longer sent. */
  readonly without: readonly string[];
}

const undelete = 1;
const insert = 2;
const rest = 4;
const later = 8;
const update = 16;
const activate = 32;
const remove = 64;
/** Steps of a row that are over, well or not. */
const stepBits: Readonly<Record<Step, number>> = { undelete, insert, rest, later, update, activate, delete: remove };
/** The row could not be undeleted and is made anew. */
const anew = 128;
/** The row does not stand in the org and will not: nothing more is done to it. */
const lost = 256;
const kept = 512;
const failed = 1024;
/** An update or a deletion of it was announced: its before-image is in the journal. */
const announced = 2048;
/** Some of its cells have to be written after it was made. */
const hasRest = 4096;
/** It stood in the org already. */
const matched = 8192;
/** What its first writing could not carry was announced. */
const restAnnounced = 16384;

const counted: Readonly<Partial<Record<Step, keyof Done>>> = {
  undelete: 'undeleted',
  insert: 'inserted',
  delete: 'deleted',
};

/** What has become of every row of a plan so far: a pure function of the journal's entries, in order. About 40 bytes a row. */
export class ApplyState {
  readonly #plan: Plan;
  /** Rows that something is done to. */
  readonly #rows = new IdTable();
  readonly #objects: Uint16Array;
  readonly #numbers: Uint32Array;
  readonly #bits: Uint16Array;
  /** By object of the plan: its first row, and the one behind its last. */
  readonly #ranges = new Map<string, { readonly rows: PlannedRows; readonly from: number; readonly to: number }>();
  /** Id in the point -> Id in the org, where that is another. */
  readonly ids = new Targets(this.#rows);
  readonly done = new Map<string, Done>();
  readonly failures: FailedRow[] = [];
  readonly kept: KeptRow[] = [];
  readonly #retries = new Map<string, Retry>();
  /** Rows that have been sent, by object and step; each once. */
  readonly sent = new Map<string, number>();
  slices = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    const most = plan.objects.reduce((sum, { rows }) => sum + rows.size, 0);
    this.#objects = new Uint16Array(most);
    this.#numbers = new Uint32Array(most);
    this.#bits = new Uint16Array(most);
    this.#rows.reserve(plan.objects.reduce((sum, { rows }) => sum + actedOn(rows), 0));
    for (const [at, { object, rows }] of plan.objects.entries()) {
      this.done.set(object, zero(rows.count('skip')));
      const from = this.#rows.size;
      for (let n = 0; n < rows.size; n++) {
        if (!works.has(rows.actionAt(n))) continue;
        const number = rows.addIdTo(this.#rows, n);
        this.#objects[number] = at;
        this.#numbers[number] = n;
      }
      this.#ranges.set(object, { rows, from, to: this.#rows.size });
    }
    for (const [from, to] of plan.references) this.ids.set(from, to);
    for (const { rows } of plan.objects) {
      for (let n = 0; n < rows.size; n++) {
        const target = rows.targetAt(n);
        if (target !== undefined) this.ids.set(rows.idAt(n), target);
      }
    }
  }

  /** The row of the plan; undefined when nothing is done to it. */
  row(id: string): PlannedRow | undefined {
    const number = this.#rows.number(id);
    return number < 0 ? undefined : this.#plan.objects[this.#objects[number]!]!.rows.at(this.#numbers[number]!);
  }

  /** The Id under which a row of the plan stands in the org. */
  target(id: string): string {
    return this.ids.get(id) ?? id;
  }

  /** How a reference to this row of the point can be written now. */
  standing(id: string): 'stands' | 'awaited' | 'lost' {
    const number = this.#rows.number(id);
    if (number < 0 || this.ids.has(id)) return 'stands';
    const bits = this.#bits[number]!;
    if (bits & lost) return 'lost';
    const action = this.#plan.objects[this.#objects[number]!]!.rows.actionAt(this.#numbers[number]!);
    if (action === 'insert' || bits & anew) return bits & insert ? 'stands' : 'awaited';
    return action === 'undelete' && !(bits & undelete) ? 'awaited' : 'stands';
  }

  /** True when this step of the row is still to be done, whether or not its turn has come. */
  pending({ id }: PlannedRow, step: Step): boolean {
    const number = this.#rows.number(id);
    return this.#pending(this.#plan.objects[this.#objects[number]!]!.rows, number, step);
  }

  /** Rows of an object whose step is still to be done, in the order of the plan; `level`: of inserts. */
  *pendingRows(object: string, step: Step, level?: number): Generator<PlannedRow> {
    const { rows } = this.#ranges.get(object)!;
    for (const number of this.#pendingNumbers(object, step)) {
      const n = this.#numbers[number]!;
      if (level === undefined || rows.levelAt(n) === level) yield rows.at(n);
    }
  }

  /** Rows of an object that are still to be made and sent, of one level when it is given; neither found by keys nor tried again. */
  unsent(object: string, level?: number): IdSelection {
    const { rows, from, to } = this.#ranges.get(object)!;
    const numbers = new Uint32Array(to - from);
    let count = 0;
    for (const number of this.#pendingNumbers(object, 'insert')) {
      const n = this.#numbers[number]!;
      if (level !== undefined && rows.levelAt(n) !== level) continue;
      if (rows.restAt(n).made || (this.#retries.size > 0 && this.retry(rows.idAt(n), 'insert'))) continue;
      numbers[count++] = number;
    }
    return new IdSelection(this.#rows, numbers.slice(0, count));
  }

  /** How many rows of an object have this step still before them. */
  pendingCount(object: string, step: Step): number {
    let count = 0;
    for (const _ of this.#pendingNumbers(object, step)) count += 1;
    return count;
  }

  *#pendingNumbers(object: string, step: Step): Generator<number> {
    const { rows, from, to } = this.#ranges.get(object)!;
    for (let number = from; number < to; number++) if (this.#pending(rows, number, step)) yield number;
  }

  /** Nothing is made on the way: this is asked of every row in every step of every level. */
  #pending(rows: PlannedRows, number: number, step: Step): boolean {
    const bits = this.#bits[number]!;
    if (bits & (stepBits[step] | lost | kept)) return false;
    const n = this.#numbers[number]!;
    const action = rows.actionAt(n);
    const isMade = action === 'insert' || (bits & anew) !== 0;
    switch (step) {
      case 'undelete':
        return action === 'undelete' && !(bits & anew);
      case 'insert':
        return isMade;
      case 'rest':
        return (bits & insert) !== 0 && (bits & (hasRest | matched)) !== 0;
      case 'later':
        return (bits & insert) !== 0 && rows.restAt(n).later.some((field) => field !== activation);
      case 'activate':
        return (bits & insert) !== 0 && rows.restAt(n).later.includes(activation);
      case 'update':
        if (action === 'undelete') return (bits & undelete) !== 0 && !isMade && rows.restAt(n).fields.length > 0;
        return action === 'update' || action === 'relink';
      case 'delete':
        return action === 'delete';
    }
  }

  isAnnounced(id: string): boolean {
    return (this.#bits[this.#rows.number(id)]! & announced) !== 0;
  }

  /** True for a row that stood in the org already and that nothing was written to yet. */
  isUntouched(id: string): boolean {
    return (this.#bits[this.#rows.number(id)]! & (matched | restAnnounced)) === matched;
  }

  isMatched(id: string): boolean {
    return (this.#bits[this.#rows.number(id)]! & matched) !== 0;
  }

  retry(id: string, step: Step): Retry | undefined {
    return this.#retries.size === 0 ? undefined : this.#retries.get(`${id} ${step}`);
  }

  /** Rows of an object whose step is to be tried again. */
  retries(object: string, step: Step): Retry[] {
    return [...this.#retries.values()].filter((one) => one.object === object && one.step === step);
  }

  /** A slice was announced with these rows; `rest`: those of which cells are left for afterwards. */
  announce({ object, step }: PlannedSlice, rows: Iterable<{ id: string; rest: boolean }>): void {
    let count = 0;
    for (const row of rows) {
      const number = this.#rows.number(row.id);
      if (!this.retry(row.id, step)) count += 1;
      this.#bits[number]! |= announced | (row.rest && step === 'insert' ? hasRest : 0);
      if (step === 'rest') this.#bits[number]! |= restAnnounced;
    }
    const key = `${object} ${step}`;
    this.sent.set(key, (this.sent.get(key) ?? 0) + count);
  }

  /** These rows were announced, and nothing of it was done. */
  takeBack(ids: Iterable<string>): void {
    for (const id of ids) this.#bits[this.#rows.number(id)]! &= ~(announced | restAnnounced);
  }

  /** What became of one row. */
  settle(object: string, step: Step, outcome: Outcome): void {
    const { id, kind, target } = outcome;
    const number = this.#rows.number(id);
    const counts = this.done.get(object)!;
    if (target !== undefined) this.ids.set(id, target, number);
    switch (kind) {
      case 'done':
        this.#count(counts, step, id);
        break;
      case 'matched':
        this.#bits[number]! |= matched;
        counts.skipped += 1;
        break;
      case 'anew':
        this.#bits[number]! |= anew;
        break;
      case 'kept':
        this.#bits[number]! |= kept;
        this.kept.push({ object, id, fields: outcome.fields ?? [], reason: outcome.message ?? '' });
        break;
      case 'failed':
        this.#fail(object, step, outcome, number, counts);
        break;
      case 'again':
        this.#again(object, step, outcome);
        return;
    }
    if (this.#retries.size > 0) this.#retries.delete(`${id} ${step}`);
    if (kind !== 'anew') this.#bits[number]! |= stepBits[step];
  }

  #again(object: string, step: Step, { id, code = '', message = '', fields = [] }: Outcome): void {
    const key = `${id} ${step}`;
    const known = this.#retries.get(key);
    const remedy = remedyOf(step, [{ code, message, fields }]);
    const { kind } = remedy;
    const without = [...(known?.without ?? []), ...(kind === 'without' ? fields : [])];
    const of = { ...known?.of, [kind]: (known?.of[kind] ?? 0) + 1 };
    const tries = (known?.tries ?? 0) + 1;
    this.#retries.set(key, { object, id, step, remedy, tries, of, without, code, message });
  }

  #fail(object: string, step: Step, { id, code, message }: Outcome, number: number, counts: Done): void {
    if (!(this.#bits[number]! & failed)) counts.failed += 1;
    this.#bits[number]! |= failed | (step === 'insert' || step === 'undelete' ? lost : 0);
    const { advice } = remedyOf(step, [{ code: code ?? '', message: message ?? '', fields: [] }]);
    this.failures.push({ object, id, step, code: code ?? '', reason: message ?? '', advice });
  }

  #count(counts: Done, step: Step, id: string): void {
    const what = counted[step];
    if (what) counts[what] += 1;
    else if (step === 'update') {
      const action = this.row(id)?.action;
      if (action === 'relink') counts.relinked += 1;
      else if (action === 'update') counts.updated += 1;
    }
  }
}

/** What is written alone, when everything else stands (field guide, restore 5.4, Order). */
export const activation = 'Status';

const works: ReadonlySet<Action> = new Set(['undelete', 'insert', 'relink', 'update', 'delete']);

function actedOn(rows: PlannedRows): number {
  return [...works].reduce((sum, action) => sum + rows.count(action), 0);
}

function zero(skipped: number): Done {
  return { undeleted: 0, inserted: 0, relinked: 0, updated: 0, deleted: 0, skipped, failed: 0 };
}
