import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../../context.ts';
import { Fault } from '../../../errors.ts';
import type { RowFlow } from '../../../rows/batch.ts';
import { cells, Keys } from '../../../rows/cells.ts';
import { type Ids, IdTable } from '../../../rows/id-table.ts';
import { RowReader } from '../../../rows/row-reader.ts';
import type { Org } from '../../../salesforce/org.ts';
import type { FileContent } from '../../../salesforce/writing.ts';
import type { FieldDescribe, ObjectDescribe } from '../../../schema/describe.ts';
import type { Restore } from '../../../vault/restore.ts';
import type { RestorePlace, StoredTable } from '../../../vault/restores.ts';
import type { ObjectPlan, Plan } from '../plan.ts';
import { insertable, type WritableField } from '../writable.ts';
import { type Entry, type Outcome, outcomeCells, outcomeColumns, type Step } from './entries.ts';
import { ownCodes } from './errors.ts';
import { ApplyState } from './state.ts';
import { storeTable } from './tables.ts';

/** Where the values come from that are written: a recovery point, or the before-images of a restore. */
export interface ValueSource {
  /** Columns of the object's rows; `[]` when there are none. */
  columns(object: string): Promise<readonly string[]>;
  /** As it was when the values were read; undefined when that is not known. */
  describe(object: string): Promise<ObjectDescribe | undefined>;
  /** Rows with these Ids, ascending, with these columns at least. */
  rows(object: string, wanted: { ids: Ids; columns: readonly string[]; signal?: AbortSignal }): Promise<RowFlow>;
  file(object: string, id: string, field: string): Promise<FileContent | undefined>;
}

export interface ApplyOptions {
  /** Failed rows of an object, in percent of those that were sent, before the rest is left alone; at least 20 rows. Default 10. */
  readonly maxErrors?: number;
  /** Where the files of failed rows and of Ids are written; none are without. */
  readonly folder?: string;
  /** Rows of the first slices of an object, one behind the other, and of those behind them, of which two are under way. */
  readonly slices?: { readonly first: readonly number[]; readonly rows: number };
  /** Waits so many milliseconds before rows that were locked are tried again. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** One object, in the plan and in the org. */
export interface ObjectWork {
  readonly object: string;
  readonly plan: ObjectPlan;
  readonly target: ObjectDescribe;
  readonly fields: ReadonlyMap<string, FieldDescribe>;
  /** Columns of the source. */
  readonly columns: readonly string[];
  /** Fields that an insert may write. */
  readonly writable: readonly WritableField[];
  /** The field that holds bytes, for objects of files. */
  readonly blob: string | undefined;
  /** False when the org refuses ingest jobs of it. */
  bulk: boolean;
}

export interface WorkParts {
  readonly ctx: Context;
  readonly plan: Plan;
  readonly source: ValueSource;
  readonly org: Org;
  readonly journal: Restore;
  readonly place: RestorePlace;
  readonly options: ApplyOptions;
}

/** A restore at work: what all of its steps share. */
export class Work {
  readonly ctx: Context;
  readonly plan: Plan;
  readonly source: ValueSource;
  readonly org: Org;
  readonly journal: Restore;
  readonly place: RestorePlace;
  readonly options: ApplyOptions;
  readonly state: ApplyState;
  readonly objects: ReadonlyMap<string, ObjectWork>;
  /** Rows whose before-images were taken by this process. */
  readonly imaged = new IdTable();
  /** `Object.Field` -> rows in which a field that the plan has was not written. */
  readonly leftOut = new Map<string, number>();
  /** By number of the slice. */
  readonly #leftOf = new Map<number, Readonly<Record<string, number>> | undefined>();
  /** Tables of Ids of the whole restore, in order. */
  readonly idTables: StoredTable[] = [];

