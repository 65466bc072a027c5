import type { Ids, IdTable } from '../../rows/id-table.ts';
import { printCharacters } from './now-print.ts';
import { type Action, actions, type PlannedRow } from './plan.ts';
import { RowTexts } from './row-texts.ts';

const idBytes = 18;

/** Texts and lists that repeat from row to row, each kept once. */
class Shared<T> {
  readonly #values: T[] = [];
  readonly #numbers = new Map<string, number>();

  number(value: T): number {
    const key = JSON.stringify(value);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#values.push(value) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  value(number: number): T {
    return this.#values[number]!;
  }
}

type Rest = Pick<PlannedRow, 'fields' | 'later' | 'without' | 'reason' | 'made'>;

/**
 * The planned rows of one object, each Id once, in the order in which they were added. A million of them take about 32 MB: Ids lie in one
 * buffer, and what many rows share is kept once.
 */
export class PlannedRows {
  #ids = Buffer.alloc(idBytes * 16);
  #actions = new Uint8Array(16);
  #levels = new Uint16Array(16);
  #rests = new Uint32Array(16);
  readonly #shared = new Shared<Rest>();
  #plain: number | undefined;
  readonly #targets = new RowTexts(idBytes);
  readonly #prints = new RowTexts(printCharacters);
  readonly #counts = new Map<Action, number>();
  size = 0;

  add(row: PlannedRow): void {
    if (row.id.length !== idBytes) throw new TypeError(`an Id has 18 characters: ${row.id}`);
    const n = this.size++;
    if (n === this.#actions.length) this.#grow();
    this.#ids.write(row.id, n * idBytes, 'latin1');
    this.#actions[n] = actions.indexOf(row.action);
    this.#levels[n] = row.level;
    this.#rests[n] = this.#restOf(row);
    if (row.target !== undefined) this.#targets.set(n, row.target, this.#actions.length);
    if (row.now !== undefined) this.#prints.set(n, row.now, this.#actions.length);
    this.#counts.set(row.action, this.count(row.action) + 1);
  }

  #restOf({ fields, later, without, reason, made }: PlannedRow): number {
    // Most rows share nothing but this, and there may be millions.
    if (fields.length + later.length + without.length === 0 && reason === undefined && !made) {
      this.#plain ??= this.#shared.number({ fields: [], later: [], without: [] });
      return this.#plain;
    }
    const more = { ...(reason === undefined ? {} : { reason }), ...(made ? { made } : {}) };
    return this.#shared.number({ fields, later, without, ...more });
  }

  /** Gives row `n` its level, and more fields that it is made without, at first or for good. */
  order(n: number, level: number, later: readonly string[], without: readonly string[]): void {
    this.#levels[n] = level;
    if (later.length + without.length === 0) return;
    const rest = this.restAt(n);
    const more = { later: [...rest.later, ...later], without: [...rest.without, ...without] };
    this.#rests[n] = this.#shared.number({ ...rest, ...more });
  }

  /** The rows without those of these numbers. */
  except(numbers: ReadonlySet<number>): PlannedRows {
    const rows = new PlannedRows();
    for (let n = 0; n < this.size; n++) if (!numbers.has(n)) rows.add(this.at(n));
    return rows;
  }

  /** Counts a row of which nothing more is to be known: `skip` rows of a large object. */
  tally(action: Action): void {
    this.#counts.set(action, this.count(action) + 1);
  }

  count(action: Action): number {
    return this.#counts.get(action) ?? 0;
  }

  /** The highest level of an insert; -1 without inserts. */
  get deepest(): number {
    let deepest = -1;
    for (let n = 0; n < this.size; n++)
      if (actions[this.#actions[n]!] === 'insert' && this.#levels[n]! > deepest) deepest = this.#levels[n]!;
    return deepest;
  }

  /** The action of row `n` alone: nothing is made for it, so that all rows can be looked at again and again. */
  actionAt(n: number): Action {
    return actions[this.#actions[n]!]!;
  }

  levelAt(n: number): number {
    return this.#levels[n]!;
  }

  /** What row `n` shares with others: the same object for all of them. */
  restAt(n: number): Rest {
    return this.#shared.value(this.#rests[n]!);
  }

  idAt(n: number): string {
    return this.#ids.toString('latin1', n * idBytes, (n + 1) * idBytes);
  }

  /** The number that the Id of row `n` has among others; -1 when it is none of them. */
  numberAt(n: number, ids: Pick<Ids, 'number'>): number {
    return ids.number(this.#ids, n * idBytes);
  }

  /** Adds the Id of row `n` to a table; returns its number there. */
  addIdTo(table: IdTable, n: number): number {
    return table.add(this.#ids, n * idBytes);
  }

  /** Rows with the same number share all that `restAt` gives. */
  restNumberAt(n: number): number {
    return this.#rests[n]!;
  }

  targetAt(n: number): string | undefined {
    return this.#targets.get(n);
  }

  printAt(n: number): string | undefined {
    return this.#prints.get(n);
  }

  at(n: number): PlannedRow {
    const target = this.#targets.get(n);
    const now = this.#prints.get(n);
    const row = { id: this.idAt(n), action: this.actionAt(n), level: this.levelAt(n), ...this.restAt(n) };
    if (target === undefined && now === undefined) return row;
    return { ...row, ...(target === undefined ? {} : { target }), ...(now === undefined ? {} : { now }) };
  }

  /** Rows of one action, of one level when it is given. */
  *of(action: Action, level?: number): Generator<PlannedRow> {
    const wanted = actions.indexOf(action);
    for (let n = 0; n < this.size; n++)
      if (this.#actions[n] === wanted && (level === undefined || this.#levels[n] === level)) yield this.at(n);
  }

  *[Symbol.iterator](): Generator<PlannedRow> {
    for (let n = 0; n < this.size; n++) yield this.at(n);
  }

  #grow(): void {
    const rows = 2 * this.#actions.length;
    const ids = Buffer.alloc(idBytes * rows);
    this.#ids.copy(ids);
    const [actionsOf, levels, rests] = [new Uint8Array(rows), new Uint16Array(rows), new Uint32Array(rows)];
    actionsOf.set(this.#actions);
    levels.set(this.#levels);
    rests.set(this.#rests);
    [this.#ids, this.#actions, this.#levels, this.#rests] = [ids, actionsOf, levels, rests];
  }
}
