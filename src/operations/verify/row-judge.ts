import { cellsAt } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { FieldDescribe, ObjectDescribe } from '../../schema/describe.ts';
import { comparedFields, derivedField, instant } from '../../schema/values.ts';
import { blankableLookups } from '../../vault/dead-rows.ts';
import { typesOf } from '../backup/stamp.ts';
import type { ComparedColumns } from '../diff/columns.ts';
import type { RowAt, RowChange } from '../diff/compare.ts';
import type { ChangeSink } from '../diff/sink.ts';
import type { OpenLookup, Parents } from './blanked.ts';
import type { OrgCounts, OrgObject } from './org-request.ts';

/** Of one object, what the point says of its reading. */
export interface JudgedObject {
  readonly object: string;
  /** What is stamped from here on changed since, in milliseconds. */
  readonly until: number;
  /** The field that says when a row changed; null: none does. */
  readonly stamp: string | null;
  /** As the point has it. */
  readonly describe: ObjectDescribe;
}

export type Verdict = Exclude<keyof OrgCounts, 'rows' | 'equal'>;
const verdicts: readonly Verdict[] = ['since', 'stale', 'gone', 'undated', 'different', 'missing', 'undead'];

/** Rows that differ in nothing but these lookups, and in derived fields. */
interface OpenRows {
  readonly lookups: readonly OpenLookup[];
  readonly derived: readonly string[];
  readonly ids: string[];
  rows: number;
}

/** What the platform writes when it stamps a row. Other fields of its own move without a stamp, some with who is looking. */
const stamps = new Set(['SystemModstamp', 'LastModifiedDate', 'LastModifiedById', 'CreatedDate', 'CreatedById']);
/** So many Ids stand for all of a verdict. */
const fewIds = 3;

/** Judges what differs between the point and the org in one object. Memory for the rows in the recycle bin, and for a few Ids. */
export class RowJudge implements ChangeSink {
  readonly unattributed = 0;
  readonly #of: JudgedObject;
  readonly #columns: ComparedColumns;
  /** By number in `columns.fields`: a difference means that the row changed; that it is stale. Others mean nothing. */
  readonly #real: ReadonlySet<number>;
  readonly #derived: ReadonlySet<number>;
  readonly #blankable: ReadonlySet<string>;
  readonly #retyped: readonly string[];
  readonly #bin = new IdTable();
  readonly #deletedAt: (number | undefined)[] = [];
  readonly #counts: Record<Verdict, number>;
  readonly #ids: Record<Verdict, string[]>;
  readonly #fields = { stale: new Map<string, number>(), different: new Map<string, number>() };
  readonly #open = new Map<string, OpenRows>();
  #rows = 0;
  #differing = 0;

  constructor(of: JudgedObject, columns: ComparedColumns) {
    this.#of = of;
    this.#columns = columns;
    const { fields } = columns;
    const names = fields.map(({ name }) => name);
    const [then, now] = [typesOf(of.describe, names), typesOf({ ...of.describe, fields: [...fields] }, names)];
    const numbers = (wanted: (field: FieldDescribe) => boolean) =>
      new Set([...fields.keys()].filter((n) => then[n] === now[n] && wanted(fields[n]!)));
    const compared = new Set(comparedFields(fields));
    this.#real = numbers((field) => compared.has(field) || stamps.has(field.name));
    this.#derived = numbers((field) => derivedField(field));
    this.#retyped = names.filter((_, n) => then[n] !== now[n]);
    this.#blankable = new Set(blankableLookups(of.describe).map(({ field }) => field));
    this.#counts = Object.fromEntries(verdicts.map((one) => [one, 0])) as Record<Verdict, number>;
    this.#ids = Object.fromEntries(verdicts.map((one) => [one, [] as string[]])) as Record<Verdict, string[]>;
  }

  read(rows: number): void {
    this.#rows += rows;
  }

  bury(id: string, row: RowAt, columns: readonly string[]): void {
    const name = columns.includes('SystemModstamp') ? 'SystemModstamp' : this.#of.stamp;
    this.#deletedAt[this.#bin.add(id)] = this.#at(row, columns, name);
  }

  take(change: RowChange): void {
    const { id, from, to } = change;
    if (from) this.#differing += 1;
    if (!from) this.#note(this.#whenOf(to!, 'missing'), id);
    else if (!to) this.#note(this.#fateOf(id), id);
    else this.#changed(change, from, to);
  }