  private constructor(parts: WorkParts, objects: ReadonlyMap<string, ObjectWork>) {
    this.ctx = parts.ctx;
    this.plan = parts.plan;
    this.source = parts.source;
    this.org = parts.org;
    this.journal = parts.journal;
    this.place = parts.place;
    this.options = parts.options;
    this.state = new ApplyState(parts.plan);
    this.objects = objects;
  }

  static async open(parts: WorkParts): Promise<Work> {
    const names = parts.plan.objects.map(({ object }) => object);
    const described = await parts.org.describe(names);
    const objects = new Map<string, ObjectWork>();
    for (const plan of parts.plan.objects) {
      const target = described.get(plan.object);
      if (!target || 'reason' in target) {
        throw new Fault('object-refused', `the org does not describe ${plan.object}: ${target?.reason ?? 'no answer'}`);
      }
      objects.set(plan.object, await objectWork(parts.source, plan, target));
    }
    return new Work(parts, objects);
  }

  /** In the order of the plan. */
  get ordered(): readonly ObjectWork[] {
    return [...this.objects.values()];
  }

  /** True when no Id of the source means anything in the org. */
  get anotherOrg(): boolean {
    return this.plan.header.sourceOrg.slice(0, 15) !== this.plan.header.org.id.slice(0, 15);
  }

  /** Appends an entry; it is durable when this resolves. */
  append(entry: Entry, tables: readonly StoredTable[] = []): Promise<void> {
    this.ctx.signal.throwIfAborted();
    this.recall(entry);
    return this.journal.append(entry, tables);
  }

  /**
   * Notes what became of rows, in the journal and then in the state. `slice`: they are all rows of it. `others`: Ids of rows that the platform
   * made along with them.
   */
  async settle(
    o: ObjectWork,
    step: Step,
    outcomes: readonly Outcome[],
    slice?: number,
    others: readonly (readonly [object: string, id: string, target: string])[] = [],
  ): Promise<void> {
    if (outcomes.length === 0 && slice === undefined) return;
    const { object } = o;
    const rows = { name: 'outcomes', object, columns: outcomeColumns };
    const tables = [await storeTable(this.journal, rows, cellsOf(outcomes))];
    if (others.length > 0 || outcomes.some(({ target }) => target !== undefined)) {
      const columns = ['Object', 'Id', 'Target'];
      tables.push(await storeTable(this.journal, { name: 'ids', columns }, idsOf(object, outcomes, others)));
      this.idTables.push(tables[1]!);
    }
    const of = slice === undefined ? {} : { slice };
    await this.journal.append({ type: 'results', object, step, ...of } satisfies Entry, tables);
    for (const outcome of outcomes) this.note(object, step, outcome);
    for (const [, id, target] of others) this.state.ids.set(id, target);
    this.#report(object, step);
  }

  /** What became of one row, as the journal says it. */
  note(object: string, step: Step, outcome: Outcome): void {
    this.state.settle(object, step, outcome);
    // The org refuses these fields: the row goes without them.
    if (outcome.kind === 'again') for (const field of outcome.fields ?? []) this.#count(`${object}.${field}`, 1);
  }

  /** Counts the fields that an entry says rows go without. What is abandoned is announced again, or rendered anew. */
  recall(entry: Entry): void {
    if (entry.type === 'planned') this.#leftOf.set(entry.slice, entry.left);
    if (entry.type !== 'planned' && entry.type !== 'abandoned') return;
    const left = Object.entries(this.#leftOf.get(entry.slice) ?? {});
    for (const [key, rows] of left) this.#count(key, entry.type === 'planned' ? rows : -rows);
  }

  #count(key: string, rows: number): void {
    const sum = (this.leftOut.get(key) ?? 0) + rows;
    if (sum === 0) this.leftOut.delete(key);
    else this.leftOut.set(key, sum);
  }

