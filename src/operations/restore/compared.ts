import type { RowFlow } from '../../rows/batch.ts';
import { cellsAt } from '../../rows/cells.ts';
import { IdTable } from '../../rows/id-table.ts';
import type { FieldDescribe } from '../../schema/describe.ts';
import { derivedField, sameValue, systemField } from '../../schema/values.ts';
import type { PointReader } from '../../vault/point-reader.ts';
import { type Joined, join, type RowAt } from './joined.ts';
import { judge, type Overwriting } from './judge.ts';
import { nowPrint } from './now-print.ts';
import type { PlannedRow } from './plan.ts';
import { platformRules } from './platform.ts';
import type { ObjectScope, PlanScope } from './scope.ts';

/** The incident whose damage is put back; undefined: none was named. */
export interface Incident {
  /** Milliseconds since 1970, by the org's clock; -Infinity and Infinity when no window was named. */
  readonly from: number;
  readonly to: number;
  /** 18 characters: who did it; undefined: anybody. */
  readonly actor: string | undefined;
  /** The point that shows what was there when it was over. */
  readonly after: PointReader | undefined;
}

/** True when the stamps of a row tell whether it was the incident: a time or an actor was named. */
export function namesWho({ from, to, actor }: Incident): boolean {
  return Number.isFinite(from) || Number.isFinite(to) || actor !== undefined;
}

/** Differences that stay, by field, and why. */
export interface Kept {
  readonly object: string;
  readonly field: string;
  readonly why: 'differs' | 'emptied' | 'create-only';
  readonly rows: number;
}

interface ComparedField {
  readonly field: FieldDescribe;
  readonly updateable: boolean;
  readonly lookup: boolean;
  readonly wanted: boolean;
}

const stamps = ['LastModifiedById', 'LastModifiedDate'];

/**
 * Compares rows of the point that stand in the org, in the recycle bin or as survivors with what they are now, and tells what is to be done
 * with each. `fields`: only these are put back; lookups that were lost come back all the same.
 */
export class Comparison {
  readonly #plan: PlanScope;
  readonly #overwriting: Overwriting;
  readonly #incident: Incident | undefined;
  readonly #fields: ReadonlySet<string> | undefined;
  readonly #salt: string;
  readonly #kept = new Map<string, Kept & { rows: number }>();

  constructor(
    plan: PlanScope,
    options: {
      readonly overwriting: Overwriting;
      readonly incident: Incident | undefined;
      readonly fields: readonly string[];
      readonly salt: string;
    },
  ) {
    this.#plan = plan;
    this.#overwriting = options.overwriting;
    this.#incident = options.incident;
    this.#fields = options.fields.length === 0 ? undefined : new Set(options.fields.map((name) => name.toLowerCase()));
    this.#salt = options.salt;
  }