  #fateOf(id: string): Verdict {
    const at = this.#deletedAt[this.#bin.number(id)];
    if (at === undefined) return 'gone';
    return at >= this.#of.until ? 'since' : 'undead';
  }

  #changed({ id, fields }: RowChange, from: RowAt, to: RowAt): void {
    const real = fields.filter((n) => this.#real.has(n));
    const derived = fields.filter((n) => this.#derived.has(n)).map((n) => this.#name(n));
    if (real.length + derived.length === 0) {
      this.#differing -= 1;
      return;
    }
    const verdict = this.#whenOf(to, real.length === 0 ? 'stale' : 'different');
    const lookups = real.map((n) => this.#lookup(n, from, to));
    if (verdict === 'different' && lookups.every((lookup) => lookup !== undefined))
      this.#leaveOpen(id, lookups, derived);
    else this.#note(verdict, id, verdict === 'stale' ? derived : real.map((n) => this.#name(n)));
  }

  /** Every row of which nobody could tell whether a deletion emptied its lookups. */
  *openLookups(): Generator<OpenLookup> {
    for (const { lookups } of this.#open.values()) yield* lookups;
  }

  /** Judges those rows. */
  settle(parents: Parents): void {
    for (const { lookups, derived, ids, rows } of this.#open.values()) {
      const names = lookups.map(({ field }) => field);
      const explained = lookups.every((lookup) => parents.explains(lookup));
      const [verdict, fields] = explained
        ? (['stale', [...names, ...derived]] as const)
        : (['different', names] as const);
      for (const id of ids) this.#note(verdict, id, fields);
      this.#note(verdict, undefined, fields, rows - ids.length);
    }
    this.#open.clear();
  }

  /** The first Ids of a verdict, in the order in which they were found. */
  idsOf(verdict: Verdict): readonly string[] {
    return this.#ids[verdict];
  }

  /** `gone`: fields of the point that the org has no more, or hides. */
  judged(gone: readonly string[]): OrgObject {
    const inOrder = (fields: ReadonlyMap<string, number>) =>
      Object.fromEntries([...fields].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
    return {
      object: this.#of.object,
      until: new Date(this.#of.until).toISOString(),
      rows: this.#rows,
      equal: this.#rows - this.#differing,
      ...this.#counts,
      staleFields: inOrder(this.#fields.stale),
      differentFields: inOrder(this.#fields.different),
      notCompared: [...gone, ...this.#retyped].sort(),
    };
  }

  result() {
    return { object: this.#of.object, added: 0, changed: 0, deleted: 0, fields: {} };
  }

  #note(verdict: Verdict, id: string | undefined, fields: readonly string[] = [], rows = 1): void {
    this.#counts[verdict] += rows;
    if (id !== undefined && this.#ids[verdict].length < fewIds) this.#ids[verdict].push(id);
    if (verdict !== 'stale' && verdict !== 'different') return;
    const counts = this.#fields[verdict];
    if (rows > 0) for (const field of fields) counts.set(field, (counts.get(field) ?? 0) + rows);
  }

  /** What a difference of a row that the org has means by its stamp; `before`: what it means when the stamp lies before the end of the window. */
  #whenOf(row: RowAt, before: Verdict): Verdict {
    const at = this.#at(row, this.#columns.columns, this.#of.stamp);
    if (at === undefined) return 'undated';
    return at >= this.#of.until ? 'since' : before;
  }

  #at({ batch, row }: RowAt, columns: readonly string[], name: string | null): number | undefined {
    const position = name === null ? -1 : columns.indexOf(name);
    return position < 0 ? undefined : instant(cellsAt(batch, row, [position])[0]!);
  }

  #lookup(n: number, from: RowAt, to: RowAt): OpenLookup | undefined {
    const field = this.#name(n);
    if (!this.#blankable.has(field)) return undefined;
    const position = this.#columns.offset + n;
    const [was, is] = [from, to].map(({ batch, row }) => cellsAt(batch, row, [position])[0]!);
    if (was !== '' && is !== '') return undefined;
    return { field, parent: was !== '' ? was! : is!, filled: was !== '' ? 'point' : 'org' };
  }

  #leaveOpen(id: string, lookups: readonly OpenLookup[], derived: readonly string[]): void {
    const key = [...lookups.map(({ field, parent, filled }) => `${field} ${parent} ${filled}`), ...derived].join();
    const open = this.#open.get(key) ?? { lookups, derived, ids: [], rows: 0 };
    this.#open.set(key, open);
    open.rows += 1;
    if (open.ids.length < fewIds) open.ids.push(id);
  }

  #name(n: number): string {
    return this.#columns.fields[n]!.name;
  }
}