  /** Stops when too many rows of the object have failed. */
  checkErrors(o: ObjectWork, step: Step): void {
    const percent = this.options.maxErrors ?? 10;
    const sent = this.state.sent.get(`${o.object} ${step}`) ?? 0;
    // Rows that were not sent, since what they need had failed, say nothing about the rest.
    const failed = this.state.failures.filter(
      (one) => one.object === o.object && one.step === step && one.code !== ownCodes.reference,
    ).length;
    const all = failed >= 10 && failed >= sent && percent < 100;
    if (!all && (percent >= 100 || failed <= Math.max(fewErrors, (sent * percent) / 100))) return;
    throw new Fault(
      'too-many-errors',
      `${failed} of the first ${sent} rows of ${o.object} failed: the rest is left alone`,
      {
        data: { restore: this.journal.restore, object: o.object, failed, sent },
      },
    );
  }

  async wait(ms: number): Promise<void> {
    const { wait } = this.options;
    if (wait) await wait(ms, this.ctx.signal);
    else await sleep(ms, undefined, { signal: this.ctx.signal });
  }

  /** Rows of the source with these Ids, some at a time, with these fields. What is read of a row is valid until the next. */
  async *rowsAtOnce(o: ObjectWork, ids: Ids, fields: readonly string[]): AsyncGenerator<Iterable<RowReader>> {
    if (ids.size === 0) return;
    const columns = ['Id', ...fields.filter((name) => name !== 'Id' && o.columns.includes(name))];
    const flow = await this.source.rows(o.object, { ids, columns, signal: this.ctx.signal });
    const reader = new RowReader(flow.columns, columns);
    for await (const batch of flow.batches) {
      this.ctx.signal.throwIfAborted();
      yield reader.rows(batch);
      batch.release?.();
    }
  }

  /** As `rowsAtOnce`, one by one, with a reader of cells by field name. */
  async *rows(
    o: ObjectWork,
    ids: Ids,
    fields: readonly string[],
  ): AsyncGenerator<{ id: string; cells: (field: string) => string }> {
    for await (const rows of this.rowsAtOnce(o, ids, fields)) {
      for (const { id, cell } of rows) yield { id, cells: cell };
    }
  }

  #report(object: string, step: Step): void {
    const { failed } = this.state.done.get(object)!;
    const rows = this.state.sent.get(`${object} ${step}`) ?? 0;
    this.ctx.report({ type: 'restore-step', object, step, rows, failed });
  }
}

function* cellsOf(outcomes: readonly Outcome[]) {
  for (const outcome of outcomes) yield outcomeCells(outcome);
}

function* idsOf(
  object: string,
  outcomes: readonly Outcome[],
  others: readonly (readonly [object: string, id: string, target: string])[],
) {
  for (const { id, target } of outcomes) if (target !== undefined) yield [object, id, target];
  yield* others;
}

/** So many failed rows of an object are always borne. */
const fewErrors = 20;

/** Rows of a flow one by one. */
export async function* rowsOf(
  flow: RowFlow,
  signal: AbortSignal,
): AsyncGenerator<{ id: string; cells: (field: string) => string }> {
  const keys = new Keys(flow.columns);
  const at = new Map(flow.columns.map((name, index) => [name, index]));
  for await (const batch of flow.batches) {
    signal.throwIfAborted();
    for (let i = 0; i < batch.ends.length; i++) {
      const values = cells(batch, i);
      yield { id: keys.id(batch, i), cells: (field) => values[at.get(field) ?? -1] ?? '' };
    }
    batch.release?.();
  }
}

async function objectWork(source: ValueSource, plan: ObjectPlan, target: ObjectDescribe): Promise<ObjectWork> {
  const { object } = plan;
  const columns = await source.columns(object);
  const described = (await source.describe(object)) ?? target;
  const { fields: writable } = insertable(described, target, columns);
  const blob = target.fields.find(({ type, createable }) => type === 'base64' && createable)?.name;
  const fields = new Map(target.fields.map((field) => [field.name, field]));
  return { object, plan, target, fields, columns, writable, blob, bulk: true };
}