  get kept(): readonly Kept[] {
    return [...this.#kept.values()];
  }

  async *rows(scope: ObjectScope): AsyncGenerator<PlannedRow> {
    const { target } = scope;
    if (!target) return;
    const ids = new IdTable();
    for (const n of scope.wanted.numbers()) {
      if (scope.vanished.at(n) || this.#plan.comesAnewAt(scope, n)) continue;
      const id = scope.wanted.id(n);
      // What lies in the recycle bin was made again by an earlier restore, and stands.
      if (!(scope.bin.at(n) && this.#plan.earlier.has(id))) ids.add(id);
    }
    for (const id of scope.survivors) ids.add(id);
    if (ids.size === 0) return;
    const fields = this.#comparedFields(scope);
    const columns = ['Id', ...fields.map(({ field }) => field.name)];
    const { signal } = this.#plan.ctx;
    const before = await this.#plan.reader.rows(scope.object, { ids, columns, signal });
    const asked = [
      ...columns,
      ...['IsDeleted', ...stamps].filter((name) => has(target, name) && !columns.includes(name)),
    ];
    const now = this.#plan.org.records(target, [...ids.sorted()], asked, { all: true });
    const after = await this.#afterFlow(scope.object, ids, columns);
    const read = {
      before: new FieldReader(before.columns, fields),
      after: after && new FieldReader(after.columns, fields),
      now: new FieldReader(now.columns, fields),
      stamps: new FieldReader(
        now.columns,
        stamps.map((name) => ({ field: { name } })),
      ),
    };
    for await (const joined of join(before, now, after, signal)) yield* this.#row(scope, fields, joined, read);
  }

  async #afterFlow(object: string, ids: IdTable, columns: readonly string[]): Promise<RowFlow | undefined> {
    const after = this.#incident?.after;
    if (!after?.objects().includes(object)) return undefined;
    const { columns: there } = await after.map(object);
    const both = columns.filter((name) => there.includes(name));
    return after.rows(object, { ids, columns: both, signal: this.#plan.ctx.signal });
  }

  #comparedFields({ source, target, columns }: ObjectScope): ComparedField[] {
    const found = new Map(target!.fields.map((field) => [field.name, field]));
    return source.fields.flatMap(({ name }) => {
      const field = found.get(name);
      if (!field || name === 'Id' || !columns.includes(name) || field.type === 'base64') return [];
      if (derivedField(field) || systemField(field)) return [];
      const wanted = this.#fields?.has(name.toLowerCase()) ?? true;
      const lookup = field.type === 'reference';
      return wanted || lookup ? [{ field, updateable: field.updateable, lookup, wanted }] : [];
    });
  }

  *#row(
    scope: ObjectScope,
    fields: readonly ComparedField[],
    { id, before, after, now }: Joined,
    read: Readers,
  ): Generator<PlannedRow> {
    if (!now) {
      yield planned(id, 'conflict', { reason: 'it vanished while the plan was made' });
      return;
    }
    const was = read.before.values(before);
    const then = after && read.after?.values(after);
    const is = read.now.values(now);
    const wanted = scope.wanted.has(id);
    const derived = derivedOf(scope, fields, was);
    const isFrozen = platformRules(scope.object).frozen?.((name) => cellOf(fields, is, name)) ?? false;
    const byIncident = this.#byIncident(read.stamps.values(now));
    const back: number[] = [];
    const conflicts: string[] = [];
    let relinks = 0;
    for (const [n, { field, updateable, lookup, wanted: chosen }] of fields.entries()) {
      const values = { before: was[n] ?? '', now: is[n] ?? '', after: then?.[n], byIncident };
      const lost = lookup && this.#lost(field, values.before, values.now);
      if ((!lost && !(wanted && chosen)) || derived?.has(field.name)) continue;
      const verdict = lost ? 'put-back' : judge(field, values, this.#overwriting);
      if (verdict === 'conflict') conflicts.push(field.name);
      else if (verdict === 'put-back' && updateable && !isFrozen) {
        back.push(n);
        if (lost) relinks += 1;
      } else if (verdict !== 'same')
        this.#keep(scope.object, field.name, verdict === 'put-back' ? 'create-only' : verdict);
    }
    const names = back.map((n) => fields[n]!.field.name);
    const now_ =
      back.length === 0
        ? {}
        : {
            now: nowPrint(
              this.#salt,
              back.map((n) => [fields[n]!.field, is[n] ?? ''] as const),
            ),
          };
    if (scope.bin.has(id)) {
      const reason = scope.along.has(id) ? { reason: 'with the record that it was deleted with' } : {};
      yield planned(id, 'undelete', { fields: names, ...now_, ...reason });
    } else if (back.length > 0)
      yield planned(id, relinks === back.length ? 'relink' : 'update', { fields: names, ...now_ });
    else if (wanted && conflicts.length === 0) yield planned(id, 'skip', {});
    if (conflicts.length > 0)
      yield planned(id, 'conflict', { fields: conflicts, reason: 'changed since the incident' });
  }

  /** The lookup led to a row that comes back: a deletion blanked it, or it still names the Id that will be no more. */
  #lost(field: FieldDescribe, before: string, now: string): boolean {
    if (before === '') return false;
    const anew = this.#plan.comesAnew(before) || this.#plan.earlier.has(before);
    if (now === '') return anew || this.#plan.isUndeleted(before);
    return anew && sameValue(field, before, now) && !this.#plan.isUndeleted(before);
  }

  #byIncident([by = '', at = '']: readonly (string | undefined)[]): boolean {
    // Named by the point after it alone, the incident did what that point shows and nothing else.
    if (!this.#incident || !namesWho(this.#incident)) return false;
    const { from, to, actor } = this.#incident;
    const time = Date.parse(at);
    // Stamps are whole seconds: the one in which the incident began is part of it.
    const inWindow = from === Number.NEGATIVE_INFINITY || (time >= Math.floor(from / 1000) * 1000 && time <= to);
    return inWindow && (actor === undefined || by.slice(0, 15) === actor.slice(0, 15));
  }

  #keep(object: string, field: string, why: Kept['why']): void {
    const key = `${object}.${field} ${why}`;
    const known = this.#kept.get(key);
    if (known) known.rows += 1;
    else this.#kept.set(key, { object, field, why, rows: 1 });
  }
}

/** Fields of a row that the platform derives from others of it: they come right by themselves. */
function derivedOf(
  { object }: ObjectScope,
  fields: readonly ComparedField[],
  was: readonly (string | undefined)[],
): ReadonlySet<string> | undefined {
  const derives = platformRules(object).derives?.((name) => cellOf(fields, was, name));
  return derives && new Set(Object.keys(derives));
}

function cellOf(fields: readonly ComparedField[], cells: readonly (string | undefined)[], name: string): string {
  return cells[fields.findIndex(({ field }) => field.name === name)] ?? '';
}

function planned(id: string, action: PlannedRow['action'], more: Partial<PlannedRow>): PlannedRow {
  return { id, action, level: 0, fields: [], later: [], without: [], ...more };
}

function has(describe: { readonly fields: readonly { readonly name: string }[] }, name: string): boolean {
  return describe.fields.some((field) => field.name === name);
}

interface Readers {
  readonly before: FieldReader;
  readonly after: FieldReader | undefined;
  readonly now: FieldReader;
  readonly stamps: FieldReader;
}

/** Reads some fields of rows whose columns stand in another order. */
class FieldReader {
  readonly #positions: readonly number[];
  /** By field: which of the cells at `#positions` it is; -1 when the rows do not have it. */
  readonly #slots: readonly number[];

  constructor(columns: readonly string[], fields: readonly { readonly field: { readonly name: string } }[]) {
    const at = fields.map(({ field }) => columns.indexOf(field.name));
    this.#positions = at.filter((position) => position >= 0).sort((a, b) => a - b);
    this.#slots = at.map((position) => this.#positions.indexOf(position));
  }

  /** By field; undefined where the rows do not have it. */
  values({ batch, row }: RowAt): readonly (string | undefined)[] {
    const cells = cellsAt(batch, row, this.#positions);
    return this.#slots.map((slot) => (slot < 0 ? undefined : cells[slot]));
  }
}
